/** A walk through the screens, past real things. It holds nobody: everything works while it is shown. */
import { tick } from 'svelte';
import { m } from '../../i18n';
import { go, route, type Screen } from '../../state/route.svelte';

export interface Stop {
  screen: Screen;
  /** What is pointed at; where it is not there the words stand alone. */
  at: string;
  title: () => string;
  text: () => string;
}

export const STOPS: readonly Stop[] = [
  { screen: 'overview', at: '[data-testid="balance"]', title: m.tour_balance, text: m.tour_balance_text },
  { screen: 'overview', at: '#main svg[role="img"], #main .terrace', title: m.tour_terrace, text: m.tour_terrace_text },
  { screen: 'batches', at: '[data-testid="batch-row"]', title: m.tour_batches, text: m.tour_batches_text },
  { screen: 'estimate', at: '[data-testid="estimate-total"]', title: m.tour_estimate, text: m.tour_estimate_text },
  { screen: 'buy', at: '[data-testid="buy-amount"]', title: m.tour_buy, text: m.tour_buy_text },
  { screen: 'usage', at: '[data-testid="usage-row"]', title: m.tour_usage, text: m.tour_usage_text },
  { screen: 'overview', at: '[data-testid="find"]', title: m.tour_find, text: m.tour_find_text },
];

const MARK = 'data-tour';
const WAIT_MS = 50;
const WAITS = 200;

class Tour {
  /** The stop that is shown, from 0; none while there is no tour. */
  at = $state<number | null>(null);
  /** Whether a tour is offered on the overview. */
  offered = $state(false);
  #from: HTMLElement | null = null;

  readonly stop = $derived(this.at === null ? null : (STOPS[this.at] ?? null));

  /** Offers it once, to whoever looks around for the first time. */
  offer(): void {
    this.offered = this.at === null;
  }

  start(): void {
    this.offered = false;
    this.#from = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    void this.#show(0);
  }

  next(): void {
    if (this.at === null) return;
    if (this.at + 1 < STOPS.length) void this.#show(this.at + 1);
    else this.end();
  }

  back(): void {
    if (this.at !== null && this.at > 0) void this.#show(this.at - 1);
  }

  /** Ends it where the person is; the focus returns to where it came from, as far as that is still there. */
  end(): void {
    this.at = null;
    this.offered = false;
    unmark();
    const from = this.#from;
    this.#from = null;
    if (from !== null && from.isConnected && from !== document.body) from.focus({ preventScroll: true });
    else document.getElementById('main')?.focus({ preventScroll: true });
  }

  async #show(index: number): Promise<void> {
    const stop = STOPS[index];
    if (stop === undefined) return;
    this.at = index;
    unmark();
    if (route.current !== stop.screen) go(stop.screen);
    // The screen may still be loading, and what is pointed at may be drawn anew meanwhile.
    for (let wait = 0; wait < WAITS; wait += 1) {
      await tick();
      if (this.at !== index) return;
      const target = document.querySelector(stop.at);
      if (target !== null && !target.hasAttribute(MARK)) {
        target.setAttribute(MARK, '');
        show(target);
      }
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
  }
}

/** Brings it to the middle of what scrolls; the window itself stays where it is. */
function show(target: Element): void {
  const main = target.closest('main');
  if (main === null) return;
  const [at, room] = [target.getBoundingClientRect(), main.getBoundingClientRect()];
  const isInView = at.top >= room.top && at.bottom + room.height / 3 <= room.bottom;
  if (isInView) return;
  main.scrollBy?.({ top: at.top - room.top - Math.max(24, (room.height - at.height) / 4) });
}

function unmark(): void {
  for (const marked of document.querySelectorAll(`[${MARK}]`)) marked.removeAttribute(MARK);
}

export const tour = new Tour();
