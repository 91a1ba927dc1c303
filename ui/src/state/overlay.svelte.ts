/** What lies over the screens, and where the focus goes when it is put away. */
import { tick } from 'svelte';
import { route } from './route.svelte';

export type Overlay = 'palette' | 'shortcuts';

class OverlayState {
  current = $state<Overlay | null>(null);
  #from: HTMLElement | null = null;

  /** Shows one, in the place of another if there is one. */
  show(name: Overlay): void {
    if (this.current === null) this.#from = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    this.current = name;
  }

  /** Puts it away; the focus returns to where it came from. */
  close(): void {
    if (this.current === null) return;
    this.current = null;
    void tick().then(() => this.#return());
  }

  /** Puts it away to do something: on another screen the focus is in that screen, unless it was taken meanwhile. */
  leave(run: () => void): void {
    const before = `${route.current} ${route.payment}`;
    this.current = null;
    void tick().then(async () => {
      this.#return();
      const returned = document.activeElement;
      run();
      await tick();
      if (before !== `${route.current} ${route.payment}` && document.activeElement === returned) document.getElementById('main')?.focus({ preventScroll: true });
    });
  }

  #return(): void {
    const from = this.#from;
    this.#from = null;
    if (from !== null && from.isConnected && from !== document.body) from.focus({ preventScroll: true });
    else document.getElementById('main')?.focus({ preventScroll: true });
  }
}

export const overlay = new OverlayState();
