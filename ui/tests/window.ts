import { render } from '@testing-library/svelte';
import axe from 'axe-core';
import { vi } from 'vitest';
import { recordedBackend, type Scenario } from '../recorded/backend';
import type { Backend } from '../src/backend';
import { backend, type AppErrorCode, type ErrorView } from '../src/backend';
import App from '../src/App.svelte';
import { route, type Route } from '../src/state/route.svelte';

/** Opens the window in a recorded state, on a screen; `changes` replace single commands. */
export async function openWindow(scenario: Scenario, screen: Route = 'overview', changes: Partial<Backend> = {}): Promise<HTMLElement> {
  Object.assign(backend, recordedBackend(scenario), changes);
  route.current = screen;
  const { container } = render(App);
  await vi.waitFor(() => {
    if (container.querySelector('h1, .ob, [data-testid]') === null || container.querySelector('.skeleton') !== null) throw new Error('still loading');
  }, 45_000);
  await new Promise((resolve) => setTimeout(resolve, 0));
  return container;
}

/** Opens the window where it stays in a loading state. */
export async function openLoading(scenario: Scenario, screen: Route = 'overview'): Promise<HTMLElement> {
  Object.assign(backend, recordedBackend(scenario));
  route.current = screen;
  const { container } = render(App);
  await vi.waitFor(() => {
    if (container.querySelector('.rail') === null) throw new Error('still loading');
  }, 5000);
  return container;
}

/** What axe finds, in words. Contrast needs a real browser: `npm run audit`. */
export async function faults(container: HTMLElement): Promise<string[]> {
  const { violations } = await axe.run(container, {
    rules: { 'color-contrast': { enabled: false } },
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  });
  return violations.map((found) => `${found.id}: ${found.help}: ${found.nodes.map((node) => node.html).join(' | ')}`);
}

export const byTestId = (container: HTMLElement, id: string): HTMLElement => {
  const found = container.querySelector<HTMLElement>(`[data-testid="${id}"]`);
  if (found === null) throw new Error(`nothing has data-testid ${id}`);
  return found;
};

/** The text as a person reads it: one space between words. */
export const textOf = (element: Element): string => (element.textContent ?? '').replace(/[\s\u00a0]+/g, ' ').trim();

/** A refusal as a command answers it. */
export const refused = (code: AppErrorCode, params: Record<string, string> = {}): { status: 'error'; error: ErrorView } => ({ status: 'error', error: { code, params } });

export const missing = (container: HTMLElement, id: string): boolean => container.querySelector(`[data-testid="${id}"]`) === null;

/** An element, as soon as it is there. */
export const shown = (container: HTMLElement, id: string): Promise<HTMLElement> => vi.waitFor(() => byTestId(container, id), 10_000);

/** A row of a table as a person reads it: its cells apart. */
export const cellsOf = (row: HTMLElement): string => [...row.querySelectorAll('th, td')].map(textOf).join(' | ');

/** Every element of a test id. */
export const allOf = (container: HTMLElement, id: string): HTMLElement[] => [...container.querySelectorAll<HTMLElement>(`[data-testid="${id}"]`)];
