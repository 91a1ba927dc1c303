/** What is asked of the log, and what it answered: sums and chart at once, lines as they come into view. */
import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { backend, type ErrorView, type UsageFilter, type UsageLineView, type UsageSplit, type UsageView } from '../../backend';
import { answered } from '../../state/app.svelte';

/** Lines asked for at a time. */
export const CHUNK = 100;
/** Chunks that are kept. */
const CHUNKS_MAX = 40;
/** A pause in typing. */
const TYPED_MS = 120;
/** While the log is read it grows several times a second. */
const GROWN_MS = 1000;

const EVERYTHING: UsageFilter = { period: 'days30', work: null, model_id: null, text: '' };

export class LogQuestion {
  filter = $state.raw<UsageFilter>(EVERYTHING);
  split = $state<UsageSplit>('model');
  view = $state.raw<UsageView | null>(null);
  error = $state.raw<ErrorView | null>(null);

  readonly #chunks = new SvelteMap<number, UsageLineView[]>();
  readonly #coming = new SvelteSet<number>();
  #asked = 0;
  #later: ReturnType<typeof setTimeout> | undefined;

  /** Whether anything but the period narrows it. */
  get isNarrowed(): boolean {
    return this.filter.work !== null || this.filter.model_id !== null || this.filter.text.trim() !== '';
  }

  /** Asks for something else. */
  narrow(part: Partial<UsageFilter>): void {
    this.filter = { ...this.filter, ...part };
    this.#soon('text' in part ? TYPED_MS : 0);
  }

  stack(split: UsageSplit): void {
    this.split = split;
    this.#soon(0);
  }

  /** The log has grown. */
  grown(): void {
    if (this.view === null) void this.ask();
    else this.#soon(GROWN_MS);
  }

  /** Asks nothing more. */
  end(): void {
    clearTimeout(this.#later);
    this.#asked += 1;
  }

  line(index: number): UsageLineView | undefined {
    return this.#chunks.get(Math.floor(index / CHUNK))?.[index % CHUNK];
  }

  /** Asks for the lines that are to be seen, and not known yet. */
  need(first: number, last: number): void {
    for (let chunk = Math.floor(first / CHUNK); chunk * CHUNK < last; chunk += 1) {
      if (!this.#chunks.has(chunk) && !this.#coming.has(chunk)) void this.#fetch(chunk);
    }
  }

  #soon(milliseconds: number): void {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => void this.ask(), milliseconds);
  }

  /** Asks for everything anew. */
  async ask(): Promise<void> {
    this.#asked += 1;
    const nth = this.#asked;
    const answer = await answered(backend.usage({ filter: this.filter, split: this.split, lines: CHUNK }));
    if (nth !== this.#asked) return;
    this.#coming.clear();
    if (answer.status === 'error') {
      this.error = answer.error;
      return;
    }
    this.error = null;
    this.#chunks.clear();
    this.#chunks.set(0, answer.data.lines);
    this.view = answer.data;
  }

  async #fetch(chunk: number): Promise<void> {
    this.#coming.add(chunk);
    const nth = this.#asked;
    const answer = await answered(backend.usageLines({ filter: this.filter, from: chunk * CHUNK, count: CHUNK }));
    if (nth !== this.#asked) return;
    this.#coming.delete(chunk);
    if (answer.status === 'error') {
      this.error = answer.error;
      return;
    }
    this.#chunks.set(chunk, answer.data.lines);
    const oldest = this.#chunks.size > CHUNKS_MAX ? [...this.#chunks.keys()].find((one) => Math.abs(one - chunk) > 2) : undefined;
    if (oldest !== undefined) this.#chunks.delete(oldest);
  }
}
