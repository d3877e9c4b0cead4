// Invoices and usage of the demonstration: from the list down to one account's lines, as a file and on paper, by
// keyboard, narrow and wide, without script.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startConsole, watch } from './console.mjs';
import { Keyboard, Mouse } from './hands.mjs';
import { accountOf, at, link, main, section, signIn } from './steps.mjs';

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

for (const [how, Hand, script] of [['by keyboard, with scripts', Keyboard, true], ['without scripts', Mouse, false]]) {
  test(`an invoice down to one account's lines, ${how}`, { timeout: 120_000 }, async () => {
    const page = await openPage(browser, console_.url, { javaScriptEnabled: script });
    const seen = watch(page, console_.url);
    const hand = new Hand(page, { script });
    await signIn(hand, ...owner);
    await section(hand, 'Invoices');
    if (script) assert.deepEqual(await axe(page), []);
    await hand.go(link(page, '000001'));
    await at(page, 'Invoice 000001');
    if (script) assert.deepEqual(await axe(page), []);
    const account = accountOf(page);
    for (const kind of ['PDF', 'CSV']) {
      const file = await page.request.get(await link(page, kind).getAttribute('href'));
      assert.equal(file.status(), 200, kind);
    }
    // Down the tree until an account has nothing below it on the invoice.
    for (let depth = 0; depth < 6; depth += 1) {
      const below = main(page).getByRole('table', { name: /^Accounts below/ }).getByRole('link').first();
      if (!(await below.count())) break;
      const name = await below.innerText();
      await hand.go(below);
      await main(page).getByRole('heading', { level: 2, name, exact: true }).waitFor();
      assert.equal(accountOf(page), account, 'still in the account that pays');
    }
    await page.setViewportSize({ width: 320, height: 640 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 320));
    if (script) assert.deepEqual(await axe(page), []);
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(`/a/${account}/usage`);
    await at(page, 'Usage');
    if (script) assert.deepEqual(await axe(page), []);
    assert.deepEqual([seen.csp, seen.broken], [[], []]);
    await page.context().close();
  });
}
