/** What a screen reader is told of a payment without anything being asked. */
import { byId, expect, open, test } from './window';

test('a payment says each step of its way in a live region', async ({ page }) => {
  await open(page, { state: 'sandbox', screen: 'buy' });
  await byId(page, 'buy-review').click();
  await byId(page, 'review-pay').waitFor();
  await page.evaluate(() => {
    const said: string[] = [];
    (globalThis as unknown as { said: string[] }).said = said;
    const live = '[aria-live="polite"], [aria-live="assertive"], [role="status"], [role="alert"]';
    const take = (node: Node | null): void => {
      const region = (node instanceof Element ? node : (node?.parentElement ?? null))?.closest(live);
      const words = region?.textContent?.replace(/\s+/g, ' ').trim() ?? '';
      if (words !== '' && words !== said.at(-1)) said.push(words);
    };
    new MutationObserver((changes) => changes.forEach((change) => [change.target, ...change.addedNodes].forEach(take))).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
  });
  await byId(page, 'review-pay').click();
  await expect(byId(page, 'payment-credited')).toBeVisible({ timeout: 20_000 });
  const said = await page.evaluate(() => (globalThis as unknown as { said: string[] }).said);
  expect(said.length, said.join(' / ')).toBeGreaterThanOrEqual(4);
  expect(said.join(' ')).toMatch(/sent|network|block/i);
});

test('a refusal is said at once', async ({ page }) => {
  await open(page, { state: 'signed-out' });
  await byId(page, 'onboarding-sign-in').click();
  await byId(page, 'sign-in-key').fill('short');
  await byId(page, 'sign-in-submit').click();
  await expect(page.getByRole('alert')).toContainText('Secure Key');
});
