import { fireEvent } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import { recordedBackend, recordedView, type Scenario } from '../../../recorded/backend';
import { PAYMENT_ADDRESS } from '../../../recorded/buy';
import { pageOf, ROWS } from '../../../recorded/payments';
import { allOf, byTestId, cellsOf, faults, missing, openWindow, refused, shown, textOf } from '../../../tests/window';
import type { Backend, PaymentRowView } from '../../backend';
import { app } from '../../state/app.svelte';
import { back, route } from '../../state/route.svelte';
import { stateWords } from './words';

vi.setConfig({ testTimeout: 90_000 });

const recorded = recordedBackend('sandbox');
const tight = (element: Element): string => textOf(element).replace(/\s/g, '');

async function open(scenario: Scenario = 'sandbox', changes: Partial<Backend> = {}): Promise<HTMLElement> {
  const window = await openWindow(scenario, 'buy', changes);
  await shown(window, 'earlier-payments');
  return window;
}

async function openPage(order: string, changes: Partial<Backend> = {}): Promise<HTMLElement> {
  const window = await open('sandbox', changes);
  const row = allOf(window, 'payment-row').find((one) => one.dataset['order'] === order);
  await fireEvent.click(row?.querySelector('button') as HTMLButtonElement);
  return window;
}

describe('earlier payments', () => {
  test('newest first, with what each came to', async () => {
    const window = await open();
    const rows = allOf(window, 'payment-row').map(cellsOf);
    expect(rows).toHaveLength(7);
    expect(rows[0]).toMatch(/^18 Nov 2026, \d\d:26 MetaMask \| MetaMask \| \$10\.00 \| 100,000\.00 \| Fri 18 Dec, \d\d:26 \| final$/);
    expect(rows[1]).toMatch(/no batch \| held ?less arrived, late$/);
    expect(rows[3]).toContain('cancelled');
    expect(rows[4]).toContain('Card');
    expect(rows[4]).toContain('paid');
    expect(rows[6]).toContain('ended 13 Nov');
    expect(await faults(window)).toEqual([]);
  });

  test('with several accounts, each says which it was for', async () => {
    const window = await open('accounts');
    const names = ['Studio North', 'Personal', 'an account that does not show here', ''];
    expect(allOf(window, 'payment-account').map(textOf)).toEqual([...names, ...names.slice(0, 3)]);
    expect(await faults(window)).toEqual([]);
    await fireEvent.click(allOf(window, 'payment-row')[1]?.querySelector('button') as HTMLButtonElement);
    expect(textOf(await shown(window, 'credited-to'))).toContain('Personalacc_19bb');
  });

  test('with one account, nothing is said of it', async () => {
    const window = await open();
    expect(allOf(window, 'payment-account')).toEqual([]);
  });

  test('none yet: what will stand here, and nothing to save', async () => {
    const window = await open('no-payments');
    expect(textOf(byTestId(window, 'no-payments'))).toContain('No payment yet');
    expect(missing(window, 'save-csv')).toBe(true);
  });

  test('five hundred stay readable', async () => {
    const window = await open('many-payments');
    expect(allOf(window, 'payment-row')).toHaveLength(10);
    await fireEvent.click(byTestId(window, 'payments-all'));
    expect(allOf(window, 'payment-row')).toHaveLength(500);
    expect(textOf(allOf(window, 'payment-row')[3] as HTMLElement)).toContain('$123,456,789.25');
  });

  test('the CSV says where it lies', async () => {
    const window = await open();
    await fireEvent.click(byTestId(window, 'save-csv'));
    expect(textOf(await shown(window, 'saved-path'))).toContain('/home/ada/Downloads/aispace-payments-2026-11-20.csv');
  });
});

