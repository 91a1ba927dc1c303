import { cleanup, fireEvent } from '@testing-library/svelte';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { recordedBackend, recordedView, type Scenario } from '../../../recorded/backend';
import { PAYMENT_ADDRESS } from '../../../recorded/buy';
import { OPEN } from '../../../recorded/payments';
import { allOf, byTestId, faults, missing, openWindow, refused, shown, textOf } from '../../../tests/window';
import { backend, type Backend, type PaymentView, type PayWay } from '../../backend';
import { app } from '../../state/app.svelte';
import { asked } from './asked.svelte';
import { purchase } from './purchase.svelte';

vi.setConfig({ testTimeout: 90_000 });

const recorded = recordedBackend('sandbox');
const tight = (element: Element): string => textOf(element).replace(/\s/g, '');

beforeEach(() => {
  purchase.change();
  purchase.setUsd('25');
  purchase.chosen = null;
  purchase.preview = null;
  purchase.paid = null;
  asked.error = null;
});

const open = (scenario: Scenario, changes: Partial<Backend> = {}): Promise<HTMLElement> => openWindow(scenario, 'buy', changes);

/** The window with an open payment of one's own. */
const openWith = (payment: PaymentView, changes: Partial<Backend> = {}): Promise<HTMLElement> =>
  open('sandbox', { snapshot: () => Promise.resolve({ ...recordedView('sandbox'), payment }), ...changes });

async function reviewBy(way: PayWay, changes: Partial<Backend> = {}): Promise<HTMLElement> {
  const window = await open('sandbox', changes);
  await fireEvent.click(await shown(window, `way-${way}`));
  await vi.waitFor(() => expect(byTestId(window, 'buy-review')).toHaveProperty('disabled', false));
  await fireEvent.submit(window.querySelector('form') as HTMLFormElement);
  await shown(window, `review-${way}`);
  return window;
}

function clipboard(): ReturnType<typeof vi.fn<(text: string) => Promise<void>>> {
  const write = vi.fn<(text: string) => Promise<void>>().mockResolvedValue();
  vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText: write } });
  return write;
}

describe('review', () => {
  test('the spending wallet: fees, the total under a double rule, and the bytes', async () => {
    const write = clipboard();
    const window = await reviewBy('spending_wallet');
    expect(byTestId(window, 'review-total').closest('.line')?.classList.contains('line--total')).toBe(true);
    const hex = byTestId(window, 'unsigned-hex');
    expect(hex.textContent).toMatch(/^0x02f8/);
    await fireEvent.click(byTestId(window, 'review-unsigned').querySelector('button') as HTMLButtonElement);
    expect(write).toHaveBeenCalledWith(hex.textContent);
    vi.unstubAllGlobals();
  });

  test.each<PayWay>(['browser', 'wallet_connect'])('%s: what the wallet will show, without fees that are not known', async (way) => {
    const window = await reviewBy(way);
    expect(textOf(window)).toContain('What your wallet will show');
    expect(tight(byTestId(window, 'review-address'))).toBe(PAYMENT_ADDRESS);
    expect(textOf(window)).toContain('the account you choose in your wallet');
    for (const id of ['review-network-fee', 'review-l1-fee', 'review-total', 'review-unsigned']) expect(missing(window, id)).toBe(true);
    expect(await faults(window)).toEqual([]);
  });

  test('link: the exact amount of this order beside its value', async () => {
    const window = await reviewBy('link');
    expect(tight(byTestId(window, 'review-send'))).toBe('0.008282950000000000');
    expect(tight(byTestId(window, 'review-value'))).toBe('0.008282917972606734');
    expect(textOf(window)).toContain('0.000000032027393266 ETH above the value');
  });

  test('card: dollars, and no ether', async () => {
    const window = await reviewBy('card');
    expect(textOf(byTestId(window, 'review-total'))).toBe('$25.00');
    expect(missing(window, 'review-value')).toBe(true);
    expect(textOf(window)).not.toContain('nonce');
  });

  test.each<[PayWay, string]>([
    ['browser', 'ask-browser'],
    ['wallet_connect', 'ask-wallet_connect'],
    ['link', 'ask-link'],
    ['card', 'ask-card'],
  ])('%s leads to its own screen', async (way, id) => {
    const window = await reviewBy(way);
    await fireEvent.click(byTestId(window, 'review-pay'));
    await shown(window, id);
    expect(await faults(window)).toEqual([]);
  });
});

