/* print: [data-print] opens the print dialog. */
{
  ui.all('[data-print]', (button) => button.addEventListener('click', () => print()));
}
