import { backend, type ErrorView } from '../../backend';
import { answered, app } from '../../state/app.svelte';

type Stage = 'closed' | 'intro' | 'words' | 'hidden' | 'confirm' | 'done';

/** Making a wallet and keeping its words: they are shown, written on paper, taken from the page, then asked for at three places. */
class Backup {
  stage = $state<Stage>('closed');
  /** The words, while they are shown and no longer. */
  shown = $state.raw<string[] | null>(null);
  /** The places that Rust asks for: others after a wrong answer. */
  places = $derived(app.view?.wallet?.words_asked ?? []);
  /** What was typed, by place. */
  answers = $state<Record<number, string>>({});
  busy = $state(false);
  error = $state.raw<ErrorView | null>(null);
  /** Whether the wallet was made just now. */
  isNew = $state(false);
  #asked = 0;

  /** Starts to make a wallet. */
  begin(): void {
    this.#clear();
    this.isNew = true;
    this.stage = 'intro';
  }

  /** Starts to write the words of the wallet that is there down. */
  resume(): Promise<void> {
    this.#clear();
    this.isNew = false;
    this.stage = 'hidden';
    return this.show('');
  }

  close(): void {
    this.#clear();
    this.stage = 'closed';
  }

  #clear(): void {
    this.#asked += 1;
    this.shown = null;
    this.answers = {};
    this.busy = false;
    this.error = null;
  }

  async create(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.error = null;
    const mine = this.#asked;
    const answer = await answered(backend.createWallet());
    if (answer.status === 'ok') app.accept(answer.data);
    if (mine !== this.#asked) return;
    this.busy = false;
    if (answer.status === 'error') {
      this.error = answer.error;
      return;
    }
    this.stage = 'hidden';
    await this.show('');
  }

  /** Shows the words: while nobody has confirmed them for nothing, later against the last four characters of the address. */
  async show(confirmation: string): Promise<void> {
    this.busy = true;
    this.error = null;
    const mine = this.#asked;
    const answer = await answered(backend.revealSecret('wallet_words', confirmation, null));
    // Closed in the meantime: the words are let go, unseen.
    if (mine !== this.#asked) return;
    this.busy = false;
    if (answer.status === 'ok') {
      this.shown = answer.data;
      this.stage = 'words';
    } else if (confirmation !== '' || answer.error.code !== 'reveal_refused') {
      this.error = answer.error;
    }
  }

  /** Takes the words from the page. */
  hide(): void {
    if (this.shown === null) return;
    this.shown = null;
    this.stage = 'hidden';
  }

  /** The words are on paper: from here on the page has them no more. */
  ask(): void {
    this.shown = null;
    this.answers = {};
    this.error = null;
    this.stage = 'confirm';
  }

  /** Back to the words, from being asked for them. */
  back(): Promise<void> {
    this.answers = {};
    this.stage = 'hidden';
    return this.show('');
  }

  /** Whether something stands at each place. */
  isFilled = $derived(this.places.every((place) => (this.answers[place] ?? '').trim() !== ''));

  async confirm(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.error = null;
    const mine = this.#asked;
    const given = this.places.map((position) => ({ position, word: (this.answers[position] ?? '').trim().toLowerCase() }));
    const answer = await answered(backend.confirmWords(given));
    if (answer.status === 'ok') app.accept(answer.data);
    if (mine !== this.#asked) return;
    this.busy = false;
    if (answer.status === 'error') {
      this.error = answer.error;
      this.answers = {};
      return;
    }
    this.answers = {};
    this.stage = 'done';
  }
}

export const words = new Backup();
