/** A transaction hash as a person pastes it: bare, with `0x`, with spaces, or inside an explorer's address. */
export type TypedHash = { kind: 'empty' } | { kind: 'short'; digits: number } | { kind: 'bad' } | { kind: 'long'; digits: number } | { kind: 'whole'; hash: string };

const DIGITS = 64;

export function readHash(typed: string): TypedHash {
  const text = typed.trim();
  if (text === '' || /^0x?$/iu.test(text)) return { kind: 'empty' };
  const inside = /(?:^|[^0-9a-z])0x([0-9a-f]{64})(?![0-9a-z])/iu.exec(text);
  if (inside?.[1] !== undefined) return { kind: 'whole', hash: `0x${inside[1].toLowerCase()}` };
  const digits = text.replace(/\s+/gu, '').replace(/^0x/iu, '');
  if (!/^[0-9a-f]*$/iu.test(digits)) return { kind: 'bad' };
  if (digits.length < DIGITS) return { kind: 'short', digits: digits.length };
  if (digits.length > DIGITS) return { kind: 'long', digits: digits.length };
  return { kind: 'whole', hash: `0x${digits.toLowerCase()}` };
}
