import { mount } from 'svelte';
import App from './App.svelte';
import { clearFirst, painted } from './first/frame';
import { go, SCREENS } from './state/route.svelte';

if (import.meta.env.MODE === 'recorded') {
  // Pictures are taken of one screen at a time.
  const asked = new URLSearchParams(location.search).get('screen');
  const screen = SCREENS.find((one) => one === asked);
  if (screen !== undefined) go(screen);
}

// Most starts end on the overview: it is fetched while the first view is asked for.
const overview = import('./features/overview/OverviewScreen.svelte');

mount(App, { target: document.body });

void overview.then(painted, painted).then(() => clearFirst(document));
