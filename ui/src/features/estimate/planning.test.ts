import { fireEvent, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { recordedBackend } from '../../../recorded/backend';
import { allOf, byTestId, cellsOf, faults, missing, openWindow, shown, textOf } from '../../../tests/window';
import { bench, Draft, KINDS } from './draft.svelte';
import { sorted } from './sorting';

// axe reads the whole window, slowly the first time.
vi.setConfig({ testTimeout: 40_000 });

beforeEach(() => {
  bench.kind = 'video';
  bench.isRecipes = false;
  for (const kind of KINDS) bench.drafts[kind] = new Draft();
});

async function open(...[scenario = 'sandbox', changes = {}]: [Parameters<typeof openWindow>[0]?, Parameters<typeof openWindow>[2]?]): Promise<HTMLElement> {
  const window = await openWindow(scenario, 'estimate', changes);
  await shown(window, 'estimate-total');
  return window;
}

const total = (window: HTMLElement, text: string): Promise<void> =>
  vi.waitFor(() => expect(textOf(byTestId(window, 'estimate-total'))).toBe(text));

describe('an answer of unknown length', () => {
  test('is a range with the hold it needs', async () => {
    const window = await open();
    await fireEvent.click(byTestId(window, 'kind-chat'));
    await fireEvent.click(await shown(window, 'open-ended'));
    const range = await shown(window, 'estimate-range');
    expect(textOf(range)).toContain('Low0.325');
    expect(textOf(range)).toContain('High1.45');
    expect(textOf(range)).toContain('holds 1.45 credits');
    expect(await faults(window)).toEqual([]);
    await fireEvent.click(byTestId(window, 'open-ended'));
    await vi.waitFor(() => expect(missing(window, 'estimate-range')).toBe(true));
  });

  test('bounds that cross are refused in their place', async () => {
    const asked = vi.fn(recordedBackend('sandbox').estimate);
    const window = await open('sandbox', { estimate: asked });
    await fireEvent.click(byTestId(window, 'kind-chat'));
    await fireEvent.click(await shown(window, 'open-ended'));
    await shown(window, 'estimate-range');
    asked.mockClear();
    await fireEvent.input(byTestId(window, 'count-output_most'), { target: { value: '100' } });
    await vi.waitFor(() => expect(textOf(window)).toContain('each no less than the one before'));
    expect(asked).not.toHaveBeenCalled();
  });
});

describe('the same job, other models', () => {
  async function compare(window: HTMLElement, model: string): Promise<HTMLElement> {
    await fireEvent.click(byTestId(window, `model-row-${model}`));
    await total(window, '4,400');
    await fireEvent.click(byTestId(window, 'compare'));
    return shown(document.body, 'comparison');
  }

  test('are ranked, sorted and opened; the others say why not', async () => {
    const window = await open();
    const dialog = await compare(window, 'veo3-fast-text-to-video');
    await vi.waitFor(() => expect(allOf(dialog, 'compared').length).toBeGreaterThan(1));
    const names = () => allOf(dialog, 'compared').map((row) => textOf(row.querySelector('button') as Element));
    const cheapest = names()[0];
    await fireEvent.click(byTestId(dialog, 'sort-cost'));
    expect(dialog.querySelector('[aria-sort]')?.getAttribute('aria-sort')).toBe('descending');
    expect(names().at(-1)).toBe(cheapest);
    await fireEvent.click(byTestId(dialog, 'sort-name'));
    expect(names()).toEqual([...names()].sort((a, b) => a.localeCompare(b)));
    expect(textOf(dialog)).toContain('makes 5 or 10 s');
    expect(await faults(document.body)).toEqual([]);
    const row = allOf(dialog, 'compared').find((one) => one.querySelector('[aria-current]') === null) as HTMLElement;
    const said = cellsOf(row);
    await fireEvent.click(row.querySelector('button') as Element);
    await vi.waitFor(() => expect(document.querySelector('[data-testid="comparison"]')).toBeNull());
    await vi.waitFor(() => expect(said).toContain(textOf(byTestId(window, 'estimate-total'))));
  });

  test('the keyboard alone sorts, opens and comes back to where it was', async () => {
    const user = userEvent.setup();
    const window = await open();
    byTestId(window, 'compare').focus();
    await user.keyboard('{Enter}');
    const dialog = await shown(document.body, 'comparison');
    await vi.waitFor(() => byTestId(dialog, 'sort-fits'));
    byTestId(dialog, 'sort-fits').focus();
    await user.keyboard('{Enter}');
    expect(dialog.querySelector('[aria-sort]')?.getAttribute('aria-sort')).toBe('ascending');
    await user.keyboard('{Escape}');
    await vi.waitFor(() => expect(document.activeElement).toBe(byTestId(window, 'compare')));
  });

  test('counts beyond any number are sorted exactly', () => {
    const row = (name: string, fits: string) => ({ name, fits }) as Parameters<typeof sorted>[0][number];
    const rows = [row('a', '90071992547409930'), row('b', '90071992547409931'), row('c', '9')];
    expect(sorted(rows, 'fits', true).map((one) => one.name)).toEqual(['b', 'a', 'c']);
  });
});

describe('what lapses', () => {
  test('is counted in whole runs of the models that are chosen', async () => {
    const window = await open();
    const plan = await shown(window, 'plan');
    await vi.waitFor(() => expect(textOf(plan)).toContain('Whole runs that fit into about 14,350 credits'));
    expect(allOf(plan, 'plan-row')[0]?.textContent).toContain('1 clip');
    expect(textOf(plan)).toContain('143 images');
    await fireEvent.click(within(byTestId(plan, 'plan-balance')).getByRole('radio'));
    await vi.waitFor(() => expect(textOf(plan)).toContain('2,453 images'));
    const images = allOf(plan, 'plan-row').find((row) => row.textContent?.includes('images')) as HTMLElement;
    await fireEvent.click(images);
    await total(window, '100');
    expect(byTestId(window, 'kind-image').getAttribute('aria-selected')).toBe('true');
  });

  test('an empty account has nothing to plan with', async () => {
    const window = await open('empty');
    await vi.waitFor(() => expect(textOf(byTestId(window, 'plan'))).toContain('Nothing lapses within seven days'));
  });
});

describe('a kind without models', () => {
  test('says so', async () => {
    const window = await open();
    await fireEvent.click(byTestId(window, 'kind-tool'));
    expect(textOf(byTestId(window, 'kind-none'))).toContain('prices no tools');
    expect(await faults(window)).toEqual([]);
  });
});

describe('a budget', () => {
  test('that is passed says so, holds the run back, and is overridden for that run alone', async () => {
    const window = await open('budget');
    await fireEvent.click(byTestId(window, 'model-row-sora-2-text-to-video'));
    await total(window, '4,400');
    expect(textOf(byTestId(window, 'budget-day'))).toContain('523.71 over');
    expect(textOf(byTestId(window, 'budget-passed'))).toContain("This passes today's budget of 10,000.");
    expect(byTestId(window, 'simulate-run')).toHaveProperty('disabled', true);
    await fireEvent.click(byTestId(window, 'budget-allow'));
    expect(byTestId(window, 'simulate-run')).toHaveProperty('disabled', false);
    expect(await faults(window)).toEqual([]);
    await fireEvent.input(byTestId(window, 'count-runs'), { target: { value: '2' } });
    await total(window, '8,800');
    expect(byTestId(window, 'simulate-run')).toHaveProperty('disabled', true);
  });

  test('an allowed run is charged over the budget, as was said', async () => {
    const simulateRun = vi.fn(recordedBackend('budget').simulateRun);
    const window = await open('budget', { simulateRun });
    await fireEvent.click(byTestId(window, 'budget-allow'));
    await fireEvent.click(byTestId(window, 'simulate-run'));
    await shown(window, 'simulated');
    expect(simulateRun.mock.calls[0]?.[1]).toBe(true);
  });

  test('is set, refused when it is none, and taken away', async () => {
    const window = await open();
    await fireEvent.click(byTestId(window, 'budget-set'));
    const day = await shown(document.body, 'budget-day-input');
    await fireEvent.input(day, { target: { value: 'much' } });
    await fireEvent.click(byTestId(document.body, 'budget-save'));
    await vi.waitFor(() => expect(byTestId(document.body, 'error-banner').dataset['code']).toBe('amount_invalid'));
    await fireEvent.input(day, { target: { value: '20,000' } });
    await fireEvent.click(byTestId(document.body, 'budget-save'));
    await vi.waitFor(() => expect(textOf(byTestId(window, 'budget-day'))).toContain('5,576.29 left after'));
    expect(missing(window, 'budget-month')).toBe(true);
    await fireEvent.click(byTestId(window, 'budget-set'));
    await fireEvent.input(await shown(document.body, 'budget-day-input'), { target: { value: '' } });
    await fireEvent.click(byTestId(document.body, 'budget-save'));
    await vi.waitFor(() => expect(missing(window, 'budget-day')).toBe(true));
  });
});
