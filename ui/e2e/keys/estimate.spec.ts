/** Estimating by the keyboard alone: comparing, recipes, budget, ranges, pasted texts, the plan, and the charge of a kept estimate. */
import { axe, byId, enter, expect, open, putAway, tabTo, test, typeInto } from '../window';

test('models are compared, sorted, and one is taken', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'estimate' });
  await enter(page, 'compare');
  await expect(byId(page, 'compared').first()).toBeVisible();
  await putAway(page, 'compare');
  await page.keyboard.press('Enter');
  await enter(page, 'sort-cost');
  await expect(byId(page, 'sort-cost').locator('xpath=..')).toHaveAttribute('aria-sort', 'descending');
  const dearest = byId(page, 'compared').first();
  const name = (await dearest.getByRole('button').textContent()) ?? '';
  const cost = ((await dearest.locator('td').first().textContent()) ?? '').trim();
  await tabTo(page, dearest.getByRole('button'));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.locator('.bench__title h2')).toHaveText(name);
  await expect(byId(page, 'estimate-lines').locator('tfoot td')).toHaveText(cost);
});

test('a recipe is put together, kept, copied, deleted and brought back', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'estimate' });
  const before = await (async () => {
    await tabTo(page, byId(page, 'kind-video'));
    await page.keyboard.press('End');
    await expect(byId(page, 'kind-recipes')).toBeFocused();
    return byId(page, 'recipe').count();
  })();
  await page.keyboard.press('Home');
  await enter(page, 'add-to-recipe');
  const each = (await byId(page, 'estimate-lines').locator('tfoot td').textContent()) ?? '';
  await tabTo(page, byId(page, 'kind-chat'));
  await page.keyboard.press('End');
  await expect(byId(page, 'job-row')).toHaveCount(1);
  await expect(byId(page, 'job-total')).toContainText(each);
  await typeInto(page, 'job-runs', '10');
  await page.keyboard.press('Tab');
  await expect(byId(page, 'job-total')).not.toContainText(each);
  await typeInto(page, 'recipe-name', 'Ten at once');
  await page.keyboard.press('Enter');
  await expect(byId(page, 'recipe')).toHaveCount(before + 1);
  expect(await axe(page)).toEqual([]);
  await enter(page, 'recipe-duplicate');
  await expect(byId(page, 'recipe')).toHaveCount(before + 2);
  await enter(page, 'recipe-delete');
  await expect(byId(page, 'recipe')).toHaveCount(before + 1);
  await enter(page, 'recipe-undo');
  await expect(byId(page, 'recipe')).toHaveCount(before + 2);
  await expect(byId(page, 'recipe-deleted')).toHaveCount(0);
});

test('a budget is set; a run that passes it is held back until it is allowed', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'estimate' });
  await enter(page, 'budget-set');
  await putAway(page, 'budget-set');
  await page.keyboard.press('Enter');
  await typeInto(page, 'budget-day-input', 'x');
  await page.keyboard.press('Enter');
  await expect(byId(page, 'error-banner')).toBeVisible();
  expect(await axe(page)).toEqual([]);
  await typeInto(page, 'budget-day-input', '1');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(byId(page, 'budget-passed')).toBeVisible();
  await expect(byId(page, 'simulate-run')).toBeDisabled();
  await enter(page, 'budget-allow');
  await expect(byId(page, 'simulate-run')).toBeEnabled();
  await enter(page, 'simulate-run');
  await expect(byId(page, 'simulated')).toBeVisible();
});

test('an answer of unknown length has a range, and a pasted text is counted', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'estimate' });
  await tabTo(page, byId(page, 'kind-video'));
  await page.keyboard.press('Home');
  await tabTo(page, byId(page, 'open-ended'));
  await page.keyboard.press('Space');
  await expect(byId(page, 'estimate-range')).toBeVisible();
  await page.keyboard.press('Shift+Tab');
  await expect(byId(page, 'count-output_most')).toBeFocused();
  await page.keyboard.press('Control+a');
  await page.keyboard.type('1');
  await expect(page.getByRole('alert').first()).toBeVisible();
  await page.keyboard.press('Control+a');
  await page.keyboard.type('999999');
  await expect(page.getByRole('alert')).toHaveCount(0);
  await page.keyboard.press('Control+Home');
  const opener = byId(page, 'text-open');
  await tabTo(page, opener);
  await page.keyboard.press('Enter');
  await expect(opener).toHaveAttribute('aria-expanded', 'true');
  await typeInto(page, 'text-area', 'How long is a piece of string? '.repeat(4));
  await expect(byId(page, 'text-count')).toContainText('31');
  await expect(byId(page, 'count-input_tokens')).toHaveValue('31');
  expect(await axe(page)).toEqual([]);
});

test('the plan shows another part of the balance and opens a run of it', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'estimate' });
  const plan = byId(page, 'plan');
  const before = await plan.locator('.plan__words').textContent();
  await tabTo(page, plan.locator('input:checked'));
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(plan.locator('.plan__words')).not.toHaveText(before ?? '');
  const run = byId(page, 'plan-row').nth(1);
  await tabTo(page, run);
  const words = (await run.locator('small').textContent()) ?? '';
  await page.keyboard.press('Enter');
  await expect.poll(async () => words.startsWith((await page.locator('.bench__title h2').textContent()) ?? 'no title')).toBe(true);
});

test('the charge of a kept estimate is picked among several, and taken back', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'estimate' });
  const picks = byId(page, 'kept-pick');
  const before = await picks.count();
  await enter(page, 'kept-pick');
  await expect(byId(page, 'kept-choice').first()).toBeVisible();
  expect(await axe(page)).toEqual([]);
  await putAway(page, 'kept-pick');
  await page.keyboard.press('Enter');
  await enter(page, 'kept-choice');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(picks).toHaveCount(before - 1);
  await enter(page, 'kept-reject');
  await expect(picks).toHaveCount(before);
});
