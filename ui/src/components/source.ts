import Coins from '@lucide/svelte/icons/coins';
import CreditCard from '@lucide/svelte/icons/credit-card';
import Gift from '@lucide/svelte/icons/gift';
import RotateCw from '@lucide/svelte/icons/rotate-cw';
import { m } from '../i18n';

/** Where a batch came from, in words. */
export function sourceName(source: string): string {
  switch (source) {
    case 'eth_purchase':
      return m.source_eth_purchase();
    case 'card_purchase':
      return m.source_card_purchase();
    case 'grant':
      return m.source_grant();
    case 'daily_renewal':
      return m.source_daily_renewal();
    default:
      return m.source_other();
  }
}

/** The same in a word, for charts and tickets. */
export function sourceShort(source: string): string {
  switch (source) {
    case 'eth_purchase':
      return m.source_short_eth_purchase();
    case 'card_purchase':
      return m.source_short_card_purchase();
    case 'grant':
      return m.source_short_grant();
    case 'daily_renewal':
      return m.source_short_daily_renewal();
    default:
      return m.source_short_other();
  }
}

/** Its picture. */
export function sourceIcon(source: string): typeof Coins {
  switch (source) {
    case 'card_purchase':
      return CreditCard;
    case 'daily_renewal':
      return RotateCw;
    case 'grant':
      return Gift;
    default:
      return Coins;
  }
}
