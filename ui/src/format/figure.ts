/** A figure as text, in a given language; nothing here follows what a person sets later, so that it can be drawn before anything else. */
import { kept } from './kept';

export const MINUS = '\u2212';

/** Stands for any amount: one width, so that nothing tells how long it is. */
export const MASK = '•••••';

export const AT_LEAST_TWO: Intl.NumberFormatOptions = { minimumFractionDigits: 2, maximumFractionDigits: 20 };
export const FLOOR = { maximumFractionDigits: 0, roundingMode: 'floor' } as Intl.NumberFormatOptions;

const formatter = kept((formats, options: Intl.NumberFormatOptions) => new Intl.NumberFormat(formats, options));

/** A decimal string by the conventions of `formats`, digit by digit. */
export function figure(formats: string, value: string, options: Intl.NumberFormatOptions): string {
  // A string is formatted digit by digit; the type has yet to learn it.
  return formatter(formats, options).format(value as never).replace('-', MINUS);
}

/** The mark between whole numbers and decimals. */
export const decimalMarkOf = (formats: string): string => figure(formats, '0.5', { minimumFractionDigits: 1 }).replace(/[05]/g, '');

/** Before its decimal mark, and from there on: the second is dimmed. */
export function partsOf(text: string, mark: string): { whole: string; fraction: string } {
  const point = text.lastIndexOf(mark);
  return point < 0 ? { whole: text, fraction: '' } : { whole: text.slice(0, point), fraction: text.slice(point) };
}

/** Classes of a balance: more digits take smaller type, never the place of what is beside them. */
export const balanceClasses = (digits: number): (string | false)[] => ['balance', digits > 10 && 'balance--long', digits > 14 && 'balance--longest'];
