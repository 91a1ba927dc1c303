/** What the recorded backend answers, one subject a function. */
import type { Backend, Result } from '../src/backend/backend';
import type { AmountRequest, AppView, ErrorView, PayWay, SessionView } from '../src/backend/bindings';
import { accountsOf, adding, PERSONAL, rowOf, showing } from './accounts';
import { amountIsValid, amounts, MIXED_SOURCES, preview, price, review, WALLET_ADDRESS, WAYS } from './buy';
import { catalog, estimate } from './estimate';
import { account, BATCHES, instant, NOW, type Batch } from './model';
import { asking, browserAsk, connectAsk, linkAsk, OPEN, pageOf, payment } from './payments';
import { RECEIVE_QR } from './qr';
import { OUTSIDE, reminders, USUAL } from './reminders';
import { NEW_WALLET, node, WALLET, WORDS } from './wallet';

export const SIGNED_IN: SessionView = { kind: 'signed_in', key_hint: '9k2f', keeping: 'keychain' };

const ok = <T>(data: T): Result<T> => ({ status: 'ok', data });
const no = (code: ErrorView['code'], params: Record<string, string> = {}): Result<never> => ({ status: 'error', error: { code, params } });
const soon = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The view as it is now, and whoever listens to it. */
export class Recording {
  readonly #listeners = new Set<(view: AppView) => void>();

  constructor(
    readonly scenario: string,
    public view: AppView,
    public batches: Batch[] | null,
  ) {}

  /** What the person means to spend. */
  get limits(): { day: string | null; month: string | null } {
    const { budget_day_credits, budget_month_credits } = this.view.settings;
    return { day: budget_day_credits, month: budget_month_credits };
  }

