import type { AppView, commands, ErrorView } from './bindings';

/** What a command answers: data, or a refusal that the catalogue has words for. */
export type Result<T> = { status: 'ok'; data: T } | { status: 'error'; error: ErrorView };

/** The commands as generated, and the one event. */
export type Backend = typeof commands & {
  /** Calls `listener` with every new view; answers how to stop. */
  onAppChanged: (listener: (view: AppView) => void) => Promise<() => void>;
};
