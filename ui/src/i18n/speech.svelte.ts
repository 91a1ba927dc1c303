/** Which language words, numbers and dates are in. What reads it follows when it changes. */
import { baseLocale, overwriteGetLocale, type locales } from '#messages/runtime';
import type { Language } from '../backend';

export type Locale = (typeof locales)[number];

/** Conventions of numbers and dates, where they are not the language's own. */
const FORMATS: Partial<Record<string, string>> = { 'en': 'en-GB', 'zh-Hans': 'zh-CN' };

/** Languages written from right to left. */
const RIGHT_TO_LEFT = ['ar', 'fa', 'he', 'ur'];

class Speech {
  locale = $state<Locale>(baseLocale);

  /** The direction of its writing. */
  get direction(): 'ltr' | 'rtl' {
    return RIGHT_TO_LEFT.includes(this.locale.split('-')[0] ?? '') ? 'rtl' : 'ltr';
  }

  /** Speaks as was set, or as the system does. */
  speak(language: Language, asked: readonly string[] = globalThis.navigator?.languages ?? []): void {
    this.locale = language === 'system' ? nearest(asked) : language;
  }
}

export const speech = new Speech();

overwriteGetLocale(() => speech.locale);

/** What `Intl` is asked for. */
export const formats = (): string => FORMATS[speech.locale] ?? 'en-GB';

/** The first asked-for language that the app speaks; any Chinese is nearer to Simplified Chinese than to English. */
export function nearest(asked: readonly string[]): Locale {
  for (const tag of asked) {
    const language = tag.toLowerCase().split('-')[0];
    if (language === 'zh') return 'zh-Hans';
    if (language === 'en') return 'en';
  }
  return baseLocale;
}
