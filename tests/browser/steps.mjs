// The steps that people take in the console, by the names that they see. Each takes a hand (see hands.mjs).
import { randomUUID } from 'node:crypto';
import { Mouse } from './hands.mjs';

export const password = 'violet-Kestrel-47-harbour';
export const someEmail = () => `${randomUUID().slice(0, 12)}@example.com`;

export const main = (page) => page.getByRole('main');
export const field = (page, label) => main(page).getByLabel(new RegExp(`^${label}\\b`)).first();
export const button = (page, name) => main(page).getByRole('button', { name, exact: true }).first();
export const link = (page, name) => main(page).getByRole('link', { name }).first();
export const at = (page, heading) => page.getByRole('heading', { level: 1, name: heading }).waitFor();
export const says = (page, text) => main(page).filter({ hasText: text }).waitFor();
export const accountOf = (page) => /\/a\/(ac-[\w-]{22})(?=\/)/.exec(page.url())?.[1];
export const switcher = (page) =>
  page.getByRole('button', { name: /^Switch account/ }).or(page.getByRole('link', { name: /^Switch account/ })).first();

/** Makes a user and a root account, and ends on the agreements. */
export async function signUp(hand, { email = someEmail(), first = 'Ada', last = 'Quill', company, account }) {
  const { page } = hand;
  await page.goto('/sign-up');
  await at(page, 'Sign up');
  await hand.type(field(page, 'First name'), first);
  await hand.type(field(page, 'Last name'), last);
  await hand.type(field(page, 'Company'), company ?? account);
  await hand.type(field(page, 'Email'), email);
  await hand.type(field(page, 'Password'), password);
  await hand.type(field(page, 'Account name'), account);
  await hand.go(button(page, 'Sign up'));
  await at(page, 'Agreements');
  return { email, id: accountOf(page) };
}

export async function signIn(hand, email, secret = password) {
  const { page } = hand;
  await page.goto('/sign-in');
  await hand.type(field(page, 'Email'), email);
  await hand.type(field(page, 'Password'), secret);
  await hand.go(button(page, 'Sign in'));
}

/** On the Agreements page. */
export async function acceptAgreements(hand) {
  const { page } = hand;
  for (const title of ['Master Service Agreement', 'Acceptable Use Policy']) {
    await hand.tick(page.getByRole('checkbox', { name: new RegExp(`^I accept the ${title}, version \\d+`) }));
  }
  await hand.go(button(page, 'Accept'));
  await page.getByRole('checkbox', { name: /^I accept the/ }).first().waitFor({ state: 'detached' });
}

/** To a section of the current account, by the rail. */
export async function section(hand, name) {
  const { page } = hand;
  await hand.go(page.getByRole('navigation').getByRole('link', { name, exact: true }).first());
  await at(page, name);
}

/** Below the current account. `accept`: the agreements too, on behalf of the child. `invite`: the contact, as its administrator. */
export async function addChild(hand, { name, description = `All about ${name}`, contact = 'noc@example.com', accept, invite }) {
  const { page } = hand;
  await section(hand, 'Child Accounts');
  await hand.go(link(page, /^Add a new child account/));
  await at(page, 'New child account');
  await hand.type(field(page, 'Name'), name);
  await hand.type(field(page, 'Description'), description);
  await hand.type(field(page, 'Technical contact email'), contact);
  if (invite) await hand.tick(page.getByRole('checkbox', { name: 'Invite the technical contact as administrator' }));
  const choice = accept ? /^Accept now on behalf of the child account/ : /^Leave for the child account.s administrator/;
  await hand.tick(page.getByRole('radio', { name: choice }));
  await hand.go(button(page, 'Save'));
  await says(page, name);
}

/** By the folder icon in the list. */
export async function enterChild(hand, name) {
  const { page } = hand;
  await section(hand, 'Child Accounts');
  await hand.go(page.getByRole('link', { name: `Go to ${name}`, exact: true }));
  await switcher(page).filter({ hasText: name }).waitFor();
  return accountOf(page);
}

/** By the menu at the top right: types a part of the name and chooses. */
export async function switchTo(hand, part, name) {
  const { page } = hand;
  const search = page.getByLabel(/^Search accounts/).filter({ visible: true });
  const hit = (role) => page.getByRole(role, { name: new RegExp(`^${name}`) }).first();
  if (hand.script) {
    await hand.press(switcher(page));
    await hand.type(search, part);
    await hit('option').waitFor();
    await hand.following(() => hand.choose(search, hit('option')));
  } else {
    await hand.go(switcher(page));
    await hand.enter(search, part);
    await hand.go(link(page, new RegExp(`^${name}`)));
  }
  await switcher(page).filter({ hasText: name }).waitFor();
}

/** In the Billing section: an own payment method, invoice with 30 days. */
export async function addInvoice(hand, { holder, share }) {
  const { page } = hand;
  await hand.go(link(page, 'Add a new payment method'));
  const invoice = page.getByRole('radio', { name: /^Invoice, 30 days/ });
  if (await invoice.count()) await hand.tick(invoice);
  const typed = {
    'Account holder name': holder, 'Billing email': 'bills@example.com', Street: '12 Quay Street', City: 'Hamburg',
    State: 'Hamburg', 'Postal code': '20457', Country: 'Germany',
  };
  for (const [label, text] of Object.entries(typed)) await hand.type(field(page, label), text);
  if (share) await hand.tick(shareBox(page));
  await hand.go(button(page, 'Save'));
  await at(page, 'Billing');
  await says(page, holder);
}

export const shareBox = (page) => page.getByRole('checkbox', { name: 'Allow child accounts to use this payment method' });

/** A small tree to look at: root (ready), child (ready, by inheritance), leaf (its agreements are left open). */
export async function plant(page) {
  const hand = new Mouse(page);
  const { id: root, email } = await signUp(hand, { account: 'Acme Cloud' });
  await acceptAgreements(hand);
  await section(hand, 'Billing');
  await addInvoice(hand, { holder: 'Acme Accounts Payable', share: true });
  await addChild(hand, { name: 'Globex Retail', accept: true });
  const child = await enterChild(hand, 'Globex Retail');
  await addChild(hand, { name: 'Hooli Berlin', accept: false });
  const leaf = await enterChild(hand, 'Hooli Berlin');
  return { root, child, leaf, email };
}
