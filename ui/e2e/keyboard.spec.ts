/** Every main flow by the keyboard alone. */
import { byId, expect, focused, focusShows, open, settled, tabTo, test } from './window';

test.describe('around the screens', () => {
  for (const [key, screen] of [['1', 'overview'], ['2', 'batches'], ['3', 'estimate'], ['4', 'buy'], ['5', 'usage'], ['6', 'settings']] as const) {
    test(`${key} shows ${screen}`, async ({ page }) => {
      await open(page, { state: 'sandbox', screen: key === '1' ? 'usage' : 'overview' });
      await page.keyboard.press(key);
      await expect(byId(page, `nav-${screen}`)).toHaveAttribute('aria-current', 'page');
    });
  }

  test('the first Tab offers to skip, and Enter does', async ({ page }) => {
    await open(page, { state: 'sandbox', screen: 'overview' });
    await page.keyboard.press('Tab');
    await expect(page.locator('.skip')).toBeFocused();
    await page.keyboard.press('Enter');
    expect(await focused(page)).toContain('<main main>');
  });

  test('the rail with Tab and Enter, and Esc goes back', async ({ page }) => {
    await open(page, { state: 'sandbox', screen: 'overview' });
    await tabTo(page, byId(page, 'nav-batches'));
    await page.keyboard.press('Enter');
    await expect(byId(page, 'nav-batches')).toHaveAttribute('aria-current', 'page');
    await page.keyboard.press('Escape');
    await expect(byId(page, 'nav-overview')).toHaveAttribute('aria-current', 'page');
  });

  test('Ctrl R asks anew and does not load the page anew', async ({ page }) => {
    await open(page, { state: 'sandbox', screen: 'overview' });
    await page.evaluate(() => document.body.setAttribute('data-still', 'here'));
    await page.keyboard.press('Control+r');
    await expect(byId(page, 'sync-now')).toHaveAttribute('aria-busy', 'true');
    await expect(page.locator('body')).toHaveAttribute('data-still', 'here');
  });

  for (const screen of ['overview', 'batches', 'estimate', 'buy', 'usage', 'settings']) {
    test(`Tab goes through ${screen} and the focus shows on each stop`, async ({ page }) => {
      await open(page, { state: 'sandbox', screen });
      const seen = new Set<string>();
      for (let step = 0; step < 70; step += 1) {
        await page.keyboard.press('Tab');
        const on = await focused(page);
        if (on.startsWith('<body')) break;
        expect(await focusShows(page), `focus shows on ${on}`).toBe(true);
        seen.add(on);
      }
      expect(seen.size).toBeGreaterThan(9);
    });
  }
});

test('the palette: opens, finds, does, and gives the focus back', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'overview' });
  await tabTo(page, byId(page, 'nav-usage'));
  await page.keyboard.press('Control+k');
  await expect(byId(page, 'palette-input')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(byId(page, 'palette')).toHaveCount(0);
  await expect(byId(page, 'nav-usage')).toBeFocused();
  await page.keyboard.press('Control+k');
  await expect(byId(page, 'palette-input')).toBeFocused();
  await page.keyboard.type('sora 8');
  await expect(page.locator('#palette-list [aria-selected="true"]')).toContainText('8,800');
  await page.keyboard.press('Enter');
  await expect(byId(page, 'nav-estimate')).toHaveAttribute('aria-current', 'page');
  await expect(byId(page, 'estimate-total')).toHaveText('8,800');
});

test('? lists the keys, Esc puts the list away', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'overview' });
  await page.keyboard.press('?');
  await expect(byId(page, 'shortcuts')).toBeVisible();
  await expect.poll(() => focusShows(page)).toBe(true);
  await page.keyboard.press('Escape');
  await expect(byId(page, 'shortcuts')).toHaveCount(0);
});

test('estimate: a model is searched, chosen, and a run of it made longer', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'overview' });
  await page.keyboard.press('e');
  await expect(byId(page, 'estimate-total')).toBeVisible();
  await page.keyboard.press('/');
  await expect(byId(page, 'model-search')).toBeFocused();
  await page.keyboard.type('sora 2');
  await tabTo(page, page.getByRole('listbox').first());
  await page.keyboard.press('ArrowDown');
  await expect(page.locator('.bench__title, h2').filter({ hasText: 'Sora 2' }).first()).toBeVisible();
  const before = await byId(page, 'estimate-total').textContent();
  await tabTo(page, page.locator('input[type="radio"]:checked').first());
  await page.keyboard.press('ArrowRight');
  await expect(byId(page, 'estimate-total')).not.toHaveText(before ?? '');
});

test('buy: from an amount to the review, and no key pays', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'overview' });
  await page.keyboard.press('b');
  await tabTo(page, byId(page, 'buy-amount'));
  await page.keyboard.press('Control+a');
  await page.keyboard.type('40');
  await tabTo(page, byId(page, 'buy-review'));
  await page.keyboard.press('Enter');
  await expect(byId(page, 'review-pay')).toBeVisible();
  await page.keyboard.press('Control+Enter');
  await page.keyboard.press('Enter');
  await expect(byId(page, 'review-pay')).toBeVisible();
});

test('settings: the dark theme is chosen', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'settings' });
  await tabTo(page, page.locator('input[type="radio"][value="light"], [name="theme"]:checked').first());
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('onboarding: a key is refused and another taken', async ({ page }) => {
  await open(page, { state: 'signed-out' });
  await tabTo(page, byId(page, 'onboarding-sign-in'));
  await page.keyboard.press('Enter');
  await expect(byId(page, 'sign-in-key')).toBeFocused();
  await page.keyboard.type('short');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert').first()).toBeVisible();
  await page.keyboard.press('Control+a');
  await page.keyboard.type('ask_example_only_not_a_key_9k2f');
  await page.keyboard.press('Enter');
  await settled(page);
  await expect(byId(page, 'balance')).toBeVisible();
});
