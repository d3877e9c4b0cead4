// Lighthouse on the ten most used pages of the demonstration, signed in, as a phone sees them: 100 for performance,
// accessibility and best practices, the median of RUNS (5) runs. Part of `./test --long`; needs the packages of
// tests/browser as well. BINARY points to the program, the release build unless told.
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import lighthouse from 'lighthouse';

process.env.BINARY ??= fileURLToPath(new URL('../../target/release/subtenant', import.meta.url));
const { startConsole } = await import('../browser/console.mjs');
const { chromium } = createRequire(new URL('../browser/console.mjs', import.meta.url))('playwright-core');

const pages = ['dashboard', 'child-accounts', 'child-accounts?scope=below', 'switch', 'networks', 'connections', 'members',
  'roles', 'readiness', 'settings'];
const categories = ['performance', 'accessibility', 'best-practices'];
const runs = Number(process.env.RUNS ?? 5);

const port = await new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port: free } = server.address();
    server.close(() => resolve(free));
  });
});
const server = await startConsole({ command: 'demo' });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [`--remote-debugging-port=${port}`, '--disable-quic', '--disable-gpu'],
});
let failed = 0;
try {
  const context = await browser.newContext({ baseURL: server.url });
  const page = await context.newPage();
  const [, email, password] = server.said().match(/(\S+@\S+)\s+(\S+)/) ?? [];
  await page.goto('/sign-in');
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL(/\/a\/ac-/);
  const account = page.url().match(/\/a\/ac-[^/]+/)[0];
  const Cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  const median = (all) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)];
  for (const path of pages) {
    const url = `${server.url}${account}/${path}`;
    const scores = Object.fromEntries(categories.map((category) => [category, []]));
    let wrong = [];
    for (let run = 0; run < runs; run += 1) {
      const { lhr } = await lighthouse(url, { port, extraHeaders: { Cookie }, onlyCategories: categories, logLevel: 'error' });
      for (const category of categories) scores[category].push(Math.round((lhr.categories[category].score ?? 0) * 100));
      wrong = categories.flatMap((category) => lhr.categories[category].auditRefs)
        .filter(({ id, weight }) => weight > 0 && lhr.audits[id].score !== null && lhr.audits[id].score < 0.9)
        .map(({ id }) => `${id}: ${lhr.audits[id].displayValue ?? lhr.audits[id].title}`);
    }
    const medians = categories.map((category) => median(scores[category]));
    console.log(`${path.padEnd(28)} ${categories.map((category, n) => `${category} ${medians[n]}`).join('  ')}`);
    if (medians.some((score) => score < 100)) {
      failed += 1;
      wrong.forEach((line) => console.log(`    ${line}`));
    }
  }
} finally {
  await browser.close();
  await server.stop();
}
console.log(failed ? `${failed} pages are below 100` : 'all pages have 100');
process.exit(failed ? 1 : 0);
