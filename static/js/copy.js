/* copy: [data-copy="text"] puts the text on the clipboard and says so. */
{
  ui.all('[data-copy]', (button) => button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.dataset.done = '';
      ui.say('Copied');
      setTimeout(() => delete button.dataset.done, 1500);
    } catch {
      ui.say('Could not copy');
    }
  }));
}
