// Exact sums and shares of credit strings, in the ledger's unit (10⁻⁹ credit). For pictures: amounts that are shown come from Rust.
const DECIMALS = 9;
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/u;

/** Reads a decimal string; digits beyond the ledger's unit are cut. */
export function nano(credits: string): bigint {
  const match = DECIMAL.exec(credits);
  if (!match) return 0n;
  const [, sign = '', whole = '0', fraction = ''] = match;
  const size = BigInt(whole + fraction.slice(0, DECIMALS).padEnd(DECIMALS, '0'));
  return sign === '-' ? -size : size;
}

/** Writes it as a decimal string without idle zeros. */
export function credits(amount: bigint): string {
  const size = (amount < 0n ? -amount : amount).toString().padStart(DECIMALS + 1, '0');
  const fraction = size.slice(-DECIMALS).replace(/0+$/u, '');
  return `${amount < 0n ? '-' : ''}${size.slice(0, -DECIMALS)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** A part of a whole in basis points, cut to 0 … 10,000. */
export function shareBp(part: bigint, whole: bigint): number {
  if (whole <= 0n || part <= 0n) return 0;
  const bp = (part * 10_000n) / whole;
  return bp > 10_000n ? 10_000 : parseInt(bp.toString(), 10);
}
