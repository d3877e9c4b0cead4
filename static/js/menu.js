/* menu: details[data-menu] closes by Escape, by a click elsewhere and when the focus leaves it. */
{
  ui.all('details[data-menu]:not([data-menu=rail])', (menu) => {
    const shut = () => { menu.open = false; };
    addEventListener('click', (event) => { if (!menu.contains(event.target)) shut(); });
    menu.addEventListener('focusout', (event) => { if (event.relatedTarget && !menu.contains(event.relatedTarget)) shut(); });
    menu.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !menu.open) return;
      shut();
      menu.querySelector('summary').focus();
    });
  });
}
