/** Keys that work anywhere but in a field. */
import { back, go, SCREENS } from './route.svelte';
import { tick } from 'svelte';

/** Acts on a key; the caller prevents what the browser would do with it when this answers true. */
export function pressed(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === 'Escape') {
    if (document.querySelector('[role="dialog"], [role="alertdialog"]') !== null) return false;
    if (inField(event.target)) {
      (event.target as HTMLElement).blur();
      return true;
    }
    return back();
  }
  if (inField(event.target)) return false;
  const numbered = SCREENS[['1', '2', '3', '4', '5', '6'].indexOf(event.key)];
  if (numbered !== undefined) go(numbered);
  else if (event.key === 'e') go('estimate');
  else if (event.key === 'b') go('buy');
  else if (event.key === '/') void search();
  else return false;
  return true;
}

async function search(): Promise<void> {
  if (field() === null) go('estimate');
  // The screen may still be loading.
  for (let attempt = 0; attempt < 20 && field() === null; attempt += 1) {
    await tick();
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  field()?.focus();
}

function field(): HTMLElement | null {
  const found = document.querySelector<HTMLElement>('[data-testid="model-search"]');
  if (found === null || found instanceof HTMLInputElement) return found;
  return found.querySelector('input');
}

function inField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit'].includes(target.type);
}
