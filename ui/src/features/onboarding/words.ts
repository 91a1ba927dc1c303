import type { ConnectionState, KeychainState } from '../../backend';
import { m } from '../../i18n';

const KEYCHAIN: Record<KeychainState, () => string> = {
  unknown: m.onboarding_keychain_unknown,
  ready: m.onboarding_keychain_ready,
  locked: m.onboarding_keychain_locked,
  absent: m.onboarding_keychain_absent,
  no_collection: m.onboarding_keychain_no_collection,
  waiting: m.onboarding_keychain_waiting,
  ambiguous: m.onboarding_keychain_ambiguous,
  failed: m.onboarding_keychain_failed,
};
const NETWORK: Record<ConnectionState, () => string> = {
  idle: m.onboarding_network_idle,
  online: m.onboarding_network_online,
  offline: m.onboarding_network_offline,
};

export const keychainWords = (state: KeychainState): string => KEYCHAIN[state]();
export const networkWords = (state: ConnectionState): string => NETWORK[state]();
