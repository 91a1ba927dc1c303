/** Amounts as a person types them. Rust has the last word; this only says at once what cannot be one. */
import type { AmountUnit } from '../../backend';

const WHOLE = String.raw`(\d{1,12}|\d{1,3}(?:,\d{3}){1,3})`;
const PATTERNS: Record<AmountUnit, RegExp> = {
  usd: new RegExp(String.raw`^\$?\s*${WHOLE}(?:\.(\d{0,13}))?$`, 'u'),
  eth: new RegExp(String.raw`^${WHOLE}(?:\.(\d{0,18}))?\s*(?:ETH)?$`, 'iu'),
  credits: new RegExp(String.raw`^${WHOLE}(?:\.(\d{0,9}))?\s*(?:credits?)?$`, 'iu'),
};

/** A typed amount as a decimal string; `null` when it is none of this unit. */
export function readAmount(typed: string, unit: AmountUnit): string | null {
  const match = PATTERNS[unit].exec(typed.trim());
  if (!match) return null;
  const [, whole = '', fraction = ''] = match;
  const digits = whole.replaceAll(',', '');
  if (unit === 'usd') return `${digits}.${fraction.padEnd(2, '0')}`;
  return fraction === '' ? digits : `${digits}.${fraction}`;
}

/** Dollars in credits: ten thousand to the dollar, so the point moves by four. */
export function creditsOfUsd(usd: string): string {
  const [dollars = '0', fraction = ''] = usd.split('.');
  const digits = fraction.padEnd(4, '0');
  const whole = `${dollars}${digits.slice(0, 4)}`.replace(/^0+(?=\d)/u, '');
  const rest = digits.slice(4).replace(/0+$/u, '');
  return rest === '' ? whole : `${whole}.${rest}`;
}
