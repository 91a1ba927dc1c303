import { backend, type AppView, type ErrorView, type LinkTarget, type Result } from '../../backend';
import { answered, app } from '../../state/app.svelte';

/** What is done about the open payment: one thing at a time, and why the last one was refused. */
class Asked {
  busy = $state(false);
  error = $state.raw<ErrorView | null>(null);

  /** Takes the view of an answer, or keeps its refusal. True when it went well. */
  async #run(call: () => Promise<Result<AppView>>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.error = null;
    const answer = await answered(call());
    this.busy = false;
    if (answer.status === 'ok') app.accept(answer.data);
    else this.error = answer.error;
    return answer.status === 'ok';
  }

  again = (): Promise<boolean> => this.#run(() => backend.askAgain());
  stop = (): Promise<boolean> => this.#run(() => backend.stopWaiting());
  report = (hash: string): Promise<boolean> => this.#run(() => backend.reportHash(hash));
  speedUp = (): Promise<boolean> => this.#run(() => backend.speedUp());
  cancel = (): Promise<boolean> => this.#run(() => backend.cancelPayment());
  /** Rust opens an address that it made itself. */
  open = (orderId: string, target: LinkTarget): Promise<boolean> => this.#run(() => backend.openLink(orderId, target));
}

export const asked = new Asked();
