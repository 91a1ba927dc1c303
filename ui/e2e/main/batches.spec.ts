import { credits, figure, sum } from './figures';
import { expect, id, labelOf, test } from './stage';

const LEFT = '.batches tbody td.left .strong';
const ENDED = id('ended-row');

test('the rows come to what is left, and those that ended to what lapsed', async ({ stage }) => {
  await stage.open('sandbox', 'batches');
  expect(sum(await stage.texts(LEFT))).toBe(figure(await stage.text('.toolbar .facts dd')));
  const orders = (await stage.texts('.batches tbody td.order')).map(figure);
  expect(orders).toEqual(orders.map((_, nth) => credits(nth + 1)));
  await stage.passesAxe();

  const summary = await stage.text('.past summary');
  await stage.gone(ENDED);
  await stage.click('.past summary');
  await stage.there(ENDED);
  expect(credits(await stage.count(ENDED))).toBe(figure(summary));
  const of = (nth: number): Promise<string[]> => stage.texts(`${ENDED} td:nth-child(${nth})`);
  const [granted, used, lapsed] = [await of(2), await of(3), await of(4)];
  expect(sum(granted)).toBe(sum(used) + sum(lapsed));
  expect(sum(lapsed)).toBeGreaterThan(0n);
  expect(figure(await stage.text('.past summary small'))).toBe(sum(lapsed));
  await stage.passesAxe();
});

test('another pace changes the drawing and the sentence, and the own one brings them back', async ({ stage }) => {
  await stage.open('sandbox', 'batches');
  const own = await stage.drawn('.batches .lanecell');
  await stage.click(labelOf('what-if-nothing'));
  const said = id('what-if-said');
  await stage.says(() => stage.text(said)).toMatch(/\d/u);
  await stage.says(() => stage.drawn('.batches .lanecell')).not.toBe(own);
  await stage.there(`${id('what-if-panel')} svg desc`);
  const lapse = async (): Promise<bigint> => ((await stage.count(`${said} .lapse`)) === 0 ? 0n : figure((await stage.text(`${said} .lapse`)).replace(/^\D*\d+\D+\d+(?=\D+\d[\d,]{2,})/u, '')));
  const ofNothing = await lapse();
  await stage.passesAxe();

  // The more a day, the less lapses.
  await stage.click(labelOf('what-if-fixed'));
  await stage.fill(id('what-if-per-day'), '500');
  await stage.says(() => stage.text(`${said} strong`)).toMatch(/\b500\b/u);
  const ofLittle = await lapse();
  const little = await stage.drawn('.batches .lanecell');
  await stage.fill(id('what-if-per-day'), '1000000');
  await stage.says(() => stage.text(`${said} strong`)).toMatch(/1,000,000/u);
  const ofMuch = await lapse();
  expect(ofLittle).toBeLessThan(ofNothing);
  expect(ofMuch).toBeLessThan(ofLittle);
  expect(await stage.drawn('.batches .lanecell')).not.toBe(little);

  await stage.fill(id('what-if-per-day'), 'much');
  await stage.says(() => stage.attribute(id('what-if-per-day'), 'aria-invalid')).toBe('true');
  await stage.gone(`${id('what-if-panel')} svg desc`);
  await stage.passesAxe();

  await stage.click(labelOf('what-if-pace'));
  await stage.gone(id('what-if-panel'));
  await stage.says(() => stage.drawn('.batches .lanecell')).toBe(own);
});

test('by keyboard: runs a day are tried out, one more at a time, and the ended ones are opened', async ({ stage }) => {
  await stage.open('sandbox', 'batches');
  await stage.tabTo(id('what-if-pace'));
  await stage.press('ArrowRight');
  await stage.there(id('what-if-panel'));
  const perDay = async (): Promise<bigint> => figure(await stage.text(`${id('what-if-said')} strong`));
  await stage.says(() => stage.text(id('what-if-said'))).toMatch(/\d/u);
  const each = figure((await stage.value(id('what-if-per-run'))) ?? '');
  const [before, times] = [await perDay(), Number(await stage.value(id('what-if-times')))];
  await stage.tabTo(id('what-if-more'));
  await stage.press('Space');
  await stage.says(() => stage.value(id('what-if-times'))).toBe(String(times + 1));
  // With the own pace in it, it is said to the nearest ten.
  await stage.says(async () => (await perDay()) - before >= each - credits(10) && (await perDay()) - before <= each + credits(10)).toBe(true);
  await stage.tabTo('.past summary');
  await stage.press('Enter');
  await stage.there(ENDED);
});
