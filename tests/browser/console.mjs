// Starts the built console on a database of its own, and a Chromium to look at it.
// SQLite in a temporary folder, or a fresh PostgreSQL database if TEST_DATABASE_URL names a server.
// BINARY and CHROMIUM point to other programs than the usual ones.
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const built = fileURLToPath(new URL('../../target/debug/subtenant', import.meta.url));
const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const axeTags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/**
 * A running console: `url`, the folder `mails`, what it `said` at its start, and `stop()`, which fails if it does not
 * end in order. `host`: what people type; `command`: `serve`, or `demo` for one with accounts in it.
 */
export async function startConsole({ host = '127.0.0.1', command = 'serve' } = {}) {
  const database = await (process.env.TEST_DATABASE_URL ? postgres() : sqlite());
  const port = await freePort();
  const bind = `127.0.0.1:${port}`;
  const url = `http://${host}:${port}`;
  const { DATABASE_URL, PUBLIC_URL, BIND, SMTP_URL, MAIL_DIR, ...env } = process.env;
  const mails = await mkdtemp(join(tmpdir(), 'subtenant-mails-'));
  const places = ['--bind', bind, '--public-url', url, '--database-url', database.url, '--mail-dir', mails];
  const child = spawn(process.env.BINARY ?? built, [command, ...places], { env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const ended = new Promise((resolve) => child.once('error', resolve).once('exit', (code, signal) => resolve(signal ?? code)));

  let end;
  ended.then((how) => (end = String(how)));
  const deadline = Date.now() + 20_000;
  while (!(await answers(`http://${bind}/healthz`))) {
    if (end !== undefined || Date.now() > deadline) {
      child.kill('SIGKILL');
      await ended;
      await database.drop();
      throw new Error(`the console does not start (${end ?? 'no answer from /healthz'}):\n${output}`);
    }
    await pause(25);
  }
  const stop = async () => {
    child.kill('SIGTERM');
    const how = await ended;
    await database.drop();
    await rm(mails, { recursive: true });
    if (how !== 0) throw new Error(`the console ended with ${how}:\n${output.slice(-4000)}`);
  };
  return { url, mails, said: () => output, stop };
}

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--disable-quic', '--disable-gpu'],
  });
}

/** A new page in a browser profile of its own. `options` as for Playwright's newContext. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ baseURL: url, ...options });
  context.setDefaultTimeout(10_000);
  return context.newPage();
}

/** Collects what a page complains about while it is used. */
export function watch(page, url) {
  const seen = { csp: [], errors: [], elsewhere: [], broken: [], requests: 0 };
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) seen.csp.push(message.text());
    else if (['error', 'warning'].includes(message.type())) seen.errors.push(message.text());
  });
  page.on('pageerror', (error) => seen.errors.push(String(error)));
  page.on('response', (response) => response.status() >= 500 && seen.broken.push(`${response.status()} ${response.url()}`));
  page.on('request', (request) => {
    seen.requests += 1;
    if (new URL(request.url()).origin !== new URL(url).origin) seen.elsewhere.push(request.url());
  });
  return seen;
}

/** What axe finds wrong with a page, one line for each element. */
export async function axe(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeSource);
  const { violations } = await page.evaluate(
    (tags) => window.axe.run(document, { runOnly: tags, resultTypes: ['violations'], preload: false }),
    axeTags,
  );
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} (${node.failureSummary})`));
}

async function sqlite() {
  const folder = await mkdtemp(join(tmpdir(), 'subtenant-browser-'));
  return { url: join(folder, 'console.db'), drop: () => rm(folder, { recursive: true }) };
}

async function postgres() {
  const server = process.env.TEST_DATABASE_URL;
  const name = `browser_${randomUUID().replaceAll('-', '')}`;
  const sql = (text) => promisify(execFile)('psql', [server, '-qXc', text]);
  await sql(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => sql(`drop database ${name} with (force)`) };
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(address) {
  try {
    return (await fetch(address)).ok;
  } catch {
    return false;
  }
}
