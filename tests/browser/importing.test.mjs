// A tree of child accounts from a file: chosen without scripts, typed by keyboard with them; what is wrong is said at its
// line, the page that shows the progress comes to its end by itself, and the result can be fetched.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startConsole, watch } from './console.mjs';
import { Keyboard, Mouse } from './hands.mjs';
import { acceptAgreements, at, button, field, link, main, says, section, signUp } from './steps.mjs';

const tree = 'name,parent,external_reference\nNorth,,n\nHarbour,n,h\nCrane 7,North / Harbour,\n';

let console_, browser;
before(async () => {
  [console_, browser] = await Promise.all([startConsole(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await console_?.stop();
});

for (const [how, Hand, script] of [['typed by keyboard, with scripts', Keyboard, true], ['chosen as a file, without scripts', Mouse, false]]) {
  test(`a tree of three levels, ${how}`, { timeout: 120_000 }, async () => {
    const page = await openPage(browser, console_.url, { javaScriptEnabled: script });
    const seen = watch(page, console_.url);
    const hand = new Hand(page, { script });
    const look = async () => {
      for (const width of [320, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        if (script) assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${width} px`);
        if (script) assert.deepEqual(await axe(page), []);
      }
    };
    await signUp(hand, { account: 'Acme Cloud' });
    await acceptAgreements(hand);
    await section(hand, 'Child Accounts');
    await hand.go(link(page, /^Import child accounts/));
    await at(page, 'Import child accounts');
    await look();

    await send(hand, script, tree.replace('North / Harbour', 'South / Harbour'));
    await at(page, 'Check the import');
    await main(page).getByRole('row', { name: /Crane 7.*Error.*No account and no line is called so/ }).waitFor();
    await look();
    await hand.go(link(page, 'Send another file'));
    await send(hand, script, tree);
    await at(page, 'Check the import');
    await look();
    await hand.go(button(page, 'Create 3 child accounts'));
    // The page gets there by itself.
    await main(page).page().getByRole('heading', { level: 1, name: 'Import done' }).waitFor({ timeout: 30_000 });
    await look();
    await main(page).getByRole('row', { name: /Crane 7.*North \/ Harbour.*Created/ }).waitFor();
    const file = await page.request.get(await link(page, 'Result file').getAttribute('href'));
    assert.match(await file.text(), /^Crane 7,North \/ Harbour,,4,created,ac-[\w-]{22},North \/ Harbour \/ Crane 7,\r$/m);
    await hand.go(link(page, 'Crane 7'));
    await says(page, 'Dashboard');
    assert.deepEqual([seen.csp, seen.broken], [[], []]);
    await page.context().close();
  });
}

/** Types the lines, or chooses them as a file, and has them checked. */
async function send(hand, script, lines) {
  const { page } = hand;
  if (script) await hand.type(field(page, 'Or write the lines here'), lines);
  else await field(page, 'File').setInputFiles({ name: 'tree.csv', mimeType: 'text/csv', buffer: Buffer.from(lines) });
  await hand.go(button(page, 'Check the lines'));
}
