/** Zoomed to 200 %, a window of 1000 × 700 has room for 500 × 350: nothing is lost, everything can be reached. */
import { expect, open, test, tooWide } from './window';

const SCREENS = ['overview', 'batches', 'estimate', 'buy', 'usage', 'settings'];

for (const [state, screen] of [...SCREENS.map((screen) => ['sandbox', screen] as const), ['signed-out', ''] as const, ['paying', 'buy'] as const, ['extreme', 'overview'] as const]) {
  test(`${state} ${screen === '' ? 'onboarding' : screen} at 200 %`, async ({ page }) => {
    await page.setViewportSize({ width: 500, height: 350 });
    await open(page, { state, screen });
    expect(await tooWide(page)).toBe(0);
    const lost = await page.evaluate(() => {
      const main = document.querySelector('main');
      if (main === null) return ['no main'];
      const shown = (element: Element): boolean => element.checkVisibility({ visibilityProperty: true }) && element.getBoundingClientRect().width > 1;
      // What scrolls sideways by itself (a table, the tabs) keeps what is beyond its side.
      const scrolls = (element: Element): boolean => {
        for (let at: Element | null = element; at !== null && at !== main; at = at.parentElement) if (['auto', 'scroll'].includes(getComputedStyle(at).overflowX)) return true;
        return false;
      };
      const edge = main.getBoundingClientRect().right + 1;
      return [...main.querySelectorAll('button, a, input, select, textarea, p, h1, h2, h3, dt, dd, th, td')]
        .filter((element) => shown(element) && element.closest('svg, .sr') === null && element.getBoundingClientRect().right > edge && !scrolls(element))
        .map((element) => `<${element.tagName.toLowerCase()}> ${element.textContent?.trim().slice(0, 40) ?? ''}`);
    });
    expect(lost).toEqual([]);
    // There is room left to read in between what stays in place.
    expect(await page.evaluate(() => document.querySelector('main')?.clientHeight ?? 0)).toBeGreaterThan(120);
  });
}

test('the palette and a dialog fit at 200 %', async ({ page }) => {
  await page.setViewportSize({ width: 500, height: 350 });
  await open(page, { state: 'sandbox', screen: 'overview' });
  await page.keyboard.press('Control+k');
  const box = await page.getByTestId('palette').boundingBox();
  expect(box !== null && box.x >= 0 && box.y >= 0 && box.x + box.width <= 500 && box.y + box.height <= 350).toBe(true);
  for (let step = 0; step < 8; step += 1) await page.keyboard.press('ArrowDown');
  await expect(page.locator('#palette-list [aria-selected="true"]')).toBeInViewport();
});
