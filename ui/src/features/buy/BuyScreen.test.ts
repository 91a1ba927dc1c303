import { fireEvent, within } from '@testing-library/svelte';
import { tick } from 'svelte';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { recordedBackend, recordedView } from '../../../recorded/backend';
import { PAYMENT_ADDRESS } from '../../../recorded/buy';
import { payment } from '../../../recorded/payments';
import { byTestId, faults, missing, openWindow, refused, shown, textOf } from '../../../tests/window';
import { backend, type AppErrorCode, type Backend, type PaymentState, type PaymentView } from '../../backend';
import { app } from '../../state/app.svelte';
import { route } from '../../state/route.svelte';
import { purchase } from './purchase.svelte';

// axe reads the whole window, slowly the first time.
vi.setConfig({ testTimeout: 90_000 });

const recorded = recordedBackend('sandbox');
function later(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((go) => {
    resolve = go;
  });
  return { promise, resolve: () => resolve() };
}

beforeEach(() => {
  purchase.change();
  purchase.setUsd('25');
  purchase.chosen = null;
  purchase.prefilled = null;
  purchase.preview = null;
  purchase.previewError = null;
  purchase.paid = null;
});

async function open(changes: Partial<Backend> = {}): Promise<HTMLElement> {
  const window = await openWindow('sandbox', 'buy', changes);
  await shown(window, 'buy-amount');
  return window;
}

async function review(window: HTMLElement): Promise<HTMLElement> {
  await shown(window, 'buy-credits');
  await vi.waitFor(() => expect(byTestId(window, 'buy-review')).toHaveProperty('disabled', false));
  await fireEvent.submit(window.querySelector('form') as HTMLFormElement);
  return shown(window, 'review-pay');
}

describe('amount', () => {
  test('25 dollars are 250,000 credits, at a rate with its sources', async () => {
    const window = await open();
    expect(textOf(await shown(window, 'buy-credits'))).toBe('250,000');
    expect(textOf(byTestId(window, 'buy-eth'))).toContain('0.008282917972606734 ETH');
    expect(within(window).getAllByTestId('price-source')).toHaveLength(5);
    expect(textOf(within(window).getAllByTestId('price-source')[4] as HTMLElement)).toContain('in reserve');
    expect(textOf(byTestId(window, 'price-countdown'))).toMatch(/new rate in 0:\d\d/);
  });

  test('what cannot be read is said in place, keeps standing, and is not asked for', async () => {
    const asked = vi.fn(recorded.previewPurchase);
    const window = await open({ previewPurchase: asked });
    await shown(window, 'buy-credits');
    asked.mockClear();
    await fireEvent.input(byTestId(window, 'buy-amount'), { target: { value: '2,5' } });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(textOf(window)).toContain('Type dollars and cents');
    expect(asked).not.toHaveBeenCalled();
    expect(byTestId(window, 'buy-review')).toHaveProperty('disabled', true);
    expect(byTestId(window, 'buy-amount')).toHaveProperty('value', '2,5');
  });

  test('no price: said in place with a way to ask again, and the amount stays', async () => {
    let silent = true;
    const window = await open({
      previewPurchase: (amount) =>
        silent
          ? Promise.resolve(refused('price_unavailable', { answered: '2', asked: '4', needed: '3', silent: 'Kraken, Bitstamp' }))
          : recorded.previewPurchase(amount),
    });
    const note = await shown(window, 'error-banner');
    expect(textOf(note)).toContain('Only 2 of 4 price sources answered');
    expect(byTestId(window, 'buy-amount')).toHaveProperty('value', '25');
    expect(await faults(window)).toEqual([]);
    silent = false;
    await fireEvent.click(within(note).getByRole('button', { name: 'Ask again' }));
    await shown(window, 'buy-credits');
    expect(missing(window, 'error-banner')).toBe(true);
  });

  test('a rate that has run out is read anew by itself, and not in a hurry', async () => {
    const asked = vi.fn(recorded.previewPurchase);
    const window = await open({ previewPurchase: asked });
    await shown(window, 'buy-credits');
    asked.mockClear();
    app.now = Date.parse(purchase.preview?.price.holds_until ?? '') + 1;
    await tick();
    app.now += 1;
    await tick();
    expect(asked).toHaveBeenCalledOnce();
    expect(byTestId(window, 'buy-review')).toHaveProperty('disabled', true);
  });

  test('a low balance in the sandbox offers the faucet', async () => {
    const poor = recordedView('sandbox');
    const wallet = poor.wallet === null ? null : { ...poor.wallet, balance_eth: '0.000000000000000001' };
    const window = await open({ snapshot: () => Promise.resolve({ ...poor, wallet }) });
    await fireEvent.click(await shown(window, 'ask-faucet'));
    await vi.waitFor(() => expect(textOf(byTestId(window, 'wallet-balance'))).toContain('1.25000000'));
    expect(missing(window, 'ask-faucet')).toBe(true);
  });

  test('what would lapse says so and offers the part that would not', async () => {
    const window = await open();
    await shown(window, 'buy-credits');
    const button = within(window).getByRole('button', { name: /instead/ });
    await fireEvent.click(button);
    await vi.waitFor(() => expect(byTestId(window, 'buy-amount')).not.toHaveProperty('value', '25'));
  });
});

