/** The stages of an outside wallet as lines of a list. */
import type { BrowserStage, ConnectStage, StepState } from '../../backend';
import { ends } from '../../format';
import { m } from '../../i18n';

export type Stage = { id: string; name: string; note: string; state: StepState };
type Who = { wallet: string | null; account: string | null };

/** `MetaMask, 0x3a78 … 6C63` */
export function whoWords({ wallet, account }: Who): string {
  return [wallet, account === null ? null : ends(account)].filter((part) => part !== null).join(m.common_comma());
}

/** How many lines are behind at a stage, and whether the next one failed. */
const BROWSER: Record<BrowserStage, [done: number, failed: boolean]> = {
  opening: [0, false],
  page_open: [1, false],
  wallet_chosen: [2, false],
  wrong_chain: [2, false],
  asked: [3, false],
  rejected: [3, true],
  answered: [4, false],
  closed: [0, true],
};
const CONNECT: Record<ConnectStage, [done: number, failed: boolean]> = {
  connecting: [0, false],
  pairing: [1, false],
  connected: [2, false],
  asked: [2, false],
  rejected: [2, true],
  answered: [3, false],
  closed: [0, true],
};

function lines(all: Omit<Stage, 'state'>[], [done, failed]: [number, boolean]): Stage[] {
  return all.map((line, index) => ({ ...line, state: index < done ? 'done' : index === done ? (failed ? 'failed' : 'now') : 'next' }));
}

export function browserStages(stage: BrowserStage, who: Who): Stage[] {
  const wallet = who.wallet ?? m.pay_stage_your_wallet();
  return lines(
    [
      { id: 'page', name: m.pay_stage_page(), note: m.pay_stage_page_note() },
      { id: 'wallet', name: m.pay_stage_wallet(), note: whoWords(who) || m.pay_stage_wallet_note() },
      { id: 'chain', name: m.pay_stage_chain(), note: m.pay_stage_chain_note() },
      { id: 'sign', name: m.pay_stage_sign({ wallet }), note: m.pay_stage_sign_note() },
    ],
    BROWSER[stage],
  );
}

export function connectStages(stage: ConnectStage, who: Who): Stage[] {
  const wallet = who.wallet ?? m.pay_stage_your_wallet();
  return lines(
    [
      { id: 'relay', name: m.pay_stage_relay(), note: m.pay_stage_relay_note() },
      { id: 'pair', name: m.pay_stage_pair(), note: whoWords(who) || m.pay_stage_pair_note() },
      { id: 'sign', name: m.pay_stage_sign({ wallet }), note: m.pay_stage_sign_note() },
    ],
    CONNECT[stage],
  );
}
