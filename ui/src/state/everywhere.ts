/** What can be done on every screen. */
import { tick } from 'svelte';
import { backend, type Theme } from '../backend';
import { registerAction } from './actions.svelte';
import { app } from './app.svelte';
import { toggleAmounts } from './display.svelte';
import { overlay } from './overlay.svelte';
import { back, go, SCREENS } from './route.svelte';

/** Registers it all; answers how to take it back. */
export function registerEverywhere(): () => void {
  const theme = (name: Theme) => () => app.run(backend.setTheme(name));
  const ends = [
    ...SCREENS.map((screen) => registerAction(`go_${screen}`, () => go(screen))),
    registerAction('estimate', () => go('estimate')),
    registerAction('buy', () => go('buy')),
    registerAction('sync', () => app.sync()),
    registerAction('hide_amounts', toggleAmounts),
    registerAction('theme_light', theme('light')),
    registerAction('theme_dark', theme('dark')),
    registerAction('theme_system', theme('system')),
    registerAction('search', search),
    registerAction('back', back),
    registerAction('palette', () => overlay.show('palette')),
    registerAction('shortcuts', () => overlay.show('shortcuts')),
  ];
  return () => ends.forEach((end) => end());
}

/** A screen says where its search is with `data-search`; without one the models are searched. */
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
  const found = document.querySelector<HTMLElement>('#main [data-search], #main [type="search"]');
  return found === null || found instanceof HTMLInputElement ? found : found.querySelector('input');
}
