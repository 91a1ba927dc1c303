/** Where a refusal can be settled, when it is elsewhere than where it stands. */
import type { AppErrorCode } from '../backend';
import { m } from '../i18n';
import { go, goSettings, route } from '../state/route.svelte';

export type WayOut = { label: string; leave: () => void };

const wallet = () => ({ label: m.common_open_wallets(), leave: () => goSettings('wallet') });
const nodes = () => ({ label: m.common_open_nodes(), leave: () => goSettings('network') });
const buy = () => ({ label: m.common_buy(), leave: () => go('buy') });

const OUT: Partial<Record<AppErrorCode, () => WayOut>> = {
  no_spending_wallet: wallet,
  not_enough_ether: wallet,
  cap_exceeded: wallet,
  chain_unreachable: nodes,
  chain_wrong_id: nodes,
  chain_foreign: nodes,
  nodes_disagree: nodes,
  insufficient_credits: buy,
  payment_open: () => ({ label: m.shell_notice_see_payment(), leave: () => go('buy') }),
};

/** The way out of a refusal; none where the person is there already. */
export function wayOut(code: AppErrorCode): WayOut | null {
  const out = OUT[code];
  if (out === undefined) return null;
  const there = OUT[code] === wallet || OUT[code] === nodes ? 'settings' : 'buy';
  return route.current === there ? null : out();
}
