/** What became of a typed count: the digits alone, or why it is refused. */
export type Count = { ok: true; value: string } | { ok: false; why: 'empty' | 'whole' | 'range' };

/** The range of a count, as the app has it. */
export interface CountRange {
  least: number;
  most: number;
}

/** Most of any count in one run. */
export const COUNT_MOST = 1_000_000_000;
/** Most runs in one estimate. */
export const RUNS_MOST = 10_000;

const PLAIN = /^\d+$/;
const GROUPED = /^\d{1,3}(?:([,'’_ \u00a0\u2009\u202f])\d{3})(?:\1\d{3})*$/u;

/** Reads a whole number as a person types it. Thousands may be set apart; `1,5` and `1.5` are no whole numbers. */
export function readCount(typed: string, { least, most }: CountRange): Count {
  const text = typed.trim();
  if (text === '') return { ok: false, why: 'empty' };
  if (!PLAIN.test(text) && !GROUPED.test(text)) return { ok: false, why: 'whole' };
  const value = text.replace(/\D/gu, '').replace(/^0+(?=\d)/u, '');
  const count = BigInt(value);
  if (count < BigInt(least) || count > BigInt(most)) return { ok: false, why: 'range' };
  return { ok: true, value };
}

/** The count one step up or down, held within its range; what cannot be read starts at the least. */
export function stepCount(typed: string, by: 1 | -1, range: CountRange): string {
  const wide = readCount(typed, { least: 0, most: Number.MAX_SAFE_INTEGER });
  const next = wide.ok ? BigInt(wide.value) + BigInt(by) : BigInt(range.least);
  if (next < BigInt(range.least)) return range.least.toString();
  if (next > BigInt(range.most)) return range.most.toString();
  return next.toString();
}
