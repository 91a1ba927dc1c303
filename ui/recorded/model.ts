/** One believable account, from which every recorded view is drawn, so that the figures agree. Amounts are whole hundredths of a credit. */
import type { AccountView, AtRiskView, BatchView, MomentView, NotCountedView, PaceView, TerraceView, UsageRowView } from '../src/backend';

export const NOW = Date.parse('2026-11-20T13:02:31Z');
export const DAY = 86_400_000;
export const LIFE = 30 * DAY;

export type Batch = { id: string; source: string; added: number; granted: number; used: number; held?: number; note?: string; ghost?: boolean };

const at = (text: string) => Date.parse(`${text}Z`);
const batch = (id: string, source: string, added: string, granted: number, used = 0, note?: string): Batch => ({
  id,
  source,
  added: at(added),
  granted: granted * 100,
  used: Math.round(used * 100),
  ...(note === undefined ? {} : { note }),
});

export const BATCHES: Batch[] = [
  batch('b25', 'eth_purchase', '2026-10-24T21:18:09', 100_000, 55_689.55),
  batch('b26', 'card_purchase', '2026-10-30T09:41:52', 30_000),
  batch('b27', 'eth_purchase', '2026-11-07T16:05:30', 60_000),
  batch('b28', 'grant', '2026-11-11T10:00:00', 9_000, 0, 'For the outage of 10 Nov'),
  batch('b29', 'daily_renewal', '2026-11-16T00:00:00', 1_000),
  batch('b32', 'eth_purchase', '2026-11-18T19:26:37', 100_000),
  batch('b34', 'daily_renewal', '2026-11-20T00:00:00', 1_000),
];

export type EndedBatch = Batch & { lapsed: number };

export const ENDED: EndedBatch[] = [
  { ...batch('b24', 'eth_purchase', '2026-10-14T08:12:40', 140_000, 137_480.2), lapsed: 251_980 },
  { ...batch('b23', 'card_purchase', '2026-10-02T15:30:48', 50_000, 50_000), lapsed: 0 },
  { ...batch('b22', 'eth_purchase', '2026-09-26T08:50:11', 60_000, 48_070), lapsed: 1_193_000 },
];

const HISTORY: [string, number][] = [
  ['2026-11-06', 12_044.9], ['2026-11-07', 5_274.1], ['2026-11-08', 10_055.8], ['2026-11-09', 13_881.7], ['2026-11-10', 7_130.4],
  ['2026-11-11', 15_845.5], ['2026-11-12', 17_249.15], ['2026-11-13', 6_559.6], ['2026-11-14', 799.3], ['2026-11-15', 5_155.1],
  ['2026-11-16', 5_732.2], ['2026-11-17', 11_439.5], ['2026-11-18', 2_756.2], ['2026-11-19', 11_511.2],
];
export const PER_DAY = HISTORY.reduce((total, [, credits]) => total + credits, 0) / HISTORY.length;

/** Hundredths as a decimal string. */
export const text = (hundredths: number): string => (Math.round(hundredths) / 100).toFixed(2).replace(/\.00$/, '').replace(/(\.\d)0$/, '$1');
/** A forecast: rounded to ten. */
export const guess = (hundredths: number): string => String(Math.round(hundredths / 1000) * 10);
export const instant = (time: number): string => new Date(time).toISOString().replace('.000Z', 'Z');
export const bp = (part: number, whole: number): number => Math.max(0, Math.min(10_000, Math.round((part / whole) * 10_000)));
export const rest = (one: Batch): number => one.granted - one.used - (one.held ?? 0);
export const ends = (one: Batch): number => one.added + LIFE;
export const week = (one: Batch, now: number): number => Math.min(4, Math.floor((ends(one) - 1 - now) / (7 * DAY)) + 1);
export const order = (list: Batch[]): Batch[] => [...list].sort((a, b) => a.added - b.added);

export type Plan = { points: { t: number; left: number }[]; from: Map<string, number>; until: Map<string, number>; lapses: Map<string, number>; empty: number | null };

