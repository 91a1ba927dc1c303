/** Acts on keys, by the table of actions. */
import { actionOf, chordOf } from './action-table';
import { act } from './actions.svelte';
import { overlay } from './overlay.svelte';

/** What has keys of its own while it is open; what lies over the screens has them from the moment it is asked for. */
const OPEN = '[role="dialog"], [role="alertdialog"], [role="menu"]';

/** Acts on a key; the caller prevents what the browser would do with it when this answers true. */
export function pressed(event: KeyboardEvent): boolean {
  if (event.defaultPrevented) return false;
  const chord = chordOf(event);
  const action = chord === null ? undefined : actionOf(chord);
  if (action === undefined || overlay.current !== null || document.querySelector(OPEN) !== null) return false;
  if (inField(event.target) && action.inFields !== true) {
    if (action.id === 'back') {
      (event.target as HTMLElement).blur();
      return true;
    }
    // The web view would load the page anew, and what is typed would be gone.
    return action.id === 'sync';
  }
  // A key that is held down acts once.
  return event.repeat || act(action.id);
}

function inField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit'].includes(target.type);
}