  change(part: Partial<AppView>): AppView {
    this.view = { ...this.view, ...part, revision: this.view.revision + 1 };
    // One account is what session and account say it is.
    if (part.accounts === undefined && this.view.accounts.rows.length <= 1) {
      const label = this.view.accounts.rows[0]?.label ?? null;
      this.view.accounts = accountsOf([rowOf(this.view, { label })]);
    }
    for (const listener of this.#listeners) listener(this.view);
    return this.view;
  }

  /** As {@link change}, as a command answers it. */
  changed(part: Partial<AppView>): Promise<Result<AppView>> {
    return Promise.resolve(ok(this.change(part)));
  }

  listen(listener: (view: AppView) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

export type Calls<Names extends keyof Backend> = Pick<Backend, Names>;

export function accountCalls(
  on: Recording,
): Calls<'snapshot' | 'onAppChanged' | 'syncNow' | 'signIn' | 'signOut' | 'lookAround' | 'catalog' | 'estimate' | 'simulateRun'> {
  const signIn = () => {
    on.batches = BATCHES;
    return on.change({ session: SIGNED_IN, account: account(), connection: { state: 'online', last_sync: instant(NOW), error: null, next_try: null } });
  };
  return {
    snapshot: () => Promise.resolve(on.view),
    onAppChanged: (listener) => Promise.resolve(on.listen(listener)),
    syncNow: async () => {
      await soon(300);
      return ok(on.change({}));
    },
    signIn: (secureKey) => {
      if (secureKey.trim().length < 20) return Promise.resolve(no('key_malformed'));
      return on.view.accounts.rows.length > 0 ? adding(on) : Promise.resolve(ok(signIn()));
    },
    signOut: () => {
      const others = on.view.accounts.rows.filter((row) => !row.active);
      if (others[0] !== undefined) return showing(on, others[0].account, others);
      on.batches = null;
      return on.changed({ session: { kind: 'signed_out' }, account: null, payment: null });
    },
    lookAround: () => Promise.resolve(ok(signIn())),
    catalog: () => Promise.resolve(ok(catalog())),
    estimate: (request) => Promise.resolve(estimate(request, on.batches, on.limits)),
    simulateRun: (request, overBudget) => {
      const quote = estimate(request, on.batches, on.limits);
      if (quote.status === 'error') return Promise.resolve(quote);
      if (on.batches === null) return Promise.resolve(no('not_signed_in'));
      const passed = quote.data.budget?.spans.find((span) => span.over_credits !== null);
      if (passed && !overBudget) return Promise.resolve(no('budget_passed', { limit_credits: passed.limit_credits, over_credits: passed.over_credits ?? '' }));
      let need = Math.round(Number(quote.data.total_credits) * 100);
      on.batches = on.batches.map((one) => {
        const takes = Math.min(need, one.granted - one.used);
        need -= takes;
        return { ...one, used: one.used + takes };
      });
      return on.changed({ account: account(on.batches) });
    },
  };
}

export function buyingCalls(on: Recording): Calls<'previewPurchase' | 'reviewPurchase' | 'pay' | 'askForTestEther' | 'dismissPrefill' | 'openBuyLink'> {
  let ordered: AmountRequest = { text: '25', unit: 'usd' };
  let by: PayWay = 'spending_wallet';
  return {
    previewPurchase: (amount) => {
      if (on.scenario === 'no-price') return Promise.resolve(no('price_unavailable', { answered: '2', asked: '4', needed: '3', silent: 'Kraken, Bitstamp' }));
      if (!amountIsValid(amount)) return Promise.resolve(no('amount_invalid', { input: amount.text }));
      const made = preview(amount, on.batches ?? []);
      const ways = WAYS.filter(({ way }) => on.scenario !== 'few-ways' || (way !== 'wallet_connect' && way !== 'card')).map((one) =>
        one.way === 'spending_wallet' && on.view.wallet === null ? { ...one, why_not: { code: 'no_spending_wallet' as const, params: {} } } : one,
      );
      return Promise.resolve(ok({ ...made, ways, price: on.scenario === 'mixed-price' ? price(NOW, MIXED_SOURCES) : made.price }));
    },
    reviewPurchase: (amount, way) => {
      ordered = amount;
      by = way;
      return Promise.resolve(amountIsValid(amount) ? ok({ ...review(amount, way, on.batches ?? []), account_id: on.view.session.kind === 'signed_in' ? (on.view.account?.account_id ?? null) : null }) : no('amount_invalid', { input: amount.text }));
    },
    pay: () => {
      const { usd } = amounts(ordered);
      if (by === 'browser') return on.changed({ payment: asking(browserAsk({ stage: 'page_open' }), usd) });
      if (by === 'wallet_connect') return on.changed({ payment: asking(connectAsk(), usd) });
      if (by === 'link') return on.changed({ payment: asking(linkAsk(usd), usd) });
      if (by === 'card') return on.changed({ payment: asking({ kind: 'card', closes: null }, usd) });
      const first = on.changed({ payment: payment(1, usd) });
      void arriving(on, usd);
      return first;
    },
    askForTestEther: () => on.changed({ wallet: { ...WALLET, balance_eth: '1.250000000000000000' } }),
    dismissPrefill: () => on.changed({ prefill: null }),
    openBuyLink: () => on.changed({ prefill: { usd: '40', reason: 'link' } }),
  };
}

/** A payment of the spending wallet, step by step, and what it buys. */
async function arriving(on: Recording, usd: string): Promise<void> {
  for (let done = 2; done <= 6; done += 1) {
    await soon(900);
    on.change({ payment: payment(done, usd) });
  }
  const bought: Batch = { id: 'bought', source: 'eth_purchase', added: NOW, granted: Math.round(Number(usd) * 1_000_000), used: 0 };
  on.batches = [...(on.batches ?? []), bought];
  on.change({ session: SIGNED_IN, account: account(on.batches, { usage: on.view.account?.usage ?? [] }) });
}

export function paymentCalls(
  on: Recording,
): Calls<
  | 'askAgain' | 'stopWaiting' | 'reportHash' | 'claimByHash' | 'speedUp' | 'cancelPayment' | 'putPaymentAway' | 'payment' | 'openLink'
  | 'saveReceipt' | 'savePaymentsCsv' | 'saveSupportBundle'
> {
  return {
    askAgain: () => {
      const kind = on.view.payment?.ask?.kind;
      return on.changed({ payment: kind === 'wallet_connect' ? asking(connectAsk()) : asking(browserAsk({ stage: 'page_open' })) });
    },
    stopWaiting: () => on.changed({ payment: OPEN.abandoned() }),
    reportHash: () => on.changed({ payment: OPEN['paying-held']() }),
    claimByHash: () => Promise.resolve(no('not_for_this_payment')),
    speedUp: () => on.changed({ payment: OPEN['paying-replaced']() }),
    cancelPayment: () => on.changed({ payment: OPEN['paying-cancelled']() }),
    putPaymentAway: () => on.changed({ payment: null }),
    payment: (orderId) => {
      const one = on.view.payments.find((row) => row.order_id === orderId);
      if (one !== undefined) return Promise.resolve(ok(pageOf(one)));
      return Promise.resolve(on.view.payment?.order_id === orderId ? ok(on.view.payment) : no('order_unknown'));
    },
    openLink: () => Promise.resolve(ok(on.view)),
    saveReceipt: () => Promise.resolve(ok({ path: '/home/ada/Downloads/aispace-receipt-2026-11-20-or_9bd69b2ee58b62686853807057570e1d.html' })),
    savePaymentsCsv: () => Promise.resolve(ok({ path: '/home/ada/Downloads/aispace-payments-2026-11-20.csv' })),
    saveSupportBundle: () => Promise.resolve(ok({ path: '/home/ada/Downloads/aispace-support-or_9bd69b2ee58b62686853807057570e1d.json' })),
  };
}

export function walletCalls(
  on: Recording,
): Calls<'revealSecret' | 'walletReceive' | 'createWallet' | 'confirmWords' | 'importWallet' | 'exportKeystore' | 'setCaps' | 'removeWallet'> {
  return {
    revealSecret: (what, confirmation) => {
      if (what === 'secure_key') return Promise.resolve(confirmation === '9k2f' ? ok(['ask_example_only_not_a_key_9k2f']) : no('reveal_refused'));
      const isFirst = what === 'wallet_words' && on.view.wallet?.backed_up === false && confirmation === '';
      if (!isFirst && confirmation !== WALLET_ADDRESS.slice(-4)) return Promise.resolve(no('reveal_refused'));
      return Promise.resolve(ok(what === 'wallet_words' ? WORDS.split(' ') : [`0x${'0123456789abcdef'.repeat(4)}`]));
    },
    walletReceive: () => Promise.resolve(ok({ address: WALLET_ADDRESS, uri: `ethereum:${WALLET_ADDRESS}@8453`, qr: RECEIVE_QR })),
    createWallet: () => on.changed({ wallet: NEW_WALLET }),
    confirmWords: (answers) => {
      const isRight = answers.every(({ position, word }) => WORDS.split(' ')[position - 1] === word);
      if (!isRight) return Promise.resolve(no('wallet_words_wrong'));
      return on.changed({ wallet: on.view.wallet && { ...on.view.wallet, backed_up: true, words_asked: [] } });
    },
    importWallet: (kind) => {
      const origin = kind === 'words' ? 'imported_words' : kind === 'key' ? 'imported_key' : 'imported_keystore';
      return on.changed({ wallet: { ...WALLET, origin, has_words: kind === 'words' } });
    },
    exportKeystore: () => Promise.resolve(ok({ path: `/home/ada/Downloads/aispace-wallet-${WALLET_ADDRESS}.json` })),
    setCaps: (cap_payment_usd, cap_day_usd) => on.changed({ wallet: on.view.wallet && { ...on.view.wallet, cap_payment_usd, cap_day_usd } }),
    removeWallet: (confirmation) => (confirmation === WALLET_ADDRESS.slice(-4) ? on.changed({ wallet: null }) : Promise.resolve(no('wallet_not_confirmed'))),
  };
}

export function reminderCalls(on: Recording): Calls<'reminders' | 'setReminders' | 'outside' | 'setOutside'> {
  let settings = USUAL;
  const isShared = on.scenario === 'accounts';
  const own = () => reminders(settings, on.batches, isShared ? (on.view.accounts.rows.find((row) => row.active)?.account ?? null) : null, isShared ? { '0a1b2c3d4e5f': PERSONAL } : {});
  let outside = { ...OUTSIDE, tray: on.scenario !== 'offline', notifications: on.scenario !== 'offline' };
  return {
    reminders: () => Promise.resolve(ok(own())),
    setReminders: (next) => {
      const { quiet } = next;
      if (quiet !== null && quiet.from === quiet.until) return Promise.resolve(no('quiet_hours_refused', { input: `${quiet.from}-${quiet.until}` }));
      settings = next;
      return Promise.resolve(ok(own()));
    },
    outside: () => Promise.resolve(ok(outside)),
    setOutside: (which, to) => {
      outside = { ...outside, [which]: to };
      return Promise.resolve(ok(outside));
    },
  };
}

export function settingsCalls(on: Recording): Calls<'setNodes' | 'setWalletconnectProject' | 'setLowBalance' | 'setTheme' | 'setDisplay'> {
  const set = (part: Partial<AppView['settings']>) => on.changed({ settings: { ...on.view.settings, ...part } });
  return {
    setNodes: (urls) => set({ nodes: urls.map((url) => ({ ...node(0), url, name: new URL(url).host })) }),
    setWalletconnectProject: (id) => set({ walletconnect_project: id }),
    setLowBalance: (usd) => set({ low_balance_usd: usd }),
    setTheme: (theme) => set({ theme }),
    setDisplay: (display) => set({ display }),
  };
}
