// Pictures for people to look at, light and dark, wide and narrow:
//   node tests/browser/shots.mjs FOLDER [PATH…]
// Of a small tree of its own ({root}, {child} and {leaf} in a path stand for its accounts), or of a running
// console: URL=http://127.0.0.1:8080 EMAIL=… PASSWORD=…
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openPage, startBrowser, startConsole } from './console.mjs';
import { usualPaths } from './crawl.mjs';
import { Mouse } from './hands.mjs';
import { plant, signIn } from './steps.mjs';

const [folder, ...asked] = process.argv.slice(2);
if (!folder) throw new Error('usage: node shots.mjs FOLDER [PATH…]');
await mkdir(folder, { recursive: true });

const { URL: running, EMAIL, PASSWORD } = process.env;
const console_ = running ? { url: running, stop() {} } : await startConsole();
const browser = await startBrowser();
try {
  const page = await openPage(browser, console_.url);
  const ids = running ? {} : await plant(page);
  if (EMAIL) await signIn(new Mouse(page), EMAIL, PASSWORD);
  const paths = asked.length ? asked : ['/sign-in', '/sign-up', ...usualPaths(...(running ? [] : ['{root}', '{leaf}']))];
  const storageState = await page.context().storageState();
  for (const path of paths.map((path) => path.replace(/\{(\w+)\}/g, (_, name) => ids[name]))) await shoot(path, storageState);
} finally {
  await browser.close();
  await console_.stop();
}

async function shoot(path, storageState) {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 320]) {
      const signedIn = !/^\/sign-(in|up)/.test(path);
      const view = { colorScheme, viewport: { width, height: 800 }, ...(signedIn && { storageState }) };
      const page = await openPage(browser, console_.url, view);
      await page.goto(path);
      const file = join(folder, `${path.replace(/[^\w-]+/g, '_').replace(/^_|_$/g, '')}-${colorScheme}-${width}.png`);
      await page.screenshot({ path: file, fullPage: true });
      console.log(file);
      await page.context().close();
    }
  }
}
