/** Which language words, numbers and dates are in. What reads it follows when it changes. */
import { baseLocale, overwriteGetLocale, type locales } from '#messages/runtime';
import type { Language } from '../backend';
import { directionOf, formatsOf, localeOf } from './locale';

export type Locale = (typeof locales)[number];

class Speech {
  locale = $state<Locale>(baseLocale);

  /** The direction of its writing. */
  get direction(): 'ltr' | 'rtl' {
    return directionOf(this.locale);
  }

  /** Speaks as was set, or as the system does. */
  speak(language: Language, asked?: readonly string[]): void {
    this.locale = localeOf(language, asked);
  }
}

export const speech = new Speech();

overwriteGetLocale(() => speech.locale);

/** What `Intl` is asked for. */
export const formats = (): string => formatsOf(speech.locale);
