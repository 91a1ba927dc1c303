import type { WalletOrigin } from '../../backend';
import { m } from '../../i18n';

const ORIGINS: Record<WalletOrigin, () => string> = {
  created: m.wallet_origin_created,
  imported_words: m.wallet_origin_words,
  imported_key: m.wallet_origin_key,
  imported_keystore: m.wallet_origin_keystore,
};
export const originWords = (origin: WalletOrigin): string => ORIGINS[origin]();

/** How many words a person has typed so far. */
export const countWords = (typed: string): number => typed.trim().split(/\s+/u).filter((word) => word !== '').length;

/** A private key's hexadecimal digits so far; `null` when there are other characters. */
export function keyDigits(typed: string): number | null {
  const digits = typed.trim().replace(/^0x/iu, '');
  return /^[0-9a-f]*$/iu.test(digits) ? digits.length : null;
}
