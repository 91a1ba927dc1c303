import CreditCard from '@lucide/svelte/icons/credit-card';
import Globe from '@lucide/svelte/icons/globe';
import QrCode from '@lucide/svelte/icons/qr-code';
import Smartphone from '@lucide/svelte/icons/smartphone';
import Wallet from '@lucide/svelte/icons/wallet';
import type { PayWay } from '../../backend';
import { m } from '../../i18n';

type Words = { name: () => string; what: () => string; note: () => string; icon: typeof Wallet; pay: () => string; paying: () => string; hint: () => string };

const WAYS: Record<PayWay, Words> = {
  browser: { name: m.way_browser, what: m.way_browser_what, note: m.way_tag, icon: Globe, pay: m.buy_pay_browser, paying: m.buy_paying_browser, hint: m.buy_pay_browser_hint },
  wallet_connect: { name: m.way_connect, what: m.way_connect_what, note: m.way_tag, icon: Smartphone, pay: m.buy_pay_connect, paying: m.buy_paying_connect, hint: m.buy_pay_connect_hint },
  link: { name: m.way_link, what: m.way_link_what, note: m.way_amount, icon: QrCode, pay: m.buy_pay_link, paying: m.buy_paying_link, hint: m.buy_pay_link_hint },
  spending_wallet: { name: m.buy_wallet, what: m.way_wallet_what, note: m.way_tag, icon: Wallet, pay: m.buy_pay, paying: m.buy_paying, hint: m.buy_pay_hint },
  card: { name: m.way_card, what: m.way_card_what, note: m.way_no_eth, icon: CreditCard, pay: m.buy_pay_card, paying: m.buy_paying_card, hint: m.buy_pay_card_hint },
};

export const wayName = (way: PayWay): string => WAYS[way].name();
export const wayWhat = (way: PayWay): string => WAYS[way].what();
/** How the service knows whose payment it is. */
export const wayNote = (way: PayWay): string => WAYS[way].note();
export const wayIcon = (way: PayWay): typeof Wallet => WAYS[way].icon;
export const payWords = (way: PayWay): { pay: string; paying: string; hint: string } => {
  const { pay, paying, hint } = WAYS[way];
  return { pay: pay(), paying: paying(), hint: hint() };
};
/** Who a payment came with: the wallet's own name, or the way. */
export const paidWith = (way: PayWay, wallet: string | null): string => wallet ?? wayName(way);
