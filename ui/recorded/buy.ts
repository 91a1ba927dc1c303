/** A purchase as the app would show it. */
import type { BuyPreviewView, PaymentState, PaymentStep, PaymentView, PriceView, ReviewView, StepState } from '../src/backend';
import { BATCHES, instant, LIFE, NOW, terraceOf, text, type Batch } from './model';

/** Stands in for the address that Rust pins; nothing is ever sent from here. */
export const PAYMENT_ADDRESS = '0x52908400098527886E0F7030069857D2E4169EE7';
export const WALLET_ADDRESS = '0xde709f2102306220921060314715629080e2fb77';
const RATE = '3018.26';

export function price(now: number): PriceView {
  return {
    usd_per_eth: RATE,
    at: instant(now - 12_000),
    holds_until: instant(now + 48_000),
    holds_seconds: 60,
    sources: [
      { name: 'Coinbase Exchange', usd_per_eth: '3018.42', difference_percent: '0.005', age_seconds: 2, verdict: 'used' },
      { name: 'Kraken', usd_per_eth: '3018.1', difference_percent: '-0.005', age_seconds: 2, verdict: 'used' },
      { name: 'Bitstamp', usd_per_eth: '3019.05', difference_percent: '0.026', age_seconds: 4, verdict: 'used' },
      { name: 'Chainlink on Base', usd_per_eth: '3017.66', difference_percent: '-0.02', age_seconds: 372, verdict: 'used' },
    ],
  };
}

const ghost = (usd: string, now: number): Batch => ({ id: 'new', source: 'eth_purchase', added: now, granted: Math.round(Number(usd) * 1_000_000), used: 0, ghost: true });

function eth(usd: string): string {
  const wei = (BigInt(Math.round(Number(usd) * 100)) * 10n ** 18n) / 301_826n + 1n;
  const digits = wei.toString().padStart(19, '0');
  return `${digits.slice(0, -18)}.${digits.slice(-18)}`;
}

export const amountIsValid = (usd: string): boolean => /^\d{1,6}(\.\d{1,2})?$/.test(usd) && Number(usd) > 0;

export function preview(usd: string, batches: Batch[] = BATCHES, now = NOW): BuyPreviewView {
  const bought = ghost(usd, now);
  return {
    usd,
    credits: text(bought.granted),
    value_eth: eth(usd),
    price: price(now),
    expires: instant(now + LIFE),
    balance_after_credits: text(batches.reduce((sum, one) => sum + one.granted - one.used, bought.granted)),
    terrace: terraceOf([...batches, bought], now),
    fee_usd: null,
    advice: null,
    ways: [{ way: 'spending_wallet', why_not: null }],
  };
}

export function review(usd: string, batches: Batch[] = BATCHES, now = NOW): ReviewView {
  return {
    order_id: 'ord_1',
    way: 'spending_wallet',
    usd,
    credits: preview(usd).credits,
    to_address: PAYMENT_ADDRESS,
    from_address: WALLET_ADDRESS,
    chain_id: 8453,
    nodes_agree: 2,
    nodes_asked: 3,
    value_eth: eth(usd),
    send_eth: eth(usd),
    usd_per_eth: RATE,
    own_usd_per_eth: '3018.3',
    difference_percent: '0.001',
    price_differs: false,
    gas_limit: '24508',
    network_fee_eth: '0.000000245080024508',
    network_fee_usd: '0.00074',
    l1_fee_eth: '0.000000007471952400',
    l1_fee_usd: '0.00002',
    total_eth: eth(usd).replace(/.{9}$/, '999999999'),
    total_usd: (Number(usd) + 0.00076).toFixed(5),
    balance_eth: '0.250000000000000000',
    nonce: '7',
    tag: '0x41495350f3a1c07e5bd2946810cc27ea91b04d3f68e2a7591bc04e8d23fa6517920d8e4b',
    unsigned_hex: null,
    quote_expires: instant(now + 570_000),
    quote_seconds: 600,
    batch_expires: instant(now + LIFE),
    terrace: terraceOf([...batches, ghost(usd, now)], now),
  };
}

const STEPS: PaymentStep[] = ['signed', 'sent', 'seen', 'confirmed', 'credited', 'key_stored', 'safe', 'final'];

/** A payment of which so many steps are behind. */
export function payment(done: number, usd = '25', now = NOW): PaymentView {
  const states: PaymentState[] = ['signed', 'sent', 'seen', 'confirmed', 'credited', 'done'];
  const state = (index: number): StepState => (index < done ? 'done' : index === done ? 'now' : 'next');
  return {
    order_id: 'ord_1',
    way: 'spending_wallet',
    wallet_name: null,
    finality: done > 3 ? 'confirmed' : 'unconfirmed',
    state: states[Math.max(0, done - 1)] ?? 'signed',
    usd,
    credits: preview(usd).credits,
    value_eth: eth(usd),
    paid_eth: done > 4 ? eth(usd) : null,
    gas_used: done > 3 ? '22280' : null,
    fee_usd: done > 3 ? '0.00034' : null,
    usd_per_eth: RATE,
    price_sources: price(now).sources.map((source) => source.name),
    priced_at: instant(now - 12_000),
    from_address: WALLET_ADDRESS,
    to_address: PAYMENT_ADDRESS,
    tag: 'f3a1c07e5bd2946810cc27ea91b04d3f68e2a7591bc04e8d23fa6517920d8e4b',
    fee_eth: done > 3 ? '0.000000111400022280' : null,
    transaction_hash: '0x9f2c41b7e05d8a6c13f7b29e4d80a5c6719e3b2f4a6d8c0e1f3a5b7c9d1e2f30',
    block_number: done > 3 ? '38124642' : null,
    earlier_hashes: [],
    block_time: done > 3 ? instant(now - (done - 3) * 2000) : null,
    created: instant(now - done * 2000),
    batch: done > 4 ? { credits: preview(usd).credits, expires: instant(now + LIFE), batch_id: null } : null,
    remarks: [],
    ask: null,
    can_speed_up: false,
    can_cancel: false,
    can_stop_waiting: false,
    can_put_away: done >= 6,
    can_claim_by_hash: false,
    top_up: false,
    steps: STEPS.map((step, index) => ({ step, state: state(index), at: index < done ? instant(now - (done - index) * 2000) : null })),
    trouble: null,
  };
}
