// What flows down is used, and nothing is provisioned before agreements and payment: a customer of the demonstration
// orders a connection over its provider's port, by keyboard with scripts and by mouse without.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startConsole, watch } from './console.mjs';
import { Keyboard, Mouse } from './hands.mjs';
import { at, button, field, link, main, says, section, signIn, switchTo } from './steps.mjs';

let console_, browser, owner;
before(async () => {
  [console_, browser] = await Promise.all([startConsole({ command: 'demo' }), startBrowser()]);
  // The first of those it names is the administrator of everything.
  owner = console_.said().match(/^ {4}(\S+@\S+)\s+(\S+)/m).slice(1);
});
after(async () => {
  await browser?.close();
  await console_?.stop();
});

const provider = 'Northwind Managed Services';
const ways = [
  [Keyboard, true, { customer: 'Rotterdam Fresh BV', port: 'Rotterdam edge', vlan: '901' }],
  [Mouse, false, { customer: 'Perth Minerals', port: 'Singapore edge', vlan: '902' }],
];

for (const [Hand, script, { customer, port, vlan }] of ways) {
  test(`a connection over the provider's port, ${Hand.name.toLowerCase()}`, { timeout: 180_000 }, async () => {
    const page = await openPage(browser, console_.url, { javaScriptEnabled: script });
    const seen = watch(page, console_.url);
    const hand = new Hand(page, { script });
    const looks = async () => script && assert.deepEqual(await axe(page), []);
    await signIn(hand, ...owner);
    await switchTo(hand, customer.split(' ')[0].toLowerCase(), customer);

    // A network; and before anything can be ordered in it, everything that is missing at once.
    await section(hand, 'Networks');
    await looks();
    await hand.go(link(page, 'Create Network'));
    await hand.type(field(page, 'Name'), 'Backbone');
    await hand.go(button(page, 'Create Network'));
    await at(page, 'Backbone');
    await looks();
    await hand.go(link(page, 'Add Connection'));
    await at(page, 'Before you can order');
    for (const blocker of ['Accept the Master Service Agreement', 'Accept the Acceptable Use Policy']) await says(page, blocker);
    assert.equal(await button(page, 'Place order').count(), 0);
    await looks();
    await section(hand, 'Agreements');
    for (const title of ['Master Service Agreement', 'Acceptable Use Policy']) {
      await hand.tick(page.getByRole('checkbox', { name: new RegExp(`^I accept the ${title}, version 1`) }));
    }
    await hand.go(button(page, 'Accept'));

    // One question to a page, then the answers, then the order.
    await section(hand, 'Networks');
    await hand.go(link(page, 'Backbone'));
    await hand.go(link(page, 'Add Connection'));
    await answer(hand, {
      'What do you want to connect?': () => hand.tick(page.getByRole('radio', { name: /^Port/ })),
      'Over which port?': () => hand.tick(page.getByRole('radio', { name: port })),
      'One gateway or two?': () => hand.tick(page.getByRole('radio').first()),
      'Which VLAN?': () => hand.type(field(page, 'VLAN'), vlan),
      'How fast?': () => hand.tick(page.getByRole('radio', { name: /^50 Mbit/ })),
      'How are routes exchanged?': () => hand.tick(page.getByRole('radio', { name: 'BGP' })),
      'What is the ASN of your side?': () => hand.type(field(page, 'ASN'), '65010'),
      'For how long?': () => hand.tick(page.getByRole('radio', { name: /^Monthly/ })),
      'What shall it be called?': () => hand.type(field(page, 'Name'), 'Head office'),
    }, looks);
    await says(page, port);
    await looks();
    await hand.go(button(page, 'Place order'));
    await at(page, 'Head office');
    for (let n = 0; n < 40 && !(await main(page).getByText('Active', { exact: true }).count()); n += 1) {
      await page.waitForTimeout(1_000);
      await page.reload();
    }
    await says(page, 'Active');
    await looks();

    // Now the provider can take neither the port nor the payment method back, and is told whose it is.
    await switchTo(hand, 'northwind', provider);
    await section(hand, 'Ports');
    await hand.go(link(page, port));
    await looks();
    await hand.go(link(page, /^Sharing/));
    const offered = page.getByRole('checkbox', { name: 'Available to child accounts' });
    if (Hand === Keyboard) {
      await hand.reach(offered);
      await page.keyboard.press('Space');
    } else {
      await offered.uncheck();
    }
    await hand.go(button(page, 'Save'));
    await says(page, 'It cannot be taken back now');
    await says(page, customer);
    await looks();
    await section(hand, 'Billing');
    await hand.go(link(page, /^Remove/));
    await says(page, customer);
    assert.equal(await button(page, /^Remove/).count(), 0, 'nothing to confirm');
    await looks();
    await page.setViewportSize({ width: 320, height: 640 });
    await section(hand, 'Connections').catch(() => page.goto(page.url().replace(/billing.*/, 'connections?scope=below')));
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 320));
    assert.deepEqual([seen.csp, seen.broken], [[], []]);
    await page.context().close();
  });
}

/** Answers question after question until all are answered. */
async function answer(hand, answers, looks) {
  const { page } = hand;
  const heading = page.getByRole('heading', { level: 1 });
  for (let n = 0; n < 15; n += 1) {
    const question = await heading.innerText();
    if (question === 'Check your answers') return;
    assert.ok(question in answers, `“${question}” is asked`);
    await looks();
    await answers[question]();
    await hand.go(button(page, 'Continue'));
  }
  assert.fail('the questions do not end');
}
