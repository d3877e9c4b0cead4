/* switcher: the link to the account's switch page becomes the opener of a popover with the same content.
   An editable combobox with a list, chosen by hand: focus stays in the field, the list is pointed at.
   Leaves out: what is in the list; the server sends it. */
{
  const opener = document.querySelector('[data-switcher]');
  if (opener && !document.getElementById('switch-hits')) {
    const page = opener.href;
    const field = ui.make('input', {
      class: 'input', id: 'switch-q', type: 'text', role: 'combobox', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false',
      'aria-expanded': 'false', 'aria-autocomplete': 'list', 'aria-controls': 'switch-hits', placeholder: 'Name, path or id',
    });
    const list = ui.make('div', { class: 'hits' }, ui.make('div', { role: 'listbox', id: 'switch-hits', 'aria-label': 'Accounts' }));
    const count = ui.make('span', { 'data-status': '' });
    const pop = ui.make('div', { class: 'pop', role: 'dialog', 'aria-label': 'Switch account', hidden: '' },
      ui.make('label', { for: 'switch-q' }, 'Search accounts'), field, list,
      ui.make('p', {}, count, ui.make('a', { href: page }, 'All accounts')));
    let asked = null, timer = 0, at = -1;

    opener.setAttribute('role', 'button');
    opener.setAttribute('aria-haspopup', 'dialog');
    opener.setAttribute('aria-expanded', 'false');
    opener.after(pop);

    const options = () => [...list.querySelectorAll('[role=option]')];
    const point = (index) => {
      const every = options();
      at = every.length ? (index + every.length) % every.length : -1;
      every.forEach((option, here) => option.setAttribute('aria-selected', String(here === at)));
      if (at < 0) return field.removeAttribute('aria-activedescendant');
      field.setAttribute('aria-activedescendant', every[at].id);
      every[at].scrollIntoView({ block: 'nearest' });
    };
    const load = async () => {
      asked?.abort();
      asked = new AbortController();
      const url = new URL(page);
      url.searchParams.set('q', field.value.trim());
      url.searchParams.set('part', 'hits');
      try {
        const answer = await fetch(url, { signal: asked.signal, redirect: 'error' });
        if (!answer.ok) throw new Error(answer.status);
        const sent = new DOMParser().parseFromString(await answer.text(), 'text/html');
        const hits = sent.querySelector('[role=listbox]');
        ui.all('[role=option]', (option) => { option.tabIndex = -1; }, hits);
        list.replaceChildren(hits);
        field.setAttribute('aria-expanded', String(options().length > 0));
        field.removeAttribute('aria-activedescendant');
        at = -1;
        count.textContent = sent.querySelector('[data-status]')?.textContent ?? '';
        ui.say(count.textContent);
      } catch (error) {
        if (error.name !== 'AbortError') count.textContent = 'The list could not be read. Use “All accounts”.';
      }
    };
    const shut = (back) => {
      if (pop.hidden) return;
      pop.hidden = true;
      clearTimeout(timer);
      asked?.abort();
      opener.setAttribute('aria-expanded', 'false');
      field.setAttribute('aria-expanded', 'false');
      if (back) opener.focus();
    };
    const open = () => {
      pop.hidden = false;
      opener.setAttribute('aria-expanded', 'true');
      field.focus();
      field.select();
      load();
    };

    opener.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      pop.hidden ? open() : shut(true);
    });
    opener.addEventListener('keydown', (event) => {
      if (event.key !== ' ' && event.key !== 'ArrowDown') return;
      event.preventDefault();
      open();
    });
    addEventListener('keydown', (event) => {
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        pop.hidden ? open() : field.focus();
      }
    });
    addEventListener('pointerdown', (event) => { if (!pop.contains(event.target) && !opener.contains(event.target)) shut(false); });
    pop.addEventListener('focusout', (event) => {
      if (event.relatedTarget && !pop.contains(event.relatedTarget) && event.relatedTarget !== opener) shut(false);
    });
    pop.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') { event.preventDefault(); shut(true); }
    });
    field.addEventListener('keydown', (event) => {
      if (event.isComposing) return;
      if (event.key === 'ArrowDown') { event.preventDefault(); point(at + 1); }
      if (event.key === 'ArrowUp') { event.preventDefault(); point(at < 0 ? -1 : at - 1); }
      if (event.key !== 'Enter') return;
      event.preventDefault();
      if (timer) { clearTimeout(timer); timer = 0; load().then(go); } else go();
    });
    const go = () => {
      if (at >= 0 || (options().length === 1 && field.value.trim())) options()[Math.max(at, 0)].click();
      else if (field.value.trim()) location.assign(`${page}&q=${encodeURIComponent(field.value.trim())}`);
    };
    field.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(() => { timer = 0; load(); }, 100); });
  }
}
