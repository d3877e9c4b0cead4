// T34: markup in every text field that a form offers stays text, on every page that shows it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, startConsole, watch } from './console.mjs';
import { reachable, usualPaths } from './crawl.mjs';
import { Mouse } from './hands.mjs';
import { acceptAgreements, accountOf, link, main, section, signUp } from './steps.mjs';

const canary = '"><img src=x onerror=__hit=1><script>__hit=1</script>';
const mail = "'/autofocus/onfocus=__hit=1/'@example.com";
// What a field is filled with, one after the other until it is not refused.
const tries = [canary, mail, `k=${canary}`, 'https://example.com/"onfocus=__hit=1', 'DE', '1'];
const expected = ['First name', 'Company', 'Account name', 'Name', 'Description', 'Technical contact email', 'Account holder name', 'Street'];

let console_, browser;
before(async () => {
  [console_, browser] = await Promise.all([startConsole(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await console_?.stop();
});

test('markup in every field', { timeout: 600_000 }, async () => {
  const page = await openPage(browser, console_.url);
  const seen = watch(page, console_.url);
  const hand = new Mouse(page);
  const { id: root } = await signUp(hand, { first: canary, last: canary, company: canary, account: canary });
  const taken = new Set(['First name', 'Last name', 'Company', 'Account name']);
  await acceptAgreements(hand);

  const child = await newChild(hand, taken);
  const starts = [...usualPaths(root, child), '/sign-in', `/a/${root}/child-accounts?q=${encodeURIComponent(canary)}`, `/a/${encodeURIComponent(canary)}/dashboard`];
  const paths = await reachable(page, starts);
  for (const path of paths) await fillForms(hand, path, taken);
  for (const path of await reachable(page, starts)) {
    await page.goto(path);
    assert.equal(await page.evaluate(() => window.__hit), undefined, path);
    assert.deepEqual(seen.csp, [], path);
  }
  assert.deepEqual(seen.broken, []);
  for (const label of expected) assert.ok([...taken].some((name) => name.startsWith(label)), `nothing was stored from "${label}"`);
});

/** A child account whose every field is a canary; ends inside it. */
async function newChild(hand, taken) {
  const { page } = hand;
  await section(hand, 'Child Accounts');
  await hand.go(link(page, /^Add a new child account/));
  await page.getByRole('radio', { name: /^Accept now/ }).check();
  await send(hand, main(page).locator('form').filter({ has: page.getByRole('radio') }), taken);
  await section(hand, 'Child Accounts');
  await hand.go(page.getByRole('link', { name: `Go to ${canary}`, exact: true }));
  return accountOf(page);
}

const texts = ['textarea', 'input:not([type])', ...['text', 'search', 'email', 'tel', 'url'].map((type) => `input[type=${type}]`)];
const text = texts.join(', ');
const refused = texts.map((field) => `${field}[aria-invalid=true]`).join(', ');
const submit = 'button:not([type=button])';

/** Sends each form of a page that has a text field, asks for no password and ends nothing. */
async function fillForms(hand, path, taken) {
  const { page } = hand;
  await page.goto(path);
  const forms = main(page).locator('form').filter({ visible: true, has: page.locator(text), hasNot: page.locator('[type=password]') });
  for (let n = (await forms.count()) - 1; n >= 0; n--) {
    await page.goto(path);
    const does = await forms.nth(n).locator(submit).first().textContent();
    if (!/close|remove|delete|end/i.test(does)) await send(hand, forms.nth(n), taken);
  }
}

/** Sends a form with markup in its text fields; those that are refused are tried again with something tamer. */
async function send(hand, form, taken) {
  const { page } = hand;
  const sent = new Set();
  let fields = form.locator(text);
  for (const value of tries) {
    await form.evaluate((form) => (form.noValidate = true));
    for (const select of await form.locator('select').all()) if (!(await select.inputValue())) await select.selectOption({ index: 1 });
    for (const field of await fields.filter({ visible: true }).all()) {
      sent.add(await field.evaluate((field) => field.labels[0]?.textContent.trim() ?? field.name));
      await field.fill(value);
    }
    await hand.go(form.locator(submit).first());
    assert.equal(await page.evaluate(() => window.__hit), undefined, page.url());
    form = main(page).locator('form').filter({ has: page.locator(refused) }).first();
    fields = form.locator(refused);
    if (!(await fields.count())) {
      for (const label of sent) taken.add(label);
      return;
    }
  }
}
