/* submit: a form that is on its way is not sent a second time; coming back to the page allows it again. */
{
  const sent = new Set();
  addEventListener('submit', (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.getAttribute('method') !== 'post') return;
    if (sent.has(form)) return event.preventDefault();
    sent.add(form);
    event.submitter?.setAttribute('aria-disabled', 'true');
  });
  addEventListener('pageshow', () => {
    sent.clear();
    ui.all('[type=submit][aria-disabled], button[aria-disabled]', (button) => button.removeAttribute('aria-disabled'));
  });
}
