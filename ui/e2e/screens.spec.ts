/**
 * Every screen and state in both themes: axe finds nothing, nothing is cut off at the side, and it looks as it did. The pictures are compared as soon as there are
 * any in docs/screens/recorded; `make screens-recorded` makes them anew.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MAIN, STATES, type Scene } from './scenes';
import { axe, expect, open, settled, test, tooWide, type Page, type Theme } from './window';

const SIZES = [[1000, 700], [1440, 900], [420, 800]] as const;
/** A page that grows with its data is pictured down to here. */
const TALLEST = 2400;
const updating = process.env['PICTURES'] === 'update';
const comparing = updating || existsSync(fileURLToPath(new URL('../../docs/screens/recorded', import.meta.url)));

const picture = async (page: Page, name: string): Promise<void> => {
  if (comparing) await expect.soft(page).toHaveScreenshot(`${name}.png`, updating ? { maxDiffPixels: 0, threshold: 0 } : {});
};

/** The window grown until all of the page shows. */
async function whole(page: Page, width: number): Promise<void> {
  const tall = await page.evaluate(() => Math.max(0, ...[...document.querySelectorAll('main')].map((main) => main.scrollHeight - main.clientHeight)) + innerHeight);
  await page.setViewportSize({ width, height: Math.min(TALLEST, tall) });
  await settled(page);
}

async function look(page: Page, scene: Scene, theme: Theme, sizes: readonly (readonly [number, number])[]): Promise<void> {
  // The page goes by how long it has run as well: not a second passes while it is pictured.
  await page.addInitScript(() => {
    const began = performance.now();
    performance.now = () => began;
  });
  await open(page, { state: scene.state, screen: scene.screen, theme });
  await scene.then?.(page);
  for (const [width, height] of sizes) {
    await page.setViewportSize({ width, height });
    await settled(page);
    expect.soft(await tooWide(page), `pixels too wide at ${width}`).toBe(0);
    await picture(page, `${scene.name}-${width}x${height}-${theme}`);
  }
  expect.soft(await axe(page), 'axe').toEqual([]);
}

for (const theme of ['light', 'dark'] as const) {
  for (const scene of MAIN) {
    test(`${scene.name}, ${theme}`, async ({ page }) => {
      await look(page, scene, theme, SIZES);
      if (theme === 'dark') return;
      await page.setViewportSize({ width: 1000, height: 700 });
      await whole(page, 1000);
      await picture(page, `${scene.name}-whole-${theme}`);
    });
  }
  for (const scene of STATES) test(`${scene.name}, ${theme}`, ({ page }) => look(page, scene, theme, SIZES.slice(0, 1)));
}
