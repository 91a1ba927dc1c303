/** Money and counts arrive as decimal strings and leave as text; nothing here passes through a binary float. */
import { formats } from '../i18n';
import { AT_LEAST_TWO, decimalMarkOf, figure, FLOOR, MASK, MINUS, partsOf } from './figure';
import { privacy } from './privacy.svelte';

export { MINUS };

const format = (value: string, options: Intl.NumberFormatOptions): string => figure(formats(), value, options);

/** An amount of money or credits: the only way one becomes text, so that all of them hide at once. */
function amount(value: string, options: Intl.NumberFormatOptions): string {
  return privacy.hidden ? MASK : format(value, options);
}

const DOLLARS: Intl.NumberFormatOptions = { style: 'currency', currency: 'USD', currencyDisplay: 'narrowSymbol' };
const EIGHT: Intl.NumberFormatOptions = { minimumFractionDigits: 8, maximumFractionDigits: 8 };

/** Credits in a column: exact, at least two decimals. `0.55`, `0.0005`, `4,400.00`. */
export function credits(value: string): string {
  return amount(value, AT_LEAST_TWO);
}

/** Credits in a sentence: exact, no decimals when there are none. `4,400`, `0.55`. */
export function creditsShort(value: string): string {
  return amount(value, isWhole(value) ? { maximumFractionDigits: 0 } : AT_LEAST_TWO);
}

/** Credits as a ceiling: rounded down to whole ones. */
export function creditsFloor(value: string): string {
  return amount(value, FLOOR);
}

/** Credits in two parts, the second to be dimmed: `248,310` and `.45`. */
export function creditsParts(value: string): { whole: string; fraction: string } {
  return privacy.hidden ? { whole: MASK, fraction: '' } : partsOf(credits(value), decimalMark());
}

/** A change of the balance: `+1,000.00`, `−453.90`. */
export function creditsChange(value: string): string {
  return amount(value, { ...AT_LEAST_TWO, signDisplay: 'exceptZero' });
}

/** Credits on an axis, short where nothing is lost: `0`, `500`, `50k`, `2.5k`, `1M`, `2.5B`; `25万` where that is how one counts. */
export function creditsAxis(value: string): string {
  const [digits = '0', fraction = ''] = value.split('.');
  const [steps, words] = counted();
  const step = steps.findIndex((zeros) => new RegExp(`^[1-9]\\d*0{${zeros - 1}}$`).test(digits) && digits.length > zeros);
  const zeros = steps[step];
  if (zeros === undefined || /[1-9]/.test(fraction)) return creditsShort(value);
  const tenth = digits.slice(-zeros, digits.length - zeros + 1);
  return `${amount(`${digits.slice(0, -zeros)}.${tenth}`, { maximumFractionDigits: 1 })}${privacy.hidden ? '' : words[step]}`;
}

/** Credits where there is little room: from so many digits on in steps of a thousand, to the nearest tenth. `987,650`, `12.3M`, `1.2B`. */
export function creditsCompact(value: string, from = 8): string {
  const digits = value.split('.')[0] ?? '0';
  if (digits.length < from) return creditsShort(value);
  const [steps, words] = counted();
  const step = steps.findIndex((zeros) => digits.length > zeros);
  const zeros = steps[step];
  if (zeros === undefined) return creditsShort(value);
  return `${amount(`${digits.slice(0, -zeros)}.${digits.slice(-zeros)}`, { maximumFractionDigits: 1 })}${privacy.hidden ? '' : words[step]}`;
}

const counted = (): [number[], string[]] => (formats() === 'zh-CN' ? COUNTED_BY_FOUR : COUNTED_BY_THREE);
const COUNTED_BY_THREE: [number[], string[]] = [[9, 6, 3], ['B', 'M', 'k']];
const COUNTED_BY_FOUR: [number[], string[]] = [[8, 4], ['亿', '万']];

