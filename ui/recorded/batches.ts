/** Batches beyond the usual ones, and what the recorded backend answers about them. */
import type { Backend, Result } from '../src/backend/backend';
import type { AppErrorCode, WhatIfRequest, WhatIfView } from '../src/backend/bindings';
import type { Recording } from './calls';
import { batchView, bp, DAY, ENDED, guess, instant, LIFE, NOW, order, PER_DAY, project, rest, terraceOf, text, type Batch, type EndedBatch } from './model';

const PAGE = 100;
const SOURCES = ['eth_purchase', 'card_purchase', 'grant', 'daily_renewal'];

/** More than anybody has: 33 live ones and 10,000 that ended. */
export const MANY: Batch[] = Array.from({ length: 33 }, (_, index) => {
  const source = index % 3 === 0 ? 'daily_renewal' : (SOURCES[index % 2] ?? 'grant');
  const granted = source === 'daily_renewal' ? 100_000 : 1_234_567 + index * 654_321;
  return {
    id: `m${index}`, source, granted, used: index === 0 ? 40_000 : 0, added: NOW - LIFE + 3_600_000 + index * 78_000_000,
    ...(index === 1 ? { held: 220_000, note: 'A note that somebody wrote at length, to see where it ends' } : {}),
  };
});

export const MANY_ENDED: EndedBatch[] = Array.from({ length: 10_000 }, (_, index) => {
  const granted = 100_000 + (index % 97) * 31_337;
  return { id: `x${index}`, source: SOURCES[index % 4] ?? 'grant', added: NOW - LIFE - (index + 1) * 21_600_000, granted, used: granted - (index % 5) * 1_250, lapsed: (index % 5) * 1_250 };
});

/** Three that end within a week and are not used in time, and a run that is on. */
export const RISKY: Batch[] = [
  { id: 'r1', source: 'eth_purchase', added: NOW - LIFE + 9 * 3_600_000, granted: 5_000_000, used: 1_200_000, held: 440_000 },
  { id: 'r2', source: 'card_purchase', added: NOW - LIFE + 3 * DAY, granted: 8_000_000, used: 0 },
  { id: 'r3', source: 'grant', added: NOW - LIFE + 6 * DAY, granted: 9_000_000, used: 0 },
  { id: 'r4', source: 'eth_purchase', added: NOW - 4 * DAY, granted: 10_000_000, used: 0 },
];

const amount = (text: string): number | null => (/^[\d,]+(\.\d{1,9})?$/.test(text.trim()) ? Number(text.replaceAll(',', '')) * 100 : null);

/** Credits a day, in hundredths. */
function tried(request: WhatIfRequest): number | null {
  if (request.kind === 'fixed') return amount(request.credits_per_day);
  const run = amount(request.credits_per_run);
  return run === null || request.runs_per_day > 10_000 ? null : run * request.runs_per_day + (request.on_top ? PER_DAY * 100 : 0);
}

function whatIf(batches: Batch[], request: WhatIfRequest): Result<WhatIfView> {
  const perDay = tried(request);
  if (perDay === null) return { status: 'error', error: { code: 'amount_invalid' satisfies AppErrorCode, params: {} } };
  const list = order(batches);
  const [plan, usual] = [project(list, Math.max(perDay, 1e-9), NOW), project(list, PER_DAY * 100, NOW)];
  const lapsing = (of: typeof plan) => [...of.lapses.values()].reduce((sum, one) => sum + one, 0);
  const terrace = terraceOf(list);
  const top = Math.max(1, rest(list[0] ?? { id: '', source: '', added: 0, granted: 1, used: 0 }) / Math.max(1, terrace.slabs[0]?.height_bp ?? 1)) * 10_000;
  const saved = lapsing(usual) - lapsing(plan);
  const lost = lapsing(plan);
  return {
    status: 'ok',
    data: {
      credits_per_day: request.kind === 'runs' && request.on_top ? guess(perDay) : text(perDay),
      batches: list.map((one) => {
        const lapse = plan.lapses.get(one.id);
        return {
          batch_id: one.id,
          drawn_from_bp: perDay > 0 ? bp((plan.from.get(one.id) ?? NOW) - NOW, LIFE) : 0,
          drawn_until_bp: perDay > 0 ? bp((plan.until.get(one.id) ?? NOW) - NOW, LIFE) : 0,
          lapse_credits: lapse === undefined ? null : guess(lapse),
          lapse_bp: bp(lapse ?? 0, one.granted),
        };
      }),
      used_in_time: list.length - plan.lapses.size,
      lapse_credits: lost > 0 ? guess(lost) : null,
      lapse_usd: lost > 0 ? (lost / 1_000_000).toFixed(4) : null,
      saved_credits: saved > 500 ? guess(saved) : null,
      empty_at: plan.empty === null ? null : instant(plan.empty),
      terrace: {
        ...terrace,
        slabs: terrace.slabs.map((slab) => {
          const lapse = plan.lapses.get(slab.batch_id);
          return { ...slab, lapse_bp: bp(lapse ?? 0, top), lapse_credits: lapse === undefined ? null : guess(lapse) };
        }),
        what_if: plan.points.map(({ t, left }) => ({ x_bp: bp(t - NOW, LIFE), y_bp: bp(left, top) })),
      },
    },
  };
}

type Calls = Pick<Backend, 'endedBatches' | 'whatIf' | 'saveBatchesCsv' | 'saveCalendar'>;

export function batchCalls(on: Recording): Calls {
  const ended = on.scenario === 'many-batches' ? MANY_ENDED : ENDED;
  const none = project([], 1, NOW);
  const signedOut: Result<never> = { status: 'error', error: { code: 'not_signed_in', params: {} } };
  const saved = (name: string) => Promise.resolve({ status: 'ok' as const, data: { path: `/home/ada/Downloads/${name}` } });
  return {
    endedBatches: (from) => {
      const page = ended.slice(from, from + PAGE).map((one) => ({ ...batchView(one, -1, none, NOW, false), left_credits: text(one.lapsed), ends_bp: 0, drawn_from_bp: 0, drawn_until_bp: 0 }));
      return Promise.resolve({ status: 'ok', data: { batches: page, next: from + PAGE < ended.length ? from + PAGE : null } });
    },
    whatIf: (request) => Promise.resolve(on.batches === null ? signedOut : whatIf(on.batches, request)),
    saveBatchesCsv: () => saved('aispace-batches-2026-11-20.csv'),
    saveCalendar: () => saved('aispace-batch-ends-2026-11-20.ics'),
  };
}
