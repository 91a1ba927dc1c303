/** A backend of recorded views: for drawing, pictures and tests. Chosen by `vite --mode recorded`; never in the product. */
import type { Backend, Result } from '../src/backend/backend';
import type { AmountRequest, AppView, ErrorView, NodeView, NoticeView, PayWay, SessionView, Theme, WalletView } from '../src/backend/bindings';
import { amountIsValid, amounts, MIXED_SOURCES, SILENT_SOURCES, PAYMENT_ADDRESS, preview, price, review, WALLET_ADDRESS, WAYS } from './buy';
import { catalog, estimate } from './estimate';
import { account, BATCHES, DAY, instant, LIFE, NOW, USAGE, type Batch } from './model';
import { asking, browserAsk, connectAsk, linkAsk, MANY_ROWS, OPEN, pageOf, payment, ROWS } from './payments';
import { RECEIVE_QR } from './qr';

/** States worth looking at. */
export const SCENARIOS = [
  'live', 'sandbox', 'fresh', 'empty', 'owing', 'offline', 'offline-never', 'signed-out', 'locked', 'locked-new', 'unknown', 'loading', 'notices',
  'no-price', 'mixed-price', 'prefill-low', 'prefill-link', 'no-wallet', 'low-wallet', 'new-wallet', 'few-ways', 'no-payments', 'many-payments', 'sick-nodes',
  ...(Object.keys(OPEN) as (keyof typeof OPEN)[]),
] as const;
export type Scenario = (typeof SCENARIOS)[number];

const SIGNED_IN: SessionView = { kind: 'signed_in', key_hint: '9k2f', keeping: 'keychain' };
const LATER = NOW + 9_360_000;

const unreachable: ErrorView = { code: 'service_unreachable', params: {} };
const locked: ErrorView = { code: 'keychain_locked', params: {} };
const notices: NoticeView[] = [
  { kind: 'store_rebuilt', set_aside: 'store-2026-11-20.damaged' },
  { kind: 'key_in_memory_only' },
  { kind: 'clock_skewed', minutes: -7 },
  { kind: 'payment_resumed' },
];
const fresh: Batch[] = [{ id: 'b1', source: 'eth_purchase', added: NOW - 120_000, granted: 25_000_000, used: 0 }];

/** The recovery words of no wallet. */
export const WORDS =
  'abandon ability able about above absent absorb abstract absurd abuse access accident account accuse achieve acid acoustic acquire across act action actor actress actual';

export const WALLET: WalletView = {
  address: WALLET_ADDRESS,
  balance_eth: '0.250000000000000000',
  origin: 'created',
  has_words: true,
  backed_up: true,
  words_asked: [],
  low: false,
  cap_payment_usd: '50',
  cap_day_usd: '100',
  spent_today_usd: '15',
};

const node = (port: number, change: Partial<NodeView> = {}): NodeView => ({
  url: `http://127.0.0.1:${port}`,
  name: `127.0.0.1:${port}`,
  healthy: true,
  block_number: '38124639',
  behind: null,
  latency_ms: 61,
  trouble: null,
  resting_until: null,
  ...change,
});
const SICK_NODES: NodeView[] = [
  node(18545, { url: 'https://base.example.org/rpc/v2/3fb9d1c2', name: 'base.example.org:443', latency_ms: 61 }),
  node(18546, { url: 'https://a-very-long-name-of-a-node.infrastructure.example.net:8545', name: 'a-very-long-name-of-a-node.infrastructure.example.net:8545', latency_ms: 1212, behind: '6', block_number: '38124633' }),
  node(18547, { healthy: false, block_number: null, latency_ms: null, trouble: 'asks to wait: too many calls', resting_until: instant(NOW + 42_000) }),
  node(18548, { healthy: false, block_number: null, latency_ms: null, trouble: 'is on chain 1, not 8453' }),
];