/** Dollars: cents; below one cent four digits. `$24.83`, `$0.0025`. */
export function usd(value: string): string {
  const small = /^-?0*\.?0*$/.test(value) ? false : /^-?0*(\.00\d*)$/.test(value);
  const digits = small ? 4 : 2;
  return amount(value, { ...DOLLARS, minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Dollars where nothing may be rounded: at least cents, and every digit there is. `$25.00`, `$0.030182`. */
export function usdExact(value: string): string {
  return amount(value, { ...DOLLARS, ...AT_LEAST_TWO });
}

/** Ether where nothing is signed: eight decimals. `0.00486219`. */
export function ethShort(value: string): string {
  return amount(value, EIGHT);
}

/** Ether that is needed or missing: eight decimals, rounded up, so that what is short is never nothing. */
export function ethAtLeast(value: string): string {
  return amount(value, { ...EIGHT, roundingMode: 'ceil' } as Intl.NumberFormatOptions);
}

/** Ether that is there: eight decimals, rounded down. */
export function ethAtMost(value: string): string {
  return amount(value, { ...EIGHT, roundingMode: 'floor' } as Intl.NumberFormatOptions);
}

/** An amount whose unit stands beside it: every digit there is. `0.013252668756170774`. */
export function amountExact(value: string): string {
  return amount(value, { maximumFractionDigits: 20 });
}

/** The mark between whole numbers and decimals. */
export const decimalMark = (): string => decimalMarkOf(formats());

/** The mark between groups of digits. */
export function groupMark(): string {
  return format('11111', {}).replace(/1/g, '');
}

/** Ether where a person signs: all eighteen decimals, in groups of three. */
export function ethGroups(value: string): { whole: string; mark: string; groups: string[] } {
  if (privacy.hidden) return { whole: MASK, mark: '', groups: [] };
  const [integer = '0', fraction = ''] = value.split('.');
  const padded = fraction.padEnd(18, '0');
  return { whole: count(integer), mark: decimalMark(), groups: padded.match(/.{1,3}/g) ?? [] };
}

/** A whole number with its groups: `182,000`. */
export function count(value: string | number): string {
  return format(String(value), { maximumFractionDigits: 0 });
}

/** A share in basis points as a per cent: `6400` is `64 %`. */
export function percentOfBasisPoints(value: number): string {
  return `${format(String(Math.round(value / 100)), { maximumFractionDigits: 0 })}\u00a0%`;
}

/** A number that is no amount, exact, with its groups and a proper minus. */
export function decimal(value: string): string {
  return format(value, { maximumFractionDigits: 20 });
}

/** Signed and exact: `+0.026`, `−0.01`. */
export function signed(value: string): string {
  return format(value, { maximumFractionDigits: 20, signDisplay: 'exceptZero' });
}

/** Signed per cent with three decimals: `+0.026`, `−0.020`. */
export function signedPercent(value: string): string {
  return format(value, { minimumFractionDigits: 3, maximumFractionDigits: 3, signDisplay: 'exceptZero' });
}

/** The groups of four that an address, hash or tag is shown in; the first one carries the `0x`. */
export function fours(hex: string): string[] {
  const digits = hex.replace(/^0x/, '');
  const groups = digits.match(/.{1,4}/g) ?? [];
  const [first = '', ...rest] = groups;
  return [hex.startsWith('0x') ? `0x${first}` : first, ...rest];
}

/** The first and last four digits of an address or hash, to compare by eye: `0x5290 … 9EE7`. */
export function ends(hex: string): string {
  const digits = hex.replace(/^0x/u, '');
  if (digits.length <= 12) return hex;
  return `${hex.startsWith('0x') ? '0x' : ''}${digits.slice(0, 4)}\u00a0…\u00a0${digits.slice(-4)}`;
}

/** Without the zeros at the end that say nothing: `0.0082829200` is `0.00828292`. */
export function trimmed(value: string): string {
  return value.includes('.') ? value.replace(/\.?0+$/u, '') : value;
}

export function isWhole(value: string): boolean {
  return /^-?\d+(\.0*)?$/.test(value);
}

export function isZero(value: string): boolean {
  return /^-?0*(\.0*)?$/.test(value);
}

export function isNegative(value: string): boolean {
  return value.startsWith('-') && !isZero(value);
}

const SCALE = 18;

function scaled(value: string): bigint {
  const negative = value.startsWith('-');
  const [integer = '0', fraction = ''] = value.replace(/^[-+]/, '').split('.');
  const units = BigInt((integer || '0') + fraction.slice(0, SCALE).padEnd(SCALE, '0'));
  return negative ? -units : units;
}

/** The exact sum of decimal strings of at most 18 decimals. */
export function sum(values: Iterable<string>): string {
  let total = 0n;
  for (const value of values) total += scaled(value);
  const negative = total < 0n;
  const digits = (negative ? -total : total).toString().padStart(SCALE + 1, '0');
  const fraction = digits.slice(-SCALE).replace(/0+$/, '');
  return `${negative ? '-' : ''}${digits.slice(0, -SCALE)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The same amount with the other sign. */
export function negated(value: string): string {
  if (isZero(value)) return '0';
  return value.startsWith('-') ? value.slice(1) : `-${value}`;
}

/** Credits of AiSpace in dollars: ten thousand to the dollar, exact. */
export function usdOfCredits(value: string): string {
  const negative = value.startsWith('-');
  const [integer = '0', fraction = ''] = value.replace(/^-/, '').split('.');
  const padded = integer.padStart(5, '0');
  return `${negative ? '-' : ''}${padded.slice(0, -4)}.${padded.slice(-4)}${fraction}`;
}

/** A part of a whole in basis points, rounded to the nearest; 0 of nothing. */
export function shareInBasisPoints(part: string, all: string): number {
  const divisor = scaled(all);
  if (divisor === 0n) return 0;
  // At most 10,000: exact as a number.
  return Number((scaled(part) * 10_000n + divisor / 2n) / divisor);
}
