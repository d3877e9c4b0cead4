// The two journeys of the chain of command, by keyboard alone, with and without scripts. Every page on the way is accessible.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startConsole } from './console.mjs';
import { Keyboard } from './hands.mjs';
import {
  acceptAgreements, accountOf, addChild, addInvoice, at, button, enterChild, field, link, main, password, says, section, signUp, someEmail,
  switcher, switchTo,
} from './steps.mjs';

let console_, browser;
before(async () => {
  [console_, browser] = await Promise.all([startConsole(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await console_?.stop();
});

for (const script of [true, false]) {
  const how = script ? 'with scripts' : 'without scripts';
  test(`MSP gives a technician three customers and not its own account, ${how}`, { timeout: 300_000 }, () => technician(script));
  test(`child administrator takes over, ${how}`, { timeout: 300_000 }, () => takeover(script));
}

/** Somebody at a keyboard, in a browser profile of their own; axe looks at each page they come to. */
async function person(script) {
  const page = await openPage(browser, console_.url, { javaScriptEnabled: script });
  const hand = new Looking(page, { script });
  return { page, hand };
}

class Looking extends Keyboard {
  async following(act) {
    await super.following(act);
    if (this.script) assert.deepEqual(await axe(this.page), [], this.page.url());
  }
}

async function technician(script) {
  const [msp, customers] = [`Nimbus ${script}`, ['Alder Foods', 'Birch Textiles', 'Cedar Clinics']];
  const boss = await person(script);
  await signUp(boss.hand, { account: msp });
  await acceptAgreements(boss.hand);
  const mspId = accountOf(boss.page);

  const email = someEmail();
  const links = [];
  for (const customer of customers) {
    await addChild(boss.hand, { name: customer, accept: true });
    await enterChild(boss.hand, customer);
    await invite(boss.hand, { email, role: 'Network operator', scope: 'This account and all below' });
    links.push(await copyLink(boss.hand, email));
    await switchTo(boss.hand, 'Nimbus', msp);
  }

  const tech = await person(script);
  await join(tech, links[0], { first: 'Tess', last: 'Rowan', account: customers[0] });
  for (const [n, customer] of [...customers.entries()].slice(1)) {
    await tech.page.goto(links[n]);
    await says(tech.page, customer);
    await tech.hand.go(button(tech.page, 'Accept invitation'));
    await switcher(tech.page).filter({ hasText: customer }).waitFor();
  }

  // The customers are there, the provider is not.
  await tech.page.goto('/');
  await at(tech.page, 'Dashboard');
  assert.match(await tech.page.getByRole('navigation', { name: 'Account path' }).innerText(), /restricted/);
  for (const customer of customers) await switchTo(tech.hand, customer.split(' ')[0], customer);
  assert.equal((await tech.page.goto(`/a/${mspId}/dashboard`)).status(), 404);

  // The provider sees why.
  await enterChild(boss.hand, customers[1]);
  await section(boss.hand, 'Members');
  await boss.hand.go(link(boss.page, 'Tess Rowan'));
  await boss.hand.type(field(boss.page, 'Power'), 'Ports: update');
  await boss.hand.go(button(boss.page, 'Explain'));
  await says(boss.page, 'Yes. Tess Rowan can do “Ports: update” in Birch Textiles, by one role.');
  await Promise.all([boss, tech].map(({ page }) => page.context().close()));
}

async function takeover(script) {
  const [parent, child] = [`Quarry ${script}`, `Slate ${script}`];
  const boss = await person(script);
  await signUp(boss.hand, { first: 'Pat', last: 'Marl', account: parent });
  await acceptAgreements(boss.hand);
  const contact = someEmail();
  await addChild(boss.hand, { name: child, contact, accept: false, invite: true });
  await enterChild(boss.hand, child);
  await section(boss.hand, 'Members');
  const address = await copyLink(boss.hand, contact);

  // The child's administrator comes in, and takes over what is left to do.
  const admin = await person(script);
  await join(admin, address, { first: 'Cleo', last: 'Flint', account: child });
  await section(admin.hand, 'Agreements');
  await acceptAgreements(admin.hand);
  await section(admin.hand, 'Billing');
  await addInvoice(admin.hand, { holder: 'Slate Accounts Payable', share: false });
  await invite(admin.hand, { email: someEmail(), role: 'Read only', scope: 'This account only' });
  await section(admin.hand, 'Readiness');
  await says(admin.page, 'Ready to provision');

  // Whoever stands above still reaches it, and the child's administrator can see that.
  await section(admin.hand, 'Chain of command');
  await admin.hand.go(link(admin.page, 'Who can reach this account'));
  await says(admin.page, 'Pat Marl');
  await says(admin.page, 'an account above');
  await boss.page.goto(`/a/${accountOf(boss.page)}/reach`);
  await says(boss.page, 'Cleo Flint');
  await Promise.all([boss, admin].map(({ page }) => page.context().close()));
}

/** In the current account, from the rail. */
async function invite(hand, { email, role, scope }) {
  const { page } = hand;
  await section(hand, 'Members');
  await hand.go(link(page, 'Invite a user'));
  await at(page, 'Invite a user');
  await hand.type(field(page, 'Email addresses'), email);
  await hand.tick(page.getByRole('checkbox', { name: role, exact: true }));
  await hand.tick(page.getByRole('radio', { name: scope, exact: true }));
  await hand.go(button(page, 'Invite'));
  await at(page, 'Members');
  await says(page, email);
}

/** The link of an open invitation, to be handed over by other means than mail. */
async function copyLink(hand, email) {
  const { page } = hand;
  if (!page.url().includes('show=invited')) await page.goto(`/a/${accountOf(page)}/members?show=invited`);
  await hand.go(link(page, email));
  await hand.go(button(page, 'Copy a link instead'));
  return field(page, 'Link').inputValue();
}

/** Signs up on the page of an invitation and ends in the account. */
async function join({ page, hand }, address, { first, last, account }) {
  await page.goto(address);
  await says(page, account);
  if (hand.script) assert.deepEqual(await axe(page), []);
  await hand.type(field(page, 'First name'), first);
  await hand.type(field(page, 'Last name'), last);
  await hand.type(field(page, 'Company'), account);
  await hand.type(field(page, 'Password'), password);
  await hand.go(button(page, 'Accept invitation'));
  await at(page, 'Dashboard');
  await switcher(page).or(page.locator('.top .account')).filter({ hasText: account }).waitFor();
}
