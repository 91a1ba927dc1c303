/** Payments in every state that a person can meet. */
import type { AskView, Finality, PaymentRowView, PaymentState, PaymentStep, PaymentView, PayWay, StepState, StepView } from '../src/backend';
import { amounts, exact, PAYMENT_ADDRESS, RATE, TAG, WALLET_ADDRESS } from './buy';
import { DAY, instant, LIFE, NOW } from './model';
import { CONNECT_QR, LINK_QR } from './qr';

const HASH = '0x9f2c41b7e05d8a6c13f7b29e4d80a5c6719e3b2f4a6d8c0e1f3a5b7c9d1e2f30';
const PAYER = '0x3a789d1C2e4bF5607A8C9d0e1F2a3B4c5D6e6C63';
const STEPS: Record<PayWay, PaymentStep[]> = {
  spending_wallet: ['signed', 'sent', 'seen', 'confirmed', 'credited', 'key_stored', 'safe', 'final'],
  browser: ['asked', 'seen', 'confirmed', 'credited', 'key_stored', 'safe', 'final'],
  wallet_connect: ['asked', 'seen', 'confirmed', 'credited', 'key_stored', 'safe', 'final'],
  link: ['asked', 'seen', 'confirmed', 'credited', 'key_stored', 'safe', 'final'],
  card: ['asked', 'credited', 'key_stored'],
};

function steps(way: PayWay, done: number, now: number, failed = false): StepView[] {
  const state = (index: number): StepState => (index < done ? 'done' : index === done ? (failed ? 'failed' : 'now') : 'next');
  return STEPS[way].map((step, index) => ({ step, state: state(index), at: index < done ? instant(now - (done - index) * 2000) : null }));
}

/** A payment with everything at rest; `change` says what is different. */
function base(way: PayWay, done: number, usd: string, now: number): PaymentView {
  const three = amounts({ text: usd, unit: 'usd' });
  return {
    order_id: 'or_9bd69b2ee58b62686853807057570e1d',
    way,
    wallet_name: way === 'spending_wallet' || way === 'link' || way === 'card' ? null : 'MetaMask',
    state: 'signed',
    finality: 'unconfirmed',
    ...three,
    paid_eth: null,
    fee_eth: null,
    fee_usd: null,
    gas_used: null,
    usd_per_eth: RATE,
    price_sources: ['Coinbase Exchange', 'Kraken', 'Bitstamp', 'Chainlink on Base'],
    priced_at: instant(now - 40_000),
    from_address: way === 'spending_wallet' ? WALLET_ADDRESS : null,
    to_address: PAYMENT_ADDRESS,
    tag: TAG.slice(10),
    data: way === 'link' || way === 'card' ? '' : TAG,
    transaction_hash: null,
    earlier_hashes: [],
    block_number: null,
    block_time: null,
    top_up: false,
    account_id: null,
    created: instant(now - 60_000),
    batch: null,
    remarks: [],
    steps: steps(way, done, now),
    ask: null,
    can_speed_up: false,
    can_cancel: false,
    can_stop_waiting: false,
    can_put_away: false,
    can_claim_by_hash: false,
    trouble: null,
  };
}

const onChain = (payment: PaymentView, now: number, finality: Finality): PaymentView => ({
  ...payment,
  finality,
  paid_eth: payment.value_eth,
  fee_eth: '0.000000111400022280',
  fee_usd: '0.00034',
  gas_used: '22280',
  transaction_hash: HASH,
  from_address: payment.from_address ?? PAYER,
  block_number: '38124642',
  block_time: instant(now - 9000),
});

/** A payment from the spending wallet of which so many steps are behind. */
export function payment(done: number, usd = '25', now = NOW): PaymentView {
  const states: PaymentState[] = ['signed', 'sent', 'seen', 'confirmed', 'credited', 'done'];
  const at = { ...base('spending_wallet', done, usd, now), state: states[Math.min(5, Math.max(0, done - 1))] ?? 'signed', transaction_hash: HASH };
  if (done <= 3) return at;
  const mined = onChain(at, now, done >= 8 ? 'final' : done >= 7 ? 'safe' : 'confirmed');
  if (done < 5) return mined;
  return { ...mined, can_put_away: done >= 6, batch: { credits: mined.credits, expires: instant(now - 5000 + LIFE), batch_id: 'b1' } };
}

/** An outside wallet is asked. */
export function asking(ask: AskView, usd = '25', now = NOW): PaymentView {
  return { ...base(ask.kind, 0, usd, now), wallet_name: null, state: 'asked', ask, can_stop_waiting: true, can_claim_by_hash: ask.kind === 'link' };
}

const closes = instant(NOW + 282_000);
type BrowserAsk = Extract<AskView, { kind: 'browser' }>;
type ConnectAsk = Extract<AskView, { kind: 'wallet_connect' }>;

