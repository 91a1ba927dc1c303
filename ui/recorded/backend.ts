/** A backend of recorded views: for drawing, pictures and tests. Chosen by `vite --mode recorded`; never in the product. */
import type { Backend } from '../src/backend/backend';
import type { AppView, ConnectionView, DisplayView, ErrorView, Language, NodeView, NoticeView, TextSize, Theme } from '../src/backend/bindings';
import { batchCalls, MANY, MANY_ENDED, RISKY } from './batches';
import { MIXED_SOURCES, PAYMENT_ADDRESS, price, SILENT_SOURCES } from './buy';
import { accountsCalls, accountsOf, manyAccounts, rowOf, severalAccounts } from './accounts';
import { accountCalls, buyingCalls, paymentCalls, Recording, reminderCalls, settingsCalls, SIGNED_IN, walletCalls } from './calls';
import { EXTREME, extreme } from './extreme';
import { keptCalls } from './kept';
import { account, BATCHES, DAY, instant, LIFE, NOW, USAGE, type Batch } from './model';
import { MANY_ROWS, OPEN, ROWS, SHARED_ROWS } from './payments';
import { planningCalls } from './planning';
import { recipeCalls } from './recipes';
import { logExtent, usageCalls } from './usage';
import { NEW_WALLET, node, WALLET } from './wallet';

/** States worth looking at. */
export const SCENARIOS = [
  'live', 'sandbox', 'accounts', 'many-accounts', 'accounts-paying', 'fresh', 'empty', 'many-batches', 'at-risk', 'owing', 'offline', 'offline-days', 'clock-back', 'awake', 'clock-off', 'offline-never', 'signed-out', 'signed-out-live', 'signed-out-offline', 'signed-out-memory', 'locked', 'locked-new', 'unknown', 'loading', 'notices',
  'no-price', 'mixed-price', 'prefill-low', 'prefill-link', 'no-wallet', 'low-wallet', 'new-wallet', 'few-ways', 'budget', 'no-payments', 'many-payments', 'sick-nodes', 'extreme', 'long-log', 'log-filling', 'log-none',
  ...(Object.keys(OPEN) as (keyof typeof OPEN)[]),
] as const;
export type Scenario = (typeof SCENARIOS)[number];

const LATER = NOW + 9_360_000;
const DAYS_LATER = NOW + 4 * DAY;

const ONLINE: ConnectionView = { state: 'online', last_sync: instant(NOW), error: null, next_try: null };
const IDLE: ConnectionView = { ...ONLINE, state: 'idle', last_sync: null };
const unreachable: ErrorView = { code: 'service_unreachable', params: {} };
const OFFLINE: ConnectionView = { state: 'offline', last_sync: instant(NOW), error: unreachable, next_try: instant(LATER + 24_000) };
const locked: ErrorView = { code: 'keychain_locked', params: {} };
const notices: NoticeView[] = [
  { kind: 'store_rebuilt', set_aside: 'store-2026-11-20.damaged' },
  { kind: 'key_in_memory_only' },
  { kind: 'clock_skewed', minutes: -7 },
  { kind: 'payment_resumed' },
];
const fresh: Batch[] = [{ id: 'b1', source: 'eth_purchase', added: NOW - 120_000, granted: 25_000_000, used: 0 }];

const SICK_NODES: NodeView[] = [
  node(18545, { url: 'https://base.example.org/rpc/v2/3fb9d1c2', name: 'base.example.org:443', latency_ms: 61 }),
  node(18546, { url: 'https://a-very-long-name-of-a-node.infrastructure.example.net:8545', name: 'a-very-long-name-of-a-node.infrastructure.example.net:8545', latency_ms: 1212, behind: '6', block_number: '38124633' }),
  node(18547, { healthy: false, block_number: null, latency_ms: null, trouble: 'asks to wait: too many calls', resting_until: instant(NOW + 42_000) }),
  node(18548, { healthy: false, block_number: null, latency_ms: null, trouble: 'is on chain 1, not 8453' }),
];

/** What was set about the window; pictures and tests may set another. */
export const DISPLAY: DisplayView = { language: 'en', hide_amounts: false, motion: 'system', text_size: 'usual' };

