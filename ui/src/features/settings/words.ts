import type { ConnectionState, KeychainState, Language, NodeView, RevealKind, Theme } from '../../backend';
import { engineWords } from '../../components/engine-words';
import { count, countdown } from '../../format';
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
/** Each language by its own name. */
export const languages = (): { value: Language; label: string; lang: string }[] => [
  { value: 'en', label: m.settings_language_en(), lang: 'en' },
  { value: 'zh-Hans', label: m.settings_language_zh(), lang: 'zh-Hans' },
];
export const themeName = (theme: Theme): string => THEMES[theme]();

export function keychainDot(state: KeychainState): 'ok' | 'off' | 'bad' {
  if (state === 'ready') return 'ok';
  return state === 'unknown' || state === 'waiting' ? 'off' : 'bad';
}

export function serviceDot(state: ConnectionState): 'ok' | 'off' | 'bad' {
  if (state === 'online') return 'ok';
  return state === 'idle' ? 'off' : 'bad';
}

type Reveal = { ask: string; shown: string; body: string; label: string; submit: string };

/** The words of the one dialog that shows a secret. */
export function revealWords(what: RevealKind): Reveal {
  switch (what) {
    case 'secure_key':
      return { ask: m.settings_reveal_title(), shown: m.settings_revealed_title(), body: m.settings_reveal_body(), label: m.settings_reveal_label(), submit: m.settings_reveal_submit() };
    case 'wallet_words':
      return { ask: m.wallet_reveal_words(), shown: m.wallet_words_title(), body: m.wallet_reveal_body(), label: m.wallet_last_four(), submit: m.wallet_reveal_words_submit() };
    case 'wallet_key':
      return { ask: m.wallet_reveal_key(), shown: m.wallet_key_title(), body: m.wallet_reveal_body(), label: m.wallet_last_four(), submit: m.settings_reveal_submit() };
  }
}

/** How a node is, in a few words. */
export function nodeWords(node: NodeView, now: number): string {
  if (node.resting_until !== null && Date.parse(node.resting_until) > now) {
    const rests = m.settings_node_rests({ time: countdown(node.resting_until, now) });
    return node.trouble === null ? rests : [engineWords(node.trouble), rests].join(m.common_comma());
  }
  if (node.trouble !== null) return engineWords(node.trouble);
  if (node.behind !== null) return m.settings_node_behind({ count: count(node.behind) });
  return node.healthy ? m.settings_node_healthy() : m.settings_node_silent();
}

/** Whether a node may be asked there: over TLS, or on this computer. Rust has the last word. */
export function isNodeUrl(typed: string): boolean {
  if (!URL.canParse(typed)) return false;
  const { protocol, hostname } = new URL(typed);
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname));
}
