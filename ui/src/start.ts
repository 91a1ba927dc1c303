import './styles.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { readAhead, screens } from './features/shell/screens';
import { clearFirst, painted } from './first/frame';
import { knownView } from './first/known';
import { app } from './state/app.svelte';
import { go, SCREENS } from './state/route.svelte';

if (import.meta.env.MODE === 'recorded') {
  // Pictures are taken of one screen at a time.
  const asked = new URLSearchParams(location.search).get('screen');
  const screen = SCREENS.find((one) => one === asked);
  if (screen !== undefined) go(screen);
}

// Most starts end on the overview.
const overview = screens.overview();

const known = knownView(document);
if (known !== null) app.accept(known);
mount(App, { target: document.body });

void overview
  .then(painted, painted)
  .then(() => clearFirst(document))
  .then(readAhead);
