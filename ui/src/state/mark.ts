import type { AppView } from '../backend';
import { directionOf } from '../i18n/locale';
import type { Locale } from '../i18n';

/** Tells a document what its styles and its readers go by. */
export function mark(root: HTMLElement, locale: Locale, view: AppView | null): void {
  root.lang = locale;
  root.dir = directionOf(locale);
  root.dataset['theme'] = view?.settings.theme ?? 'system';
  root.dataset['motion'] = view?.settings.display.motion ?? 'system';
  root.dataset['text'] = view?.settings.display.text_size ?? 'usual';
}