describe('browser wallet', () => {
  test('the code is large and said letter by letter', async () => {
    const window = await open('pay-browser-open');
    const code = await shown(window, 'matching-code');
    expect(code.dataset['code']).toBe('7KQ4XB');
    expect(code.querySelector('.sr')?.textContent).toBe('7 K Q 4 X B');
    expect(textOf(window)).toContain('Compare this code');
    expect(textOf(byTestId(window, 'ask-countdown'))).toMatch(/^Closes in 4:4\d$/);
  });

  test.each([
    ['pay-browser-opening', ['now', 'next', 'next', 'next']],
    ['pay-browser-open', ['done', 'now', 'next', 'next']],
    ['pay-browser-wallet', ['done', 'done', 'now', 'next']],
    ['pay-browser-wrong-chain', ['done', 'done', 'now', 'next']],
    ['pay-browser-asked', ['done', 'done', 'done', 'now']],
    ['pay-browser-rejected', ['done', 'done', 'done', 'failed']],
    ['pay-browser-answered', ['done', 'done', 'done', 'done']],
    ['pay-browser-closed', ['failed', 'next', 'next', 'next']],
  ] as const)('%s', async (scenario, states) => {
    const window = await open(scenario);
    await shown(window, 'ask-browser');
    expect(['page', 'wallet', 'chain', 'sign'].map((id) => byTestId(window, `stage-${id}`).dataset['state'])).toEqual(states);
  });

  test('names the wallet and the ends of its account', async () => {
    const window = await open('pay-browser-asked');
    expect(textOf(await shown(window, 'stage-wallet'))).toContain('MetaMask, 0x3a78 … 6C63');
    expect(textOf(byTestId(window, 'stage-sign'))).toContain('Signed in MetaMask');
    expect(tight(byTestId(window, 'ask-value'))).toBe('0.008282917972606734');
  });

  test('another chain: nothing was signed, and what to do', async () => {
    const window = await open('pay-browser-wrong-chain');
    expect(textOf(await shown(window, 'ask-note'))).toContain('on another chain. This payment is on Base. Nothing was signed.');
    expect(await faults(window)).toEqual([]);
  });

  test('after the app was closed meanwhile, nobody is asked, and it can be asked again', async () => {
    const window = await open('pay-unasked');
    expect(textOf(await shown(window, 'state-note'))).toContain('If you signed already, the payment is found and credited');
    expect(missing(window, 'stop-waiting')).toBe(false);
    expect(await faults(window)).toEqual([]);
    await fireEvent.click(byTestId(window, 'ask-again'));
    await shown(window, 'matching-code');
  });

  test.each(['pay-browser-rejected', 'pay-browser-closed'] as const)('%s: asks again', async (scenario) => {
    const window = await open(scenario);
    await fireEvent.click(await shown(window, 'ask-again'));
    await shown(window, 'matching-code');
    expect(byTestId(window, 'ask-browser').dataset['stage']).toBe('page_open');
  });

  test('where the browser did not open, the address stands there', async () => {
    const window = await open('pay-browser-by-hand');
    expect(textOf(await shown(window, 'ask-url'))).toContain('http://127.0.0.1:41873/pay#k=');
    expect(textOf(window)).toContain('Give it to nobody');
    expect(missing(await open('pay-browser-open'), 'ask-url')).toBe(true);
  });

  test('Rust opens the page, by what it is and not by an address', async () => {
    const opened = vi.fn(recorded.openLink);
    const window = await open('pay-browser-open', { openLink: opened });
    await fireEvent.click(await shown(window, 'open-page'));
    expect(opened).toHaveBeenCalledWith('or_9bd69b2ee58b62686853807057570e1d', { kind: 'browser_page' });
  });
});

describe('WalletConnect', () => {
  test('shows the code as one path, the wallets, and the text to copy', async () => {
    const opened = vi.fn(recorded.openLink);
    const window = await open('pay-connect-pairing', { openLink: opened });
    await shown(window, 'ask-wallet_connect');
    const picture = window.querySelector('.qr');
    expect(picture?.querySelectorAll('path')).toHaveLength(1);
    expect(picture?.getAttribute('viewBox')).toMatch(/^-4 -4 /);
    expect(missing(window, 'copy-pairing')).toBe(false);
    expect(await faults(window)).toEqual([]);
    const links = allOf(window, 'phone-link');
    expect(links.map(textOf)).toEqual(['MetaMask', 'Rainbow', 'Trust Wallet', 'Ledger Live']);
    await fireEvent.click(links[1] as HTMLElement);
    expect(opened).toHaveBeenCalledWith('or_9bd69b2ee58b62686853807057570e1d', { kind: 'phone', name: 'Rainbow' });
  });

  test.each([
    ['pay-connect-starting', ['now', 'next', 'next']],
    ['pay-connect-pairing', ['done', 'now', 'next']],
    ['pay-connect-connected', ['done', 'done', 'now']],
    ['pay-connect-asked', ['done', 'done', 'now']],
    ['pay-connect-rejected', ['done', 'done', 'failed']],
    ['pay-connect-closed', ['failed', 'next', 'next']],
  ] as const)('%s', async (scenario, states) => {
    const window = await open(scenario);
    await shown(window, 'ask-wallet_connect');
    expect(['relay', 'pair', 'sign'].map((id) => byTestId(window, `stage-${id}`).dataset['state'])).toEqual(states);
    expect(window.querySelector('.qr__fg') !== null).toBe(scenario === 'pay-connect-pairing');
  });

  test.each(['pay-connect-rejected', 'pay-connect-closed'] as const)('%s: asks again', async (scenario) => {
    const window = await open(scenario);
    await fireEvent.click(await shown(window, 'ask-again'));
    await vi.waitFor(() => expect(byTestId(window, 'ask-wallet_connect').dataset['stage']).toBe('pairing'));
  });
});

