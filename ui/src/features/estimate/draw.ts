import type { DrawView } from '../../backend/bindings';
import { credits, nano, shareBp } from './decimal';

/** A slab of the picture: what a run bites off the top, and what is left below. Lengths in px, widths in per cent of the picture. */
export interface DrawSlab {
  key: string;
  order: number;
  week: number;
  top: number;
  width: number;
  bite: number;
  rest: number;
  stays: string;
  flowTop: number;
}

/** The whole picture. */
export interface DrawPicture {
  slabs: DrawSlab[];
  more: number;
  base: number;
  runTop: number;
  runHeight: number;
  scaleWidth: number;
  runLeft: number;
}

const LIFE_MS = 30 * 86_400_000;
const SLAB_LEAST = 16;
const BITE_LEAST = 6;
const GAP = 3;
const TOP = 6;
const RUN_LEAST = 52;

interface Piece {
  key: string;
  order: number;
  week: number;
  ends: number;
  left: bigint;
  takes: bigint;
}

/** Lays the picture out: the first batches one by one, the others as one slab, each with its bite and its ribbon into the run. */
export function layDraw(draw: DrawView, nowMs: number, shown = 4, height = 132): DrawPicture {
  const scaleWidth = 36;
  const runLeft = 64;
  const pieces = gather(draw, nowMs, shown);
  const all = pieces.reduce((sum, piece) => sum + piece.left, 0n);
  let top = TOP;
  const slabs: DrawSlab[] = pieces.map((piece) => {
    const tall = Math.max(SLAB_LEAST, (shareBp(piece.left, all) / 10_000) * height);
    const share = shareBp(piece.takes, piece.left) / 10_000;
    const bite = piece.takes > 0n ? Math.min(tall, Math.max(BITE_LEAST, share * tall)) : 0;
    const whole = piece.takes >= piece.left;
    const slab: DrawSlab = {
      key: piece.key,
      order: piece.order,
      week: piece.week,
      top,
      width: Math.max(0.6, piece.ends * scaleWidth),
      bite,
      rest: whole ? 0 : Math.max(2, tall - bite - (bite > 0 ? 1.5 : 0)),
      stays: credits(piece.left - piece.takes),
      flowTop: 0,
    };
    top += tall + GAP;
    return slab;
  });
  const thick = slabs.reduce((sum, slab) => sum + (slab.bite > 0 ? slab.bite + 1 : 0), 0);
  const runHeight = Math.max(RUN_LEAST, thick + 12);
  const runTop = 2;
  let into = runTop + (runHeight - thick) / 2;
  for (const slab of slabs) {
    slab.flowTop = into;
    if (slab.bite > 0) into += slab.bite + 1;
  }
  const more = Math.max(0, draw.rows.length - shown);
  return { slabs, more, base: Math.max(top, runTop + runHeight + 56), runTop, runHeight, scaleWidth, runLeft };
}

function gather(draw: DrawView, nowMs: number, shown: number): Piece[] {
  const pieces = draw.rows.map((row) => ({
    key: row.batch_id,
    order: row.order,
    week: row.week,
    ends: Math.min(1, Math.max(0, (Date.parse(row.expires) - nowMs) / LIFE_MS)),
    left: nano(row.left_credits),
    takes: nano(row.takes_credits),
  }));
  const first = pieces.slice(0, shown);
  const others = pieces.slice(shown);
  if (others.length === 0) return first;
  const last = others.reduce((a, b) => (b.ends > a.ends ? b : a));
  return [
    ...first,
    {
      key: 'others',
      order: 0,
      week: last.week,
      ends: last.ends,
      left: others.reduce((sum, piece) => sum + piece.left, 0n),
      takes: others.reduce((sum, piece) => sum + piece.takes, 0n),
    },
  ];
}

/** The ribbon from a bite to the run, in a viewBox 1000 units wide. */
export function ribbon(slab: DrawSlab, runLeft: number): string {
  const from = slab.width * 10;
  const to = runLeft * 10;
  const middle = (from + to) / 2;
  const [a, b, c, d] = [slab.top, slab.top + slab.bite, slab.flowTop, slab.flowTop + slab.bite];
  return `M${from} ${a} C${middle} ${a} ${middle} ${c} ${to} ${c} L${to} ${d} C${middle} ${d} ${middle} ${b} ${from} ${b} Z`;
}