describe('review', () => {
  test('the whole payment, every digit', async () => {
    const window = await open();
    await review(window);
    expect(textOf(byTestId(window, 'review-address')).replace(/\s/g, '')).toBe(PAYMENT_ADDRESS);
    expect(textOf(byTestId(window, 'review-chain'))).toBe('Base, 8453');
    for (const id of ['review-value', 'review-network-fee', 'review-l1-fee', 'review-total']) {
      expect(byTestId(window, id).textContent).toMatch(/^\d+\.\d{18}$/);
    }
    expect(await faults(window)).toEqual([]);
  });

  test('a refused order stands in place and loses nothing', async () => {
    const window = await open({
      reviewPurchase: () => Promise.resolve(refused('not_enough_ether', { needed_eth: '0.00497', balance_eth: '0.00485', short_eth: '0.00012' })),
    });
    await shown(window, 'buy-credits');
    await vi.waitFor(() => expect(byTestId(window, 'buy-review')).toHaveProperty('disabled', false));
    await fireEvent.submit(window.querySelector('form') as HTMLFormElement);
    expect((await shown(window, 'error-banner')).dataset['code']).toBe('not_enough_ether');
    expect(byTestId(window, 'buy-amount')).toHaveProperty('value', '25');
    expect(missing(window, 'ask-faucet')).toBe(false);
  });

  test('when the quote runs out the payment cannot be signed, and a new quote is offered', async () => {
    const paid = vi.fn(recorded.pay);
    const orders = vi.fn(recorded.reviewPurchase);
    const window = await open({ pay: paid, reviewPurchase: orders });
    const button = await review(window);
    expect(button).toHaveProperty('disabled', false);
    app.now = Date.parse(purchase.review?.quote_expires ?? '');
    await tick();
    expect(button).toHaveProperty('disabled', true);
    await fireEvent.click(button);
    expect(paid).not.toHaveBeenCalled();
    expect(textOf(byTestId(window, 'quote-countdown'))).toBe('Quote has run out');
    app.tick();
    app.now = Date.parse(purchase.review?.quote_expires ?? '');
    await tick();
    await fireEvent.click(byTestId(window, 'new-quote'));
    await vi.waitFor(() => expect(orders).toHaveBeenCalledTimes(2));
  });

  test('a refusal is of the amount it was given for', async () => {
    const window = await open({
      reviewPurchase: () => Promise.resolve(refused('not_enough_ether', { needed_eth: '461.481658921963137967', balance_eth: '0.5', short_eth: '460.981658921963137967' })),
    });
    await shown(window, 'buy-credits');
    await fireEvent.submit(window.querySelector('form') as HTMLFormElement);
    expect((await shown(window, 'error-banner')).textContent).toContain('460.98165893 ETH short: value and fees come to 461.48165893 ETH, and the wallet holds 0.50000000 ETH.');
    await fireEvent.input(byTestId(window, 'buy-amount'), { target: { value: '10' } });
    await vi.waitFor(() => expect(missing(window, 'error-banner')).toBe(true));
    await fireEvent.input(byTestId(window, 'buy-amount'), { target: { value: '25' } });
    await shown(window, 'error-banner');
  });

  test('a payment that is refused keeps the review', async () => {
    const window = await open({ pay: () => Promise.resolve(refused('payment_open')) });
    await fireEvent.click(await review(window));
    expect((await shown(window, 'error-banner')).dataset['code']).toBe('payment_open');
    expect(missing(window, 'review-total')).toBe(false);
  });

  test('a price that differs is said with both figures', async () => {
    const window = await open({
      reviewPurchase: async (amount, way) => {
        const answer = await recorded.reviewPurchase(amount, way);
        if (answer.status === 'ok') Object.assign(answer.data, { price_differs: true, difference_percent: '1.4', own_usd_per_eth: '2976.20' });
        return answer;
      },
    });
    await review(window);
    expect(textOf(window)).toContain('The service’s price is 1.4 % from ours: $3,018.26 against $2,976.20');
  });

  test('back to the amount, as it was typed', async () => {
    const window = await open();
    await review(window);
    await fireEvent.click(byTestId(window, 'review-back'));
    expect(await shown(window, 'buy-amount')).toHaveProperty('value', '25');
  });
});

