/** A recorded log, and what is asked of it: the same answers as Rust gives, of a believable month or of a hundred thousand entries. */
import type { Backend } from '../src/backend/backend';
import type {
  ChargeView, UsageChartView, UsageDetailView, UsageEntryView, UsageFilter, UsageLineView, UsageRequest, UsageView, UsageWork,
} from '../src/backend/bindings';
import { DAY, instant, NOW, USAGE } from './model';

type Calls = Pick<Backend, 'usage' | 'usageLines' | 'usageEntry' | 'saveUsage'>;
type Entry = { sequence: number; at: number; kind: string; work: UsageWork; id: string; name: string; meters: string[]; rule: string; nanos: bigint; held?: bigint; about?: number };

const CREDIT = 1_000_000_000n;
const HUNDREDTH = CREDIT / 100n;
const TODAY = dayOf(NOW);

const MODELS: [UsageWork, string, string, number, (count: number) => string[]][] = [
  ['video', 'Sora 2', '0.11 USD per second, 720p with sound', 440_000, () => ['video_seconds=4', 'resolution=720p', 'audio=on']],
  ['video', 'Veo 3 Fast', '0.11 USD per second, 1080p with sound', 440_000, () => ['video_seconds=4', 'resolution=1080p', 'audio=on']],
  ['image', 'Generation', 'per image', 10_000, (n) => [`images=${n}`]],
  ['chat', 'Qwen 3 235B', 'per 1M tokens', 24_750, (n) => [`input_tokens=${n * 10_000}`, `output_tokens=${n * 1300}`]],
  ['chat', 'Venice Small', 'per 1M tokens', 1_100, (n) => [`input_tokens=${n * 10_000}`, `output_tokens=${n * 4000}`]],
  ['audio', 'Kokoro TTS', 'per 1M characters', 3_500, (n) => [`characters=${n * 1000}`]],
  ['search', 'Web Search, other models', 'per 1K calls', 10_000, (n) => [`calls=${n}`]],
  ['image', 'Upscale 2x', 'per image', 20_000, (n) => [`images=${n}`]],
  ['embedding', 'BGE-M3', 'per 1M tokens', 15_000, (n) => [`input_tokens=${n * 100_000}`]],
  ['chat', 'A model of a name that goes on for much longer than any list has room for, instruct, 2026-11', 'per 1M tokens, cached input at a tenth, above 200,000 tokens at twice the rate', 990, (n) => [`input_tokens=${n * 1000}`, `output_tokens=${n * 900}`, `cache_read_tokens=${n * 12_000}`]],
];
/** Of each day: index of the model and how many units, by turns. */
const PATTERN: [number, number][] = [[0, 1], [3, 18], [2, 6], [4, 20], [1, 1], [2, 4], [5, 12], [3, 24], [6, 3], [0, 1], [4, 9], [8, 2], [7, 2], [3, 7]];

function dayOf(at: number): number {
  return Math.floor(at / DAY);
}

const idOf = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

