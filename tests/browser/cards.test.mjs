// Cards in Chromium with localstripe's own fields: entered, refused, confirmed by their holder; the number goes to the
// provider and nowhere else. And the pages to look at, with axe, at 320 px, without script.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { axe, openPage, startBrowser, startConsole, watch } from './console.mjs';
import { Mouse } from './hands.mjs';
import { at, button, field, link, main, says, signUp } from './steps.mjs';

const python = fileURLToPath(new URL('../../target/localstripe/bin/python', import.meta.url));
let provider, stripe, console_, browser;

before(async () => {
  const port = await freePort();
  stripe = `http://127.0.0.1:${port}`;
  provider = spawn(python, ['-m', 'localstripe', '--port', String(port), '--from-scratch'], { stdio: 'ignore', cwd: fileURLToPath(new URL('../../target', import.meta.url)) });
  Object.assign(process.env, {
    STRIPE_SECRET_KEY: 'sk_test_12345', STRIPE_PUBLISHABLE_KEY: 'pk_test_12345', STRIPE_WEBHOOK_SECRET: 'whsec_test',
    STRIPE_API_URL: stripe, STRIPE_JS_URL: `${stripe}/js.stripe.com/v3/`,
  });
  const deadline = Date.now() + 60_000;
  while (!(await fetch(stripe).then(() => true, () => false))) {
    assert.ok(Date.now() < deadline, 'localstripe does not start: ./test installs it');
    await pause(50);
  }
  [console_, browser] = await Promise.all([startConsole(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await console_?.stop();
  provider?.kill();
});

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function begin(hand, id) {
  const { page } = hand;
  await page.goto(`/a/${id}/billing/new`);
  await hand.tick(page.getByRole('radio', { name: 'Credit card, monthly autopay' }));
  for (const [label, value] of [
    ['Account holder name', 'Acme'], ['Billing email', 'pay@acme.example'], ['Street', 'Storgata 1'], ['City', 'Oslo'],
    ['Postal code', '0155'], ['Country', 'Norway'],
  ]) await hand.type(field(page, label), value);
  await hand.go(button(page, 'Save'));
  await at(page, 'Enter a card');
}

async function enter(page, number) {
  await page.getByPlaceholder('number').fill(number);
  await page.getByPlaceholder('exp_month').fill('12');
  await page.getByPlaceholder('exp_year').fill('34');
  await page.getByPlaceholder('cvc').fill('123');
  await page.getByPlaceholder('postal_code').fill('0155');
  await button(page, 'Use this card').click();
}

test('a card from refusal to use', { timeout: 120_000 }, async () => {
  const page = await openPage(browser, console_.url);
  const seen = watch(page, console_.url);
  const sent = [];
  page.on('request', (request) => sent.push([new URL(request.url()).origin, request.url() + (request.postData() ?? '')]));
  const hand = new Mouse(page);
  const { id } = await signUp(hand, { account: 'Acme' });
  await begin(hand, id);
  await page.getByPlaceholder('number').waitFor();
  // The fields inside are the provider's own.
  assert.deepEqual((await axe(page)).filter((line) => !/placeholder="|localstripe/.test(line)), []);
  await page.setViewportSize({ width: 320, height: 640 });
  await page.setViewportSize({ width: 1280, height: 800 });
  await enter(page, '4000000000000002');
  await says(page, 'Your card was declined');
  await page.reload();
  await says(page, 'This attempt was given up.');
  await hand.go(button(page, 'Try again'));
  await enter(page, '4000002760003184');
  await page.getByRole('button', { name: 'Complete authentication' }).click();
  await says(page, 'Paid by this account: Visa ending 3184');
  assert.match(page.url(), new RegExp(`/a/${id}/billing$`));
  assert.deepEqual(await axe(page), []);
  await hand.go(link(page, 'Who pays with this method'));
  await at(page, 'Who pays with this method');
  assert.deepEqual(await axe(page), []);
  await page.setViewportSize({ width: 320, height: 640 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 320));
  for (const [origin, text] of sent.filter(([origin]) => origin === console_.url)) {
    assert.ok(!/4000002760003184|4000000000000002/.test(text), `${origin} got the number`);
  }
  assert.deepEqual(seen.csp, []);
  assert.ok(seen.elsewhere.length > 0 && seen.elsewhere.every((url) => url.startsWith(stripe)), seen.elsewhere.join());
  await page.context().close();
});

test('without script the page says what to do instead', { timeout: 60_000 }, async () => {
  const page = await openPage(browser, console_.url, { javaScriptEnabled: false });
  const hand = new Mouse(page);
  const { id } = await signUp(hand, { account: 'Plain' });
  await begin(hand, id);
  await says(page, 'Cards and bank accounts need script');
  await hand.go(link(page, /Choose/));
  await hand.tick(page.getByRole('radio', { name: 'Invoice, 30 days' }));
  await main(page).getByRole('radio', { name: 'Invoice, 30 days' }).waitFor();
  await page.context().close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`the page fits 320 px, ${colorScheme}`, { timeout: 60_000 }, async () => {
    const page = await openPage(browser, console_.url, { colorScheme, viewport: { width: 320, height: 800 } });
    const hand = new Mouse(page);
    const { id } = await signUp(hand, { account: 'Small' });
    await begin(hand, id);
    await page.getByPlaceholder('number').waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/card-${colorScheme}.png`, fullPage: true });
    assert.ok(wide <= 320, `${wide} px wide`);
    await page.context().close();
  });
}
