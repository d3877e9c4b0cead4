/* follow: what shows how far something has come is read anew every two seconds and put in place, so that nobody loses
   the button they are at; when there is nothing to follow any more, the page is loaded as it is then. Without script
   the page refreshes itself. */
{
  const every = 2000;
  const shown = document.querySelector('[data-follow]');
  const look = async () => {
    if (document.hidden) return true;
    // Nobody stays signed in by this.
    const answer = await fetch(location.href, { headers: { purpose: 'prefetch' }, redirect: 'error' });
    if (!answer.ok) return true;
    const next = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-follow]');
    if (!next) return false;
    shown.replaceChildren(...next.childNodes);
    return true;
  };
  const again = () => setTimeout(async () => {
    const goes = await look().catch(() => true);
    if (goes) again(); else location.reload();
  }, every);
  if (shown) again();
}