/** The same numbers at each start. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function run(at: number, [which, units]: [number, number], odd = 0n): Omit<Entry, 'sequence'> {
  const model = MODELS[which] ?? MODELS[0];
  if (model === undefined) throw new Error('no model');
  const [work, name, rule, each, meters] = model;
  return { at, kind: 'debit', work, id: idOf(name), name, meters: meters(units), rule, nanos: -(BigInt(each * units) * HUNDREDTH + odd) };
}

const posted = (at: number, kind: string, hundredths: number, note = ''): Omit<Entry, 'sequence'> => ({
  at, kind, work: 'posted', id: '', name: '', meters: [], rule: note, nanos: BigInt(hundredths) * HUNDREDTH,
});

const numbered = (list: Omit<Entry, 'sequence'>[]): Entry[] => list.sort((one, other) => one.at - other.at).map((entry, index) => ({ ...entry, sequence: index + 1 }));

/** Seven weeks before what the overview shows. */
function month(): Entry[] {
  const rows = USAGE.map((row): Omit<Entry, 'sequence'> => ({
    at: Date.parse(row.at),
    kind: row.kind,
    work: MODELS.find(([, name]) => name === row.model_name)?.[0] ?? 'posted',
    id: row.model_name === '' ? '' : idOf(row.model_name),
    name: row.model_name,
    meters: row.meters,
    rule: row.rule,
    nanos: BigInt(Math.round(Number(row.change_credits) * 100)) * HUNDREDTH,
  }));
  const random = dice(7);
  for (let day = TODAY - 48; day < TODAY - 2; day += 1) {
    const busy = day % 7 === 1 ? 1 : 3 + Math.floor(random() * 6);
    const first = Math.floor(random() * PATTERN.length);
    for (let nth = 0; nth < busy; nth += 1) rows.push(run(day * DAY + (7 + nth) * 3_600_000 + Math.floor(random() * 3_000_000), PATTERN[(first + nth) % PATTERN.length] ?? [0, 1]));
  }
  rows.push(posted((TODAY - 49) * DAY + 39_000_000, 'batch_added', 30_000_000), posted((TODAY - 30) * DAY + 50_000_000, 'batch_added', 14_000_000));
  rows.push({ ...run((TODAY - 1) * DAY + 62_000_000, [0, 1]), kind: 'held', nanos: 0n, held: 4400n * CREDIT });
  rows.push({ ...run((TODAY - 1) * DAY + 62_100_000, [0, 1]), kind: 'settled' });
  rows.push({ ...run((TODAY - 1) * DAY + 63_100_000, [0, 1]), kind: 'refunded', meters: [], rule: '', nanos: 2200n * CREDIT });
  rows.push({ ...run(TODAY * DAY + 46_900_000, [1, 1]), kind: 'held', nanos: 0n, held: 4400n * CREDIT });
  const log = numbered(rows);
  // What the overview shows are entries of this log.
  for (const row of USAGE) row.sequence = String(log.find((entry) => entry.at === Date.parse(row.at) && entry.kind === row.kind)?.sequence);
  return log;
}

/** Three years, with amounts as long as amounts become. */
function years(count: number): Entry[] {
  const random = dice(11);
  const rows: Omit<Entry, 'sequence'>[] = [];
  for (let nth = 0; nth < count; nth += 1) {
    const at = NOW - Math.floor(((count - nth) / count) * 1096 * DAY) - 60_000;
    if (nth % 997 === 0) rows.push(posted(at, nth % 1994 === 0 ? 'batch_added' : 'expired', nth % 1994 === 0 ? 987_654_321_00 : -123_456_789));
    else rows.push(run(at, [Math.floor(random() * MODELS.length), 1 + Math.floor(random() * 24)], nth % 50 === 0 ? 123_456_789n + 1_234_567n * CREDIT : BigInt(nth % 7)));
  }
  return numbered(rows);
}

const made = new Map<string, Entry[]>();

function logOf(scenario: string): Entry[] {
  if (scenario === 'extreme') return logOf('long-log');
  const name = ['long-log', 'fresh', 'empty', 'owing', 'paid', 'log-none'].includes(scenario) ? scenario : 'usual';
  let log = made.get(name);
  if (log === undefined) {
    log = name === 'long-log' ? years(100_000) : name === 'usual' ? month() : [];
    made.set(name, log);
  }
  return log;
}

/** How much of the recorded log is on this computer. */
export function logExtent(scenario: string): { revision: number; kept: number; posted: number } {
  const kept = logOf(scenario).length;
  return { revision: 1, kept, posted: scenario === 'log-filling' ? 100_000 : scenario === 'log-none' ? 12_400 : kept };
}

const isRun = (entry: Entry): boolean => entry.kind === 'debit' || entry.kind === 'settled';
const taken = (entry: Entry): bigint => (isRun(entry) ? -entry.nanos : 0n);
const total = (entries: Entry[], of: (entry: Entry) => bigint): bigint => entries.reduce((sum, entry) => sum + of(entry), 0n);

function text(nanos: bigint): string {
  const digits = (nanos < 0n ? -nanos : nanos).toString().padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  return `${nanos < 0n ? '-' : ''}${digits.slice(0, -9)}${fraction === '' ? '' : `.${fraction}`}`;
}

const usdOf = (nanos: bigint): string => text(nanos / 10_000n);
const dateOf = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10);
const share = (part: bigint, all: bigint): number => (all === 0n ? 0 : Number((part * 10_000n) / all));

const PERIODS: Record<UsageFilter['period'], number> = { days7: 7, days30: 30, days90: 90, all: Number.POSITIVE_INFINITY };

