// A bank account in Chromium. No test server has the provider's bank fields, so a small one stands in for the provider
// here: what the page asks its script to do, and that neither number nor permission gets past the form.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startConsole, watch } from './console.mjs';
import { Mouse } from './hands.mjs';
import { at, button, field, link, main, says, signUp } from './steps.mjs';

let provider, stripe, console_, browser;
const objects = new Map();

// The provider's script as its reference describes it: a window of its own asks for the numbers.
const script = `window.Stripe = (key) => ({
  elements: () => ({ create: () => ({ mount() {} }) }),
  async collectBankAccountForSetup({ clientSecret, params }) {
    window.asked = [key, clientSecret, params];
    const id = clientSecret.split('_secret')[0];
    await fetch(new URL('/enter/' + id, '${'$'}{HOST}'), { method: 'POST' });
    return { setupIntent: { id, status: 'requires_confirmation' } };
  },
  async confirmUsBankAccountSetup(clientSecret) {
    const id = clientSecret.split('_secret')[0];
    await fetch(new URL('/confirm/' + id, '${'$'}{HOST}'), { method: 'POST' });
    return { setupIntent: { id, status: 'requires_action' } };
  },
});`;

function answer(request, form) {
  const [, , kind, id, act] = request.url.split('?')[0].split('/');
  if (request.url.startsWith('/js/')) return script.replaceAll('${HOST}', stripe);
  if (request.url.startsWith('/enter/')) return {};
  if (request.url.startsWith('/confirm/')) {
    const intent = objects.get(request.url.split('/')[2]);
    const means = { id: 'pm_1', customer: intent.customer, us_bank_account: { bank_name: 'TEST BANK', last4: '6789', account_holder_type: 'company' } };
    objects.set('pm_1', means);
    Object.assign(intent, { status: 'requires_action', next_action: { type: 'verify_with_microdeposits' }, payment_method: 'pm_1' });
    return {};
  }
  if (request.method === 'GET') return objects.get(id);
  if (act === 'verify_microdeposits') return Object.assign(objects.get(id), { status: 'succeeded' });
  const made = kind === 'customers' ? { id: 'cus_1' } : { id: 'seti_1', customer: form.get('customer'), client_secret: 'seti_1_secret_x', status: 'requires_payment_method' };
  objects.set(made.id, made);
  return made;
}

before(async () => {
  provider = createServer((request, response) => {
    let body = '';
    request.on('data', (some) => (body += some)).on('end', () => {
      const given = answer(request, new URLSearchParams(body));
      const text = typeof given === 'string';
      response.setHeader('content-type', text ? 'text/javascript' : 'application/json');
      response.setHeader('access-control-allow-origin', '*');
      response.end(text ? given : JSON.stringify(given));
    });
  });
  await new Promise((resolve) => provider.listen(0, '127.0.0.1', resolve));
  stripe = `http://127.0.0.1:${provider.address().port}`;
  Object.assign(process.env, {
    STRIPE_SECRET_KEY: 'sk_test_12345', STRIPE_PUBLISHABLE_KEY: 'pk_test_12345', STRIPE_API_URL: stripe, STRIPE_JS_URL: `${stripe}/js/`,
  });
  [console_, browser] = await Promise.all([startConsole(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await console_?.stop();
  provider?.close();
});

test('a bank account from permission to verification', { timeout: 120_000 }, async () => {
  const page = await openPage(browser, console_.url);
  const seen = watch(page, console_.url);
  const hand = new Mouse(page);
  const { id } = await signUp(hand, { account: 'Acme' });
  await page.goto(`/a/${id}/billing/new`);
  await hand.tick(page.getByRole('radio', { name: 'Bank account, monthly autodraft' }));
  for (const [label, value] of [
    ['Account holder name', 'Acme'], ['Billing email', 'pay@acme.example'], ['Street', '1 Main St'], ['City', 'Reno'],
    ['State', 'NV'], ['Postal code', '89501'], ['Country', 'United States'],
  ]) await hand.type(field(page, label), value);
  await hand.go(button(page, 'Save'));
  await at(page, 'Enter a bank account');
  assert.deepEqual(await axe(page), []);
  // Without the permission the provider is not even asked.
  await hand.go(button(page, 'Use this bank account'));
  await says(page, 'Give the permission to draft');
  assert.equal(await page.evaluate(() => window.asked), undefined);
  await hand.tick(page.getByRole('radio', { name: 'Company' }));
  await hand.tick(page.getByRole('checkbox', { name: /^I permit drafts/ }));
  await button(page, 'Use this bank account').click();
  await says(page, 'is not verified: new connections are blocked');
  await hand.go(link(page, 'Verify bank account'));
  await at(page, 'Verify bank account');
  assert.deepEqual(await axe(page), []);
  await page.setViewportSize({ width: 320, height: 640 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 320));
  await hand.type(field(page, 'First amount'), '32');
  await hand.type(field(page, 'Second amount'), '45');
  await hand.go(button(page, 'Verify bank account'));
  await says(page, 'Paid by this account: TEST BANK ending 6789');
  assert.deepEqual([seen.csp, seen.errors.filter((text) => !/422/.test(text))], [[], []]);
  await page.context().close();
});
