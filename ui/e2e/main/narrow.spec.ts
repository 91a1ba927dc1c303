import { figure } from './figures';
import { expect, id, test } from './stage';

const SCREENS = ['overview', 'batches', 'estimate', 'buy', 'usage', 'settings'] as const;

test('in a narrow window every screen is reached, keeps its figures and fits its width', async ({ stage }) => {
  await stage.open('sandbox', 'overview');
  const balance = figure(await stage.text(id('balance')));
  const headings: string[] = [];
  for (const screen of SCREENS) {
    await stage.go(screen);
    headings.push(await stage.text('h1'));
  }
  await stage.size(420, 800);
  await stage.says(() => stage.run(() => innerWidth, null)).toBeLessThanOrEqual(420);
  await stage.says(() => stage.run(() => document.querySelector('.tabbar')?.checkVisibility() ?? false, null)).toBe(true);
  for (const [nth, screen] of SCREENS.entries()) {
    await stage.click('.tabbar button', nth);
    await stage.isAt(screen);
    expect(await stage.text('h1')).toBe(headings[nth]);
    const beyond = await stage.run(() => Math.max(document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll('main')].map((main) => main.scrollWidth - main.clientWidth)), null);
    expect(beyond, `pixels too wide on ${screen}`).toBeLessThanOrEqual(0);
    await stage.passesAxe();
  }
  await stage.click('.tabbar button', 0);
  await stage.isAt('overview');
  expect(figure(await stage.text(id('balance')))).toBe(balance);
});