/** First in, first out, at an even pace. */
export function project(list: Batch[], perDay: number, now: number): Plan {
  const live = order(list).map((one) => ({ one, left: rest(one) }));
  const plan: Plan = { points: [], from: new Map(), until: new Map(), lapses: new Map(), empty: null };
  const total = () => live.reduce((sum, { left }) => sum + left, 0);
  plan.points.push({ t: now, left: total() });
  let t = now;
  for (const slot of live) {
    if (slot.left <= 0) continue;
    const dry = t + (slot.left / perDay) * DAY;
    const stop = Math.min(dry, ends(slot.one));
    if (stop > t) {
      plan.from.set(slot.one.id, t);
      plan.until.set(slot.one.id, stop);
    }
    const spent = Math.max(0, ((stop - t) / DAY) * perDay);
    slot.left = Math.max(0, slot.left - spent);
    t = Math.max(t, stop);
    plan.points.push({ t, left: total() });
    if (slot.left > 1 && dry > ends(slot.one)) {
      plan.lapses.set(slot.one.id, slot.left);
      slot.left = 0;
      plan.points.push({ t, left: total() });
    }
    slot.left = slot.left > 1 && dry > ends(slot.one) ? slot.left : 0;
  }
  const last = plan.points.at(-1);
  plan.empty = last !== undefined && last.left < 1 ? last.t : null;
  return plan;
}

/** The terrace of a list of batches. */
export function terraceOf(batches: Batch[], now = NOW, withPace = true, daily = 0): TerraceView {
  const list = order(batches);
  const total = list.reduce((sum, one) => sum + rest(one), 0);
  const steps = [1, 2, 2.5, 5, 10].flatMap((n) => [100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000].map((k) => n * k * 100)).sort((a, b) => a - b);
  const step = steps.find((one) => total / one <= 5) ?? 10_000_000;
  const top = Math.max(step, Math.ceil(total / step) * step);
  const plan = project(list, PER_DAY * 100, now);
  let above = total;
  const slabs = list.map((one, index) => {
    above -= rest(one);
    const lapse = withPace ? (plan.lapses.get(one.id) ?? 0) : 0;
    return {
      batch_id: one.ghost ? '' : one.id,
      order: index + 1,
      source: one.source,
      credits: text(rest(one)),
      expires: instant(ends(one)),
      bottom_bp: bp(above, top),
      height_bp: bp(rest(one), top),
      width_bp: bp(ends(one) - now, LIFE),
      lapse_bp: bp(lapse, top),
      lapse_credits: lapse > 0 ? guess(lapse) : null,
      week: week(one, now),
      ghost: one.ghost ?? false,
    };
  });
  const marks = [];
  for (let value = 0; value <= top; value += step) marks.push({ value: text(value), at_bp: bp(value, top) });
  return {
    slabs,
    y_marks: marks,
    x_marks: [0, 7, 14, 21, 30].map((days) => ({ value: instant(now + days * DAY), at_bp: bp(days, 30) })),
    pace: withPace && total > 0 ? plan.points.map(({ t, left }) => ({ x_bp: bp(t - now, LIFE), y_bp: bp(left, top) })) : [],
    what_if: [],
    daily_credits: daily > 0 ? text(daily) : null,
    moments: moments(list, plan, withPace, now, top, daily),
    empty_at: withPace && plan.empty !== null ? instant(plan.empty) : null,
    description: [
      `If unspent, ${text(total)} credits fall in steps as each of ${list.length} batches ends.`,
      ...(withPace && plan.empty !== null ? [`At your pace the balance is empty on ${new Date(plan.empty).toUTCString().slice(0, 11)}.`] : []),
    ],
  };
}

/** The balance at each day and each end. */
function moments(list: Batch[], plan: Plan, withPace: boolean, now: number, top: number, daily: number): MomentView[] {
  const days = Array.from({ length: 31 }, (_, day) => now + day * DAY);
  const stops = [...new Set([...days, ...list.map(ends).filter((end) => end - now <= LIFE)])].sort((a, b) => a - b);
  const midnights = (at: number) => Math.floor(at / DAY) - Math.floor(now / DAY);
  return stops.map((at) => {
    const known = list.filter((one) => ends(one) > at).reduce((sum, one) => sum + rest(one), 0);
    const after = plan.points.findIndex(({ t }) => t > at);
    const [one, two] = after < 0 ? [plan.points.at(-1), plan.points.at(-1)] : [plan.points[after - 1], plan.points[after]];
    const left = one === undefined || two === undefined || two.t === one.t ? (one?.left ?? 0) : one.left + ((two.left - one.left) * (at - one.t)) / (two.t - one.t);
    const since = plan.empty === null ? 0 : Math.max(0, at - plan.empty) / DAY;
    const added = midnights(at) * daily;
    return {
      at: instant(at),
      x_bp: bp(at - now, LIFE),
      whole_day: (at - now) % DAY === 0,
      ends: list.flatMap((one, index) => (ends(one) === at ? [index + 1] : [])),
      unspent_credits: text(known + added),
      pace_credits: withPace ? guess(left + Math.max(0, added - since * PER_DAY * 100)) : null,
      daily_credits: added > 0 ? text(added) : null,
      unspent_bp: bp(known, top),
      pace_bp: withPace ? bp(left, top) : 0,
    };
  });
}

