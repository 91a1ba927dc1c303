import { afterEach } from 'vitest';
import { app } from '../src/state/app.svelte';
import { overlay } from '../src/state/overlay.svelte';
import { route } from '../src/state/route.svelte';

// What the window has and the test's document lacks.
Element.prototype.scrollTo ??= () => undefined;
Element.prototype.scrollIntoView ??= () => undefined;

afterEach(() => {
  app.view = null;
  app.failure = null;
  route.current = 'onboarding';
  route.previous = null;
  route.payment = null;
  route.section = null;
  route.batch = null;
  overlay.close();
});
