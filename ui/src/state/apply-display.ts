import type { DisplayView } from '../backend';
import { privacy } from '../format/privacy.svelte';
import { speech } from '../i18n';

/** Takes what was set, before anything is drawn by it. */
export function applyDisplay({ language, hide_amounts }: DisplayView): void {
  speech.speak(language);
  privacy.hidden = hide_amounts;
}
