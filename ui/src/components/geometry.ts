/** Places arrive in basis points; SVG takes per cent along x and pixels along y. */

/** `8325` basis points are `83.25%`. */
export function percent(basisPoints: number): string {
  return `${basisPoints / 100}%`;
}

/** Pixels from the top for a height above the bottom. */
export function fromTop(basisPoints: number, height: number): number {
  return round(height - (basisPoints * height) / 10_000);
}

/** Pixels of a length. */
export function length(basisPoints: number, height: number): number {
  return round((basisPoints * height) / 10_000);
}

/** Hundredths of a pixel are enough. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
