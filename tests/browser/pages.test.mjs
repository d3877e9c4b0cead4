// Every page, light and dark, wide and narrow: accessible, nothing cut off, nothing from elsewhere, printable.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startConsole, watch } from './console.mjs';
import { reachable, usualPaths } from './crawl.mjs';
import { plant } from './steps.mjs';

const nobodys = '/a/ac-AAAAAAAAAAAAAAAAAAAAAA/dashboard';
const signedOut = ['/sign-in', '/sign-up', '/password/forgot', '/password/sent'];
let console_, browser, storageState, tree, paths;

before(async () => {
  [console_, browser] = await Promise.all([startConsole(), startBrowser()]);
  const page = await openPage(browser, console_.url);
  tree = await plant(page);
  storageState = await page.context().storageState();
  paths = await reachable(page, [...usualPaths(tree.root, tree.child, tree.leaf), nobodys]);
  await page.context().close();
});
after(async () => {
  await browser?.close();
  await console_?.stop();
});

test('every page, light and dark, wide and narrow, and printed', { timeout: 1_500_000, concurrency: 2 }, async (t) => {
  const all = [...paths.map((path) => [path, { storageState }]), ...signedOut.map((path) => [path, {}])];
  await Promise.all(all.map(([path, profile]) => t.test(titled(path), { timeout: 60_000 }, () => visit(path, profile))));
});

test('at most five requests at a first visit', async (t) => {
  for (const path of [`/a/${tree.root}/dashboard`, `/a/${tree.root}/child-accounts`, '/sign-in']) {
    await t.test(titled(path), async () => {
      const page = await openPage(browser, console_.url, path === '/sign-in' ? {} : { storageState });
      const seen = watch(page, console_.url);
      await page.goto(path, { waitUntil: 'networkidle' });
      assert.ok(seen.requests <= 5, `${seen.requests} requests`);
      await page.context().close();
    });
  }
});

test('moments say the time where the reader is, where that is not UTC', async (t) => {
  for (const [timezoneId, says] of [['UTC', 0], ['Asia/Kolkata', 1]]) {
    await t.test(timezoneId, async () => {
      const page = await openPage(browser, console_.url, { storageState, timezoneId });
      await page.goto(`/a/${tree.root}/readiness`);
      const own = page.locator('time', { hasText: /your time$/ });
      assert.equal(await own.count(), says);
      if (says) {
        const [iso, words] = [await own.getAttribute('datetime'), await own.locator('small').innerText()];
        const there = new Date(Date.parse(iso) + 330 * 60_000).toISOString().slice(11, 16);
        assert.ok(words.includes(there), `${iso} is ${there} there, not ${words}`);
      }
      await page.context().close();
    });
  }
});

/** The path with names for the accounts' ids, the same at every run. */
const titled = (path) => Object.entries(tree).reduce((title, [name, id]) => title.replaceAll(id, `{${name}}`), path);

/** One load of a page, looked at in all views. */
async function visit(path, profile) {
  const page = await openPage(browser, console_.url, { ...profile, reducedMotion: 'reduce' });
  try {
    const seen = watch(page, console_.url);
    const response = await page.goto(path);
    assert.equal(response.status(), path === nobodys ? 404 : 200);
    for (const width of [1280, 320]) {
      await page.setViewportSize({ width, height: 800 });
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await look(page, `${colorScheme}, ${width} px`);
      }
    }
    if (path === nobodys) seen.errors = seen.errors.filter((text) => !/status of 404/.test(text));
    assert.deepEqual([seen.csp, seen.errors, seen.elsewhere], [[], [], []], 'complaints: CSP, console, other hosts');
    assert.equal((await page.pdf()).subarray(0, 5).toString(), '%PDF-');
  } finally {
    await page.context().close();
  }
}

async function look(page, view) {
  const { wide, room, headings } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    room: window.innerWidth,
    headings: document.querySelectorAll('h1').length,
  }));
  assert.ok(wide <= room, `${view}: scrolls sideways, ${wide} px in ${room}`);
  assert.equal(headings, 1, `${view}: h1 headings`);
  assert.deepEqual(await axe(page), [], view);
}
