/** Paying by the keyboard alone: the spending wallet to the end, each other way, and what can be done about a payment. */
import { axe, byId, enter, expect, open, putAway, tabTo, test, typeInto } from '../window';

test('a payment is reviewed, made, followed and read afterwards', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'buy' });
  await typeInto(page, 'buy-amount', '40');
  await enter(page, 'buy-review');
  await expect(byId(page, 'review-pay')).toBeVisible();
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement !== document.body), 'the focus is somewhere').toBe(true);
  await enter(page, 'review-pay');
  await expect(byId(page, 'payment-credited')).toBeVisible({ timeout: 20_000 });
  expect(await axe(page)).toEqual([]);
  await enter(page, 'payment-details');
  await expect(byId(page, 'payment-page')).toBeVisible();
  await enter(page, 'payment-back');
  await enter(page, 'payment-done');
  await expect(byId(page, 'nav-overview')).toHaveAttribute('aria-current', 'page');
});

for (const [way, shows] of [['browser', 'ask-browser'], ['wallet_connect', 'ask-wallet_connect'], ['link', 'ask-link'], ['card', 'ask-card']] as const) {
  test(`${way} is chosen with the arrow keys, asked, and no longer waited for`, async ({ page }) => {
    await open(page, { state: 'sandbox', screen: 'buy' });
    await expect(byId(page, 'buy-review')).toBeEnabled();
    await tabTo(page, page.locator('[name="buy-way"]:checked'));
    for (let step = 0; step < 5 && !(await byId(page, `way-${way}`).isChecked()); step += 1) await page.keyboard.press('ArrowDown');
    await expect(byId(page, `way-${way}`)).toBeChecked();
    await enter(page, 'buy-review');
    await enter(page, 'review-pay');
    await expect(byId(page, shows)).toBeVisible();
    expect(await axe(page)).toEqual([]);
    if ((await byId(page, 'stop-waiting').count()) === 0) return;
    await enter(page, 'stop-waiting');
    await putAway(page, 'stop-waiting');
    await page.keyboard.press('Enter');
    await enter(page, 'stop-waiting-confirm');
    await expect(byId(page, shows)).toHaveCount(0);
    await enter(page, 'payment-done');
    await expect(byId(page, 'buy-amount')).toBeVisible();
  });
}

test('the unit is changed and the amount goes with it', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'buy' });
  await typeInto(page, 'buy-amount', '40');
  await expect(byId(page, 'buy-credits')).toHaveText('400,000');
  await page.keyboard.press('Shift+Tab');
  await expect(byId(page, 'buy-unit-usd')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(byId(page, 'buy-unit-credits')).toBeChecked();
  await typeInto(page, 'buy-amount', '500000');
  await expect(byId(page, 'buy-usd')).toContainText('50');
});

test('a stuck payment is made faster, and another is cancelled after being asked', async ({ page }) => {
  await open(page, { state: 'paying-stuck', screen: 'buy' });
  await enter(page, 'cancel-payment');
  expect(await axe(page)).toEqual([]);
  await putAway(page, 'cancel-payment');
  await page.keyboard.press('Enter');
  await enter(page, 'cancel-payment-confirm');
  await expect(byId(page, 'cancel-payment')).toHaveCount(0);
  await enter(page, 'payment-done');
  await expect(byId(page, 'buy-amount')).toBeVisible();
  await open(page, { state: 'paying-stuck', screen: 'buy' });
  await enter(page, 'speed-up');
  await expect(byId(page, 'speed-up')).toHaveCount(0);
});

test('a hash is counted while it is typed, and taken', async ({ page }) => {
  await open(page, { state: 'paying-held', screen: 'buy' });
  await typeInto(page, 'hash-field', '0x12');
  await expect(byId(page, 'hash-hint')).toContainText('2');
  await expect(byId(page, 'hash-submit')).toBeDisabled();
  await typeInto(page, 'hash-field', 'no hash');
  await expect(byId(page, 'hash-field')).toHaveAttribute('aria-invalid', 'true');
  await typeInto(page, 'hash-field', `0x${'ab'.repeat(32)}`);
  await page.keyboard.press('Enter');
  await expect(byId(page, 'hash-field')).toHaveValue('');
  expect(await axe(page)).toEqual([]);
});

test('an earlier payment is opened, and its title leads back', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'buy' });
  await enter(page, 'payment-link');
  await expect(byId(page, 'payment-page')).toBeVisible();
  expect(await axe(page)).toEqual([]);
  await page.keyboard.press('Control+Home');
  await enter(page, 'crumb-back');
  await expect(byId(page, 'buy-amount')).toBeVisible();
});

test('test ether is asked for where the wallet holds too little', async ({ page }) => {
  await open(page, { state: 'low-wallet', screen: 'buy' });
  await enter(page, 'ask-faucet');
  await expect(byId(page, 'ask-faucet')).toHaveCount(0);
  await expect(byId(page, 'wallet-balance')).toContainText('1.25');
});

test('whoever has no wallet is led to set one up', async ({ page }) => {
  await open(page, { state: 'no-wallet', screen: 'buy' });
  await enter(page, 'set-up-wallet');
  await expect(byId(page, 'nav-settings')).toHaveAttribute('aria-current', 'page');
  await expect(byId(page, 'wallet-create')).toBeInViewport();
});
