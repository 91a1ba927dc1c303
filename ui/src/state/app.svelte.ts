/** The latest view of Rust's state, and the clock that countdowns run by. */
import { backend, type AppView, type ErrorView, type Result } from '../backend';
import { applyDisplay } from './apply-display';

class AppState {
  /** Everything the window shows; `null` until the first answer. */
  view = $state.raw<AppView | null>(null);
  /** Milliseconds since the epoch by the service's clock, moving once a second. */
  now = $state(Date.now());
  /** The refusal of the last `run`, until it is put away or another one is started. */
  failure = $state.raw<ErrorView | null>(null);
  /** Somebody is told what was deleted: nothing leads them away until they have read it. */
  tellsOfDeletion = false;
  /** Whether `syncNow` is under way. */
  syncing = $state(false);

  /** The last view's time, and what the clocks here said when it came. */
  #told = { service: Date.now(), wall: Date.now(), ran: performance.now() };

  /** Takes a view, unless a newer one is there already. */
  accept(view: AppView): void {
    if (this.view !== null && view.revision < this.view.revision) return;
    this.#told = { service: Date.parse(view.now), wall: Date.now(), ran: performance.now() };
    applyDisplay(view.settings.display);
    this.view = view;
    this.tick();
  }

  /** Moves the clock: by this computer's, which sleep does not stop, but never back when that is put back. */
  tick(): void {
    const { service, wall, ran } = this.#told;
    this.now = service + Math.max(Date.now() - wall, performance.now() - ran);
  }

  /** Takes the view of an answer, or keeps its refusal for the top of the screen. True when it went well. */
  async run(call: Promise<Result<AppView>>): Promise<boolean> {
    this.failure = null;
    const result = await answered(call);
    if (result.status === 'ok') this.accept(result.data);
    else this.failure = result.error;
    return result.status === 'ok';
  }

  /** Asks keychain, service and nodes anew. What stands in the way shows in the view's connection and session. */
  async sync(): Promise<void> {
    if (this.syncing) return;
    this.syncing = true;
    const result = await answered(backend.syncNow());
    if (result.status === 'ok') this.accept(result.data);
    this.syncing = false;
  }

  /** Moves the clock once a second while the window can be seen; answers how to stop. */
  #keepTime(): () => void {
    let timer: ReturnType<typeof setInterval> | undefined;
    const keep = (): void => {
      clearInterval(timer);
      if (document.visibilityState === 'hidden') return;
      this.tick();
      timer = setInterval(() => this.tick(), 1000);
    };
    keep();
    document.addEventListener('visibilitychange', keep);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', keep);
    };
  }

  /** Loads the first view and follows the changes; answers how to stop. */
  async start(): Promise<() => void> {
    const stopListening = await backend.onAppChanged((view) => this.accept(view));
    this.accept(await backend.snapshot());
    const stopClock = this.#keepTime();
    return () => {
      stopClock();
      stopListening();
    };
  }
}

/** A call that always answers: a broken bridge becomes a refusal like any other. */
export async function answered<T>(call: Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await call;
  } catch (fault) {
    return { status: 'error', error: { code: 'internal', params: { reason: fault instanceof Error ? fault.message : String(fault) } } };
  }
}

export const app = new AppState();