/** What most states have in common. */
function usual(scenario: Scenario, theme: Theme): AppView {
  return {
    revision: 1,
    now: instant(NOW),
    profile: { kind: scenario === 'live' || scenario === 'locked' || scenario === 'signed-out-live' || scenario === 'signed-out-offline' ? 'live' : 'sandbox', chain_id: 8453, payment_address: PAYMENT_ADDRESS },
    session: SIGNED_IN,
    keychain: 'ready',
    connection: ONLINE,
    account: account(),
    accounts: { rows: [], total: null },
    usage_log: logExtent(scenario),
    wallet: WALLET,
    payment: null,
    notices: [],
    payments: scenario === 'fresh' || scenario === 'empty' ? [] : ROWS,
    prefill: null,
    led: null,
    settings: {
      theme,
      display: { ...DISPLAY },
      version: '0.1.0',
      data_folder: '/home/ada/.local/share/aispace-wallet',
      service_url: 'http://127.0.0.1:18080',
      nodes: [node(18545), node(18546, { latency_ms: 84 }), node(18547, { healthy: false, block_number: null, latency_ms: null, trouble: 'no answer' })],
      price_sources: price(NOW).sources,
      rate_card: 'AiSpace credits',
      rate_card_date: '2026-01-01',
      walletconnect_project: null,
      low_balance_usd: '5',
      budget_day_credits: null,
      budget_month_credits: null,
    },
  };
}

/** What differs in a state of the account; nothing for a state that is not about it. */
const ACCOUNTS: Partial<Record<Scenario, () => Partial<AppView>>> = {
  'fresh': () => ({ account: account(fresh, { usage: [], ended: [], beside: {} }) }),
  'many-batches': () => ({ account: account(MANY, { ended: MANY_ENDED, beside: { daily: '1000', held: '2200' } }) }),
  'at-risk': () => ({ account: account(RISKY, { beside: { held: '4400' } }) }),
  'empty': () => ({ account: account([], { usage: [], ended: [], beside: {} }) }),
  'owing': () => ({ account: account([], { beside: { held: '4400', debt: '2150.5' } }) }),
  'offline': () => ({ now: instant(LATER), connection: OFFLINE, account: account(BATCHES, { atMost: true, now: LATER }) }),
  // The first batch has ended meanwhile.
  'offline-days': () => ({ now: instant(DAYS_LATER), connection: { ...OFFLINE, next_try: instant(DAYS_LATER + 24_000) }, account: account(BATCHES.slice(1), { atMost: true, now: DAYS_LATER }) }),
  'clock-back': () => ({ now: instant(LATER), connection: OFFLINE, account: account(BATCHES, { atMost: true, now: LATER }), notices: [{ kind: 'clock_skewed', minutes: -1440 }] }),
  'awake': () => ({ now: instant(DAYS_LATER), connection: { ...ONLINE, state: 'idle' }, account: account(BATCHES.slice(1), { atMost: true, now: DAYS_LATER }) }),
  'clock-off': () => ({ notices: [{ kind: 'clock_skewed', minutes: 10 }] }),
  'offline-never': () => ({ now: instant(LATER), connection: { ...OFFLINE, last_sync: null }, account: null }),
  'signed-out': () => ({ session: { kind: 'signed_out' }, account: null, connection: IDLE }),
  'signed-out-live': () => ({ session: { kind: 'signed_out' }, account: null, payments: [], wallet: null, connection: IDLE }),
  'signed-out-offline': () => ({ session: { kind: 'signed_out' }, account: null, payments: [], wallet: null, now: instant(LATER), connection: { ...OFFLINE, last_sync: null } }),
  'signed-out-memory': () => ({ session: { kind: 'signed_out' }, account: null, keychain: 'absent', connection: IDLE }),
  'locked': () => ({ session: { kind: 'key_unavailable', error: locked }, keychain: 'locked', account: account(BATCHES, { atMost: true }) }),
  'locked-new': () => ({ session: { kind: 'key_unavailable', error: { code: 'keychain_waiting', params: {} } }, keychain: 'waiting', account: null }),
  'unknown': () => ({ session: { kind: 'unknown' }, keychain: 'unknown', account: null, connection: IDLE }),
  'loading': () => ({ account: null, connection: IDLE }),
  'notices': () => ({ notices }),
};

