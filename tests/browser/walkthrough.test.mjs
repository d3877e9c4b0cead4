// The product's description, step by step, as four people would do it: with a mouse or by keyboard alone, with scripts or without.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, startConsole } from './console.mjs';
import { Keyboard, Mouse } from './hands.mjs';
import {
  acceptAgreements, accountOf, addChild, addInvoice, at, button, enterChild, link, says, section, shareBox, signIn, signUp, switchTo,
} from './steps.mjs';

let console_, browser;
before(async () => {
  [console_, browser] = await Promise.all([startConsole(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await console_?.stop();
});

for (const [Hand, script] of [[Mouse, true], [Keyboard, true], [Mouse, false], [Keyboard, false]]) {
  const name = `${Hand.name.toLowerCase()}, ${script ? 'with' : 'without'} scripts`;
  test(name, { timeout: 120_000 }, async () => {
    const page = await openPage(browser, console_.url, { javaScriptEnabled: script });
    await walk(new Hand(page, { script }), { shareLater: Hand === Keyboard });
    await page.context().close();
  });
}

async function walk(hand, { shareLater }) {
  const { page } = hand;
  const [parent, child, nested] = ['Acme Cloud', 'Globex Retail', 'Hooli Berlin'];

  // An account, its agreements, and another day.
  const { email } = await signUp(hand, { account: parent });
  await acceptAgreements(hand);
  await page.context().clearCookies();
  await signIn(hand, email);
  await at(page, 'Dashboard');
  const parentId = accountOf(page);

  // How to create a child account; how to access it: from the list, and from the menu at the top right.
  await addChild(hand, { name: child, accept: true });
  const childId = await enterChild(hand, child);
  assert.notEqual(childId, parentId);
  await switchTo(hand, 'cloud', parent);
  assert.equal(accountOf(page), parentId);

  // Billing: a method of the parent, available to child accounts at once or by a later change.
  await section(hand, 'Billing');
  await addInvoice(hand, { holder: 'Acme Accounts Payable', share: !shareLater });
  if (shareLater) await shareMethod(hand);
  await switchTo(hand, 'retail', child);
  assert.equal(accountOf(page), childId);
  await at(page, 'Billing');
  await says(page, inheritedFrom(parent));

  // Nesting: the same again, inside the child.
  await addChild(hand, { name: nested, accept: false });
  const nestedId = await enterChild(hand, nested);
  assert.ok(![parentId, childId].includes(nestedId));
  await section(hand, 'Billing');
  await says(page, inheritedFrom(parent));

  // Its agreements are left to its administrator, and keep it from provisioning until then.
  await section(hand, 'Readiness');
  await says(page, 'Master Service Agreement');
  await says(page, 'Acceptable Use Policy');
}

const inheritedFrom = (name) => new RegExp(`inherited billing details from\\s+${name}`);

/** "Select the Billing method you wish to update. Click the check box … and save the update." */
async function shareMethod(hand) {
  const { page } = hand;
  await hand.go(link(page, /Invoice, 30 days/));
  await hand.tick(shareBox(page));
  await hand.go(button(page, 'Save'));
  await at(page, 'Billing');
}