/** Whatever period and words let through. */
function within(log: Entry[], filter: UsageFilter): Entry[] {
  const first = TODAY - PERIODS[filter.period] + 1;
  const terms = filter.text.toLowerCase().split(/\s+/).filter((term) => term !== '');
  return log.filter((entry) => {
    if (dayOf(entry.at) < first) return false;
    const words = `${entry.kind}\n${entry.name}\n${entry.id}\n${entry.rule}\n${entry.meters.join('\n')}`.toLowerCase();
    return terms.every((term) => words.includes(term));
  });
}

const narrowed = (entries: Entry[], filter: UsageFilter): Entry[] =>
  entries.filter((entry) => (filter.work === null || entry.work === filter.work) && (filter.model_id === null || entry.id === filter.model_id));

function row(entry: Entry): UsageEntryView {
  const metered = isRun(entry) && entry.work === 'chat';
  const estimated = metered && entry.sequence % 3 === 0 ? (taken(entry) * 98n) / 100n : taken(entry);
  return {
    sequence: String(entry.sequence),
    at: instant(entry.at),
    kind: entry.kind,
    work: entry.work,
    model_name: entry.name,
    meters: entry.meters,
    rule: entry.work === 'posted' ? '' : entry.rule,
    change_credits: text(entry.nanos),
    held_change_credits: entry.held === undefined ? null : text(entry.held),
    estimated_credits: metered ? text(estimated) : null,
    above_estimate_percent: metered && estimated !== taken(entry) ? '2.0' : null,
  };
}

const asked = new WeakMap<Entry[], Map<string, { wide: Entry[]; lines: (number | Entry)[]; days: Map<number, Entry[]> }>>();

/** Lines, the newest on top: a day is its number. */
function answer(log: Entry[], filter: UsageFilter): { wide: Entry[]; lines: (number | Entry)[]; days: Map<number, Entry[]> } {
  const known = asked.get(log) ?? new Map();
  asked.set(log, known);
  const key = JSON.stringify(filter);
  const found = known.get(key);
  if (found !== undefined) return found;
  const wide = within(log, filter);
  const days = new Map<number, Entry[]>();
  const lines: (number | Entry)[] = [];
  for (const entry of narrowed(wide, filter).reverse()) {
    const day = dayOf(entry.at);
    const of = days.get(day);
    if (of === undefined) {
      days.set(day, [entry]);
      lines.push(day);
    } else of.push(entry);
    lines.push(entry);
  }
  const fresh = { wide, lines, days };
  known.set(key, fresh);
  return fresh;
}

function lineViews(log: Entry[], filter: UsageFilter, from: number, count: number): UsageLineView[] {
  const { lines, days } = answer(log, filter);
  return lines.slice(from, from + count).map((line) => {
    if (typeof line !== 'number') return { line: 'entry', entry: row(line) };
    const of = days.get(line) ?? [];
    return { line: 'day', date: dateOf(line), entries: of.length, credits: text(total(of, taken)) };
  });
}

function spans(first: number, last: number): { step: UsageChartView['step']; spans: [number, number][] } {
  const days = last - first + 1;
  const step = days <= 92 ? 'day' : days <= 644 ? 'week' : 'month';
  const found: [number, number][] = [];
  for (let from = first; from <= last; ) {
    const date = new Date(from * DAY);
    const until = step === 'day' ? from : step === 'week' ? from + ((7 - date.getUTCDay()) % 7) : dayOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0));
    found.push([from, Math.min(until, last)]);
    from = until + 1;
  }
  return { step, spans: found };
}

