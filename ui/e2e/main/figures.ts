/** Figures as they stand on the page, exact: in billionths, as the ledger counts. */
const NANO = 1_000_000_000n;
const FIGURE = /\d[\d,]*(?:\.\d+)?/u;
/** More decimals than the ledger keeps are of ether. */
const DECIMALS = 9;

/** The first figure of a text. */
export function figure(text: string): bigint {
  const found = FIGURE.exec(text)?.[0];
  if (found === undefined) throw new Error(`no figure in ${JSON.stringify(text)}`);
  const [whole = '0', fraction = ''] = found.replaceAll(',', '').split('.');
  return BigInt(whole) * NANO + BigInt(fraction.slice(0, DECIMALS).padEnd(DECIMALS, '0'));
}

export const sum = (texts: string[]): bigint => texts.reduce((total, text) => total + figure(text), 0n);
export const credits = (whole: number): bigint => BigInt(whole) * NANO;

/** Stands for every amount that is hidden. */
export const MASK = '•••••';
