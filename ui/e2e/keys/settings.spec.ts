/** Settings, accounts and the tour by the keyboard alone. */
import { axe, byId, enter, expect, focused, focusShows, open, putAway, settled, tabTo, test, typeInto } from '../window';

test('nodes are edited, and a bad address is not taken', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'settings' });
  await enter(page, 'edit-nodes');
  await putAway(page, 'edit-nodes');
  await page.keyboard.press('Enter');
  const urls = byId(page, 'node-url');
  const before = await urls.count();
  await enter(page, 'remove-node');
  await expect(urls).toHaveCount(before - 1);
  await enter(page, 'add-node');
  await tabTo(page, urls.last());
  await page.keyboard.type('not an address');
  await expect(urls.last()).toHaveAttribute('aria-invalid', 'true');
  await expect(byId(page, 'save-nodes')).toBeDisabled();
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press('Control+a');
  await page.keyboard.type('https://node.example.org');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.locator('#settings-network')).toContainText('node.example.org');
});

test('the low balance, quiet hours, marks and switches are set', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'settings' });
  const mark = page.locator('[data-testid^="mark-"]').first();
  const pressed = await mark.getAttribute('aria-pressed');
  await tabTo(page, mark);
  await page.keyboard.press('Space');
  await expect(mark).not.toHaveAttribute('aria-pressed', pressed ?? '');
  for (const id of ['only-lapsing', 'credited', 'outside-keep_in_tray']) {
    const was = await byId(page, id).isChecked();
    await tabTo(page, byId(page, id));
    await page.keyboard.press('Space');
    await expect(byId(page, id), id).toBeChecked({ checked: !was });
  }
  if (!(await byId(page, 'quiet').isChecked())) {
    await tabTo(page, byId(page, 'quiet'));
    await page.keyboard.press('Space');
  }
  await typeInto(page, 'quiet-from', '25:00');
  await expect(byId(page, 'quiet-from')).toHaveAttribute('aria-invalid', 'true');
  await typeInto(page, 'quiet-from', '21:30');
  await page.keyboard.press('Enter');
  await expect(byId(page, 'quiet-from')).toHaveValue('21:30');
  await typeInto(page, 'low-usd', '7');
  await page.keyboard.press('Enter');
  await expect(byId(page, 'save-low')).toBeDisabled();
  await expect(byId(page, 'error-banner')).toHaveCount(0);
});

test('language, motion and size of text are chosen', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'settings' });
  await tabTo(page, page.locator('[name="text-size"]:checked'));
  const size = () => page.evaluate(() => getComputedStyle(document.documentElement).fontSize);
  const usual = await size();
  await page.keyboard.press('ArrowRight');
  await expect.poll(size).not.toBe(usual);
  await tabTo(page, page.locator('[name="language"]:checked'));
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-Hans');
  await expect(byId(page, 'nav-overview')).toContainText('总览');
  expect(await focusShows(page), `focus shows on ${await focused(page)}`).toBe(true);
  await page.keyboard.press('ArrowLeft');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
});

test('a list of sections leads down the page', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'settings' });
  const last = page.locator('.subnav button').last();
  await tabTo(page, last);
  await page.keyboard.press('Enter');
  await expect(last).toHaveAttribute('aria-current', 'true');
  await expect(page.locator('#settings-data')).toBeInViewport();
});

test('a key is replaced by a new one', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'settings' });
  await enter(page, 'rotate-key');
  await putAway(page, 'rotate-key');
  await page.keyboard.press('Enter');
  expect(await axe(page)).toEqual([]);
  await enter(page, 'rotate-submit');
  await expect(byId(page, 'rotated')).toContainText('7c1e');
  await putAway(page, 'rotate-key');
});

test('an account without a key is typed in', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'settings' });
  await enter(page, 'settings-add-typed');
  await typeInto(page, 'typed-name', 'Paper');
  await typeInto(page, 'typed-granted_credits', 'many');
  await enter(page, 'typed-save');
  await expect(byId(page, 'typed-faults')).toBeVisible();
  expect(await axe(page)).toEqual([]);
  await typeInto(page, 'typed-granted_credits', '5000');
  await typeInto(page, 'typed-added', '2026-11-19');
  await enter(page, 'typed-save');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(byId(page, 'all-accounts')).toContainText('Paper');
});

test('everything is deleted by a word, which can be thought better of', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'settings' });
  await enter(page, 'delete-everything');
  await putAway(page, 'delete-everything');
  await page.keyboard.press('Enter');
  await expect(byId(page, 'delete-submit')).toBeDisabled();
  await typeInto(page, 'delete-word', 'delete');
  expect(await axe(page)).toEqual([]);
  await enter(page, 'delete-submit');
  await expect(byId(page, 'deleted')).toBeVisible();
  await enter(page, 'deleted-close');
  await settled(page);
  await expect(byId(page, 'onboarding-buy')).toBeVisible();
});

test('the tour is walked from stop to stop, and Esc ends it where one is', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'settings' });
  await enter(page, 'guide-tour');
  await expect(byId(page, 'tour-next')).toBeFocused();
  for (let stop = 1; stop < 4; stop += 1) {
    await page.keyboard.press('Enter');
    await expect(byId(page, 'tour')).toHaveAttribute('data-stop', String(stop));
    await expect(byId(page, 'tour-next')).toBeFocused();
  }
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(byId(page, 'tour')).toHaveCount(0);
  await expect(byId(page, 'nav-estimate')).toHaveAttribute('aria-current', 'page');
});

test('a notice and a reminder are put away', async ({ page }) => {
  await open(page, { state: 'notices', screen: 'overview' });
  const notice = byId(page, 'notice-clock_skewed');
  await tabTo(page, notice.getByRole('button').last());
  await page.keyboard.press('Enter');
  await expect(notice).toHaveCount(0);
  await open(page, { state: 'prefill-low', screen: 'overview' });
  await enter(page, 'low-reminder-see');
  await expect(byId(page, 'buy-amount')).toHaveValue('10');
});
