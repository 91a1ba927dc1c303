/** Accounts of the recorded backend: the one of the state, and two more where there are several. */
import type { AccountRowView, AccountsView, AppView, TypedBatch, TypedFaultView } from '../src/backend/bindings';
import { account, BATCHES, DAY, NOW, terraceOf, text, type Batch } from './model';
import type { Calls, Recording } from './calls';

const ok = <T>(data: T) => ({ status: 'ok' as const, data });

/** The account that a state shows, as a row. */
export function rowOf(view: Pick<AppView, 'session' | 'account'>, part: Partial<AccountRowView> = {}): AccountRowView | null {
  const { session, account: shown } = view;
  if (session.kind === 'signed_out' || session.kind === 'unknown') return null;
  if (session.kind === 'key_unavailable' && shown === null) return null;
  const signedIn = session.kind === 'signed_in' ? session : null;
  return {
    account: 'first',
    kind: session.kind === 'by_hand' ? 'by_hand' : 'service',
    label: null,
    active: true,
    account_id: shown?.account_id ?? null,
    key_hint: signedIn?.key_hint ?? null,
    keeping: signedIn?.keeping ?? null,
    since: '2026-10-24T21:18:09Z',
    key_error: session.kind === 'key_unavailable' ? session.error : null,
    rotating: false,
    available_credits: shown?.available_credits ?? null,
    available_usd: shown?.available_usd ?? null,
    at_most: shown?.at_most ?? true,
    known_at: shown?.known_at ?? null,
    next_end_credits: shown?.next_end?.left_credits ?? null,
    next_end: shown?.next_end?.expires ?? null,
    ends_soon: shown?.batches[0]?.week === 1,
    slabs: shown?.terrace.slabs ?? [],
    ...part,
  };
}

const batch = (id: string, source: string, daysAgo: number, granted: number): Batch => ({ id, source, added: NOW - daysAgo * DAY, granted: granted * 100, used: 0 });
export const PERSONAL = [batch('p1', 'card_purchase', 18, 8_920), batch('p2', 'eth_purchase', 5, 10_000)];
const OLD = [batch('o1', 'grant', 23.4, 6_400)];

function other(id: string, label: string, batches: Batch[], part: Partial<AccountRowView>): AccountRowView {
  const first = batches[0];
  const shown = account(batches, { usage: [], ended: [], beside: {} });
  const row = rowOf({ session: { kind: 'signed_in', key_hint: 'b09a', keeping: 'keychain' }, account: shown });
  return { ...(row as AccountRowView), account: id, label, active: false, slabs: terraceOf(batches, NOW, false).slabs, next_end_credits: first ? text(first.granted) : null, ...part };
}

/** What is shown of each, added up. */
function totalOf(rows: AccountRowView[]): AccountsView['total'] {
  if (rows.length < 2) return null;
  const read = rows.filter((row) => row.available_credits !== null);
  const sum = read.reduce((all, row) => all + Math.round(Number(row.available_credits) * 100), 0);
  const ages = read.filter((row) => row.kind === 'service').map((row) => row.known_at ?? '');
  return {
    available_credits: text(sum),
    available_usd: (sum / 1_000_000).toFixed(6),
    at_most: read.some((row) => row.at_most),
    oldest: ages.sort()[0] ?? null,
    counted: read.length,
    unread: rows.length - read.length,
  };
}

export const accountsOf = (rows: (AccountRowView | null)[]): AccountsView => {
  const there = rows.filter((row) => row !== null);
  return { rows: there, total: totalOf(there) };
};

/** Three accounts: one shows, one rotates, one is typed in. */
export function severalAccounts(view: AppView): AccountsView {
  return accountsOf([
    rowOf(view, { label: 'Studio North' }),
    other('0a1b2c3d4e5f', 'Personal', PERSONAL, { rotating: true, account_id: 'acc_19bb' }),
    other('f5e4d3c2b1a0', 'Old provider', OLD, { kind: 'by_hand', account_id: null, key_hint: null, keeping: null }),
  ]);
}

/** The most there is to show: long names, many accounts, and each kind of trouble. */
export function manyAccounts(view: AppView): AccountsView {
  const offline = { at_most: true, known_at: '2026-11-19T07:12:00Z' };
  return accountsOf([
    rowOf(view, { label: 'A studio with a name of forty characters' }),
    other('000000000001', 'Personal', PERSONAL, { ...offline, account_id: 'acc_19bb' }),
    other('000000000002', 'Locked away', PERSONAL, { ...offline, account_id: 'acc_5e01', key_hint: null, keeping: null, key_error: { code: 'keychain_locked', params: {} } }),
    other('000000000003', 'New', [], { available_credits: null, available_usd: null, known_at: null, at_most: true, next_end: null, next_end_credits: null, account_id: null }),
    other('000000000004', 'Old provider', OLD, { kind: 'by_hand', account_id: null, key_hint: null, keeping: null }),
    other('000000000005', 'Empty', [], { account_id: 'acc_c3a9', available_credits: '0', available_usd: '0', next_end: null, next_end_credits: null }),
  ]);
}

const OTHERS: Record<string, Batch[]> = { '0a1b2c3d4e5f': PERSONAL, 'f5e4d3c2b1a0': OLD, '000000000001': PERSONAL, '000000000002': PERSONAL, '000000000004': OLD };

