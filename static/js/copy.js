/* copy: [data-copy="text"] puts the text on the clipboard and says so, in its own words where it has some. */
{
  ui.all('[data-copy]', (button) => {
    const words = button.textContent.trim();
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        button.dataset.done = '';
        if (words) button.textContent = 'Copied';
        ui.say('Copied');
        setTimeout(() => {
          delete button.dataset.done;
          if (words) button.textContent = words;
        }, 1500);
      } catch {
        ui.say('Could not copy');
      }
    });
  });
}
