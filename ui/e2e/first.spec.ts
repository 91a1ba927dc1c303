/** The first frame of a start shows the balance exactly where the app then shows it. */
import { byId, expect, test, type Page } from './window';

const ORIGIN = process.env['RECORDED_ORIGIN'];
const SIZES = [[1000, 700], [1440, 900], [420, 800]] as const;
const STATES = ['sandbox', 'live', 'extreme', 'owing', 'empty'] as const;

/** Opens the window with the app's own script held back; answers how to let it go. */
async function heldBack(page: Page, state: string): Promise<() => void> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route(/\/assets\/start-.*\.js$/, async (route) => {
    await released;
    await route.continue();
  });
  await page.goto(`${ORIGIN}/?state=${state}&theme=light`, { waitUntil: 'commit' });
  return release;
}

for (const [width, height] of SIZES) {
  for (const state of STATES) {
    test(`${state} at ${width} × ${height}`, async ({ page }) => {
      await page.setViewportSize({ width, height });
      const release = await heldBack(page, state);
      const first = page.locator('.first data');
      await expect(first).toBeVisible();
      await page.evaluate(() => document.fonts.ready);
      const [box, said] = [await first.boundingBox(), await first.textContent()];
      release();
      const balance = byId(page, 'balance');
      await expect(balance).toBeVisible();
      await expect(page.locator('.first')).toHaveCount(0);
      expect(await balance.textContent()).toBe(said);
      expect(await balance.boundingBox()).toEqual(box);
    });
  }
}

test('a start that opens with something else draws no balance first', async ({ page }) => {
  for (const state of ['signed-out', 'locked', 'offline']) {
    await page.goto(`${ORIGIN}/?state=${state}`);
    await expect(page.locator('#main')).toBeVisible();
    await expect(page.locator('.first')).toHaveCount(0);
  }
});
