import { credits, figure } from './figures';
import { expect, id, labelOf, test } from './stage';

/** 10,000 credits are a dollar. */
const PER_DOLLAR = 10_000n;
const CENT = credits(1) / 100n;
const near = (one: bigint, other: bigint, by: bigint): boolean => one - other <= by && other - one <= by;

test('an amount is the same in dollars, ether and credits, up to the choice of a way to pay', async ({ stage }) => {
  await stage.open('sandbox', 'overview');
  const balance = figure(await stage.text(id('balance')));
  await stage.go('buy');
  await stage.fill(id('buy-amount'), '40');
  await stage.says(async () => figure(await stage.text(id('buy-credits')))).toBe(credits(40) * PER_DOLLAR);
  await stage.says(async () => figure(await stage.text('.life-panel .section__head .num'))).toBe(balance + credits(40) * PER_DOLLAR);
  const eth = (await stage.text(id('buy-eth'))).replace(/[^\d.]/gu, '');
  expect(figure(eth)).toBeGreaterThan(0n);
  await stage.passesAxe();

  // Twice the dollars are twice the ether.
  await stage.fill(id('buy-amount'), '80');
  await stage.says(async () => near(figure(await stage.text(id('buy-eth'))), figure(eth) * 2n, figure(eth) / 50n)).toBe(true);

  await stage.click(labelOf('buy-unit-eth'));
  await stage.fill(id('buy-amount'), eth);
  await stage.says(async () => near(figure(await stage.text(id('buy-usd'))), credits(40), CENT * 40n)).toBe(true);
  await stage.says(async () => near(figure(await stage.text(id('buy-credits'))), credits(40) * PER_DOLLAR, CENT * 40n * PER_DOLLAR)).toBe(true);

  await stage.click(labelOf('buy-unit-credits'));
  await stage.fill(id('buy-amount'), '400000');
  await stage.says(async () => figure(await stage.text(id('buy-usd')))).toBe(credits(40));
  await stage.passesAxe();

  // None of these pays: a way is chosen, and the review is offered.
  const ways = await stage.run(() => [...document.querySelectorAll<HTMLInputElement>('[name="buy-way"]:not(:disabled)')].map((one) => one.dataset['testid'] ?? ''), null);
  expect(ways.length).toBeGreaterThan(1);
  for (const way of ways) {
    await stage.click(labelOf(way));
    await stage.says(() => stage.isOn(way)).toBe(true);
    expect(await stage.count('[name="buy-way"]:checked')).toBe(1);
  }
  await stage.there(`${id('buy-review')}:not(:disabled)`);
});

test('by keyboard: what is no amount is said at its field and cannot be reviewed', async ({ stage }) => {
  await stage.open('sandbox', 'overview');
  await stage.press('b');
  await stage.isAt('buy');
  await stage.there(`${id('buy-review')}:not(:disabled)`);
  await stage.tabTo(id('buy-amount'));
  await stage.retype('4o');
  await stage.says(() => stage.attribute(id('buy-amount'), 'aria-invalid')).toBe('true');
  await stage.there('#buy-amount-hint .danger');
  await stage.there(`${id('buy-review')}:disabled`);
  await stage.press('Enter');
  await stage.gone(id('review-pay'));
  await stage.passesAxe();
  await stage.retype('40');
  await stage.says(async () => figure(await stage.text(id('buy-credits')))).toBe(credits(40) * PER_DOLLAR);
  await stage.tabTo('[name="buy-way"]:checked');
  const before = await stage.value('[name="buy-way"]:checked');
  // Not every web view goes from the last one to the first.
  const isLast = await stage.run(() => [...document.querySelectorAll<HTMLInputElement>('[name="buy-way"]:not(:disabled)')].at(-1)?.checked, null);
  await stage.press(isLast ? 'ArrowUp' : 'ArrowDown');
  await stage.says(() => stage.value('[name="buy-way"]:checked')).not.toBe(before);
  await stage.tabTo(id('buy-review'));
});
