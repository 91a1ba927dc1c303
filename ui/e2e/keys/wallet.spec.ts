/** The spending wallet by the keyboard alone: made, written down, brought from elsewhere, limited, exported, shown and removed. */
import { axe, byId, enter, expect, open, putAway, tabTo, test, typeInto } from '../window';
import { WORDS } from '../../recorded/wallet';

test('a wallet is made, its words are written down and asked for', async ({ page }) => {
  await open(page, { state: 'no-wallet', screen: 'settings' });
  await enter(page, 'wallet-create');
  await putAway(page, 'wallet-create');
  await page.keyboard.press('Enter');
  await enter(page, 'wallet-create-confirm');
  await expect(page.getByRole('dialog')).toContainText(WORDS.split(' ')[0] ?? '');
  expect(await axe(page)).toEqual([]);
  await enter(page, 'words-written');
  // While they are asked for they are nowhere on the page.
  await expect(page.getByRole('dialog')).not.toContainText('abstract');
  const answers = byId(page, 'word-answer');
  await expect(answers).toHaveCount(3);
  await tabTo(page, answers.first());
  for (const word of ['wrong', 'words', 'here']) {
    await page.keyboard.type(word);
    await page.keyboard.press('Tab');
  }
  await enter(page, 'words-submit');
  await expect(byId(page, 'error-banner')).toBeVisible();
  expect(await axe(page)).toEqual([]);
  for (const [nth, place] of (await answers.evaluateAll((all) => all.map((one) => parseInt(one.getAttribute('data-place') ?? '', 10)))).entries()) {
    await tabTo(page, answers.nth(nth));
    await page.keyboard.press('Control+a');
    await page.keyboard.type(WORDS.split(' ')[place - 1] ?? '');
  }
  await page.keyboard.press('Enter');
  await expect(byId(page, 'words-done')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(byId(page, 'wallet-address')).toBeVisible();
  await expect(byId(page, 'not-backed-up')).toHaveCount(0);
});

test('a wallet is brought by words, or by a keystore with its password', async ({ page }) => {
  await open(page, { state: 'no-wallet', screen: 'settings' });
  await enter(page, 'wallet-import');
  await tabTo(page, byId(page, 'import-words'));
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(byId(page, 'import-keystore')).toBeFocused();
  await expect(byId(page, 'import-password')).toBeVisible();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowLeft');
  await tabTo(page, page.locator('[name="import-kind"]:checked'));
  while (!(await byId(page, 'import-words').isChecked())) await page.keyboard.press('ArrowLeft');
  await typeInto(page, 'import-text', WORDS);
  await expect(page.locator('#import-hint')).toContainText('24');
  expect(await axe(page)).toEqual([]);
  await enter(page, 'import-submit');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(byId(page, 'wallet-address')).toBeVisible();
});

test('limits are set, and what is no amount is not taken', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'settings' });
  await typeInto(page, 'cap-payment', 'x');
  await expect(byId(page, 'cap-payment')).toHaveAttribute('aria-invalid', 'true');
  await expect(byId(page, 'save-caps')).toBeDisabled();
  await typeInto(page, 'cap-payment', '20');
  await page.keyboard.press('Enter');
  await expect(page.locator('.caps').getByRole('status')).toContainText(/saved/iu);
  await expect(byId(page, 'save-caps')).toBeDisabled();
});

test('the keystore is saved with a password that is typed twice', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'settings' });
  await enter(page, 'export-keystore');
  await typeInto(page, 'keystore-password', 'a long password');
  await typeInto(page, 'keystore-again', 'another one');
  await expect(byId(page, 'keystore-again')).toHaveAttribute('aria-invalid', 'true');
  await expect(byId(page, 'keystore-submit')).toBeDisabled();
  await typeInto(page, 'keystore-again', 'a long password');
  await page.keyboard.press('Enter');
  await expect(byId(page, 'keystore-path')).toContainText('/home/ada');
  await putAway(page, 'export-keystore');
});

for (const [button, shows] of [['reveal-words', 'abandon'], ['reveal-wallet-key', '0x0123'], ['reveal-key', 'ask_example']] as const) {
  test(`${button} shows it to whoever types the last four, and hides it again`, async ({ page }) => {
    await open(page, { state: 'sandbox', screen: 'settings' });
    await enter(page, button);
    const dialog = page.getByRole('dialog');
    await typeInto(page, 'reveal-confirm', 'nope');
    await page.keyboard.press('Enter');
    await expect(byId(page, 'error-banner')).toBeVisible();
    await expect(dialog).not.toContainText(shows);
    const hint = button === 'reveal-key' ? '9k2f' : ((await byId(page, 'wallet-address').textContent()) ?? '').replace(/\s/gu, '').slice(-4);
    await typeInto(page, 'reveal-confirm', hint);
    await page.keyboard.press('Enter');
    await expect(dialog).toContainText(shows);
    expect(await axe(page)).toEqual([]);
    await enter(page, 'hide-key');
    await expect(dialog).toHaveCount(0);
    await expect(byId(page, button)).toBeFocused();
    expect(await page.content()).not.toContain(shows);
  });
}

test('the address is shown to receive, and the wallet is removed by its last four', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'settings' });
  await enter(page, 'wallet-receive');
  await expect(byId(page, 'receive-address')).toBeVisible();
  await putAway(page, 'wallet-receive');
  const four = ((await byId(page, 'wallet-address').textContent()) ?? '').replace(/\s/gu, '').slice(-4);
  await enter(page, 'remove-wallet');
  await expect(byId(page, 'remove-holds')).toBeVisible();
  await typeInto(page, 'remove-confirm', 'nope');
  await page.keyboard.press('Enter');
  await expect(byId(page, 'error-banner')).toBeVisible();
  await typeInto(page, 'remove-confirm', four);
  await page.keyboard.press('Enter');
  await expect(byId(page, 'no-wallet')).toBeVisible();
});
