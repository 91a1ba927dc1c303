import ChartColumn from '@lucide/svelte/icons/chart-column';
import ChartGantt from '@lucide/svelte/icons/chart-gantt';
import Layers from '@lucide/svelte/icons/layers';
import Ruler from '@lucide/svelte/icons/ruler';
import SlidersHorizontal from '@lucide/svelte/icons/sliders-horizontal';
import Wallet from '@lucide/svelte/icons/wallet';
import { m } from '../../i18n';
import type { Screen } from '../../state/route.svelte';

/** One way to go. */
export type NavItem = { screen: Screen; label: () => string; icon: typeof Wallet; key: string; needsAccount: boolean };

export const NAV: NavItem[] = [
  { screen: 'overview', label: () => m.shell_overview(), icon: ChartGantt, key: '1', needsAccount: true },
  { screen: 'batches', label: () => m.shell_batches(), icon: Layers, key: '2', needsAccount: true },
  { screen: 'estimate', label: () => m.shell_estimate(), icon: Ruler, key: '3', needsAccount: false },
  { screen: 'buy', label: () => m.shell_buy(), icon: Wallet, key: '4', needsAccount: false },
  { screen: 'usage', label: () => m.shell_usage(), icon: ChartColumn, key: '5', needsAccount: true },
  { screen: 'settings', label: () => m.shell_settings(), icon: SlidersHorizontal, key: '6', needsAccount: false },
];

/** What there is to go to: without an account, only what works without one. */
export function navItems(signedOut: boolean): NavItem[] {
  return signedOut ? NAV.filter((item) => !item.needsAccount) : NAV;
}
