/* time: time[data-local] says the moment in UTC; the reader's own time is added behind it. */
{
  const words = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
  ui.all('time[data-local]', (time) => {
    const moment = new Date(time.dateTime);
    if (isNaN(moment) || moment.getTimezoneOffset() === 0) return;
    time.append(' ', ui.make('small', { class: 'sub' }, `${words.format(moment)} your time`));
  });
}
