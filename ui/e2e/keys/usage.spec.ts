/** The log and the batches' files by the keyboard alone. */
import { axe, byId, enter, expect, open, tabTo, test } from '../window';

test('columns are read along the chart, and Enter shows the entries of one', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'usage' });
  const columns = byId(page, 'usage-columns');
  await tabTo(page, columns);
  const last = await columns.getAttribute('aria-valuetext');
  await page.keyboard.press('ArrowLeft');
  await expect(columns).not.toHaveAttribute('aria-valuetext', last ?? '');
  await page.keyboard.press('Home');
  await expect(columns).toHaveAttribute('aria-valuenow', '0');
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await expect(byId(page, 'usage-list')).toBeFocused();
});

test('by model or by kind, as a chart or as a table', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'usage' });
  const total = await byId(page, 'usage-total').textContent();
  const names = page.locator('.uselist__name');
  const models = await names.allTextContents();
  await tabTo(page, byId(page, 'split-model'));
  await page.keyboard.press('ArrowRight');
  await expect(names).not.toHaveText(models);
  await expect(byId(page, 'usage-total')).toHaveText(total ?? '');
  await enter(page, 'usage-twin');
  await expect(byId(page, 'usage-twin-table').locator('tfoot td').last()).toHaveText(total ?? '');
  expect(await axe(page)).toEqual([]);
  await tabTo(page, page.locator('.usetwin').first());
  await page.keyboard.press('Shift+T');
  await expect(byId(page, 'usage-columns')).toBeVisible();
});

test('one model is chosen in the list of models and in the legend, and given up', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'usage' });
  const used = byId(page, 'usage-used');
  const all = (await used.textContent()) ?? '';
  await tabTo(page, byId(page, 'usage-model'));
  await page.keyboard.press('ArrowDown');
  await expect(used).not.toHaveText(all);
  await page.keyboard.press('ArrowUp');
  await expect(used).toHaveText(all);
  const first = page.locator('button.uselist__name').first();
  const own = (await first.locator('xpath=following-sibling::*[1]').textContent()) ?? '';
  await tabTo(page, first);
  await page.keyboard.press('Enter');
  await expect(used).toHaveText(own);
  await page.keyboard.press('Enter');
  await expect(used).toHaveText(all);
});

test('an entry leads to the others of the same run', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'usage' });
  await tabTo(page, byId(page, 'usage-list'));
  // A hold that was settled is two entries of one run.
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press('ArrowDown');
    if ((await page.locator('.useline.is-active .chip').count()) === 0) continue;
    await page.keyboard.press('Enter');
    await expect(byId(page, 'usage-detail')).toBeVisible();
    if ((await byId(page, 'usage-related').count()) > 0) break;
    await page.keyboard.press('Escape');
    await expect(byId(page, 'usage-list')).toBeFocused();
  }
  const number = page.locator('.usedetail__ids dd').first();
  const before = (await number.textContent()) ?? '';
  await enter(page, 'usage-related');
  await expect(number).not.toHaveText(before);
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(byId(page, 'usage-list')).toBeFocused();
});

for (const [screen, button] of [['usage', 'usage-csv'], ['usage', 'usage-json'], ['batches', 'save-calendar'], ['batches', 'save-batches-csv'], ['buy', 'save-csv'], ['settings', 'export-everything']] as const) {
  test(`${button} says where it saved`, async ({ page }) => {
    await open(page, { state: 'sandbox', screen });
    await enter(page, button);
    await expect(page.getByRole('status').filter({ hasText: '/home/ada' })).toBeVisible();
    await expect(byId(page, button)).toBeFocused();
  });
}

test('another account a day is tried out, and Ctrl Shift C saves the calendar', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'batches' });
  await tabTo(page, byId(page, 'what-if-pace'));
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(byId(page, 'what-if-fixed')).toBeFocused();
  await tabTo(page, byId(page, 'what-if-per-day'));
  await page.keyboard.press('Control+a');
  await page.keyboard.type('2500');
  await expect(byId(page, 'what-if-said')).toContainText('2,500');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+Shift+C');
  await expect(page.getByRole('status').filter({ hasText: '/home/ada' })).toBeVisible();
});
