/** What can be done from anywhere: by key, from the palette, from a menu. Whoever owns a thing to do registers it here. */
import { untrack } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import type { ActionId } from './action-table';

type Run = () => unknown;

const running = new SvelteMap<ActionId, readonly Run[]>();

/**
 * Says how an action is done, until the answer is called: `$effect(() => registerAction('copy_price', copy))` for as long as a component is there, once in
 * `everywhere.ts` for ever. The newest registration counts.
 */
export function registerAction(id: ActionId, run: Run): () => void {
  // Whoever registers within an effect does not depend on who else did.
  const there = (): readonly Run[] => untrack(() => running.get(id) ?? []);
  running.set(id, [...there(), run]);
  return () => {
    const others = there().filter((one) => one !== run);
    if (others.length === 0) running.delete(id);
    else running.set(id, others);
  };
}

/** Whether somebody has registered it, where the person is now. */
export const canAct = (id: ActionId): boolean => running.has(id);

/** Does it; false when nobody registered it. */
export function act(id: ActionId): boolean {
  const run = running.get(id)?.at(-1);
  if (run === undefined) return false;
  void run();
  return true;
}