export function batchView(one: Batch, index: number, plan: Plan, now: number, withPace: boolean): BatchView {
  const lapse = withPace ? plan.lapses.get(one.id) : undefined;
  return {
    batch_id: one.id,
    order: index + 1,
    source: one.source,
    note: one.note ?? null,
    added: instant(one.added),
    expires: instant(ends(one)),
    granted_credits: text(one.granted),
    left_credits: text(rest(one)),
    held_credits: one.held === undefined ? null : text(one.held),
    used_bp: bp(one.used, one.granted),
    held_bp: bp(one.held ?? 0, one.granted),
    lapse_bp: bp(lapse ?? 0, one.granted),
    ends_bp: bp(ends(one) - now, LIFE),
    drawn_from_bp: withPace ? bp((plan.from.get(one.id) ?? now) - now, LIFE) : 0,
    drawn_until_bp: withPace ? bp((plan.until.get(one.id) ?? now) - now, LIFE) : 0,
    lapse_credits: lapse === undefined ? null : guess(lapse),
    week: week(one, now),
  };
}

const run = (when: string, run_kind: string, model_name: string, meters: string[], rule: string, credits: number): UsageRowView => ({
  entry_id: `e-${when}-${model_name}`,
  sequence: '',
  at: `${when}Z`,
  kind: 'debit',
  run_kind,
  model_name,
  model_id: model_name.toLowerCase().replaceAll(' ', '-'),
  meters,
  rule,
  change_credits: `-${credits}`,
  charge: null,
});
const posted = (when: string, kind: string, change: string): UsageRowView => ({
  entry_id: `e-${when}-${kind}`, sequence: '', at: `${when}Z`, kind, run_kind: '', model_name: '', model_id: '', meters: [], rule: '', change_credits: change, charge: null,
});

export const USAGE: UsageRowView[] = [
  run('2026-11-20T12:58:07', 'video', 'Sora 2', ['video_seconds=4', 'resolution=720p', 'audio=on'], '0.11 USD per second, 720p with sound', 4400),
  run('2026-11-20T12:31:44', 'chat', 'Qwen 3 235B', ['input_tokens=182000', 'output_tokens=24120'], 'per 1M tokens', 453.9),
  run('2026-11-20T11:47:10', 'image', 'Generation', ['images=18'], 'per image', 1800),
  run('2026-11-20T10:20:32', 'chat', 'Venice Small', ['input_tokens=206000', 'output_tokens=82400'], 'per 1M tokens', 226.6),
  run('2026-11-20T09:52:01', 'image', 'Upscale 2x', ['images=3'], 'per image', 600),
  run('2026-11-20T09:05:55', 'audio', 'Kokoro TTS', ['characters=12480'], 'per 1M characters', 436.8),
  run('2026-11-20T08:41:19', 'search', 'Web Search, other models', ['calls=6'], 'per 1K calls', 874),
  run('2026-11-20T08:12:48', 'chat', 'Venice Small', ['input_tokens=500', 'output_tokens=200'], 'per 1M tokens', 0.55),
  posted('2026-11-20T00:00:00', 'batch_added', '1000'),
  run('2026-11-19T21:40:03', 'video', 'Veo 3 Fast', ['video_seconds=4', 'resolution=1080p', 'audio=on'], '0.11 USD per second, 1080p with sound', 4400),
  run('2026-11-19T19:15:20', 'chat', 'Qwen 3 235B', ['input_tokens=240000', 'output_tokens=31200'], 'per 1M tokens', 594),
  run('2026-11-19T15:30:00', 'embedding', 'BGE-M3', ['input_tokens=2400000'], 'per 1M tokens', 3600),
  run('2026-11-19T14:11:47', 'image', 'Generation', ['images=12'], 'per image', 1200),
  posted('2026-11-18T19:26:37', 'batch_added', '100000'),
  run('2026-11-18T10:11:10', 'image', 'Generation', ['images=14'], 'per image', 1400),
  posted('2026-11-13T08:12:40', 'expired', '-2519.8'),
];