function chart(log: Entry[], { filter, split }: UsageRequest, first: number, mean: bigint): UsageChartView {
  const { lines, days } = answer(log, filter);
  const entries = [...days.values()].flat().filter(isRun);
  const keyOf = (entry: Entry): string => (split === 'model' ? entry.id : entry.work);
  const sums = new Map<string, { one: Entry; runs: number; sum: bigint }>();
  for (const entry of entries) {
    const found = sums.get(keyOf(entry)) ?? { one: entry, runs: 0, sum: 0n };
    sums.set(keyOf(entry), { one: found.one, runs: found.runs + 1, sum: found.sum + taken(entry) });
  }
  const order = [...sums].sort(([, one], [, other]) => (other.sum > one.sum ? 1 : -1));
  const named = order.length > 6 ? order.slice(0, 5) : order;
  const rest = order.slice(named.length);
  const all = total(entries, taken);
  const place = new Map(named.map(([key], index) => [key, index]));
  const laid = spans(first, TODAY);
  const stacks = laid.spans.map(([from, until]) => {
    const stack = [...named.map(() => 0n), 0n];
    for (let day = from; day <= until; day += 1) for (const entry of days.get(day) ?? []) if (isRun(entry)) stack[place.get(keyOf(entry)) ?? named.length] = (stack[place.get(keyOf(entry)) ?? named.length] ?? 0n) + taken(entry);
    return stack;
  });
  const highest = stacks.reduce((most, stack) => { const sum = stack.reduce((a, b) => a + b, 0n); return sum > most ? sum : most; }, CREDIT);
  let step = CREDIT / 10n;
  while (step * 5n < highest) step *= step.toString().startsWith('1') || step.toString().startsWith('5') ? 2n : 5n;
  if (step * 5n >= highest * 2n) step /= 2n;
  const top = ((highest + step - 1n) / step) * step;
  const marks = [];
  for (let value = 0n; value <= top; value += step) marks.push({ value: text(value), at_bp: share(value, top) });
  return {
    step: laid.step,
    series: [
      ...named.map(([, { one, runs, sum }]) => ({ work: split === 'work' ? one.work : null, model_id: split === 'model' ? one.id : null, name: split === 'model' ? one.name : '', runs, credits: text(sum), share_bp: share(sum, all) })),
      ...(rest.length === 0 ? [] : [{ work: null, model_id: null, name: '', runs: rest.reduce((sum, [, { runs }]) => sum + runs, 0), credits: text(rest.reduce((sum, [, one]) => sum + one.sum, 0n)), share_bp: share(rest.reduce((sum, [, one]) => sum + one.sum, 0n), all) }]),
    ],
    columns: laid.spans.map(([from, until], index) => {
      let below = 0n;
      const parts = (stacks[index] ?? []).flatMap((sum, series) => {
        const bottom_bp = share(below, top);
        below += sum;
        return sum === 0n ? [] : [{ series, credits: text(sum), bottom_bp, height_bp: share(below, top) - bottom_bp }];
      });
      const line = lines.findIndex((one) => typeof one === 'number' && one <= until && one >= from);
      return { from: dateOf(from), until: dateOf(until), credits: text(below), parts, line: line < 0 ? null : line };
    }),
    y_marks: marks,
    mean_bp: laid.step === 'day' && mean > 0n ? share(mean, top) : null,
  };
}

function usage(log: Entry[], request: UsageRequest): UsageView {
  const { filter } = request;
  const { wide, lines, days } = answer(log, filter);
  const entries = [...days.values()].flat();
  const oldest = wide[0] === undefined ? TODAY : dayOf(wide[0].at);
  const used = total(entries, taken);
  const count = TODAY - oldest + 1;
  const mean = ((used / BigInt(count) + HUNDREDTH / 2n) / HUNDREDTH) * HUNDREDTH;
  const sum = (kind: string): bigint => total(entries.filter((entry) => entry.kind === kind), (entry) => entry.nanos);
  const models = new Map<string, { name: string; runs: number; sum: bigint }>();
  for (const entry of narrowed(wide, { ...filter, model_id: null }).filter(isRun)) {
    const found = models.get(entry.id) ?? { name: entry.name, runs: 0, sum: 0n };
    models.set(entry.id, { name: entry.name, runs: found.runs + 1, sum: found.sum + taken(entry) });
  }
  const order: UsageWork[] = ['video', 'image', 'chat', 'audio', 'embedding', 'search', 'other', 'posted'];
  const occurring = new Set(wide.map((entry) => entry.work));
  const first = Number.isFinite(PERIODS[filter.period]) ? TODAY - PERIODS[filter.period] + 1 : oldest;
  return {
    revision: 1,
    totals: {
      entries: entries.length, runs: entries.filter(isRun).length, used_credits: text(used), used_usd: usdOf(used), per_day_credits: text(mean), days: count,
      refunded_credits: text(sum('refunded')), added_credits: text(sum('batch_added')), lapsed_credits: text(-sum('expired')), voided_credits: '0',
      net_credits: text(total(entries, (entry) => entry.nanos)), adds_up: null,
    },
    chart: chart(log, request, first, mean),
    models: [...models].sort(([, one], [, other]) => (other.sum > one.sum ? 1 : -1)).map(([model_id, { name, runs, sum: credits }]) => ({ model_id, name, runs, credits: text(credits) })),
    works: order.filter((work) => occurring.has(work)),
    line_count: lines.length,
    lines: lineViews(log, filter, 0, request.lines),
  };
}

