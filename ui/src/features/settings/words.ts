import type { ConnectionState, KeychainState, Theme } from '../../backend';
import { m } from '../../i18n';

const KEYCHAIN: Record<KeychainState, () => string> = {
  unknown: m.settings_keychain_unknown,
  ready: m.settings_keychain_ready,
  locked: m.settings_keychain_locked,
  absent: m.settings_keychain_absent,
  no_collection: m.settings_keychain_no_collection,
  waiting: m.settings_keychain_waiting,
  ambiguous: m.settings_keychain_ambiguous,
  failed: m.settings_keychain_failed,
};
const SERVICE: Record<ConnectionState, () => string> = {
  idle: m.settings_service_idle,
  online: m.settings_service_online,
  offline: m.settings_service_offline,
};
const THEMES: Record<Theme, () => string> = {
  system: m.settings_theme_system,
  light: m.settings_theme_light,
  dark: m.settings_theme_dark,
};

export const keychainWords = (state: KeychainState): string => KEYCHAIN[state]();
export const serviceWords = (state: ConnectionState): string => SERVICE[state]();
export const themeName = (theme: Theme): string => THEMES[theme]();

export function keychainDot(state: KeychainState): 'ok' | 'off' | 'bad' {
  if (state === 'ready') return 'ok';
  return state === 'unknown' || state === 'waiting' ? 'off' : 'bad';
}

export function serviceDot(state: ConnectionState): 'ok' | 'off' | 'bad' {
  if (state === 'online') return 'ok';
  return state === 'idle' ? 'off' : 'bad';
}
