/* time: time[data-local] says the moment in UTC; the reader's own time is added behind it.
   The format is made for the first that needs it: making it takes longer than all other scripts together. */
{
  let format = null;
  ui.all('time[data-local]', (time) => {
    const moment = new Date(time.dateTime);
    if (isNaN(moment) || moment.getTimezoneOffset() === 0) return;
    format ??= new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
    time.append(' ', ui.make('small', { class: 'sub' }, `${format.format(moment)} your time`));
  });
}
