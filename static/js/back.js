/* back: a page that the back button brings out of memory asks whether its session still lives. */
addEventListener('pageshow', async (event) => {
  if (!event.persisted || !document.body.dataset.idle) return;
  const answer = await fetch('/profile/alive', { redirect: 'manual', cache: 'no-store' }).catch(() => null);
  if (answer && !answer.ok) location.reload();
});