describe('QR code or link', () => {
  test('the exact amount, the pinned address, and what it watches', async () => {
    const window = await open('pay-link');
    expect(textOf(await shown(window, 'exact-eth'))).toBe('0.00828295');
    expect(tight(byTestId(window, 'ask-address'))).toBe(PAYMENT_ADDRESS);
    expect(textOf(byTestId(window, 'watching-block'))).toBe('block 38,124,642, 2 of 3 nodes');
    expect(textOf(window.querySelector('h1') as HTMLElement)).toBe('QR code or link');
    expect(await faults(window)).toEqual([]);
  });

  test('copying takes what Rust gave, and says the ends of the address to compare', async () => {
    const write = clipboard();
    const window = await open('pay-link');
    await fireEvent.click(await shown(window, 'copy-address'));
    expect(write).toHaveBeenLastCalledWith(PAYMENT_ADDRESS);
    await vi.waitFor(() => expect(textOf(window)).toContain('Compare after pasting: 0x5290 … 9EE7'));
    await fireEvent.click(byTestId(window, 'copy-amount'));
    expect(write).toHaveBeenLastCalledWith('0.00828295');
    await fireEvent.click(byTestId(window, 'copy-link'));
    expect(write).toHaveBeenLastCalledWith(`ethereum:${PAYMENT_ADDRESS}@8453?value=8282950000000000`);
    write.mockRejectedValueOnce(new Error('no'));
    await fireEvent.click(byTestId(window, 'copy-address'));
    await vi.waitFor(() => expect(textOf(window)).toContain('Copying was refused'));
    vi.unstubAllGlobals();
  });

  test('a hash is counted while it is typed, and only a whole one is handed on', async () => {
    const reported = vi.fn(recorded.reportHash);
    const window = await open('pay-link', { reportHash: reported });
    const field = await shown(window, 'hash-field');
    const type = (value: string) => fireEvent.input(field, { target: { value } });
    await type('0x9f2c41b7e05d');
    expect(textOf(byTestId(window, 'hash-hint'))).toBe('12 of 64 digits. Copy the whole hash from your wallet.');
    await fireEvent.submit(field.closest('form') as HTMLFormElement);
    expect(reported).not.toHaveBeenCalled();
    await type('0x9f2c41b7e05z');
    expect(textOf(byTestId(window, 'hash-hint'))).toContain('only the digits 0 to 9 and a to f');
    const hash = `0x${'ab'.repeat(32)}`;
    await type(`https://basescan.org/tx/${hash}`);
    await fireEvent.submit(field.closest('form') as HTMLFormElement);
    expect(reported).toHaveBeenCalledWith(hash);
  });

  test('a refused hash is said and stays in the field', async () => {
    const window = await open('pay-link', { reportHash: () => Promise.resolve(refused('not_for_this_payment')) });
    const field = await shown(window, 'hash-field');
    await fireEvent.input(field, { target: { value: 'ab'.repeat(32) } });
    await fireEvent.submit(field.closest('form') as HTMLFormElement);
    expect((await shown(window, 'error-banner')).dataset['code']).toBe('not_for_this_payment');
    expect(field).toHaveProperty('value', 'ab'.repeat(32));
  });

  test('when the price has run out, it says what becomes of a payment', async () => {
    const window = await open('pay-link-expired');
    expect(textOf(await shown(window, 'ask-note'))).toContain('credited at the price of its block');
    expect(textOf(byTestId(window, 'ask-countdown'))).toBe('Price has run out');
  });
});

