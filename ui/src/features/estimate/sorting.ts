import type { ComparedView } from '../../backend/bindings';

/** What a comparison may be sorted by. */
export type Column = 'name' | 'cost' | 'fits';

const whole = (text: string | null): bigint => BigInt(text ?? '0');

/** The rows by a column; of the same value as Rust ranked them. */
export function sorted(rows: ComparedView[], by: Column, isDown: boolean): ComparedView[] {
  const least = (a: ComparedView, b: ComparedView): number => {
    switch (by) {
      case 'name':
        return a.name.localeCompare(b.name);
      case 'cost':
        return a.cost_rank - b.cost_rank;
      case 'fits':
        return whole(a.fits) < whole(b.fits) ? -1 : whole(a.fits) > whole(b.fits) ? 1 : 0;
    }
  };
  return [...rows].sort((a, b) => (isDown ? least(b, a) : least(a, b)));
}