/** One recorded view. */
export function recordedView(scenario: Scenario, theme: Theme = 'system'): AppView {
  const online = { state: 'online', last_sync: instant(NOW), error: null, next_try: null } as const;
  const base: AppView = {
    revision: 1,
    now: instant(NOW),
    profile: { kind: scenario === 'live' || scenario === 'locked' ? 'live' : 'sandbox', chain_id: 8453, payment_address: PAYMENT_ADDRESS },
    session: SIGNED_IN,
    keychain: 'ready',
    connection: online,
    account: account(),
    wallet: WALLET,
    payment: null,
    notices: [],
    payments: scenario === 'fresh' || scenario === 'empty' ? [] : ROWS,
    prefill: null,
    settings: {
      theme,
      version: '0.1.0',
      data_folder: '/home/ada/.local/share/aispace-wallet',
      service_url: 'http://127.0.0.1:18080',
      nodes: [node(18545), node(18546, { latency_ms: 84 }), node(18547, { healthy: false, block_number: null, latency_ms: null, trouble: 'no answer' })],
      price_sources: price(NOW).sources,
      rate_card: 'AiSpace credits',
      rate_card_date: '2026-01-01',
      walletconnect_project: null,
      low_balance_usd: '5',
    },
  };
  const offline = { state: 'offline', last_sync: instant(NOW), error: unreachable, next_try: instant(LATER + 24_000) } as const;
  switch (scenario) {
    case 'live':
    case 'sandbox':
      return base;
    case 'fresh':
      return { ...base, account: account(fresh, { usage: [], ended: false, beside: {} }) };
    case 'empty':
      return { ...base, account: account([], { usage: [], ended: false, beside: {} }) };
    case 'owing':
      return { ...base, account: account([], { beside: { held: '4400', debt: '2150.5' } }) };
    case 'offline':
      return { ...base, now: instant(LATER), connection: offline, account: account(BATCHES, { atMost: true, now: LATER }) };
    case 'offline-never':
      return { ...base, now: instant(LATER), connection: { ...offline, last_sync: null }, account: null };
    case 'signed-out':
      return { ...base, session: { kind: 'signed_out' }, account: null, connection: { ...online, state: 'idle', last_sync: null } };
    case 'locked':
      return { ...base, session: { kind: 'key_unavailable', error: locked }, keychain: 'locked', account: account(BATCHES, { atMost: true }) };
    case 'locked-new':
      return { ...base, session: { kind: 'key_unavailable', error: { code: 'keychain_waiting', params: {} } }, keychain: 'waiting', account: null };
    case 'unknown':
      return { ...base, session: { kind: 'unknown' }, keychain: 'unknown', account: null, connection: { ...online, state: 'idle', last_sync: null } };
    case 'loading':
      return { ...base, account: null, connection: { ...online, state: 'idle', last_sync: null } };
    case 'notices':
      return { ...base, notices };
    case 'few-ways':
      return base;
    case 'no-price':
      return { ...base, settings: { ...base.settings, price_sources: SILENT_SOURCES } };
    case 'mixed-price':
      return { ...base, settings: { ...base.settings, price_sources: MIXED_SOURCES } };
    case 'prefill-low':
      return { ...base, prefill: { usd: '10', reason: 'low_balance' } };
    case 'prefill-link':
      return { ...base, prefill: { usd: '40', reason: 'link' } };
    case 'no-wallet':
      return { ...base, wallet: null };
    case 'low-wallet':
      return { ...base, wallet: { ...WALLET, balance_eth: '0.000000000000000001', low: true } };
    case 'new-wallet':
      return { ...base, wallet: { ...WALLET, balance_eth: '0.000000000000000000', backed_up: false, words_asked: [4, 11, 19], spent_today_usd: '0' } };
    case 'no-payments':
      return { ...base, payments: [] };
    case 'many-payments':
      return { ...base, payments: MANY_ROWS };
    case 'sick-nodes':
      return { ...base, settings: { ...base.settings, nodes: SICK_NODES, price_sources: MIXED_SOURCES, walletconnect_project: 'b4f0c2a97e1d4b53a0d8c6f7e2915a3b', low_balance_usd: null } };
    case 'paying':
    case 'pay-link':
      return { ...base, session: { kind: 'signed_out' }, account: null, payments: [], payment: OPEN[scenario]() };
    case 'paid':
    case 'paid-final':
      return { ...base, payment: OPEN[scenario](), account: account(fresh, { usage: [], ended: false, beside: {} }) };
    default:
      return { ...base, payment: OPEN[scenario]() };
  }
}

