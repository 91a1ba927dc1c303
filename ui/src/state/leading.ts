/** Follows what leads to a place from outside the window: a link, a notification, the tray. Each is followed once. */
import { untrack } from 'svelte';
import type { LedView } from '../backend';
import { go, goPayment } from './route.svelte';

let followed = 0;

export function follow(led: LedView | null): void {
  if (led === null || led.serial === followed) return;
  followed = led.serial;
  const { place } = led;
  // Where the window is now does not matter, and is not waited for.
  untrack(() => (place.screen === 'payment' ? goPayment(place.order_id) : go(place.screen)));
}