describe('the page of a payment', () => {
  test('amounts, price, fees, address, transaction, batch and chain', async () => {
    const window = await openPage('ord_p1');
    await shown(window, 'payment-page');
    expect(textOf(byTestId(window, 'payment-usd'))).toBe('$10.00');
    expect(textOf(byTestId(window, 'payment-credits'))).toBe('100,000');
    expect(tight(byTestId(window, 'payment-value'))).toMatch(/^0\.\d{18}$/);
    expect(tight(byTestId(window, 'payment-to'))).toBe(PAYMENT_ADDRESS);
    expect(tight(byTestId(window, 'payment-hash'))).toHaveLength(66);
    const words = textOf(window);
    expect(words).toContain('median of Coinbase Exchange, Kraken, Bitstamp and Chainlink on Base at');
    expect(words).toContain('22,280 gas used');
    expect(words).toContain('block 38,124,642');
    expect(words).toMatch(/This batch \d+ d \d+ h ?left/);
    expect(byTestId(window, 'payment-step-final').dataset['state']).toBe('done');
    expect(textOf(window.querySelector('h1') as HTMLElement)).toBe('Payment of 18 November');
    expect(await faults(window)).toEqual([]);
  });

  test('another payment opens from it, and Escape leads back', async () => {
    const window = await openPage('ord_p1');
    await shown(window, 'payment-page');
    const other = allOf(window, 'payment-row').find((row) => row.dataset['order'] === 'ord_p7');
    await fireEvent.click(other?.querySelector('button') as HTMLButtonElement);
    await vi.waitFor(() => expect(byTestId(window, 'payment-page').dataset['order']).toBe('ord_p7'));
    expect(textOf(window)).toContain('It was sent again with a higher fee.');
    expect(back()).toBe(true);
    await shown(window, 'buy-amount');
    expect(route.current).toBe('buy');
  });

  test('less than was ordered: what arrived, what is missing, and that it is held', async () => {
    const window = await openPage('ord_p2');
    expect(tight(await shown(window, 'payment-arrived'))).toBe('0.003900000000000000');
    expect(textOf(byTestId(window, 'remark-underpaid'))).toContain('ETH are missing');
    expect(textOf(window)).toContain('of the block’s time: it came late');
    expect(textOf(byTestId(window, 'payment-state'))).toBe('held');
    expect(missing(window, 'save-receipt')).toBe(true);
    expect(missing(window, 'save-bundle')).toBe(false);
    expect(missing(window, 'hash-field')).toBe(false);
  });

  test('a card payment has no ether', async () => {
    const window = await openPage('ord_p5');
    await shown(window, 'payment-page');
    for (const id of ['payment-value', 'payment-to', 'payment-hash', 'open-explorer']) expect(missing(window, id)).toBe(true);
    expect(textOf(byTestId(window, 'payment-state'))).toBe('paid');
  });

  test('receipt, bundle and explorer are Rust’s', async () => {
    const opened = vi.fn(recorded.openLink);
    const window = await openPage('ord_p1', { openLink: opened });
    await fireEvent.click(await shown(window, 'save-receipt'));
    expect(textOf(await shown(window, 'saved-path'))).toContain('aispace-receipt');
    await fireEvent.click(byTestId(window, 'save-bundle'));
    await vi.waitFor(() => expect(textOf(byTestId(window, 'saved-path'))).toContain('aispace-support'));
    await fireEvent.click(byTestId(window, 'open-explorer'));
    expect(opened).toHaveBeenCalledWith('ord_p1', { kind: 'explorer' });
  });

  test('one that cannot be read says so and is asked for again', async () => {
    let broken = true;
    const window = await openPage('ord_p1', { payment: (id) => (broken ? Promise.resolve(refused('order_unknown')) : recorded.payment(id)) });
    const note = await shown(window, 'error-banner');
    broken = false;
    await fireEvent.click(note.querySelector('button') as HTMLButtonElement);
    await shown(window, 'payment-page');
  });

  test('is read anew when something changed, until it is final', async () => {
    const row = { ...(ROWS[0] as PaymentRowView), finality: 'safe' as const };
    const read = vi.fn(() => Promise.resolve({ status: 'ok' as const, data: pageOf(row) }));
    const window = await openPage('ord_p1', { payment: read });
    await shown(window, 'payment-page');
    expect(read).toHaveBeenCalledTimes(1);
    row.finality = 'final' as never;
    app.accept({ ...recordedView('sandbox'), revision: 20 });
    await vi.waitFor(() => expect(read).toHaveBeenCalledTimes(2));
    app.accept({ ...recordedView('sandbox'), revision: 21 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(read).toHaveBeenCalledTimes(2);
  });

  test('the open payment’s page follows the view and leads back to its progress', async () => {
    const window = await openWindow('paying-stuck', 'buy');
    await fireEvent.click(await shown(window, 'payment-details'));
    await shown(window, 'payment-page');
    expect(missing(window, 'speed-up')).toBe(false);
    await fireEvent.click(byTestId(window, 'payment-back'));
    await shown(window, 'payment-step-signed');
  });
});

test.each([
  ['done', 'final', 'browser', 'final'],
  ['credited', 'confirmed', 'link', 'confirmed'],
  ['done', 'safe', 'link', 'safe'],
  ['done', 'unconfirmed', 'card', 'paid'],
  ['asked', 'unconfirmed', 'link', 'waiting for the payment'],
  ['abandoned', 'unconfirmed', 'link', 'not waited for'],
] as const)('%s and %s by %s is “%s”', (state, finality, way, words) => expect(stateWords({ state, finality, way })).toBe(words));