/** Why a chat run took what it did. */
function charge(entry: Entry, view: UsageEntryView): ChargeView | null {
  if (view.estimated_credits === null) return null;
  const [input = '0', output = '0'] = entry.meters.map((meter) => meter.split('=')[1] ?? '0');
  const parts: [string, string, bigint][] = [['input_tokens', input, (taken(entry) * 2n) / 3n], ['output_tokens', output, taken(entry) - (taken(entry) * 2n) / 3n]];
  const differs = view.above_estimate_percent !== null;
  return {
    card_id: 'aispace',
    card_date: '2026-01-01',
    priced_at: view.at,
    lines: parts.map(([meter, quantity, amount], index) => ({
      line: { meter, quantity, rate: '1500', unit: 'credits', denominator: '1000000', amount: text(amount), rule: 'per 1M tokens' },
      charged: true,
      estimated_amount: text(differs && index === 1 ? amount - (taken(entry) * 2n) / 100n : amount),
    })),
    total: text(taken(entry)),
    unit: 'aispace',
    posted: text(taken(entry)),
    rounding: 'half up to 9 decimals',
    charged_credits: text(taken(entry)),
    estimated_credits: view.estimated_credits,
    agreement: differs ? 'differs' : 'same',
    evidence_note: 'Printed in the rate card.',
  };
}

/** The estimate that was kept of every fifth run: most were right. */
function kept(view: UsageEntryView): UsageDetailView['estimate'] {
  if ((view.kind !== 'debit' && view.kind !== 'settled') || Number(view.sequence) % 5 !== 0) return null;
  const credits = view.change_credits.replace('-', '');
  const charge = { sequence: view.sequence, at: view.at, credits, refunded_credits: null, difference_credits: '0', error_percent: '0', link: 'simulated' as const };
  return { at: view.at, expected_credits: credits, charge };
}

function detail(log: Entry[], sequence: string): UsageDetailView | null {
  const entry = log[Number(sequence) - 1];
  if (entry === undefined) return null;
  const view = row(entry);
  const held = ['held', 'settled', 'refunded'].includes(entry.kind);
  const related = held ? log.filter((other) => other !== entry && ['held', 'settled', 'refunded'].includes(other.kind) && Math.abs(other.at - entry.at) < 2_000_000) : [];
  return {
    entry: view,
    entry_id: `en_${entry.sequence.toString(16).padStart(32, '0')}`,
    model_id: entry.id,
    change_usd: usdOf(entry.nanos),
    debt_change_credits: null,
    hold_id: entry.kind === 'held' || entry.kind === 'settled' ? 'ho_5b1c0e77a94f4d0c9a7e2f61d0b8c3aa' : null,
    charge_sequence: entry.kind === 'refunded' ? String(entry.sequence - 1) : null,
    note: entry.kind === 'refunded' ? 'Half of the clip was black' : null,
    charge: charge(entry, view),
    estimate: kept(view),
    related: related.map(row),
  };
}

const ok = <T>(data: T): { status: 'ok'; data: T } => ({ status: 'ok', data });

/** The commands of the log in a scenario. */
export function usageCalls(scenario: string): Calls {
  const log = logOf(scenario);
  return {
    usage: (request) => Promise.resolve(ok(usage(log, request))),
    usageLines: ({ filter, from, count }) => Promise.resolve(ok({ revision: 1, from, lines: lineViews(log, filter, from, count) })),
    usageEntry: (sequence) => Promise.resolve(ok(detail(log, sequence))),
    saveUsage: (_filter, format) =>
      Promise.resolve(
        scenario === 'log-filling'
          ? { status: 'error', error: { code: 'usage_incomplete', params: { kept: String(log.length), posted: '100000' } } }
          : ok({ path: `/home/ada/Downloads/aispace-usage-2026-11-20.${format}` }),
      ),
  };
}
