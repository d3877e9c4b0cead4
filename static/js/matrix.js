/* matrix: [data-tick] buttons tick the boxes of their row, their column or all of a [data-matrix] table, and untick them
   when all are ticked already. Boxes that are not offered stay as they are; a button without any other is not shown. */
{
  ui.all('[data-matrix]', (table) => {
    const field = table.closest('fieldset');
    const open = (cells) => [...cells].map((cell) => cell.querySelector('[type=checkbox]:enabled')).filter(Boolean);
    const boxes = {
      row: (button) => open(button.closest('tr').cells),
      column: (button) => open([...table.tBodies[0].rows].map((row) => row.cells[button.closest('th').cellIndex])),
      all: () => open(table.querySelectorAll('td')),
      none: () => open(table.querySelectorAll('td')),
    };
    ui.all('[data-tick]', (button) => {
      const kind = button.dataset.tick;
      const chosen = boxes[kind](button);
      button.hidden = !chosen.length;
      button.addEventListener('click', () => {
        const on = kind === 'all' || (kind !== 'none' && chosen.some((box) => !box.checked));
        chosen.forEach((box) => { box.checked = on; });
        field.dispatchEvent(new Event('input', { bubbles: true }));
        ui.say(`${chosen.length} ${chosen.length === 1 ? 'box' : 'boxes'} ${on ? 'ticked' : 'unticked'}`);
      });
    }, field);
  });
}
