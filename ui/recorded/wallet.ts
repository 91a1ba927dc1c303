/** The spending wallet and the nodes of the recorded views. */
import type { NodeView, WalletView } from '../src/backend/bindings';
import { WALLET_ADDRESS } from './buy';

/** The recovery words of no wallet. */
export const WORDS =
  'abandon ability able about above absent absorb abstract absurd abuse access accident account accuse achieve acid acoustic acquire across act action actor actress actual';

export const WALLET: WalletView = {
  address: WALLET_ADDRESS,
  balance_eth: '0.250000000000000000',
  origin: 'created',
  has_words: true,
  backed_up: true,
  words_asked: [],
  low: false,
  cap_payment_usd: '50',
  cap_day_usd: '100',
  spent_today_usd: '15',
};

/** As it stands right after it was made. */
export const NEW_WALLET: WalletView = {
  ...WALLET,
  balance_eth: '0.000000000000000000',
  backed_up: false,
  words_asked: [4, 11, 19],
  spent_today_usd: '0',
};

/** A node that answers. */
export const node = (port: number, change: Partial<NodeView> = {}): NodeView => ({
  url: `http://127.0.0.1:${port}`,
  name: `127.0.0.1:${port}`,
  healthy: true,
  block_number: '38124639',
  behind: null,
  latency_ms: 61,
  trouble: null,
  resting_until: null,
  ...change,
});
