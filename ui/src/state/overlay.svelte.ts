/** What lies over the screens. */
export type Overlay = 'palette' | 'shortcuts';

class OverlayState {
  current = $state<Overlay | null>(null);

  show(name: Overlay): void {
    this.current = name;
  }

  close(): void {
    this.current = null;
  }
}

export const overlay = new OverlayState();
