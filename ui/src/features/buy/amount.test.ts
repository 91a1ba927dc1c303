import { fireEvent, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { recordedBackend, recordedView, type Scenario } from '../../../recorded/backend';
import { allOf, byTestId, cellsOf, faults, missing, openWindow, refused, shown, textOf } from '../../../tests/window';
import type { Backend, WayView } from '../../backend';
import { app } from '../../state/app.svelte';
import { route } from '../../state/route.svelte';
import { purchase } from './purchase.svelte';

vi.setConfig({ testTimeout: 90_000 });

const recorded = recordedBackend('sandbox');

beforeEach(() => {
  purchase.change();
  purchase.prefill(null);
  purchase.setUsd('25');
  purchase.chosen = null;
  purchase.preview = null;
  purchase.previewError = null;
  purchase.prefilled = null;
});

async function open(scenario: Scenario = 'sandbox', changes: Partial<Backend> = {}): Promise<HTMLElement> {
  const window = await openWindow(scenario, 'buy', changes);
  await shown(window, 'buy-amount');
  return window;
}

const typeAmount = (window: HTMLElement, value: string) => fireEvent.input(byTestId(window, 'buy-amount'), { target: { value } });
const value = (window: HTMLElement): string => (byTestId(window, 'buy-amount') as HTMLInputElement).value;
const isChecked = (window: HTMLElement, id: string): boolean => (byTestId(window, id) as HTMLInputElement).checked;

/** The recorded preview, with ways of its own. */
const withWays = (ways: WayView[]): Partial<Backend> => ({
  previewPurchase: async (amount) => {
    const answer = await recorded.previewPurchase(amount);
    return answer.status === 'ok' ? { status: 'ok', data: { ...answer.data, ways } } : answer;
  },
});

describe('units', () => {
  test('what is typed in ether shows the other two to the last digit', async () => {
    const asked = vi.fn(recorded.previewPurchase);
    const window = await open('sandbox', { previewPurchase: asked });
    await shown(window, 'buy-credits');
    await fireEvent.click(byTestId(window, 'buy-unit-eth'));
    await typeAmount(window, '0.01');
    await vi.waitFor(() => expect(textOf(byTestId(window, 'buy-credits'))).toBe('301,826'));
    expect(textOf(byTestId(window, 'buy-usd'))).toBe('$30.1826');
    expect(asked).toHaveBeenLastCalledWith({ text: '0.01', unit: 'eth' });
  });

  test('what is typed in credits shows dollars and ether', async () => {
    const window = await open();
    await shown(window, 'buy-credits');
    await fireEvent.click(byTestId(window, 'buy-unit-credits'));
    await typeAmount(window, '34,800');
    await vi.waitFor(() => expect(textOf(byTestId(window, 'buy-usd'))).toBe('$3.48'));
    expect(textOf(byTestId(window, 'buy-eth'))).toMatch(/^0\.001152\d{12} ETH$/);
  });

  test('changing the unit keeps the amount, digit for digit, there and back', async () => {
    const window = await open();
    await shown(window, 'buy-credits');
    await fireEvent.click(byTestId(window, 'buy-unit-eth'));
    await vi.waitFor(() => expect(value(window)).toBe('0.008282917972606734'));
    await vi.waitFor(() => expect(purchase.isCurrent).toBe(true));
    await fireEvent.click(byTestId(window, 'buy-unit-credits'));
    await vi.waitFor(() => expect(value(window)).toMatch(/^250000/));
  });

  test('an amount whose worth is not known is not carried into another unit', async () => {
    const window = await open('sandbox', { previewPurchase: () => Promise.resolve(refused('chain_unreachable')) });
    await shown(window, 'error-banner');
    await fireEvent.click(byTestId(window, 'buy-unit-eth'));
    await vi.waitFor(() => expect(value(window)).toBe(''));
    expect(byTestId(window, 'buy-review')).toHaveProperty('disabled', true);
  });

  test('each unit says in place what it takes', async () => {
    const window = await open();
    await fireEvent.click(byTestId(window, 'buy-unit-eth'));
    await typeAmount(window, '0,5');
    expect(textOf(window)).toContain('Type ether with at most 18 decimals');
    await fireEvent.click(byTestId(window, 'buy-unit-credits'));
    await typeAmount(window, 'many');
    expect(textOf(window)).toContain('Type credits, such as');
  });
});

describe('the rate', () => {
  test('says of each source what it gave and what became of it', async () => {
    const window = await open('mixed-price');
    await shown(window, 'buy-credits');
    const said = allOf(window, 'price-source').map(cellsOf);
    expect(said[1]).toBe('Kraken no answer |  |  | ');
    expect(said[2]).toContain('too far off, left out | $3,074.90 | +1.882 % | 3 s ago');
    expect(said[3]).toContain('too old, left out');
    expect(said[3]).toContain('44 min ago');
    expect(said[4]).toContain('Gemini');
    expect(textOf(window)).toContain('median of 2');
  });

  test('without a quorum there is no price, and the sources say why', async () => {
    const window = await open('no-price');
    await shown(window, 'error-banner');
    expect(textOf(window)).toContain('No price');
    expect(allOf(window, 'price-source').filter((row) => row.dataset['verdict'] === 'silent')).toHaveLength(3);
    expect(byTestId(window, 'buy-review')).toHaveProperty('disabled', true);
    expect(await faults(window)).toEqual([]);
  });
});

describe('ways to pay', () => {
  test('are those that Rust lists, and no others', async () => {
    const window = await open('few-ways');
    await shown(window, 'way-browser');
    expect(['browser', 'wallet_connect', 'link', 'spending_wallet', 'card'].filter((way) => !missing(window, `way-${way}`))).toEqual(['browser', 'link', 'spending_wallet']);
  });

  test('are chosen with the arrow keys, and the review is of the chosen one', async () => {
    const reviewed = vi.fn(recorded.reviewPurchase);
    const window = await open('sandbox', { reviewPurchase: reviewed });
    await shown(window, 'way-browser');
    expect(isChecked(window, 'way-spending_wallet')).toBe(true);
    byTestId(window, 'way-spending_wallet').focus();
    await userEvent.keyboard('{ArrowUp}');
    expect(isChecked(window, 'way-link')).toBe(true);
    await vi.waitFor(() => expect(byTestId(window, 'buy-review')).toHaveProperty('disabled', false));
    await fireEvent.submit(window.querySelector('form') as HTMLFormElement);
    await shown(window, 'review-link');
    expect(reviewed).toHaveBeenCalledWith({ text: '25.00', unit: 'usd' }, 'link');
  });

  test('one that cannot be used says why, cannot be chosen, and leads out', async () => {
    const window = await open('no-wallet');
    expect(textOf(await shown(window, 'why-spending_wallet'))).toContain('no spending wallet yet');
    expect(byTestId(window, 'way-spending_wallet')).toHaveProperty('disabled', true);
    expect(isChecked(window, 'way-browser')).toBe(true);
    await fireEvent.click(byTestId(window, 'set-up-wallet'));
    expect(route.current).toBe('settings');
  });

  test('too little ether is said of the amount: the wallet can still be chosen', async () => {
    const short = { code: 'not_enough_ether' as const, params: { needed_eth: '0.3', balance_eth: '0.25', short_eth: '0.05' } };
    const window = await open('sandbox', withWays([{ way: 'spending_wallet', why_not: short }, { way: 'link', why_not: null }]));
    expect(textOf(await shown(window, 'why-spending_wallet'))).toContain('0.05000000 ETH short');
    expect(byTestId(window, 'way-spending_wallet')).toHaveProperty('disabled', false);
    expect(isChecked(window, 'way-spending_wallet')).toBe(true);
  });

  test('a choice that is no longer listed is not reviewed', async () => {
    purchase.chosen = 'wallet_connect';
    await open('few-ways');
    await vi.waitFor(() => expect(purchase.preview).not.toBeNull());
    expect(purchase.way).toBe('spending_wallet');
  });

  test('an empty wallet of the live profile is not the first choice', () => {
    const view = recordedView('live');
    app.accept({ ...view, wallet: view.wallet && { ...view.wallet, balance_eth: '0.000000000000000000' } });
    purchase.preview = { ways: ['browser', 'spending_wallet'].map((way) => ({ way, why_not: null })) } as unknown as NonNullable<typeof purchase.preview>;
    expect(purchase.way).toBe('browser');
  });

  test('the faucet is only in the sandbox', async () => {
    const view = recordedView('live');
    const window = await open('live', { snapshot: () => Promise.resolve({ ...view, wallet: view.wallet && { ...view.wallet, balance_eth: '0' } }) });
    await shown(window, 'way-browser');
    expect(missing(window, 'ask-faucet')).toBe(true);
  });
});

describe('advice', () => {
  test('what would lapse, why, and three ways out', async () => {
    const window = await open();
    const card = await shown(window, 'buy-advice');
    expect(textOf(card)).toMatch(/^About 212,170 of these 250,000 would lapse on Sun 20 Dec at your pace\. Older batches are drawn first and last you until Wed 16 Dec\./);
    expect(textOf(card)).toContain('Or wait until Fri 4 Dec');
    await fireEvent.click(byTestId(window, 'buy-instead'));
    await vi.waitFor(() => expect(value(window)).toBe('3.78'));
  });

  test('when all would be used, it says that', async () => {
    const window = await open('sandbox', {
      previewPurchase: async (amount) => {
        const answer = await recorded.previewPurchase(amount);
        if (answer.status === 'error' || answer.data.advice === null) return answer;
        return { status: 'ok', data: { ...answer.data, advice: { ...answer.data.advice, lapse_credits: '0', instead: null, wait_until: null } } };
      },
    });
    expect(textOf(await shown(window, 'buy-advice'))).toContain('all 250,000 would be used');
    expect(missing(window, 'buy-instead')).toBe(true);
  });

  test('without a pace there is none', async () => {
    const window = await open('empty');
    await shown(window, 'buy-credits');
    expect(missing(window, 'buy-advice')).toBe(true);
  });
});

describe('an amount that was filled in', () => {
  test.each([
    ['prefill-low', '10', 'low_balance'],
    ['prefill-link', '40', 'link'],
  ] as const)('%s: the amount, why, and nothing ordered', async (scenario, typed, reason) => {
    const reviewed = vi.fn(recorded.reviewPurchase);
    const window = await open(scenario, { reviewPurchase: reviewed });
    expect((await shown(window, 'buy-prefilled')).dataset['reason']).toBe(reason);
    expect(value(window)).toBe(typed);
    await shown(window, 'buy-credits');
    expect(reviewed).not.toHaveBeenCalled();
    expect(await faults(window)).toEqual([]);
    await fireEvent.click(within(byTestId(window, 'buy-prefilled')).getByRole('button'));
    expect(missing(window, 'buy-prefilled')).toBe(true);
    expect(value(window)).toBe(typed);
  });

  test('a link from outside shows the purchase, whatever was on the screen', async () => {
    await openWindow('sandbox', 'usage');
    app.accept({ ...recordedView('prefill-link'), revision: 7 });
    await vi.waitFor(() => expect(route.current).toBe('buy'));
  });

  test('a reminder moves nobody', async () => {
    await openWindow('sandbox', 'usage');
    app.accept({ ...recordedView('prefill-low'), revision: 7 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(route.current).toBe('usage');
  });

  test('a reminder says so on any screen, leads to the purchase, or is put away', async () => {
    const window = await openWindow('prefill-low', 'usage');
    expect(textOf(await shown(window, 'low-reminder'))).toContain('A purchase of $10.00 is filled in under Buy');
    expect(await faults(window)).toEqual([]);
    await fireEvent.click(byTestId(window, 'low-reminder-see'));
    expect(route.current).toBe('buy');
    await vi.waitFor(() => expect(missing(window, 'low-reminder')).toBe(true));
    await fireEvent.click(byTestId(window, 'nav-usage'));
    await fireEvent.click(await shown(window, 'low-reminder-away'));
    await vi.waitFor(() => expect(missing(window, 'low-reminder')).toBe(true));
    expect(app.view?.prefill).toBeNull();
  });

  test('what the person types afterwards stays', async () => {
    const window = await open('prefill-low');
    await shown(window, 'buy-prefilled');
    await typeAmount(window, '12');
    app.accept({ ...recordedView('prefill-low'), revision: 8 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(value(window)).toBe('12');
  });
});
