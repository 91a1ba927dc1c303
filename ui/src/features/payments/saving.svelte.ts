import type { ErrorView, Result, SavedFileView } from '../../backend';
import { answered } from '../../state/app.svelte';

/** A file that Rust writes, and where it came to lie. */
export class Saving {
  busy = $state(false);
  path = $state<string | null>(null);
  error = $state.raw<ErrorView | null>(null);

  async save(call: Promise<Result<SavedFileView>>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.error = null;
    this.path = null;
    const answer = await answered(call);
    this.busy = false;
    if (answer.status === 'ok') this.path = answer.data.path;
    else this.error = answer.error;
  }
}
