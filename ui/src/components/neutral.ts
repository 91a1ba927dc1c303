/** Pictures while amounts are hidden: when a batch ends may be seen, how much it is may not. */
import type { DrawView, PointView, SlabView, TerraceView } from '../backend';
import { isZero } from '../format';

const NOTHING: PointView[] = [];

/** Slabs of one height, nothing at risk. */
export function evenSlabs(slabs: SlabView[]): SlabView[] {
  const height_bp = Math.floor(10_000 / Math.max(1, slabs.length));
  const fromBelow = [...slabs].sort((a, b) => a.bottom_bp - b.bottom_bp);
  return slabs.map((slab) => ({ ...slab, height_bp, bottom_bp: fromBelow.indexOf(slab) * height_bp, lapse_bp: 0, lapse_credits: null }));
}

/** The terrace with its ends alone: no scale, no pace. */
export function evenTerrace(terrace: TerraceView): TerraceView {
  const moments = terrace.moments.map((moment) => ({ ...moment, pace_credits: null, daily_credits: null, unspent_bp: 0, pace_bp: 0 }));
  return { ...terrace, slabs: evenSlabs(terrace.slabs), y_marks: [], pace: NOTHING, what_if: NOTHING, moments, empty_at: null };
}

/** Columns of one height. */
export const evenHeights = (heights_bp: number[]): number[] => heights_bp.map(() => 5000);

/** One bar in the place of its parts. */
export const onePart = [{ class: 'bar__neutral', share_bp: 10_000 }];

/** A run's draw as which batches it takes from, not how much. */
export function evenDraw(draw: DrawView): DrawView {
  return { ...draw, rows: draw.rows.map((row) => ({ ...row, left_credits: '2', takes_credits: isZero(row.takes_credits) ? '0' : '1' })) };
}
