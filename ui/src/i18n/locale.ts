/** Which language, and how it writes numbers: known before any word of it is. */
import type { Language } from '../backend';
import type { Locale } from './speech.svelte';

const BASE: Locale = 'en';

/** Conventions of numbers and dates, where they are not the language's own. */
const FORMATS: Partial<Record<string, string>> = { 'en': 'en-GB', 'zh-Hans': 'zh-CN' };

/** Languages written from right to left. */
const RIGHT_TO_LEFT = ['ar', 'fa', 'he', 'ur'];

/** The first asked-for language that the app speaks; any Chinese is nearer to Simplified Chinese than to English. */
export function nearest(asked: readonly string[]): Locale {
  for (const tag of asked) {
    const language = tag.toLowerCase().split('-')[0];
    if (language === 'zh') return 'zh-Hans';
    if (language === 'en') return 'en';
  }
  return BASE;
}

/** As was set, or as the system has it. */
export const localeOf = (language: Language, asked: readonly string[] = globalThis.navigator?.languages ?? []): Locale =>
  language === 'system' ? nearest(asked) : language;

/** What `Intl` is asked for. */
export const formatsOf = (locale: Locale): string => FORMATS[locale] ?? 'en-GB';

/** The direction of its writing. */
export const directionOf = (locale: Locale): 'ltr' | 'rtl' => (RIGHT_TO_LEFT.includes(locale.split('-')[0] ?? '') ? 'rtl' : 'ltr');
