/** What is typed, what it finds, and what is chosen of it. */
import { backend, type ModelView } from '../../backend';
import { answered, app } from '../../state/app.svelte';
import { batches, doings, GROUPS, models, payments, runs, settings, type Entry, type Group } from './entries';
import { amountIn, estimateWith, priced, titleOf, type Amount, type Priced } from './estimating';
import { ranked } from './rank';

const MOST: Record<Group, number> = { price: 5, runs: 3, batches: 4, payments: 4, do: 12 };

type Asked = { key: string; model: ModelView; amount: Amount };

export class Finding {
  typed = $state('');
  at = $state(0);
  #catalog = $state.raw<readonly ModelView[]>([]);
  /** Prices that were answered, by what was asked. */
  #prices = $state.raw<Readonly<Record<string, Priced>>>({});

  readonly groups = $derived.by(() => this.#find());
  readonly entries = $derived(this.groups.flatMap(({ entries }) => entries));
  readonly chosen = $derived(this.entries[Math.min(this.at, this.entries.length - 1)] ?? null);

  async load(): Promise<void> {
    const answer = await answered(backend.catalog());
    if (answer.status === 'ok') this.#catalog = answer.data.models;
  }

  type(text: string): void {
    this.typed = text;
    this.at = 0;
  }

  /** Moves the choice, round the ends. */
  move(by: number): void {
    const most = this.entries.length;
    if (most > 0) this.at = (this.at + by + most) % most;
  }

  /** Moves it without going round. */
  leap(by: number): void {
    this.at = Math.max(0, Math.min(this.entries.length - 1, this.at + by));
  }

  /** Asks for the prices that are shown and not known yet. */
  async ask(): Promise<void> {
    const wanted = this.#asked.filter(({ key }) => this.#prices[key] === undefined);
    for (const { key, model, amount } of wanted) {
      const answer = await priced(model, amount);
      this.#prices = { ...this.#prices, [key]: answer };
    }
  }

  /** Models that are asked for with a figure of their own. */
  get #asked(): Asked[] {
    return this.groups.flatMap(({ entries }) => entries.flatMap((entry) => ('asked' in entry ? [entry.asked as Asked] : [])));
  }

  #find(): { group: Group; entries: Entry[] }[] {
    const { view } = app;
    if (view === null) return [];
    const typed = this.typed.trim();
    if (typed === '') return [{ group: 'do' as const, entries: [...payments(view).slice(0, view.payment === null ? 0 : 1), ...doings(view)] }];
    const plain = ranked([...models(this.#catalog), ...runs(view), ...batches(view), ...payments(view), ...doings(view), ...settings()], typed);
    const found = [...this.#sized(typed), ...plain];
    const best = (group: Group): number => Math.min(...found.flatMap(({ entry, rank }) => (entry.group === group ? [rank] : [])));
    return [...GROUPS]
      .sort((a, b) => best(a) - best(b) || 0)
      .map((group) => ({ group, entries: unique(found.filter(({ entry }) => entry.group === group).map(({ entry }) => entry)).slice(0, MOST[group]) }))
      .filter(({ entries }) => entries.length > 0);
  }

  /** Models that fit what is left when the figures are taken out. */
  #sized(typed: string): { entry: Entry; rank: number }[] {
    return models(this.#catalog).flatMap((entry) => {
      const taken = amountIn(typed, entry.title);
      if (taken === null || taken.words === '') return [];
      const [found] = ranked([entry], taken.words);
      if (found === undefined || found.rank >= 4) return [];
      const { amount } = taken;
      const key = `${entry.id} ${amount.size ?? ''} ${amount.runs ?? ''}`;
      const known = this.#prices[key];
      const shown = known ?? { title: titleOf(entry.model, amount), detail: '' };
      return [{ entry: { ...entry, figure: undefined, unit: undefined, ...shown, asked: { key, model: entry.model, amount }, run: () => estimateWith(entry.model, amount) }, rank: found.rank }];
    }).sort((a, b) => a.rank - b.rank).slice(0, MOST.price);
  }
}

/** The first of each model: what was asked for with a figure, else its usual run. */
const unique = (entries: Entry[]): Entry[] => entries.filter((entry, index) => entries.findIndex(({ id }) => id === entry.id) === index);
