import { count, decimal } from '../../format';
import { m } from '../../i18n';

/** Bytes as people say them. */
export function sizeWords(bytes: string): string {
  if (bytes.length > 6) return m.data_megabytes({ amount: decimal(`${bytes.slice(0, -6)}.${bytes.charAt(bytes.length - 6)}`) });
  return m.data_kilobytes({ amount: count(bytes.slice(0, -3) || '1') });
}
