/** What a person set about the window: language, hidden amounts, motion, size of text. */
import { backend, type AppView, type DisplayView } from '../backend';
import { privacy } from '../format/privacy.svelte';
import { speech } from '../i18n';
import { app } from './app.svelte';
import { mark } from './mark';

/** Tells the document what its styles and its readers go by. */
export const markDocument = (root: HTMLElement, view: AppView | null): void => mark(root, speech.locale, view);

/** Sets a part of it; the rest stays. */
export async function setDisplay(part: Partial<DisplayView>): Promise<boolean> {
  const now = app.view?.settings.display;
  return now !== undefined && (await app.run(backend.setDisplay({ ...now, ...part })));
}

/** Hides every amount, or shows them again. */
export const toggleAmounts = (): Promise<boolean> => setDisplay({ hide_amounts: !privacy.hidden });
