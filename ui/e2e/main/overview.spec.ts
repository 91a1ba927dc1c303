import { figure, sum } from './figures';
import { expect, id, test } from './stage';

test('the balance is what the batches of the table hold, and unspent credits lapse day by day', async ({ stage }) => {
  await stage.open('sandbox', 'overview');
  await stage.says(() => stage.attribute(id('connection'), 'data-state')).toBe('online');
  const balance = figure(await stage.text(id('balance')));
  expect(await stage.attribute(id('terrace-twin'), 'aria-pressed')).toBe('false');
  await stage.there('svg desc');
  await stage.passesAxe();

  await stage.click(id('terrace-twin'));
  await stage.there('.twin__batches');
  expect(await stage.attribute(id('terrace-twin'), 'aria-pressed')).toBe('true');
  const rows = await stage.texts('.twin__batches tbody td:nth-child(3)');
  expect(rows.length).toBeGreaterThan(2);
  expect(sum(rows)).toBe(balance);
  // What is not spent only lapses: it never grows by more than the credits of a day.
  const daily = await stage.text(id('daily'));
  const most = /\d/u.test(daily) ? figure(daily) : 0n;
  const days = (await stage.texts('.twin__days tbody td:nth-child(2)')).map(figure);
  expect(days.length).toBeGreaterThan(20);
  expect(days.filter((day, nth) => day > (days[nth - 1] ?? balance) + most), `more than ${daily}`).toEqual([]);
  expect(days.some((day, nth) => day < (days[nth - 1] ?? balance)), 'a batch lapses within thirty days').toBe(true);
  await stage.passesAxe();

  await stage.click(id('terrace-twin'));
  await stage.gone('.twin__batches');
});

test('the batch that ends next is the first of the list, with the same end', async ({ stage }) => {
  await stage.open('sandbox', 'overview');
  const end = await stage.text('.departure__top > div:first-child .sub');
  const left = figure(await stage.text('.departure__what .figure'));
  const clock = await stage.text('.railclock__sub');
  await stage.go('batches');
  expect(figure(await stage.text('.batches tbody td.left .strong'))).toBe(left);
  const utc = await stage.text(id('batch-expires-utc'));
  const local = await stage.text(id('batch-expires-local'));
  expect(end).toContain(utc);
  expect(clock).toBe(local);
});

test('by keyboard: the drawing is read day by day, and Shift T turns it into its table', async ({ stage }) => {
  await stage.open('sandbox', 'overview');
  const hint = await stage.text(id('terrace-reading'));
  await stage.tabTo(id('terrace-reader'));
  const first = await stage.text(id('terrace-reading'));
  expect(first).not.toBe(hint);
  await stage.press('ArrowRight');
  await stage.says(() => stage.attribute(id('terrace-reader'), 'aria-valuenow')).toBe('1');
  const second = await stage.text(id('terrace-reading'));
  expect(second).not.toBe(first);
  // What is spoken is what is shown.
  const spoken = (await stage.attribute(id('terrace-reader'), 'aria-valuetext')) ?? '';
  expect(figure(second.slice(second.indexOf(' ')))).toBeGreaterThanOrEqual(0n);
  expect(spoken).not.toBe('');
  await stage.press('End');
  const last = await stage.attribute(id('terrace-reader'), 'aria-valuemax');
  await stage.says(() => stage.attribute(id('terrace-reader'), 'aria-valuenow')).toBe(last);
  await stage.press('Escape');
  await stage.says(() => stage.text(id('terrace-reading'))).toBe(hint);
  await stage.press('Shift+T');
  await stage.there('.twin__batches');
  await stage.press('Shift+T');
  await stage.there(id('terrace-reader'));
});
