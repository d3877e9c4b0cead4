/* pick: input[data-pick-all] ticks every box of its table's rows. */
{
  ui.all('[data-pick-all]', (all) => {
    const boxes = [...all.closest('table').querySelectorAll('tbody [type=checkbox]')];
    all.addEventListener('change', () => boxes.forEach((box) => { box.checked = all.checked; }));
    boxes.forEach((box) => box.addEventListener('change', () => {
      const on = boxes.filter((one) => one.checked).length;
      all.checked = on === boxes.length;
      all.indeterminate = on > 0 && !all.checked;
    }));
  });
}
