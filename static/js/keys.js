/* keys: "/" goes to the page's filter, "?" to the list of keys; never while typing, never with a modifier. */
{
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || ui.typing(event.target)) return;
    if (event.key === '?') location.assign('/help');
    const filter = event.key === '/' && document.querySelector('[data-filter]');
    if (filter) { event.preventDefault(); filter.closest('details')?.setAttribute('open', ''); filter.focus(); filter.select(); }
  });
}
