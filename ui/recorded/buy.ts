/** A purchase as the app would show it. */
import type {
  AdviceView, AmountRequest, AmountUnit, BuyPreviewView, PayWay, PriceSourceView, PriceView, ReviewView, WayView,
} from '../src/backend';
import { BATCHES, DAY, instant, LIFE, NOW, terraceOf, text, type Batch } from './model';

/** Stands in for the address that Rust pins; nothing is ever sent from here. */
export const PAYMENT_ADDRESS = '0x52908400098527886E0F7030069857D2E4169EE7';
export const WALLET_ADDRESS = '0xde709f2102306220921060314715629080e2fb77';
export const RATE = '3018.26';
export const TAG = '0x41495350f3a1c07e5bd2946810cc27ea91b04d3f68e2a7591bc04e8d23fa6517920d8e4b';

const SOURCES: PriceSourceView[] = [
  { name: 'Coinbase Exchange', usd_per_eth: '3018.42', difference_percent: '0.005', age_seconds: 2, verdict: 'used' },
  { name: 'Kraken', usd_per_eth: '3018.1', difference_percent: '-0.005', age_seconds: 2, verdict: 'used' },
  { name: 'Bitstamp', usd_per_eth: '3019.05', difference_percent: '0.026', age_seconds: 4, verdict: 'used' },
  { name: 'Chainlink on Base', usd_per_eth: '3017.66', difference_percent: '-0.02', age_seconds: 372, verdict: 'used' },
  { name: 'Gemini', usd_per_eth: null, difference_percent: null, age_seconds: null, verdict: 'not_asked' },
];

/** One source stands in for another, one is too old, one too far off: still a quorum. */
export const MIXED_SOURCES: PriceSourceView[] = [
  { name: 'Coinbase Exchange', usd_per_eth: '3018.42', difference_percent: '0.005', age_seconds: 2, verdict: 'used' },
  { name: 'Kraken', usd_per_eth: null, difference_percent: null, age_seconds: null, verdict: 'silent' },
  { name: 'Bitstamp', usd_per_eth: '3074.9', difference_percent: '1.882', age_seconds: 3, verdict: 'outlier' },
  { name: 'Chainlink on Base', usd_per_eth: '3012.4', difference_percent: '-0.194', age_seconds: 2640, verdict: 'stale' },
  { name: 'Gemini', usd_per_eth: '3018.1', difference_percent: '-0.005', age_seconds: 1, verdict: 'used' },
];

/** Two sources say nothing and the third cannot stand in for both: no quorum. */
export const SILENT_SOURCES: PriceSourceView[] = SOURCES.map((one) =>
  one.name === 'Kraken' || one.name === 'Bitstamp' || one.name === 'Gemini' ? { name: one.name, usd_per_eth: null, difference_percent: null, age_seconds: null, verdict: 'silent' } : one,
);

export function price(now: number, sources = SOURCES): PriceView {
  return { usd_per_eth: RATE, at: instant(now - 12_000), holds_until: instant(now + 48_000), holds_seconds: 60, sources };
}

const UNIT = 10n ** 18n;
const units = (decimal: string): bigint => {
  const [whole = '0', fraction = ''] = decimal.split('.');
  return BigInt(whole || '0') * UNIT + BigInt(fraction.padEnd(18, '0').slice(0, 18) || '0');
};
const fixed = (value: bigint): string => {
  const digits = value.toString().padStart(19, '0');
  return `${digits.slice(0, -18)}.${digits.slice(-18)}`;
};
const short = (value: bigint): string => fixed(value).replace(/0+$/, '').replace(/\.$/, '');
const ceil = (a: bigint, b: bigint): bigint => (a + b - 1n) / b;

/** The three units of an amount, exact; wei up, credits down to a billionth. */
export function amounts({ text: typed, unit }: AmountRequest): { usd: string; credits: string; value_eth: string } {
  const rate = units(RATE);
  const usd = unit === 'usd' ? units(typed) : unit === 'credits' ? units(typed) / 10_000n : (units(typed) * rate) / UNIT;
  const wei = unit === 'eth' ? units(typed) : ceil(usd * UNIT, rate);
  const credits = ((usd * 10_000n) / 10n ** 9n) * 10n ** 9n;
  return { usd: short(usd), credits: short(credits), value_eth: fixed(wei) };
}

