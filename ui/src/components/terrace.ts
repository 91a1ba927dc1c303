import type { PointView, SlabView } from '../backend';
import { fromTop, length, percent, round } from './geometry';

/** Where a slab's words stand, in pixels from the top. */
export type SlabLabel = {
  where: 'in' | 'out';
  y: number;
  riskY: number | null;
  sourceY: number | null;
  /** Whether a narrow picture has room for the day as well. */
  dated: boolean;
};

/** A slab in pixels. */
export type LaidSlab = {
  slab: SlabView;
  key: string;
  y: number;
  tall: number;
  lapseY: number;
  lapseTall: number;
  pin: number;
  label: SlabLabel | null;
};

/** A tick for each of the days of a batch's life. */
export const RULER = Array.from({ length: 31 }, (_, day) => day);

/** What words keep above the line that the next slab begins with. */
const RISE = 7;
/** Two lines of words closer than this would touch. */
const LINE = 14;
/** A slab that ends beyond this has no room for words beside it. */
const WIDE_BP = 7200;
const WIDE_COMPACT_BP = 6200;
/** Beyond this a narrow picture has room for the amount, not for the day. */
const DATED_BP = 6500;
const DATED_COMPACT_BP = 5000;

/** Stacks the slabs and finds room for their words: the largest first, none that would touch another. */
export function layTerrace(slabs: SlabView[], height: number, compact: boolean): LaidSlab[] {
  const laid = slabs.map((slab): LaidSlab => {
    const full = length(slab.height_bp, height);
    const gap = full > 6 ? 2 : full > 2 ? 1 : 0.4;
    const y = fromTop(slab.bottom_bp + slab.height_bp, height);
    const tall = Math.max(1, round(full - gap));
    const lapseTall = slab.lapse_bp > 0 ? Math.min(tall, Math.max(3, round(length(slab.lapse_bp, height) - gap))) : 0;
    const pin = slab.source === 'daily_renewal' ? 2.5 : 4.5;
    return { slab, key: slab.batch_id || 'ghost', y, tall, lapseTall, lapseY: round(y + tall - lapseTall), pin, label: null };
  });
  const taken: { y: number; from_bp: number }[] = [];
  const free = (y: number, from_bp: number) => taken.every((other) => Math.abs(other.y - y) >= LINE || Math.abs(other.from_bp - from_bp) > 4500);
  for (const one of [...laid].sort((a, b) => b.slab.height_bp - a.slab.height_bp)) {
    const label = place(one, compact);
    if (label === null) continue;
    const from = label.where === 'in' ? 0 : one.slab.width_bp;
    if (!free(label.y, from)) continue;
    if (label.riskY !== null && (!free(label.riskY, from) || Math.abs(label.riskY - label.y) < LINE - 1)) label.riskY = null;
    one.label = label;
    taken.push({ y: label.y, from_bp: from });
    if (label.riskY !== null) taken.push({ y: label.riskY, from_bp: from });
  }
  return laid;
}

function place({ slab, y, tall, lapseY, lapseTall }: LaidSlab, compact: boolean): SlabLabel | null {
  // What is drawn as high as the least that can be seen is not there to be named.
  if (tall <= 1 || (slab.source === 'daily_renewal' && tall < LINE)) return null;
  if (compact && lapseTall === 0 && !slab.ghost) return null;
  const risk = lapseTall > 0;
  if (slab.width_bp >= (compact ? WIDE_COMPACT_BP : WIDE_BP)) {
    if (tall < LINE) return null;
    const kept = tall - lapseTall;
    const inRisk = risk && lapseTall >= LINE && kept >= LINE;
    return { where: 'in', y: round(inRisk ? y + kept / 2 + 4 : y + tall / 2 + 4), riskY: inRisk ? round(lapseY + lapseTall / 2 + 4) : null, sourceY: null, dated: true };
  }
  const named = !compact && slab.width_bp > 2000 && tall - lapseTall >= 20;
  return {
    where: 'out',
    // Beside a low slab they stand on it: the pace line runs along the next one's top.
    y: round(tall < LINE ? y + tall - 4 : risk ? y + 12 : y + tall / 2 + 4),
    // On a low slab the second line would lie over the next one; narrow panels say the lapse below the picture.
    riskY: risk && tall >= (compact ? 2 * LINE : LINE + 12) ? round(Math.max(y + 12 + LINE, y + tall - RISE)) : null,
    sourceY: named ? round(risk ? y + 16 : y + tall / 2 + 4) : null,
    dated: slab.width_bp <= (compact ? DATED_COMPACT_BP : DATED_BP),
  };
}

/** A piece of the pace line; a drop is what lapses at one instant. */
export type Segment = { x1: string; y1: number; x2: string; y2: number; drop: boolean };

/** The pace line piece by piece, so that it stretches with the picture. */
export function segments(points: PointView[], height: number): Segment[] {
  return points.slice(1).map((to, index) => {
    const from = points[index] ?? to;
    return {
      x1: percent(from.x_bp),
      y1: fromTop(from.y_bp, height),
      x2: percent(to.x_bp),
      y2: fromTop(to.y_bp, height),
      drop: from.x_bp === to.x_bp && from.y_bp > to.y_bp,
    };
  });
}

/** Between which heights above the base the words beside the pace line stand. */
const PACE_LABEL = { low: 20, high: 52 };
/** What they take along the ruler, at most. */
const PACE_WORDS_BP = 2300;

/** Where “empty Wed 16 Dec” stands beside the line: right of it, or left near the edge; nowhere if on a dark slab or on amber. */
export function paceLabelPlace(points: PointView[], laid: LaidSlab[], height: number): { x: string; dx: number; anchor: 'start' | 'end' } | null {
  const right = xAt(points, 2400 / height);
  const left = xAt(points, 5600 / height);
  if (right === null || left === null || right < 2500) return null;
  const under = laid.filter(({ y, tall }) => y <= height - PACE_LABEL.low && y + tall >= height - PACE_LABEL.high);
  const isOnDark = (x_bp: number) => under.some(({ slab, lapseTall }) => x_bp < slab.width_bp && (slab.week < 3 || lapseTall > 0));
  if (isOnDark(right)) return null;
  if (right <= 8300) return { x: percent(right), dx: 14, anchor: 'start' };
  // The slab's own words begin at its left.
  const words = under.some(({ label }) => label?.where === 'in') ? PACE_WORDS_BP : 0;
  if (left < 4500 + words || isOnDark(left - PACE_WORDS_BP)) return null;
  return { x: percent(left), dx: -14, anchor: 'end' };
}

/** Where the line last crosses a height, given in per cent of the picture. */
function xAt(points: PointView[], heightPercent: number): number | null {
  const level = heightPercent * 100;
  for (let index = points.length - 1; index > 0; index -= 1) {
    const from = points[index - 1];
    const to = points[index];
    if (!from || !to || from.y_bp < level || to.y_bp > level) continue;
    const fall = from.y_bp - to.y_bp;
    if (fall === 0) return to.x_bp;
    return Math.round(from.x_bp + ((to.x_bp - from.x_bp) * (from.y_bp - level)) / fall);
  }
  return null;
}
