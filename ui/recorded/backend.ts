/** A backend of recorded views: for drawing, pictures and tests. Chosen by `vite --mode recorded`; never in the product. */
import type { Backend, Result } from '../src/backend/backend';
import type { AppView, ErrorView, NodeView, NoticeView, PaymentView, SessionView, Theme, WalletView } from '../src/backend/bindings';
import { amountIsValid, payment, PAYMENT_ADDRESS, preview, price, review, WALLET_ADDRESS } from './buy';
import { catalog, estimate } from './estimate';
import { account, BATCHES, DAY, instant, LIFE, NOW, USAGE, type Batch } from './model';

/** States worth looking at. */
export const SCENARIOS = [
  'live', 'sandbox', 'fresh', 'empty', 'owing', 'offline', 'offline-never', 'signed-out', 'locked', 'locked-new', 'unknown', 'loading', 'notices', 'paying', 'paid',
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

/** The spending wallet with so much ether. */
const wallet = (balance_eth: string): WalletView => ({
  address: WALLET_ADDRESS,
  balance_eth,
  origin: 'created',
  backed_up: false,
  low: false,
  cap_payment_usd: '900000',
  cap_day_usd: '900000',
  spent_today_usd: '0',
});

const node = (name: string, block_number: string | null): NodeView => ({
  url: `http://${name}`,
  name,
  healthy: block_number !== null,
  block_number,
  behind: null,
  latency_ms: null,
  trouble: null,
  resting_until: null,
});

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
    wallet: wallet('0.250000000000000000'),
    payment: null,
    payments: [],
    prefill: null,
    notices: [],
    settings: {
      theme,
      version: '0.1.0',
      data_folder: '/home/ada/.local/share/aispace-wallet',
      service_url: 'http://127.0.0.1:18080',
      nodes: [
        node('127.0.0.1:18545', '38124639'),
        node('127.0.0.1:18546', '38124639'),
        node('127.0.0.1:18547', null),
      ],
      price_sources: price(NOW).sources,
      rate_card: 'AiSpace credits',
      rate_card_date: '2026-01-01',
      walletconnect_project: null,
      low_balance_usd: null,
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
    case 'paying':
      return { ...base, session: { kind: 'signed_out' }, account: null, payment: payment(3) };
    case 'paid':
      return { ...base, payment: payment(6), account: account(fresh, { usage: [], ended: false, beside: {} }) };
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
  let ordered = '25';
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
    revealKey: (lastFour) => Promise.resolve(lastFour === '9k2f' ? ok('ask_example_only_not_a_key_9k2f') : no('reveal_refused')),
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
    previewPurchase: ({ text: usd }) => Promise.resolve(amountIsValid(usd) ? ok(preview(usd, batches ?? [])) : no('amount_invalid', { input: usd })),
    reviewPurchase: ({ text: usd }) => {
      ordered = usd;
      return Promise.resolve(amountIsValid(usd) ? ok(review(usd, batches ?? [])) : no('amount_invalid', { input: usd }));
    },
    pay: () => {
      const first = change({ payment: payment(1, ordered) });
      void (async () => {
        for (let done = 2; done <= 6; done += 1) {
          await soon(900);
          change({ payment: payment(done, ordered) });
        }
        const bought: Batch = { id: 'bought', source: 'eth_purchase', added: NOW, granted: Math.round(Number(ordered) * 1_000_000), used: 0 };
        batches = [...(batches ?? []), bought];
        change({ session: SIGNED_IN, account: account(batches, { usage: view.account?.usage ?? [] }) });
      })();
      return Promise.resolve(ok(first));
    },
    askAgain: () => Promise.resolve(no('not_for_this_payment')),
    stopWaiting: () => Promise.resolve(no('not_for_this_payment')),
    reportHash: () => Promise.resolve(no('not_for_this_payment')),
    speedUp: () => Promise.resolve(no('not_for_this_payment')),
    cancelPayment: () => Promise.resolve(no('not_for_this_payment')),
    payment: (orderId): Promise<Result<PaymentView>> => Promise.resolve(view.payment?.order_id === orderId ? ok(view.payment) : no('order_unknown')),
    openLink: () => Promise.resolve(no('not_for_this_payment')),
    putPaymentAway: () => Promise.resolve(ok(change({ payment: null }))),
    askForTestEther: () => Promise.resolve(ok(change({ wallet: wallet('1.250000000000000000') }))),
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
