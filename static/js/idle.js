/* idle: two minutes before the session ends for want of a request, says so and offers to stay.
   The end is shared by all tabs: any page load in one of them moves it for the others. */
{
  const minutes = Number(document.body.dataset.idle);
  if (minutes > 2) {
    const box = ui.make('div', { class: 'toast', role: 'status' });
    document.body.append(box);
    const key = 'seen';
    const mark = () => { try { localStorage.setItem(key, Date.now()); } catch { /* private mode */ } };
    const seen = () => { try { return Number(localStorage.getItem(key)) || loaded; } catch { return loaded; } };
    const loaded = Date.now();
    const stay = async () => {
      const answer = await fetch('/profile/alive', { redirect: 'manual' }).catch(() => null);
      if (answer && answer.ok) { mark(); box.replaceChildren(); } else location.reload();
    };
    mark();
    setInterval(() => {
      const left = minutes - (Date.now() - seen()) / 60000;
      if (left > 2) return box.replaceChildren();
      if (box.firstChild) return;
      const button = ui.make('button', { class: 'btn small', type: 'button' }, 'Stay signed in');
      button.addEventListener('click', stay);
      box.append('You are about to be signed out.', button);
    }, 10000);
  }
}
