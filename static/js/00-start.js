/* start: says that script runs (html[data-js] shows what needs it), puts the focus where the page asks for it,
   and keeps one polite voice for everything said later. Each file is a block of its own; `ui` is all they share. */
const ui = (() => {
  const root = document.documentElement;
  root.dataset.js = '';
  const all = (query, act, from = document) => from.querySelectorAll(query).forEach(act);
  const make = (tag, given = {}, ...inside) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
    made.append(...inside);
    return made;
  };
  const voice = make('p', { class: 'vh', role: 'status' });
  document.body.append(voice);
  const say = (words) => { voice.textContent = words; };
  const typing = (at) => at.closest('input, textarea, select, [contenteditable]');
  const focus = document.querySelector('[data-focus]');
  if (focus && !location.hash) focus.focus();
  return { all, make, say, typing };
})();
