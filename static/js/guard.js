/* guard: form[data-guard] asks once before its unsaved entries are left behind.
   The question is only armed while something differs, so that the page can come back from the browser's cache. */
{
  ui.all('form[data-guard]', (form) => {
    const read = () => new URLSearchParams(new FormData(form)).toString();
    const kept = read();
    const ask = (event) => event.preventDefault();
    const arm = () => (read() === kept ? removeEventListener : addEventListener)('beforeunload', ask);
    form.addEventListener('input', arm);
    form.addEventListener('submit', () => removeEventListener('beforeunload', ask));
    addEventListener('pageshow', arm);
  });
}