const PATTERNS: Record<AmountUnit, RegExp> = { usd: /^\d{1,9}(\.\d{1,13})?$/, eth: /^\d{1,9}(\.\d{1,18})?$/, credits: /^\d{1,12}(\.\d{1,9})?$/ };
const MOST_USD = units('900000');
export const amountIsValid = (amount: AmountRequest): boolean =>
  PATTERNS[amount.unit].test(amount.text) && /[1-9]/.test(amount.text) && units(amounts(amount).usd) <= MOST_USD;

const ghost = (credits: string, now: number): Batch => ({ id: 'new', source: 'eth_purchase', added: now, granted: Math.round(Number(credits) * 100), used: 0, ghost: true });

export const WAYS: WayView[] = (['browser', 'wallet_connect', 'link', 'spending_wallet', 'card'] as const).map((way) => ({ way, why_not: null }));

function advice(credits: string, lapse: string, lapses: string): AdviceView {
  const used = short(units(credits) - units(lapse));
  return {
    used_credits: used,
    lapse_credits: lapse,
    lapses,
    lasts_until: instant(NOW + 26 * DAY),
    instead: { usd: short((units(used) / 10n ** 20n) * 10n ** 16n), credits: used },
    wait_until: instant(NOW + 14 * DAY),
  };
}

export function preview(amount: AmountRequest, batches: Batch[] = BATCHES, now = NOW): BuyPreviewView {
  const three = amounts(amount);
  const bought = ghost(three.credits, now);
  const terrace = terraceOf([...batches, bought], now);
  const lapse = terrace.slabs.find((slab) => slab.ghost)?.lapse_credits ?? null;
  const sold = { ...three, fee_usd: '0.00031' };
  return {
    ...sold,
    price: price(now),
    expires: instant(now + LIFE),
    balance_after_credits: text(batches.reduce((sum, one) => sum + one.granted - one.used, bought.granted)),
    terrace,
    advice: batches.length === 0 ? null : advice(three.credits, lapse ?? '0', instant(now + LIFE)),
    ways: WAYS,
  };
}

/** The smallest exact amount that no other order uses. */
export const exact = (value: string): string => fixed(ceil(units(value), 10n ** 10n) * 10n ** 10n + 3n * 10n ** 10n);

export function review(amount: AmountRequest, way: PayWay = 'spending_wallet', batches: Batch[] = BATCHES, now = NOW): ReviewView {
  const three = amounts(amount);
  const own = way === 'spending_wallet';
  const network = units('0.000000245080024508');
  const l1 = units('0.0000000074719524');
  const total = units(three.value_eth) + network + l1;
  return {
    order_id: 'or_9bd69b2ee58b62686853807057570e1d',
    way,
    account_id: null,
    ...three,
    send_eth: way === 'link' ? exact(three.value_eth) : three.value_eth,
    to_address: PAYMENT_ADDRESS,
    from_address: own ? WALLET_ADDRESS : null,
    chain_id: 8453,
    nodes_agree: 2,
    nodes_asked: 3,
    usd_per_eth: RATE,
    own_usd_per_eth: '3018.3',
    difference_percent: '0.001',
    price_differs: false,
    gas_limit: own ? '24508' : null,
    network_fee_eth: own ? fixed(network) : null,
    network_fee_usd: own ? '0.00074' : null,
    l1_fee_eth: own ? fixed(l1) : null,
    l1_fee_usd: own ? '0.00002' : null,
    total_eth: own ? fixed(total) : null,
    total_usd: own ? short((total * units(RATE)) / UNIT).slice(0, 12) : null,
    balance_eth: own ? '0.250000000000000000' : null,
    nonce: own ? '7' : null,
    tag: TAG,
    unsigned_hex: own
      ? `0x02f8558221050783989680839896808260bc94${PAYMENT_ADDRESS.slice(2).toLowerCase()}871d6d2b5a0d3a1ea4${TAG.slice(2)}c0`
      : null,
    quote_expires: instant(now + 570_000),
    quote_seconds: 600,
    batch_expires: instant(now + LIFE),
    terrace: terraceOf([...batches, ghost(three.credits, now)], now),
  };
}