export function browserAsk(change: Partial<BrowserAsk> = {}): BrowserAsk {
  return { kind: 'browser', stage: 'opening', code: '7KQ4XB', wallet: null, account: null, closes, url: null, ...change };
}

const CONNECT_URI =
  'wc:7f6e504bfad60b485450578e05678ed3e8e8c4751d3c6160be17160d63ec90f9@2?relay-protocol=irn&symKey=587d5484ce2a2a6ee3ba1962fdd7e8588e06200c46823bd18fbd67def96ad303&expiryTimestamp=1795180651';

export function connectAsk(change: Partial<ConnectAsk> = {}): ConnectAsk {
  return {
    kind: 'wallet_connect',
    stage: 'pairing',
    uri: CONNECT_URI,
    qr: CONNECT_QR,
    wallet: null,
    account: null,
    links: ['MetaMask', 'Rainbow', 'Trust Wallet', 'Ledger Live'].map((name) => ({ name, url: `https://example.invalid/${name}` })),
    closes,
    ...change,
  };
}

export function linkAsk(usd = '25'): AskView {
  const exact_eth = exact(amounts({ text: usd, unit: 'usd' }).value_eth);
  const wei = exact_eth.replace('.', '').replace(/^0+/, '');
  return {
    kind: 'link',
    uri: `ethereum:${PAYMENT_ADDRESS}@8453?value=${wei}`,
    qr: LINK_QR,
    exact_eth,
    address: PAYMENT_ADDRESS,
    metamask_url: `https://link.metamask.io/send/${PAYMENT_ADDRESS}@8453?value=${wei}`,
    closes: instant(NOW + 492_000),
    watching_block: '38124642',
  };
}

const walletOf = { wallet: 'MetaMask', account: PAYER };

/** The open payment of each recorded state. */
export const OPEN = {
  'pay-browser-opening': () => asking(browserAsk()),
  'pay-browser-by-hand': () => asking(browserAsk({ url: 'http://127.0.0.1:41873/pay#k=Zm9ybSBub3RoaW5nIGlzIGEgc2VjcmV0IGhlcmUgMTIz' })),
  'pay-browser-open': () => asking(browserAsk({ stage: 'page_open' })),
  'pay-browser-wallet': () => asking(browserAsk({ stage: 'wallet_chosen', ...walletOf })),
  'pay-browser-wrong-chain': () => asking(browserAsk({ stage: 'wrong_chain', ...walletOf })),
  'pay-browser-asked': () => asking(browserAsk({ stage: 'asked', ...walletOf })),
  'pay-browser-rejected': () => asking(browserAsk({ stage: 'rejected', ...walletOf })),
  'pay-browser-answered': () => asking(browserAsk({ stage: 'answered', ...walletOf })),
  'pay-browser-closed': () => asking(browserAsk({ stage: 'closed', closes: instant(NOW) })),
  'pay-connect-starting': () => asking(connectAsk({ stage: 'connecting', uri: null, qr: null, links: [] })),
  'pay-connect-pairing': () => asking(connectAsk()),
  'pay-connect-connected': () => asking(connectAsk({ stage: 'connected', ...walletOf })),
  'pay-connect-asked': () => asking(connectAsk({ stage: 'asked', wallet: 'Rainbow', account: PAYER })),
  'pay-connect-rejected': () => asking(connectAsk({ stage: 'rejected', wallet: 'Rainbow', account: PAYER })),
  'pay-connect-closed': () => asking(connectAsk({ stage: 'closed', closes: instant(NOW) })),
  'pay-link': () => asking(linkAsk()),
  'pay-link-expired': () => asking({ ...linkAsk(), closes: instant(NOW) } as AskView),
  'pay-unasked': () => ({ ...asking(browserAsk()), ask: null }),
  'pay-card': () => asking({ kind: 'card', closes: instant(NOW + 1_740_000) }),
  paying: () => payment(3),
  'paying-stuck': () => ({ ...payment(2), state: 'sent', can_speed_up: true, can_cancel: true, steps: steps('spending_wallet', 2, NOW - 90_000) }),
  'paying-browser': () => ({ ...onChain(base('browser', 3, '25', NOW), NOW, 'confirmed'), state: 'confirmed' }),
  'paying-replaced': () => ({ ...payment(4), state: 'confirmed', remarks: ['replaced'], earlier_hashes: [HASH.replace('9f2c', '1d0e')] }),
  'paying-held': () => ({ ...onChain(base('link', 3, '25', NOW), NOW, 'confirmed'), state: 'held', can_claim_by_hash: true }),
  'paying-waits': () => ({ ...onChain(base('spending_wallet', 4, '9000', NOW), NOW, 'confirmed'), state: 'confirmed', remarks: ['waits_for_safe'] }),
  'paying-reverted': () => ({ ...payment(3), state: 'reverted', can_put_away: true, steps: steps('spending_wallet', 3, NOW, true) }),
  'paying-dropped': () => ({ ...payment(2), state: 'dropped', can_put_away: true, steps: steps('spending_wallet', 2, NOW, true) }),
  'paying-cancelled': () => ({ ...payment(2), state: 'cancelled', can_put_away: true, steps: steps('spending_wallet', 2, NOW, true) }),
  abandoned: () => ({ ...base('link', 0, '25', NOW), state: 'abandoned', can_put_away: true, can_claim_by_hash: true, steps: steps('link', 1, NOW, true) }),
  paid: () => payment(6),
  'paid-final': () => ({ ...payment(8), top_up: true }),
} satisfies Record<string, () => PaymentView>;

