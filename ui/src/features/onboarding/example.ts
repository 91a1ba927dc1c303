import type { SlabView, TerraceView } from '../../backend';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const LIFE_DAYS = 30;
const TOP_CREDITS = 240_000;

const bp = (part: number, whole: number): number => Math.round((part / whole) * 10_000);

/** The example's batches: made up, and marked as such where they are shown. */
const BATCHES = [
  { source: 'eth_purchase', credits: 44_310, days: 3.34, week: 1, lapse: 14_350 },
  { source: 'card_purchase', credits: 30_000, days: 8.86, week: 2, lapse: 0 },
  { source: 'eth_purchase', credits: 60_000, days: 17.1, week: 3, lapse: 0 },
  { source: 'eth_purchase', credits: 92_000, days: 28.3, week: 4, lapse: 0 },
];

/** A terrace to explain with. It hangs on today only for the dates of its ruler. */
export function exampleTerrace(now: number, description: string[]): TerraceView {
  const at = (days: number): string => new Date(now + days * DAY_MS).toISOString();
  const total = BATCHES.reduce((sum, batch) => sum + batch.credits, 0);
  let bottom = total;
  const slabs = BATCHES.map((batch, index): SlabView => {
    bottom -= batch.credits;
    return {
      batch_id: `example-${index + 1}`,
      order: index + 1,
      source: batch.source,
      credits: batch.credits.toString(),
      expires: at(batch.days),
      bottom_bp: bp(bottom, TOP_CREDITS),
      height_bp: bp(batch.credits, TOP_CREDITS),
      width_bp: bp(batch.days, LIFE_DAYS),
      lapse_bp: bp(batch.lapse, TOP_CREDITS),
      lapse_credits: batch.lapse > 0 ? batch.lapse.toString() : null,
      week: batch.week,
      ghost: false,
    };
  });
  const first = BATCHES[0]?.days ?? 0;
  const lapse = BATCHES[0]?.lapse ?? 0;
  const perDay = ((BATCHES[0]?.credits ?? 0) - lapse) / first;
  const atEnd = total - perDay * first;
  const emptyDays = first + (atEnd - lapse) / perDay;
  return {
    slabs,
    y_marks: [0, TOP_CREDITS].map((value) => ({ value: value.toString(), at_bp: bp(value, TOP_CREDITS) })),
    x_marks: [0, 7, 14, 21, 30].map((days) => ({ value: at(days), at_bp: bp(days, LIFE_DAYS) })),
    pace: [
      { x_bp: 0, y_bp: bp(total, TOP_CREDITS) },
      { x_bp: bp(first, LIFE_DAYS), y_bp: bp(atEnd, TOP_CREDITS) },
      { x_bp: bp(first, LIFE_DAYS), y_bp: bp(atEnd - lapse, TOP_CREDITS) },
      { x_bp: bp(emptyDays, LIFE_DAYS), y_bp: 0 },
    ],
    what_if: [],
    daily_credits: null,
    moments: [],
    empty_at: new Date(now + emptyDays * DAY_MS - HOUR_MS).toISOString(),
    description,
  };
}