/** What differs in a state of buying, of the wallet, of the nodes. */
const BUYING: Partial<Record<Scenario, (usual: AppView) => Partial<AppView>>> = {
  'no-price': ({ settings }) => ({ settings: { ...settings, price_sources: SILENT_SOURCES } }),
  'mixed-price': ({ settings }) => ({ settings: { ...settings, price_sources: MIXED_SOURCES } }),
  'prefill-low': () => ({ prefill: { usd: '10', reason: 'low_balance' } }),
  'prefill-link': () => ({ prefill: { usd: '40', reason: 'link' } }),
  'no-wallet': () => ({ wallet: null }),
  'low-wallet': () => ({ wallet: { ...WALLET, balance_eth: '0.000000000000000001', low: true } }),
  'new-wallet': () => ({ wallet: NEW_WALLET }),
  'budget': ({ settings }) => ({ settings: { ...settings, budget_day_credits: '10000', budget_month_credits: '250000' } }),
  'no-payments': () => ({ payments: [] }),
  'many-payments': () => ({ payments: MANY_ROWS }),
  'sick-nodes': ({ settings }) => ({
    settings: { ...settings, nodes: SICK_NODES, price_sources: MIXED_SOURCES, walletconnect_project: 'b4f0c2a97e1d4b53a0d8c6f7e2915a3b', low_balance_usd: null },
  }),
  'extreme': (usual) => ({
    ...extreme(usual),
    payments: MANY_ROWS,
    wallet: { ...WALLET, balance_eth: '123456.000000000000000001' },
    settings: { ...usual.settings, nodes: SICK_NODES, price_sources: MIXED_SOURCES, data_folder: '/home/ada/.var/app/io.aispace.wallet/data/very-long-name-of-a-folder/aispace-wallet' },
  }),
  'paying': () => ({ session: { kind: 'signed_out' }, account: null, payments: [] }),
  'pay-link': () => ({ session: { kind: 'signed_out' }, account: null, payments: [] }),
  'paid': () => ({ account: account(fresh, { usage: [], ended: [], beside: {} }) }),
  'paid-final': () => ({ account: account(fresh, { usage: [], ended: [], beside: {} }) }),
};

const hasOpenPayment = (scenario: Scenario): scenario is Scenario & keyof typeof OPEN => scenario in OPEN;

/** One recorded view. */
export function recordedView(scenario: Scenario, theme: Theme = 'system'): AppView {
  const base = usual(scenario, theme);
  const payment = hasOpenPayment(scenario) ? OPEN[scenario]() : null;
  const view = { ...base, payment, ...ACCOUNTS[scenario]?.(), ...BUYING[scenario]?.(base) };
  if (scenario === 'accounts-paying') return { ...view, accounts: severalAccounts(view), payment: { ...OPEN.paying(), top_up: true, account_id: 'acc_19bb' } };
  if (scenario === 'accounts') return { ...view, accounts: severalAccounts(view), payments: SHARED_ROWS };
  if (scenario === 'many-accounts') return { ...view, accounts: manyAccounts(view) };
  return { ...view, accounts: accountsOf([rowOf(view)]) };
}

/** A backend that starts in a scenario and moves on as the person does. */
export function recordedBackend(scenario: Scenario, theme: Theme = 'system'): Backend {
  const view = recordedView(scenario, theme);
  const empty = scenario === 'empty' || scenario === 'owing';
  const own = scenario === 'many-batches' ? MANY : scenario === 'at-risk' ? RISKY : scenario === 'extreme' ? EXTREME : BATCHES;
  const batches = view.account === null ? null : scenario === 'fresh' || scenario === 'paid' ? fresh : empty ? [] : own;
  const recording = new Recording(scenario, view, batches);
  const accounts = accountCalls(recording);
  return { ...accounts, ...accountsCalls(recording), ...keptCalls(recording, accounts.simulateRun), ...usageCalls(scenario), ...batchCalls(recording), ...buyingCalls(recording), ...paymentCalls(recording), ...walletCalls(recording), ...settingsCalls(recording), ...planningCalls(recording), ...recipeCalls(recording), ...reminderCalls(recording) };
}

function asked<T extends string>(name: string, allowed: readonly T[], otherwise: T): T {
  const value = new URLSearchParams(globalThis.location?.search ?? '').get(name);
  return allowed.find((one) => one === value) ?? otherwise;
}

DISPLAY.language = asked<string>('lang', ['en', 'zh-Hans', 'en-XA', 'ar-XB', 'system'], 'en') as Language;
DISPLAY.hide_amounts = asked('hidden', ['yes', 'no'], 'no') === 'yes';
DISPLAY.text_size = asked<TextSize>('text', ['small', 'usual', 'large'], 'usual');

export const implementation: Backend = recordedBackend(asked('state', SCENARIOS, 'sandbox'), asked<Theme>('theme', ['system', 'light', 'dark'], 'system'));

export { DAY, LIFE, NOW, USAGE };
export { WORDS } from './wallet';