describe('progress', () => {
  async function at(change: Partial<PaymentView>, view: Partial<ReturnType<typeof recordedView>> = {}, done = 3): Promise<HTMLElement> {
    const window = await openWindow('sandbox', 'buy', {
      snapshot: () => Promise.resolve({ ...recordedView('sandbox'), payment: { ...payment(done), ...change }, ...view }),
    });
    await shown(window, 'payment-step-signed');
    return window;
  }

  test('paying shows each step by itself', async () => {
    const window = await open();
    await fireEvent.click(await review(window));
    expect((await shown(window, 'payment-step-signed')).dataset['state']).toBe('done');
    expect(byTestId(window, 'payment-step-sent').dataset['state']).toBe('now');
    expect(byTestId(window, 'payment-step-key_stored').dataset['state']).toBe('next');
    expect(textOf(window)).toContain('You can close the window, it carries on.');
  });

  test('a payment that is under way shows when the screen opens, with what stands in its way', async () => {
    const window = await at({ trouble: { code: 'service_unreachable', params: {} } });
    expect(byTestId(window, 'error-banner').dataset['code']).toBe('service_unreachable');
    expect(missing(window, 'payment-done')).toBe(true);
    expect(byTestId(window, 'payment-hash').getAttribute('title')).toMatch(/^0x/);
    expect(await faults(window)).toEqual([]);
  });

  test.each<[PaymentState, AppErrorCode]>([
    ['reverted', 'payment_reverted'],
    ['dropped', 'payment_dropped'],
  ])('%s says what became of the money and can be put away', async (state, code) => {
    const window = await at({ state });
    expect(byTestId(window, 'error-banner').dataset['code']).toBe(code);
    await fireEvent.click(byTestId(window, 'payment-done'));
    await shown(window, 'buy-amount');
  });

  test.each([
    ['a new account', {}, {}, 'Your Secure Key is in the keychain'],
    ['a top-up', { top_up: true }, {}, 'The Secure Key in your keychain stays the same'],
    ['no keychain', {}, { session: { kind: 'signed_in', key_hint: '9k2f', keeping: 'memory_only' } as const }, 'in memory only'],
  ])('credited to %s: says where the key is', async (_, change, view, words) => {
    const window = await at({ state: 'done', ...change }, view, 6);
    expect(textOf(byTestId(window, 'payment-credited'))).toContain(words);
    expect(await faults(window)).toEqual([]);
  });

  test('done puts the payment away and shows the balance', async () => {
    const window = await at({ state: 'done' }, {}, 6);
    await fireEvent.click(byTestId(window, 'payment-done'));
    await vi.waitFor(() => expect(route.current).toBe('overview'));
  });

  test('done does not call back whoever went elsewhere', async () => {
    const { promise: late, resolve: answer } = later();
    const window = await at({ state: 'done' }, {}, 6);
    backend.putPaymentAway = () => late.then(() => recorded.putPaymentAway());
    await fireEvent.click(byTestId(window, 'payment-done'));
    await fireEvent.click(byTestId(window, 'nav-batches'));
    expect(route.current).toBe('batches');
    answer();
    await vi.waitFor(() => expect(app.view?.payment).toBeNull());
    await tick();
    expect(route.current).toBe('batches');
  });
});
