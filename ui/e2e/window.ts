/** The window in a browser: how it is opened, and what every test asks of it. */
import { readFileSync } from 'node:fs';
import { test as base, expect, type Locator, type Page } from '@playwright/test';
import { NOW } from '../recorded/model';
import { ringShows } from './focus';

export { expect };
export type { Page };

const AXE = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

export type Theme = 'light' | 'dark';
export interface Scene {
  state: string;
  screen?: string;
  theme?: Theme;
}

/** A page whose clock stands still and whose every fault fails the test. */
export const test = base.extend<{ faults: string[] }>({
  faults: [
    async ({ page }, use) => {
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
      await page.clock.setFixedTime(NOW);
      await use(faults);
      expect(faults, 'faults in the page').toEqual([]);
    },
    { auto: true },
  ],
});

/** Opens a recorded state on a screen and waits until nothing is loading. */
export async function open(page: Page, { state, screen = '', theme = 'light' }: Scene): Promise<void> {
  await page.goto(`${process.env['RECORDED_ORIGIN']}/?state=${state}&screen=${screen}&theme=${theme}`);
  await settled(page);
}

/** The screen is there, with its fonts. Some states never stop loading: they are waited for no longer than a moment. */
export async function settled(page: Page): Promise<void> {
  await page.locator('main').waitFor();
  await page.locator('.first').waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.querySelector('.skeleton') === null, undefined, { timeout: 1500 }).catch(() => undefined);
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(60);
}

/** What axe finds, in words. Evaluated, not added as a script: the policy allows none. */
export async function axe(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const run = (globalThis as unknown as { axe: { run: (root: Document, options: object) => Promise<{ violations: { id: string; nodes: { target: string[]; any: { message: string }[] }[] }[] }> } }).axe;
    const { violations } = await run.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return violations.map((found) => `${found.id}: ${found.nodes.map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).slice(0, 3).join(' | ')}`);
  });
}

/** How many pixels of the page or of its scrolling part lie beyond the side. */
export const tooWide = (page: Page): Promise<number> =>
  page.evaluate(() => Math.max(document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll('main')].map((main) => main.scrollWidth - main.clientWidth)));

export const byId = (page: Page, id: string): Locator => page.getByTestId(id);

export const focusShows = (page: Page): Promise<boolean> => page.evaluate(ringShows);

/** Goes on with Tab until the element has the focus; on the way the focus is always to be seen. */
export async function tabTo(page: Page, target: Locator, most = 80): Promise<void> {
  await target.waitFor();
  for (let step = 0; step < most; step += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement !== document.body)) expect(await focusShows(page), `focus shows on ${await focused(page)}`).toBe(true);
  }
  throw new Error(`${String(target)} is not reached with ${most} tabs; the focus is on ${await focused(page)}`);
}

/** What has the focus, for messages. */
export const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const on = document.activeElement;
    return `<${on?.tagName.toLowerCase() ?? 'nothing'} ${on?.getAttribute('data-testid') ?? on?.id ?? ''}> ${on?.textContent?.trim().slice(0, 40) ?? ''}`;
  });

/** Goes to a button with Tab and presses it. */
export async function enter(page: Page, id: string): Promise<void> {
  await tabTo(page, byId(page, id).first());
  await page.keyboard.press('Enter');
}

/** Puts text in the place of what a field holds, having gone there with Tab. */
export async function typeInto(page: Page, id: string, text: string): Promise<void> {
  await tabTo(page, byId(page, id).first());
  await page.keyboard.press('Control+a');
  await page.keyboard.type(text);
}

/** Puts what lies over the page away with Esc; the focus is where it was. */
export async function putAway(page: Page, from: string): Promise<void> {
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(byId(page, from).first()).toBeFocused();
}
