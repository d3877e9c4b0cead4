// Passkeys with Chromium's own virtual authenticator, on a console that people open as localhost: adding, the second
// step, signing in with nothing else, proving it again, removing. And the pages of the second factor to look at.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startConsole, watch } from './console.mjs';
import { Mouse } from './hands.mjs';
import { at, button, field, link, main, password, says, signUp } from './steps.mjs';

let console_, browser;

before(async () => {
  [console_, browser] = await Promise.all([startConsole({ host: 'localhost' }), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await console_?.stop();
});

/** A device that knows its person and answers at once. */
async function authenticator(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const options = {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true,
  };
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', { options });
  const verified = (isUserVerified) => cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
  const forget = () => cdp.send('WebAuthn.clearCredentials', { authenticatorId });
  return { verified, forget };
}

async function addPasskey(hand, name) {
  const { page } = hand;
  await page.goto('/profile');
  await hand.go(link(page, /^Add a passkey$/));
  await hand.type(field(page, 'Name'), name);
  await hand.press(button(page, 'Add passkey'));
}

async function signOut(hand) {
  await hand.go(hand.page.getByRole('button', { name: 'Sign out' }).first());
  await at(hand.page, 'Sign in');
}

/** Everything that somebody can do with a passkey; one journey, as each step needs the one before. */
test('a passkey from adding to removing', { timeout: 120_000 }, async () => {
  const page = await openPage(browser, console_.url);
  const seen = watch(page, console_.url);
  const hand = new Mouse(page);
  const device = await authenticator(page);
  const { email } = await signUp(hand, { account: 'Acme Keys' });

  await addPasskey(hand, 'Laptop');
  await at(page, 'Recovery codes');
  assert.equal(await main(page).locator('ol.codes li').count(), 10);
  await hand.go(button(page, 'I have kept them'));
  await says(page, '10 of 10 recovery codes are left');
  await page.getByRole('rowheader', { name: 'Laptop' }).waitFor();

  await addPasskey(hand, 'Laptop again');
  await says(page, 'has a passkey for you already');

  await page.goto('/profile');
  await signOut(hand);
  await hand.type(field(page, 'Email'), email);
  await hand.type(field(page, 'Password'), password);
  await hand.go(button(page, 'Sign in'));
  await at(page, 'Second step');
  await hand.press(button(page, 'Use a passkey'));
  await at(page, /Dashboard|Agreements/);

  await signOut(hand);
  await hand.press(button(page, 'Sign in with a passkey'));
  await at(page, /Dashboard|Agreements/);
  await page.goto('/profile');
  await page.getByRole('row', { name: /This one Second factor/ }).waitFor();

  await page.goto('/sign-in/again?back=/profile');
  await hand.press(button(page, 'Use a passkey'));
  await at(page, 'Profile');

  await device.verified(false);
  await page.goto('/sign-in/again?back=/profile');
  await hand.press(button(page, 'Use a passkey'));
  await says(page, 'No passkey was given');
  await device.verified(true);

  await page.goto('/profile');
  await hand.go(link(page, /^Remove Laptop/));
  await says(page, 'It is your last one');
  await hand.go(button(page, 'Remove'));
  await says(page, 'You have none yet');
  await signOut(hand);
  await hand.press(button(page, 'Sign in with a passkey'));
  await says(page, 'This passkey is not known here');
  assert.deepEqual([seen.csp, seen.errors.filter((text) => !/status of 422/.test(text)), seen.broken], [[], [], []]);
  await page.context().close();
});

for (const colorScheme of ['light', 'dark']) {
  for (const width of [1280, 320]) {
    test(`the pages, ${colorScheme}, ${width} px`, { timeout: 120_000 }, async (t) => {
      const page = await openPage(browser, console_.url, { colorScheme, viewport: { width, height: 800 } });
      const hand = new Mouse(page);
      await authenticator(page);
      const { id } = await signUp(hand, { account: 'Acme Looks' });
      await addPasskey(hand, 'Phone');
      await at(page, 'Recovery codes');
      const remove = await page.goto('/profile').then(() => link(page, /^Remove Phone/).getAttribute('href'));
      const base = '/profile/second-factor';
      const pages = ['/profile', `${base}/app`, `${base}/codes`, `${base}/passkeys/new`, remove, '/sign-in/again',
        `/a/${id}/settings`, `/a/${id}/settings/second-factor`, '/sign-in'];
      for (const path of pages) await t.test(path.replace(id, '{account}').replace(/passkey-[\w-]+/, '{passkey}'), () => look(page, path));
      await hand.page.goto('/profile');
      await page.context().clearCookies();
      await page.context().close();
    });
  }
}

async function look(page, path) {
  const seen = watch(page, console_.url);
  await page.goto(path);
  const { wide, room } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, room: window.innerWidth }));
  assert.ok(wide <= room, `scrolls sideways: ${wide} px in ${room}`);
  assert.deepEqual([seen.csp, seen.errors], [[], []]);
  assert.deepEqual(await axe(page), []);
}

test('without script the fields for codes stay and passkeys are explained', async () => {
  const page = await openPage(browser, console_.url, { javaScriptEnabled: false });
  const hand = new Mouse(page, { script: false });
  await signUp(hand, { account: 'Acme Plain' });
  await page.goto('/profile/second-factor/passkeys/new');
  await says(page, 'Only script can ask a browser for a passkey');
  assert.equal(await button(page, 'Add passkey').count(), 0);
  await page.goto('/sign-in');
  assert.equal(await button(page, 'Sign in with a passkey').count(), 0);
  await page.context().close();
});