type Past = { id: string; at: string; way: PayWay; wallet?: string; usd: string; state?: PaymentState; finality?: Finality; remarks?: PaymentRowView['remarks']; ended?: boolean };

const PAST: Past[] = [
  { id: 'ord_p1', at: '2026-11-18T19:26:00Z', way: 'browser', wallet: 'MetaMask', usd: '10' },
  { id: 'ord_p2', at: '2026-11-15T08:44:00Z', way: 'link', usd: '12', state: 'held', finality: 'safe', remarks: ['underpaid', 'late'] },
  { id: 'ord_p3', at: '2026-11-07T16:05:00Z', way: 'wallet_connect', wallet: 'Rainbow', usd: '6', remarks: ['overpaid'] },
  { id: 'ord_p4', at: '2026-11-02T11:20:00Z', way: 'spending_wallet', usd: '40', state: 'cancelled', finality: 'unconfirmed' },
  { id: 'ord_p5', at: '2026-10-30T09:41:00Z', way: 'card', usd: '3' },
  { id: 'ord_p6', at: '2026-10-24T21:18:00Z', way: 'link', usd: '10', remarks: ['another_payer'] },
  { id: 'ord_p7', at: '2026-10-14T08:12:00Z', way: 'spending_wallet', usd: '14', remarks: ['replaced'] },
];

const row = (past: Past): PaymentRowView => {
  const credited = past.state === undefined;
  return {
    order_id: past.id,
    way: past.way,
    wallet_name: past.wallet ?? null,
    created: past.at,
    usd: past.usd,
    credits: amounts({ text: past.usd, unit: 'usd' }).credits,
    account_id: 'acc_7f3a',
    batch_expires: credited ? instant(Date.parse(past.at) + LIFE) : null,
    state: past.state ?? 'done',
    finality: past.finality ?? 'final',
    transaction_hash: past.way === 'card' ? null : HASH,
    remarks: past.remarks ?? [],
  };
};

/** Payments that are behind, newest first. */
export const ROWS: PaymentRowView[] = PAST.map(row);

/** The same for several accounts; one of them is no longer on this computer, and one began without any. */
export const SHARED_ROWS: PaymentRowView[] = ROWS.map((row, index) => ({ ...row, account_id: ['acc_7f3a', 'acc_19bb', 'acc_gone', null][index % 4] ?? null }));

/** As many as are ever listed. */
export const MANY_ROWS: PaymentRowView[] = Array.from({ length: 500 }, (_, index) => {
  const past = PAST[index % PAST.length] as Past;
  return row({ ...past, id: `ord_m${index}`, at: instant(Date.parse('2026-11-18T19:26:00Z') - index * DAY), usd: index === 3 ? '123456789.25' : past.usd });
});

/** The page of one payment. */
export function pageOf(one: PaymentRowView): PaymentView {
  const at = Date.parse(one.created);
  const isOver = one.state !== 'done' && one.state !== 'held';
  const from = base(one.way, STEPS[one.way].length, one.usd, at + 60_000);
  const page = isOver || one.way === 'card' ? from : onChain(from, at + 40_000, one.finality);
  const under = one.remarks.includes('underpaid');
  return {
    ...page,
    order_id: one.order_id,
    account_id: one.account_id,
    wallet_name: one.wallet_name,
    state: one.state,
    created: one.created,
    transaction_hash: one.transaction_hash,
    paid_eth: page.paid_eth === null ? null : under ? '0.003900000000000000' : one.remarks.includes('overpaid') ? '0.002100000000000000' : page.paid_eth,
    batch: one.batch_expires === null ? null : { credits: one.credits, expires: one.batch_expires, batch_id: one.order_id },
    remarks: one.remarks,
    steps: steps(one.way, isOver ? 2 : one.state === 'held' ? 3 : STEPS[one.way].length, at + 60_000, isOver),
    can_claim_by_hash: one.state === 'held',
    earlier_hashes: one.remarks.includes('replaced') ? [HASH.replace('9f2c', '1d0e')] : [],
  };
}
