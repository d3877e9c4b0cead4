// Which pages there are: those asked for, and one of each kind that their links lead to.
const aKind = (url) => `${url.pathname.replace(/(?<=\/)[a-z]+-[\w-]{22}(?=\/|$)/g, '{id}')}?${[...url.searchParams.keys()].sort()}`;

/** Paths, the given ones first. Downloads and other things that are not pages are left out. */
export async function reachable(page, starts, limit = 120) {
  const known = new Set(starts.map((path) => aKind(new URL(path, 'http://here'))));
  const paths = [];
  const queue = [...starts];
  while (queue.length && paths.length < limit) {
    const path = queue.shift();
    if (!(await isPage(page, path))) continue;
    paths.push(path);
    // A link in a picture has an object for its href.
    for (const href of await page.locator('a[href]').evaluateAll((links) => links.map((link) => link.getAttribute('href')))) {
      const url = new URL(href, page.url());
      const kind = aKind(url);
      if (url.origin !== new URL(page.url()).origin || known.has(kind)) continue;
      known.add(kind);
      queue.push(url.pathname + url.search);
    }
  }
  return paths;
}

async function isPage(page, path) {
  try {
    const response = await page.goto(path);
    return /^text\/html/.test(response.headers()['content-type']);
  } catch (error) {
    if (/Download is starting|net::ERR_ABORTED/.test(error.message)) return false;
    throw error;
  }
}

const sections = [
  'dashboard', 'ports', 'ports/new', 'child-accounts', 'consent', 'billing', 'invoices', 'invoices/prices', 'usage', 'members', 'members/new', 'roles', 'readiness', 'audit-log', 'settings', 'switch', 'chain', 'reach', 'your-roles',
];

/** The sections of these accounts and the pages outside any account. */
export function usualPaths(...accounts) {
  return [...accounts.flatMap((id) => sections.map((name) => `/a/${id}/${name}`)), '/profile', '/help'];
}