/** What the account has beside its batches. */
type Beside = { held?: string; debt?: string; daily?: string };

/** What lapses within a week. */
function atRisk(list: Batch[], plan: Plan, now: number): AtRiskView | null {
  const parts = list.flatMap((one) => {
    const lapse = plan.lapses.get(one.id);
    return lapse === undefined || ends(one) - now > 7 * DAY ? [] : [{ at: instant(ends(one)), credits: guess(lapse) }];
  });
  const all = parts.reduce((sum, { credits }) => sum + Number(credits), 0);
  return parts.length === 0 ? null : { credits: String(all), usd: (all / 10_000).toFixed(4), days: 7, ends: parts };
}

/** When daily credits too are used up. */
function withDaily(empty: number | null, daily: number, now: number): string | null {
  let until = empty;
  // What every midnight adds may be more than a day's use: beyond a month nobody asks.
  for (let day = now; until !== null && day < until && day - now <= LIFE; day += DAY) until += (daily / (PER_DAY * 100)) * DAY;
  return until === null || until - now > LIFE ? null : instant(Math.round(until));
}

/** The daily credits between the account as known and later. */
function notCounted(daily: string | undefined, now: number): NotCountedView | null {
  const renewals = Math.floor(now / DAY) - Math.floor(NOW / DAY);
  return daily === undefined || renewals === 0 ? null : { renewals, credits: String(renewals * Number(daily)) };
}

/** The account, fresh or as last known. */
export function account(
  batches: Batch[] = BATCHES,
  { atMost = false, now = NOW, usage = USAGE, ended = ENDED as EndedBatch[], beside = { daily: '1000' } as Beside } = {},
): AccountView {
  const list = order(batches);
  const total = list.reduce((sum, one) => sum + rest(one), 0);
  const hasPace = usage.some((row) => row.kind === 'debit' && row.at < '2026-11-20');
  const withPace = hasPace && !atMost;
  const plan = project(list, PER_DAY * 100, now);
  const first = list[0];
  const lapse = first === undefined || !withPace ? undefined : plan.lapses.get(first.id);
  const busiest = Math.max(...HISTORY.map(([, credits]) => credits));
  const terrace = terraceOf(list, now, withPace, atMost ? 0 : Number(beside.daily ?? 0) * 100);
  const pace: PaceView | null = hasPace
    ? {
        credits_per_day: guess(PER_DAY * 100),
        days: HISTORY.length,
        empty_at: withDaily(plan.empty, atMost ? 0 : Number(beside.daily ?? 0) * 100, now),
        history: HISTORY.map(([date, credits]) => ({ date, credits: String(credits), height_bp: bp(credits, busiest) })),
      }
    : null;
  return {
    account_id: 'acc_7f3a',
    available_credits: text(total),
    available_usd: (total / 1_000_000).toFixed(6),
    held_credits: beside.held ?? null,
    debt_credits: beside.debt ?? null,
    allowance_credits_per_day: beside.daily ?? null,
    next_renewal: beside.daily === undefined ? null : instant((Math.floor(now / DAY) + 1) * DAY),
    not_counted: notCounted(beside.daily, now),
    at_most: atMost,
    known_at: instant(NOW),
    next_end:
      first === undefined
        ? null
        : {
            batch_id: first.id,
            source: first.source,
            added: instant(first.added),
            left_credits: text(rest(first)),
            expires: instant(ends(first)),
            used_at_pace_credits: withPace ? guess(rest(first) - (lapse ?? 0)) : null,
            lapse_credits: lapse === undefined ? null : guess(lapse),
            lapse_usd: lapse === undefined ? null : (lapse / 1_000_000).toFixed(4),
            used_at_pace_bp: bp(rest(first) - (lapse ?? 0), rest(first)),
          },
    at_risk: withPace ? atRisk(list, plan, now) : null,
    batches: list.map((one, index) => batchView(one, index, plan, now, withPace)),
    ended_count: ended.length,
    lapsed_credits: text(ended.reduce((sum, { lapsed }) => sum + lapsed, 0)),
    terrace,
    pace,
    usage,
  };
}
