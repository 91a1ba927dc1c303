/** Which lines of a long list are drawn: every line is as high as any other, so that a place follows from a number. */

/** Pixels of a line; `usage.css` has the same. */
export const LINE = 48;
/** Lines above and below what shows, so that a fast hand meets no gap. */
export const SPARE = 12;
/** The first line moves by so many at a time: most frames of a scroll change nothing. */
const STEP = 6;
/** A page cannot be higher than some 33 million pixels. */
export const LINES_MAX = 500_000;

export type Shown = { first: number; last: number };

/**
 * The lines to draw, the last one not among them. `above` is what of the list is scrolled out of view, in pixels; less than nothing where
 * the list begins further down. `spare` is how many more are drawn on either side.
 */
export function shownLines(above: number, height: number, count: number, spare = SPARE): Shown {
  const [top, bottom] = [Math.max(0, above), Math.max(0, above + height)];
  const first = Math.max(0, Math.floor((Math.floor(top / LINE) - spare) / STEP) * STEP);
  const last = Math.min(count, Math.ceil((Math.ceil(bottom / LINE) + spare + STEP) / STEP) * STEP);
  return { first: Math.min(first, last), last };
}

/** Where the list has to be scrolled to for a line to be seen whole; none when it is. */
export function scrolledTo(index: number, above: number, height: number): number | null {
  const top = index * LINE;
  if (top < above) return top;
  if (top + LINE > above + height) return top + LINE - height;
  return null;
}

/** Where a key leads from a line. */
export function lineAfter(key: string, at: number, count: number, page: number): number | null {
  const last = count - 1;
  switch (key) {
    case 'ArrowDown':
      return Math.min(last, at + 1);
    case 'ArrowUp':
      return Math.max(0, at - 1);
    case 'PageDown':
      return Math.min(last, at + page);
    case 'PageUp':
      return Math.max(0, at - page);
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return null;
  }
}
