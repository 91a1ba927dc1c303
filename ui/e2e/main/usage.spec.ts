import { figure, sum } from './figures';
import { expect, id, labelOf, test, type Stage } from './stage';

const TITLES = id('usage-title');
const used = async (stage: Stage): Promise<bigint> => figure(await stage.text(id('usage-used')));

test('chart, table and list agree, and a kind of work narrows all of them', async ({ stage }) => {
  await stage.open('sandbox', 'usage');
  const all = await used(stage);
  expect(sum(await stage.texts('.uselist li:not(.uselist__total) > .num.strong'))).toBe(all);
  expect(figure(await stage.text(id('usage-total')))).toBe(all);
  await stage.passesAxe();

  await stage.click(id('usage-twin'));
  const table = id('usage-twin-table');
  const days = async (): Promise<bigint> => sum(await stage.texts(`${table} tbody td:last-child`));
  expect(await days()).toBe(all);
  expect(sum(await stage.texts(`${table} tfoot td:not(:last-child)`))).toBe(all);
  await stage.passesAxe();

  await stage.click(id('work-chat'));
  await stage.says(() => stage.attribute(id('work-chat'), 'aria-pressed')).toBe('true');
  await stage.says(() => used(stage)).toBeLessThan(all);
  const chat = await used(stage);
  expect(chat).toBeGreaterThan(0n);
  await stage.says(days).toBe(chat);
  await stage.click(id('work-image'));
  await stage.says(() => used(stage)).not.toBe(chat);
  expect((await used(stage)) + chat).toBeLessThan(all);
  await stage.click(id('work-image'));
  await stage.says(() => used(stage)).toBe(all);
});

test('a shorter span takes less, and words find runs or say that there are none', async ({ stage }) => {
  await stage.open('sandbox', 'usage');
  const month = await used(stage);
  await stage.click(labelOf('period-days7'));
  await stage.says(() => used(stage)).toBeLessThan(month);
  await stage.click(labelOf('period-days30'));
  await stage.says(() => used(stage)).toBe(month);

  const names = await stage.texts('.uselist__name');
  const title = (await stage.texts(TITLES)).find((one) => names.includes(one)) ?? '';
  expect(title).not.toBe('');
  await stage.fill(id('usage-search'), title);
  await stage.says(() => used(stage)).toBeLessThan(month);
  expect(await used(stage)).toBeGreaterThan(0n);
  await stage.says(async () => (await stage.texts(TITLES)).filter((one) => !one.includes(title))).toEqual([]);
  await stage.retype('nothing is called so');
  await stage.there(id('usage-no-match'));
  expect(await used(stage)).toBe(0n);
  await stage.passesAxe();
  await stage.click(`${id('usage-no-match')} + .actions button`);
  await stage.there(id('usage-row'));
  expect(await stage.value(id('usage-search'))).toBe('');
  // Clearing shows all there ever was.
  expect(await stage.isOn('period-all')).toBe(true);
  await stage.says(() => used(stage)).toBeGreaterThanOrEqual(month);
});

test('by keyboard: an entry is opened from the list, says what its row says, and the focus goes back', async ({ stage }) => {
  await stage.open('sandbox', 'usage');
  await stage.press('/');
  await stage.hasCaret(id('usage-search'));
  const all = await used(stage);
  await stage.tabTo(id('work-chat'));
  await stage.press('Space');
  await stage.says(() => used(stage)).toBeLessThan(all);
  await stage.tabTo(id('usage-list'));
  const row = '.useline.is-active';
  // Past the day, to a run.
  for (let step = 0; step < 40; step += 1) {
    if ((await stage.count(`${row} .usage__what`)) === 1 && (await stage.count(`${row} td.n .strong`)) === 1) break;
    await stage.press('ArrowDown');
  }
  const [title, amount] = [await stage.text(`${row} ${TITLES}`), figure(await stage.text(`${row} td.n .strong`))];
  await stage.press('Enter');
  const detail = id('usage-detail');
  await stage.there(detail);
  expect(await stage.text('.dialog__title')).toBe(title);
  expect(figure(await stage.text(`${detail} dd .strong`))).toBe(amount);
  // The lines that were charged come to what was taken.
  expect(figure(await stage.text(`${detail} tfoot td:last-child`))).toBe(amount);
  await stage.passesAxe();
  await stage.press('Escape');
  await stage.gone(detail);
  await stage.hasFocus(id('usage-list'));
  await stage.press('ArrowDown');
  await stage.says(() => stage.count(row)).toBe(1);
});

test('an entry is opened by the mouse and closed again', async ({ stage }) => {
  await stage.open('sandbox', 'usage');
  const title = await stage.text(TITLES);
  await stage.click(TITLES);
  await stage.there(id('usage-detail'));
  expect(await stage.text('.dialog__title')).toBe(title);
  await stage.click('[role="dialog"] .dialog__head button');
  await stage.gone(id('usage-detail'));
});
