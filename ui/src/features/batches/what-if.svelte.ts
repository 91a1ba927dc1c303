import { backend, type UsageRowView, type WhatIfRequest, type WhatIfView } from '../../backend';
import { isCharge } from '../../components/run-kind';
import { negated } from '../../format';
import { answered } from '../../state/app.svelte';

export type Mode = 'pace' | 'runs' | 'fixed' | 'nothing';
export const MODES: Mode[] = ['pace', 'runs', 'fixed', 'nothing'];

/** A run that was charged lately, to be repeated. */
export type RecentRun = { key: string; name: string; credits: string };

const RECENT = 6;
const RUNS_MAX = 10_000;

/** The newest runs, each model at each price once. */
export function recentRuns(usage: UsageRowView[]): RecentRun[] {
  const runs: RecentRun[] = [];
  for (const row of usage) {
    const key = `${row.model_id} ${row.change_credits}`;
    const isNew = isCharge(row) && row.model_name !== '' && runs.every((run) => run.key !== key);
    if (isNew) runs.push({ key, name: row.model_name, credits: negated(row.change_credits) });
    if (runs.length === RECENT) break;
  }
  return runs;
}

/** Use that is tried out; Rust follows it, and only the answer to the newest question counts. */
export class WhatIf {
  mode = $state<Mode>('pace');
  perRun = $state('');
  times = $state(2);
  onTop = $state(true);
  perDay = $state('');
  answer = $state.raw<WhatIfView | null>(null);
  refused = $state(false);
  #newest = 0;

  /** What is asked; nothing while the present pace stands or a field is empty. */
  get request(): WhatIfRequest | null {
    switch (this.mode) {
      case 'pace':
        return null;
      case 'runs':
        return this.perRun.trim() === '' ? null : { kind: 'runs', credits_per_run: this.perRun, runs_per_day: this.times, on_top: this.onTop };
      case 'fixed':
        return this.perDay.trim() === '' ? null : { kind: 'fixed', credits_per_day: this.perDay };
      case 'nothing':
        return { kind: 'fixed', credits_per_day: '0' };
    }
  }

  setTimes(times: number): void {
    this.times = Math.min(RUNS_MAX, Math.max(0, Math.trunc(times) || 0));
  }

  async ask(request: WhatIfRequest | null): Promise<void> {
    this.#newest += 1;
    const mine = this.#newest;
    if (request === null) {
      this.answer = null;
      this.refused = false;
      return;
    }
    const answer = await answered(backend.whatIf(request));
    if (mine !== this.#newest) return;
    this.refused = answer.status === 'error';
    this.answer = answer.status === 'ok' ? answer.data : null;
  }
}