describe('stopping', () => {
  test('says what it means first, then leaves a way back', async () => {
    const stopped = vi.fn(recorded.stopWaiting);
    const window = await open('pay-browser-open');
    const stop = backend.stopWaiting;
    backend.stopWaiting = () => {
      void stopped();
      return stop();
    };
    await fireEvent.click(await shown(window, 'stop-waiting'));
    const confirm = await shown(document.body, 'stop-waiting-confirm');
    expect(stopped).not.toHaveBeenCalled();
    expect(textOf(document.body)).toContain('it is not lost');
    await fireEvent.click(confirm);
    expect((await shown(window, 'state-note')).dataset['state']).toBe('abandoned');
    expect(missing(window, 'payment-done')).toBe(false);
    expect(stopped).toHaveBeenCalledOnce();
  });
});

describe('progress', () => {
  test('a stuck payment says what speeding up and cancelling do and cost', async () => {
    const window = await open('paying-stuck');
    await shown(window, 'speed-up');
    expect(textOf(window)).toContain('a fraction of a cent more. Only one of the two can ever be taken.');
    expect(textOf(window)).toContain('If the payment is taken first, it counts and is credited.');
    expect(await faults(window)).toEqual([]);
    await fireEvent.click(byTestId(window, 'speed-up'));
    await shown(window, 'remark-replaced');
  });

  test('cancelled: the value was not spent', async () => {
    const window = await open('paying-stuck');
    const cancelled = vi.spyOn(backend, 'cancelPayment');
    await fireEvent.click(await shown(window, 'cancel-payment'));
    const confirm = await shown(document.body, 'cancel-payment-confirm');
    expect(cancelled).not.toHaveBeenCalled();
    expect(textOf(document.body)).toContain('the value stays in the wallet, no credits come, and only that fee is spent');
    await fireEvent.click(confirm);
    expect(textOf(await shown(window, 'state-note'))).toContain('The value was not spent');
    await fireEvent.click(byTestId(window, 'payment-done'));
    await shown(window, 'buy-amount');
  });

  test('a refused replacement is said beside the payment', async () => {
    const window = await open('paying-stuck', { speedUp: () => Promise.resolve(refused('not_for_this_payment')) });
    await fireEvent.click(await shown(window, 'speed-up'));
    expect((await shown(window, 'error-banner')).dataset['code']).toBe('not_for_this_payment');
    expect(missing(window, 'speed-up')).toBe(false);
  });

  test('a step that was not reached says why', async () => {
    for (const [state, words] of [['paying-reverted', 'taken into a block, and undone'], ['abandoned', 'nothing came so far']] as const) {
      expect(textOf(await open(state))).toContain(words);
      cleanup();
    }
  });

  test('neither is offered when Rust does not allow it', async () => {
    const window = await open('paying');
    await shown(window, 'payment-step-seen');
    for (const id of ['speed-up', 'cancel-payment', 'stop-waiting']) expect(missing(window, id)).toBe(true);
  });

  test('held: not lost, and claimed by its hash', async () => {
    const window = await open('paying-held');
    expect(textOf(await shown(window, 'state-note'))).toContain('It is not lost');
    expect(missing(window, 'hash-field')).toBe(false);
  });

  test('a large sum says why it waits', async () => {
    expect(textOf(await shown(await open('paying-waits'), 'remark-waits_for_safe'))).toContain('about two minutes');
  });

  test('safe and final follow', async () => {
    const window = await open('paid');
    expect(byTestId(window, 'payment-step-safe').dataset['state']).toBe('now');
    expect(textOf(byTestId(window, 'payment-step-final'))).toContain('then it cannot be undone');
    app.view = null;
    const final = await open('paid-final');
    expect(byTestId(final, 'payment-step-final').dataset['state']).toBe('done');
    expect(textOf(byTestId(final, 'payment-step-final'))).toContain('it cannot be undone');
  });

  test.each([
    ['underpaid', '0.003900000000000000', '0.004382917972606734 ETH are missing'],
    ['overpaid', '0.010000000000000000', '0.001717082027393266 ETH came on top'],
  ] as const)('%s: by how much, exactly', async (remark, paid_eth, words) => {
    const window = await openWith({ ...OPEN['paid-final'](), paid_eth, remarks: [remark] });
    expect(textOf(await shown(window, `remark-${remark}`))).toContain(words);
  });

  test.each(['late', 'taken_back', 'waits_for_price', 'another_payer'] as const)('%s is said in words', async (remark) => {
    const window = await openWith({ ...OPEN.paying(), remarks: [remark] });
    expect(textOf(await shown(window, `remark-${remark}`)).length).toBeGreaterThan(40);
  });
});
