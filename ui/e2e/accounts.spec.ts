/** Several accounts by the keyboard alone: switching, adding one, leaving one, and which of them a purchase is for. */
import { axe, byId, expect, focused, focusShows, open, settled, tabTo, test, type Page } from './window';

const shownName = (page: Page) => byId(page, 'accounts-open').locator('.account__name');

test('Ctrl Shift A opens the switcher, Tab and Enter choose, and the figures are those of the account', async ({ page }) => {
  await open(page, { state: 'accounts', screen: 'overview' });
  await expect(byId(page, 'balance')).toContainText('245,310');
  await page.keyboard.press('Control+Shift+A');
  await expect(byId(page, 'switcher')).toBeVisible();
  await tabTo(page, byId(page, 'switcher').getByTestId('account-0a1b2c3d4e5f'));
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await expect(byId(page, 'switcher')).toHaveCount(0);
  await expect(shownName(page)).toHaveText('Personal');
  await expect(byId(page, 'balance')).toContainText('18,920');
});

test('Esc puts the switcher away and the focus is back where it was', async ({ page }) => {
  await open(page, { state: 'accounts', screen: 'overview' });
  await tabTo(page, byId(page, 'accounts-open'));
  await page.keyboard.press('Enter');
  await expect(byId(page, 'switcher')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(byId(page, 'accounts-open')).toBeFocused();
  await expect(shownName(page)).toHaveText('Studio North');
});

test('the accounts side by side are chosen from by Tab and Enter', async ({ page }) => {
  await open(page, { state: 'accounts', screen: 'overview' });
  await tabTo(page, byId(page, 'all-accounts').getByTestId('account-f5e4d3c2b1a0'));
  await page.keyboard.press('Enter');
  await expect(shownName(page)).toHaveText('Old provider');
  await expect(byId(page, 'balance')).toContainText('6,400');
  expect(await axe(page)).toEqual([]);
});

test('a key is refused, another is taken, and its account shows beside the others', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'overview' });
  await tabTo(page, byId(page, 'accounts-open'));
  await page.keyboard.press('Enter');
  await tabTo(page, byId(page, 'add-key'));
  await page.keyboard.press('Enter');
  await tabTo(page, byId(page, 'add-key-input'));
  await page.keyboard.type('short');
  await page.keyboard.press('Enter');
  await expect(byId(page, 'error-banner')).toBeVisible();
  expect(await axe(page)).toEqual([]);
  await tabTo(page, byId(page, 'add-key-input'));
  await page.keyboard.press('Control+a');
  await page.keyboard.type('ask_example_only_not_a_key_9k2f');
  await page.keyboard.press('Enter');
  await settled(page);
  await expect(byId(page, 'balance')).toContainText('18,920');
  await expect(byId(page, 'all-accounts').getByRole('button')).toHaveCount(2);
});

test('leaving an account is asked for, can be thought better of, and leaves the others', async ({ page }) => {
  await open(page, { state: 'accounts', screen: 'settings' });
  const leave = byId(page, 'card-first').getByTestId('sign-out');
  await tabTo(page, leave);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toContainText('Sign out of Studio North');
  await expect(page.getByRole('dialog')).toContainText('245,310.45 credits');
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(leave).toBeFocused();
  await page.keyboard.press('Enter');
  await tabTo(page, byId(page, 'sign-out-confirm'));
  await page.keyboard.press('Enter');
  await expect(byId(page, 'card-first')).toHaveCount(0);
  await expect(shownName(page)).toHaveText('Personal');
  await page.keyboard.press('Tab');
  expect(await focusShows(page), `focus shows on ${await focused(page)}`).toBe(true);
});

test('the review and the payment name the account that is credited', async ({ page }) => {
  await open(page, { state: 'accounts', screen: 'buy' });
  await expect(byId(page, 'buy-for')).toContainText('Studio North');
  await tabTo(page, byId(page, 'buy-review'));
  await page.keyboard.press('Enter');
  await expect(byId(page, 'credited-to')).toContainText('Studio North');
  await open(page, { state: 'accounts-paying', screen: 'buy' });
  await expect(byId(page, 'credited-to')).toContainText('Personal');
  await open(page, { state: 'sandbox', screen: 'buy' });
  await tabTo(page, byId(page, 'buy-review'));
  await page.keyboard.press('Enter');
  await expect(byId(page, 'review-pay')).toBeVisible();
  await expect(byId(page, 'credited-to')).toHaveCount(0);
});