const ok = <T>(data: T): Result<T> => ({ status: 'ok', data });
const no = (code: ErrorView['code'], params: Record<string, string> = {}): Result<never> => ({ status: 'error', error: { code, params } });
const soon = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A backend that starts in a scenario and moves on as the person does. */
export function recordedBackend(scenario: Scenario, theme: Theme = 'system'): Backend {
  let view = recordedView(scenario, theme);
  let batches: Batch[] | null = view.account === null ? null : scenario === 'fresh' || scenario === 'paid' ? fresh : scenario === 'empty' || scenario === 'owing' ? [] : BATCHES;
  const listeners = new Set<(view: AppView) => void>();
  const change = (part: Partial<AppView>): AppView => {
    view = { ...view, ...part, revision: view.revision + 1 };
    for (const listener of listeners) listener(view);
    return view;
  };
  const signIn = () => {
    batches = BATCHES;
    return change({ session: SIGNED_IN, account: account(), connection: { state: 'online', last_sync: instant(NOW), error: null, next_try: null } });
  };
  let ordered: AmountRequest = { text: '25', unit: 'usd' };
  let by: PayWay = 'spending_wallet';
  return {
    snapshot: () => Promise.resolve(view),
    syncNow: async () => {
      await soon(300);
      return ok(change({}));
    },
    signIn: (secureKey) => Promise.resolve(secureKey.trim().length < 20 ? no('key_malformed') : ok(signIn())),
    signOut: () => {
      batches = null;
      return Promise.resolve(ok(change({ session: { kind: 'signed_out' }, account: null, payment: null })));
    },
    lookAround: () => Promise.resolve(ok(signIn())),
    catalog: () => Promise.resolve(ok(catalog())),
    estimate: (request) => Promise.resolve(estimate(request, batches)),
    simulateRun: (request) => {
      const quote = estimate(request, batches);
      if (quote.status === 'error') return Promise.resolve(quote);
      if (batches === null) return Promise.resolve(no('not_signed_in'));
      let need = Math.round(Number(quote.data.total_credits) * 100);
      batches = batches.map((one) => {
        const takes = Math.min(need, one.granted - one.used);
        need -= takes;
        return { ...one, used: one.used + takes };
      });
      return Promise.resolve(ok(change({ account: account(batches) })));
    },
    previewPurchase: (amount) => {
      if (scenario === 'no-price') return Promise.resolve(no('price_unavailable', { answered: '2', asked: '4', needed: '3', silent: 'Kraken, Bitstamp' }));
      if (!amountIsValid(amount)) return Promise.resolve(no('amount_invalid', { input: amount.text }));
      const made = preview(amount, batches ?? []);
      const wayView = WAYS.filter(({ way }) => scenario !== 'few-ways' || (way !== 'wallet_connect' && way !== 'card')).map((one) =>
        one.way === 'spending_wallet' && view.wallet === null ? { ...one, why_not: { code: 'no_spending_wallet' as const, params: {} } } : one,
      );
      return Promise.resolve(ok({ ...made, ways: wayView, price: scenario === 'mixed-price' ? price(NOW, MIXED_SOURCES) : made.price }));
    },
    reviewPurchase: (amount, way) => {
      ordered = amount;
      by = way;
      return Promise.resolve(amountIsValid(amount) ? ok(review(amount, way, batches ?? [])) : no('amount_invalid', { input: amount.text }));
    },
    pay: () => {
      const { usd } = amounts(ordered);
      if (by === 'browser') return Promise.resolve(ok(change({ payment: asking(browserAsk({ stage: 'page_open' }), usd) })));
      if (by === 'wallet_connect') return Promise.resolve(ok(change({ payment: asking(connectAsk(), usd) })));
      if (by === 'link') return Promise.resolve(ok(change({ payment: asking(linkAsk(usd), usd) })));
      if (by === 'card') return Promise.resolve(ok(change({ payment: asking({ kind: 'card', closes: null }, usd) })));
      const first = change({ payment: payment(1, usd) });
      void (async () => {
        for (let done = 2; done <= 6; done += 1) {
          await soon(900);
          change({ payment: payment(done, usd) });
        }
        const bought: Batch = { id: 'bought', source: 'eth_purchase', added: NOW, granted: Math.round(Number(usd) * 1_000_000), used: 0 };
        batches = [...(batches ?? []), bought];
        change({ session: SIGNED_IN, account: account(batches, { usage: view.account?.usage ?? [] }) });
      })();
      return Promise.resolve(ok(first));
    },
    askAgain: () => {
      const kind = view.payment?.ask?.kind;
      return Promise.resolve(ok(change({ payment: kind === 'wallet_connect' ? asking(connectAsk()) : asking(browserAsk({ stage: 'page_open' })) })));
    },
    stopWaiting: () => Promise.resolve(ok(change({ payment: OPEN.abandoned() }))),
    reportHash: () => Promise.resolve(ok(change({ payment: OPEN['paying-held']() }))),
    claimByHash: () => Promise.resolve(no('not_for_this_payment')),
    speedUp: () => Promise.resolve(ok(change({ payment: OPEN['paying-replaced']() }))),
    cancelPayment: () => Promise.resolve(ok(change({ payment: OPEN['paying-cancelled']() }))),
    putPaymentAway: () => Promise.resolve(ok(change({ payment: null }))),
    payment: (orderId) => {
      const one = view.payments.find((row) => row.order_id === orderId);
      if (one !== undefined) return Promise.resolve(ok(pageOf(one)));
      return Promise.resolve(view.payment?.order_id === orderId ? ok(view.payment) : no('order_unknown'));
    },
    openLink: () => Promise.resolve(ok(view)),
    revealSecret: (what, confirmation) => {
      if (what === 'secure_key') return Promise.resolve(confirmation === '9k2f' ? ok(['ask_example_only_not_a_key_9k2f']) : no('reveal_refused'));
      const isFirst = what === 'wallet_words' && view.wallet?.backed_up === false && confirmation === '';
      if (!isFirst && confirmation !== WALLET_ADDRESS.slice(-4)) return Promise.resolve(no('reveal_refused'));
      return Promise.resolve(ok(what === 'wallet_words' ? WORDS.split(' ') : [`0x${'0123456789abcdef'.repeat(4)}`]));
    },
    walletReceive: () => Promise.resolve(ok({ address: WALLET_ADDRESS, uri: `ethereum:${WALLET_ADDRESS}@8453`, qr: RECEIVE_QR })),
    createWallet: () => Promise.resolve(ok(change({ wallet: { ...WALLET, balance_eth: '0.000000000000000000', backed_up: false, words_asked: [4, 11, 19], spent_today_usd: '0' } }))),
    confirmWords: (answers) => {
      const isRight = answers.every(({ position, word }) => WORDS.split(' ')[position - 1] === word);
      return Promise.resolve(isRight ? ok(change({ wallet: view.wallet && { ...view.wallet, backed_up: true, words_asked: [] } })) : no('wallet_words_wrong'));
    },
    importWallet: (kind) => {
      const origin = kind === 'words' ? 'imported_words' : kind === 'key' ? 'imported_key' : 'imported_keystore';
      return Promise.resolve(ok(change({ wallet: { ...WALLET, origin, has_words: kind === 'words' } })));
    },
    exportKeystore: () => Promise.resolve(ok({ path: `/home/ada/Downloads/aispace-wallet-${WALLET_ADDRESS}.json` })),
    setCaps: (cap_payment_usd, cap_day_usd) => Promise.resolve(ok(change({ wallet: view.wallet && { ...view.wallet, cap_payment_usd, cap_day_usd } }))),
    removeWallet: (confirmation) => Promise.resolve(confirmation === WALLET_ADDRESS.slice(-4) ? ok(change({ wallet: null })) : no('wallet_not_confirmed')),
    setNodes: (urls) => Promise.resolve(ok(change({ settings: { ...view.settings, nodes: urls.map((url) => ({ ...node(0), url, name: new URL(url).host })) } }))),
    setWalletconnectProject: (id) => Promise.resolve(ok(change({ settings: { ...view.settings, walletconnect_project: id } }))),
    setLowBalance: (usd) => Promise.resolve(ok(change({ settings: { ...view.settings, low_balance_usd: usd } }))),
    dismissPrefill: () => Promise.resolve(ok(change({ prefill: null }))),
    openBuyLink: () => Promise.resolve(ok(change({ prefill: { usd: '40', reason: 'link' } }))),
    saveReceipt: () => Promise.resolve(ok({ path: '/home/ada/Downloads/aispace-receipt-2026-11-20-ord_7f3k9q2m.html' })),
    savePaymentsCsv: () => Promise.resolve(ok({ path: '/home/ada/Downloads/aispace-payments-2026-11-20.csv' })),
    saveSupportBundle: () => Promise.resolve(ok({ path: '/home/ada/Downloads/aispace-support-ord_7f3k9q2m.json' })),
    askForTestEther: () => Promise.resolve(ok(change({ wallet: { ...WALLET, balance_eth: '1.250000000000000000' } }))),
    setTheme: (chosen) => Promise.resolve(ok(change({ settings: { ...view.settings, theme: chosen } }))),
    onAppChanged: (listener) => {
      listeners.add(listener);
      return Promise.resolve(() => void listeners.delete(listener));
    },
  };
}

function asked<T extends string>(name: string, allowed: readonly T[], otherwise: T): T {
  const value = new URLSearchParams(globalThis.location?.search ?? '').get(name);
  return allowed.find((one) => one === value) ?? otherwise;
}

export const implementation: Backend = recordedBackend(asked('state', SCENARIOS, 'sandbox'), asked<Theme>('theme', ['system', 'light', 'dark'], 'system'));

export { DAY, LIFE, NOW, USAGE };