/** Shows one of several accounts. */
export function showing(on: Recording, id: string, rows: AccountRowView[] = on.view.accounts.rows): ReturnType<Recording['changed']> {
  const next = rows.map((row) => ({ ...row, active: row.account === id }));
  const row = next.find((one) => one.active);
  if (row === undefined) return on.changed({});
  on.batches = id === 'first' ? BATCHES : (OTHERS[id] ?? []);
  const shown = id === 'first' ? account() : account(on.batches, { usage: [], ended: [], beside: {} });
  const { key_hint, key_error } = row;
  return on.changed({
    accounts: accountsOf(next),
    account: row.available_credits === null ? null : { ...shown, account_id: row.account_id ?? `by-hand-${id}`, available_credits: row.available_credits },
    session: row.kind === 'by_hand' ? { kind: 'by_hand' } : key_hint === null ? { kind: 'key_unavailable', error: key_error ?? { code: 'key_malformed', params: {} } } : { kind: 'signed_in', key_hint, keeping: 'keychain' },
  });
}

/** A further account, by its key: it shows. */
export function adding(on: Recording): ReturnType<Recording['changed']> {
  const row = other('a1b2c3d4e5f6', '', PERSONAL, { label: null, account_id: 'acc_77d0', key_hint: '9k2f' });
  OTHERS[row.account] = PERSONAL;
  return showing(on, row.account, [...on.view.accounts.rows.filter((one) => one.account !== row.account), row]);
}

const TYPED: TypedBatch[] = [{ note: 'Invoice 311', granted_credits: '6400', left_credits: '6400', added: '2026-10-28T00:00:00.000Z', expires: '2026-11-27T00:00:00.000Z' }];

/** As Rust does it, but for the finer points. */
function checked(batches: TypedBatch[], firstLine: number) {
  const faults = batches.flatMap((one, index): TypedFaultView[] => {
    const line = index + firstLine;
    if (one.granted_credits.trim() === '') return [{ line, field: 'granted', fault: 'missing', given: '' }];
    if (!/^\d+(\.\d{1,9})?$/.test(one.granted_credits.trim())) return [{ line, field: 'granted', fault: 'not_amount', given: one.granted_credits }];
    if (`${one.added}${one.expires}`.trim() === '') return [{ line, field: 'expires', fault: 'missing', given: '' }];
    return [];
  });
  const right = faults.length > 0 ? [] : batches.map((one) => ({ ...one, left_credits: one.left_credits || one.granted_credits }));
  return { batches: right, faults, left_credits: text(right.reduce((sum, one) => sum + Math.round(Number(one.left_credits) * 100), 0)) };
}

export function accountsCalls(
  on: Recording,
): Calls<
  | 'switchAccount' | 'labelAccount' | 'removeAccount' | 'rotateKey' | 'copySecureKey' | 'checkBatches' | 'readBatches' | 'typedBatches' | 'keepBatches'
  | 'dataKept' | 'exportEverything' | 'deleteEverything'
> {
  const rows = () => on.view.accounts.rows;
  const changed = (change: (row: AccountRowView) => AccountRowView) => on.changed({ accounts: accountsOf(rows().map(change)) });
  return {
    switchAccount: (id) => showing(on, id),
    labelAccount: (id, label) =>
      [...label.trim()].length > 40
        ? Promise.resolve({ status: 'error', error: { code: 'label_refused', params: { most: '40' } } })
        : changed((row) => (row.account === id ? { ...row, label: label.trim() || null } : row)),
    removeAccount: (id) => on.changed({ accounts: accountsOf(rows().filter((row) => row.account !== id)) }),
    rotateKey: (id) => changed((row) => (row.account === id ? { ...row, key_hint: '7c1e', rotating: false } : row)),
    copySecureKey: (_, confirmation) =>
      Promise.resolve(confirmation === '9k2f' ? ok({ seconds: 30 }) : { status: 'error', error: { code: 'reveal_refused', params: {} } }),
    checkBatches: (batches) => Promise.resolve(checked(batches, 1)),
    readBatches: (table) => {
      const [header = '', ...lines] = table.trim().split('\n');
      if (!header.includes('credits')) return Promise.resolve({ batches: [], faults: [{ line: 1, field: 'line', fault: 'no_header', given: header.split(',')[0] ?? '' }], left_credits: '0' });
      const read = lines.map((line) => line.split(',')).map(([granted = '', added = '', note = '']) => ({ note, granted_credits: granted, left_credits: '', added, expires: '' }));
      return Promise.resolve(checked(read, 2));
    },
    typedBatches: () => Promise.resolve(ok(TYPED)),
    keepBatches: (id, label, batches) => {
      const kept = batches.map((one, index) => batch(`t${index}`, 'grant', 3, Number(one.granted_credits)));
      const typed = other(id ?? 'f0f0f0f0f0f0', label, kept, { label: label.trim() || null, kind: 'by_hand', account_id: null, key_hint: null, keeping: null });
      const others = rows().filter((row) => row.account !== id);
      return on.changed({ accounts: accountsOf([...others, { ...typed, active: others.length === 0 }]) });
    },
    dataKept: () => Promise.resolve(ok({ folder: on.view.settings.data_folder, bytes: '12400128', payments: on.view.payments.length, entries: 2104, set_aside: 0 })),
    exportEverything: () => Promise.resolve(ok({ path: '/home/ada/Downloads/aispace-export-2026-11-20.json' })),
    deleteEverything: (word, end) => {
      if (word.trim().toLowerCase() !== 'delete') return Promise.resolve({ status: 'error', error: { code: 'deletion_not_confirmed', params: {} } });
      const address = on.view.wallet?.address ?? null;
      const gone = { accounts: rows().length, payments: on.view.payments.length, wallet_removed: end === null ? null : address, wallet_kept: end === null ? address : null, saved_kept: null };
      const view = on.change({ session: { kind: 'signed_out' }, account: null, payment: null, payments: [], accounts: { rows: [], total: null } });
      return Promise.resolve(ok({ view, ...gone }));
    },
  };
}
