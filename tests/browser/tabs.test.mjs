// T11: two tabs of one session on two accounts. Whatever is pressed in whatever order, a write lands in the
// account that its form names. SEED=n repeats another run.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, startConsole, watch } from './console.mjs';
import { Mouse } from './hands.mjs';
import { acceptAgreements, accountOf, addChild, button, enterChild, field, link, signUp, switcher } from './steps.mjs';

const steps = 100;
const seed = Number(process.env.SEED ?? 11);
let console_, browser;
before(async () => {
  [console_, browser] = await Promise.all([startConsole(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await console_?.stop();
});

test(`${steps} mixed steps in two tabs, seed ${seed}`, { timeout: 300_000 }, async () => {
  const witness = await openPage(browser, console_.url);
  const hand = new Mouse(witness);
  const { id: alpha } = await signUp(hand, { account: 'Alpha' });
  await acceptAgreements(hand);
  await addChild(hand, { name: 'Beta', accept: true });
  const names = { [alpha]: 'Alpha', [await enterChild(hand, 'Beta')]: 'Beta' };
  for (const id of Object.keys(names)) await describe(witness, id, `for ${names[id]}, step 0`);

  const random = dice(seed);
  const tabs = [await witness.context().newPage(), await witness.context().newPage()];
  const seen = tabs.map((tab) => watch(tab, console_.url));
  let writes = 0;
  for (let step = 1; step <= steps; step++) {
    const act = random([openSettings, openSettings, openNewChild, write, write, write, back, sendAgain, reload, switchAway]);
    if (!(await act(random(tabs), { id: random(Object.keys(names)), names, step }))) continue;
    writes += 1;
    await check(witness, names, `seed ${seed}, step ${step}: ${act.name}`);
  }
  assert.ok(writes >= 20, `only ${writes} writes were sent`);
  assert.deepEqual(seen.flatMap(({ broken }) => broken), []);
});

const openSettings = async (tab, { id }) => void (await tab.goto(`/a/${id}/settings`));

async function openNewChild(tab, { id }) {
  await tab.goto(`/a/${id}/child-accounts`);
  await link(tab, /^Add a new child account/).click();
}

/** Types something that tells the account which the page names, and saves. */
async function write(tab, { names, step }) {
  const name = names[accountOf(tab)];
  if (!(await button(tab, 'Save').count())) return false;
  assert.match(await switcher(tab).innerText(), new RegExp(name));
  const title = field(tab, 'Name');
  if (/child/i.test(await tab.locator('h1').innerText())) {
    await title.fill(`${name} child ${step}`);
    await tab.getByRole('radio', { name: /^Leave/ }).check();
  }
  await field(tab, 'Description').fill(`for ${name}, step ${step}`);
  await save(tab);
  return true;
}

async function sendAgain(tab) {
  await tab.goBack();
  if (!(await button(tab, 'Save').count())) return false;
  await save(tab);
  return true;
}

const back = async (tab) => void (await tab.goBack());
const reload = async (tab) => void (await tab.reload());

/** By the switcher's page, to the other account. */
async function switchAway(tab, { names }) {
  const here = accountOf(tab);
  if (!here) return;
  await tab.goto(`/a/${here}/switch?from=settings`);
  const there = Object.keys(names).find((id) => id !== here);
  await link(tab, new RegExp(`^${names[there]}`)).click();
}

const save = (tab) => new Mouse(tab).go(button(tab, 'Save'));

async function describe(page, id, text) {
  await page.goto(`/a/${id}/settings`);
  await field(page, 'Description').fill(text);
  await save(page);
}

/** Each account's description and child accounts were written for that account. */
async function check(witness, names, when) {
  for (const [id, name] of Object.entries(names)) {
    await witness.goto(`/a/${id}/settings`);
    assert.match(await field(witness, 'Description').inputValue(), new RegExp(`^for ${name}, step`), when);
    await witness.goto(`/a/${id}/child-accounts`);
    for (const other of Object.values(names).filter((other) => other !== name)) {
      assert.equal(await witness.getByRole('link', { name: new RegExp(`^Go to ${other} child `) }).count(), 0, when);
    }
  }
}

/** Picks at random, the same for the same seed. */
function dice(seed) {
  let state = seed;
  return (from) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return from[Math.floor((state / 2 ** 32) * from.length)];
  };
}
