/** Where there is little room: what is long stays within its place, and nothing that a hand needs is gone. */
import { byId, expect, open, settled, test, type Page } from './window';

/** How far the first reaches over the second, to the right; less than a pixel is none. */
const rights = (page: Page, one: string, other: string): Promise<number> =>
  page.evaluate(([a, b]) => {
    const right = (selector: string) => document.querySelector(selector)?.getBoundingClientRect().right ?? NaN;
    return Math.round(right(a) - right(b));
  }, [one, other] as const);

for (const [width, height] of [[1440, 900], [1000, 700], [420, 800]] as const) {
  test(`the list of usage fills its width at ${width}`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await open(page, { state: 'long-log', screen: 'usage' });
    await byId(page, 'usage-row').first().waitFor();
    expect(await rights(page, '.usage thead th:last-child', '.usage')).toBe(0);
    const cut = await page.evaluate(() => [...document.querySelectorAll('.usage time')].filter((one) => (one.parentElement?.scrollWidth ?? 0) > (one.parentElement?.clientWidth ?? 0)).length);
    expect(cut, 'times that are cut').toBe(0);
  });

  for (const state of ['many-batches', 'extreme', 'at-risk']) {
    test(`what lapses is written within its lane at ${width}, ${state}`, async ({ page }) => {
      await page.setViewportSize({ width, height });
      await open(page, { state, screen: 'batches' });
      const over = await page.evaluate(() =>
        [...document.querySelectorAll('.lane-risk')].flatMap((words) => {
          const [at, lane] = [words.getBoundingClientRect(), words.closest('td')?.getBoundingClientRect()];
          return lane === undefined || at.left < lane.left - 8 || at.right > lane.right + 8 ? [words.textContent] : [];
        }),
      );
      expect(over).toEqual([]);
    });
  }

  for (const state of ['many-batches', 'extreme', 'sandbox']) {
    test(`the balance stands on one line at ${width}, ${state}`, async ({ page }) => {
      await page.setViewportSize({ width, height });
      await open(page, { state, screen: 'overview' });
      expect(await byId(page, 'balance').evaluate((balance) => balance.getBoundingClientRect().height < 2 * parseFloat(getComputedStyle(balance).fontSize))).toBe(true);
    });
  }
}

test('a narrow window leads to the palette and hides amounts', async ({ page }) => {
  await page.setViewportSize({ width: 420, height: 800 });
  for (const screen of ['overview', 'batches']) {
    await open(page, { state: 'offline', screen });
    await byId(page, 'hide-amounts').click();
    await expect(byId(page, 'hide-amounts')).toHaveAttribute('aria-pressed', 'true');
    await byId(page, 'find').click();
    await expect(byId(page, 'palette-input')).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(byId(page, 'find')).toBeFocused();
  }
});

test('a batch that the palette finds is in view and has the focus', async ({ page }) => {
  await open(page, { state: 'many-batches', screen: 'overview' });
  await page.keyboard.press('Control+k');
  await byId(page, 'palette-input').fill('eth of 5 nov');
  await settled(page);
  await page.keyboard.press('Enter');
  const row = page.locator('[data-testid="batch-row"]:focus');
  await expect(row).toContainText('added 5 Nov');
  await expect(row).toBeInViewport({ ratio: 1 });
});
