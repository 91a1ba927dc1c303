import { fireEvent } from '@testing-library/svelte';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { allOf, byTestId, faults, missing, openWindow, shown, textOf } from '../../../tests/window';
import { bench, Draft, KINDS } from './draft.svelte';

// axe reads the whole window, slowly the first time.
vi.setConfig({ testTimeout: 40_000 });

beforeEach(() => {
  bench.kind = 'video';
  bench.isRecipes = false;
  for (const kind of KINDS) bench.drafts[kind] = new Draft();
});

async function open(scenario: Parameters<typeof openWindow>[0] = 'sandbox'): Promise<HTMLElement> {
  const window = await openWindow(scenario, 'estimate');
  await shown(window, 'estimate-total');
  return window;
}

/** On a machine that does other work a second is not long. */
const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000 });

const row = (window: HTMLElement, index: number): HTMLElement => allOf(window, 'kept-row')[index] as HTMLElement;

describe('kept estimates', () => {
  test('show what was expected, what was charged, and the median error', async () => {
    const window = await open();
    await soon(() => expect(allOf(window, 'kept-row')).toHaveLength(5));
    expect(textOf(byTestId(window, 'kept-median'))).toContain('of 3 charged');
    expect(allOf(window, 'kept-error').map(textOf)).toEqual(['', '', 'none', expect.stringMatching(/^\+4 %$/u), 'none']);
    expect(textOf(row(window, 0))).toContain('not yet');
    expect(textOf(row(window, 2))).toContain('by model and time');
    expect(await faults(window)).toEqual([]);
  });

  test('are none before one is kept, and it says so', async () => {
    const window = await open('fresh');
    expect(missing(window, 'kept')).toBe(true);
    await fireEvent.click(byTestId(window, 'keep-estimate'));
    await soon(() => expect(allOf(window, 'kept-row')).toHaveLength(1));
    expect(textOf(byTestId(window, 'keep-estimate'))).toBe('Estimate kept');
    expect(textOf(byTestId(window, 'kept-median'))).toBe('none has been charged yet');
  });

  test('are kept by themselves of a run that is started', async () => {
    const window = await open('fresh');
    await fireEvent.click(byTestId(window, 'simulate-run'));
    await soon(() => expect(allOf(window, 'kept-row')).toHaveLength(1));
    expect(textOf(byTestId(window, 'kept-error'))).toBe('none');
  });

  test('take the charge that the person chooses, and give it back', async () => {
    const window = await open();
    await soon(() => expect(allOf(window, 'kept-row')).toHaveLength(5));
    await fireEvent.click(byTestId(window, 'kept-pick'));
    await soon(() => expect(allOf(document.body, 'kept-choice')).toHaveLength(2));
    await fireEvent.click(allOf(document.body, 'kept-choice')[1] as HTMLElement);
    await soon(() => expect(textOf(allOf(window, 'kept-error')[1] as HTMLElement)).toMatch(/^\+20 %$/u));
    expect(textOf(byTestId(window, 'kept-median'))).toContain('of 4 charged');
    await fireEvent.click(allOf(window, 'kept-reject')[0] as HTMLElement);
    await soon(() => expect(textOf(byTestId(window, 'kept-median'))).toContain('of 3 charged'));
  });

  test('reject the charge that was matched, and take that back', async () => {
    const window = await open();
    await soon(() => expect(allOf(window, 'kept-row')).toHaveLength(5));
    // A run that the app made itself is no guess.
    expect(row(window, 4).querySelector('[data-testid="kept-reject"]')).toBeNull();
    await fireEvent.click(row(window, 2).querySelector('[data-testid="kept-reject"]') as HTMLElement);
    await soon(() => expect(textOf(row(window, 2))).toContain('Entry 391 is not offered for it again.'));
    expect(textOf(byTestId(window, 'kept-median'))).toContain('of 2 charged');
    expect(await faults(window)).toEqual([]);
    await fireEvent.click(byTestId(window, 'kept-undo'));
    await soon(() => expect(textOf(byTestId(window, 'kept-median'))).toContain('of 3 charged'));
    expect(missing(window, 'kept-undo')).toBe(true);
  });

  test('are offered a rejected charge no more', async () => {
    const window = await open();
    await soon(() => expect(allOf(window, 'kept-row')).toHaveLength(5));
    await fireEvent.click(byTestId(window, 'kept-pick'));
    await soon(() => expect(allOf(document.body, 'kept-not')).toHaveLength(2));
    await fireEvent.click(allOf(document.body, 'kept-not')[0] as HTMLElement);
    await soon(() => expect(textOf(row(window, 1))).toContain('Entry 402'));
    await fireEvent.click(byTestId(window, 'kept-pick'));
    await soon(() => expect(allOf(document.body, 'kept-choice')).toHaveLength(1));
  });

  test('say what was given back of a charge', async () => {
    const window = await open();
    await soon(() => expect(textOf(row(window, 3))).toContain('0.20 given back'));
  });

  test('are forgotten one by one', async () => {
    const window = await open();
    await soon(() => expect(allOf(window, 'kept-row')).toHaveLength(5));
    await fireEvent.click(allOf(window, 'kept-forget')[0] as HTMLElement);
    await soon(() => expect(allOf(window, 'kept-row')).toHaveLength(4));
  });

  test('are of an account: without one there is nothing to keep', async () => {
    const window = await open('signed-out');
    expect(missing(window, 'keep-estimate')).toBe(true);
    expect(missing(window, 'kept')).toBe(true);
  });
});
