import { fireEvent, within } from '@testing-library/svelte';
import { tick } from 'svelte';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { recordedBackend } from '../../../recorded/backend';
import { byTestId, faults, openWindow, textOf } from '../../../tests/window';
import type { EstimateRequest, EstimateView, Result } from '../../backend';
import { bench, Draft, KINDS } from './draft.svelte';

// axe reads the whole window, slowly the first time.
vi.setConfig({ testTimeout: 40_000 });

const recorded = recordedBackend('sandbox');

beforeEach(() => {
  bench.kind = 'video';
  bench.isRecipes = false;
  for (const kind of KINDS) bench.drafts[kind] = new Draft();
});

async function open(...[scenario = 'sandbox', changes = {}]: [Parameters<typeof openWindow>[0]?, Parameters<typeof openWindow>[2]?]): Promise<HTMLElement> {
  const window = await openWindow(scenario, 'estimate', changes);
  await vi.waitFor(() => byTestId(window, 'estimate-total'));
  return window;
}

async function choose(window: HTMLElement, model: string): Promise<void> {
  await fireEvent.click(byTestId(window, `model-row-${model}`));
}

const total = (window: HTMLElement, text: string): Promise<void> =>
  vi.waitFor(() => expect(textOf(byTestId(window, 'estimate-total'))).toBe(text));

describe('a price', () => {
  test('Sora 2, 4 s, 720p: 4,400 credits, why, and from where', async () => {
    const window = await open();
    await choose(window, 'sora-2-text-to-video');
    await fireEvent.click(within(byTestId(window, 'choice-seconds-8')).getByRole('radio'));
    await total(window, '8,800');
    await fireEvent.click(within(byTestId(window, 'choice-seconds-4')).getByRole('radio'));
    await total(window, '4,400');
    expect(textOf(byTestId(window, 'choice-seconds-12'))).toBe('12 s 13,200');
    expect(textOf(byTestId(window, 'choice-seconds-6'))).toBe('6 s');
    expect(within(byTestId(window, 'choice-seconds-6')).getByRole('radio')).toHaveProperty('disabled', true);
    expect(textOf(byTestId(window, 'refused-seconds'))).toBe('Sora 2 makes 4, 8 or 12 s.');
    expect(textOf(byTestId(window, 'refused-resolution'))).toBe('Sora 2 makes 720p.');
    expect(textOf(byTestId(window, 'refused-audio'))).toBe('Sora 2 always has sound.');
    expect(textOf(byTestId(window, 'evidence'))).toBe('Rate card, 1 Jan 2026');
    expect(textOf(byTestId(window, 'card-age'))).toBe('about 10 months old');
    expect(textOf(byTestId(window, 'estimate-lines'))).toContain('$0.11 per s');
    expect(textOf(byTestId(window, 'estimate-draw'))).toContain('39,910.45');
    expect(textOf(byTestId(window, 'model-retired'))).toContain('24 Sep 2026');
  });

  test('a small cost is never rounded to nothing', async () => {
    const window = await open();
    await fireEvent.click(byTestId(window, 'kind-chat'));
    await choose(window, 'qwen3-4b');
    await total(window, '0.55');
    expect(textOf(window)).toContain('$0.000055');
  });

  test('the latest answer wins, whichever comes last', async () => {
    const open_: { request: EstimateRequest; answer: (result: Result<EstimateView>) => void }[] = [];
    const window = await open('sandbox', {
      estimate: (request) => {
        if (request.runs === 1) return recorded.estimate(request);
        return new Promise((answer) => open_.push({ request, answer }));
      },
    });
    await choose(window, 'sora-2-text-to-video');
    await total(window, '4,400');
    const runs = byTestId(window, 'count-runs');
    await fireEvent.input(runs, { target: { value: '2' } });
    await fireEvent.input(runs, { target: { value: '23' } });
    await vi.waitFor(() => expect(open_.map(({ request }) => request.runs)).toEqual([2, 23]));
    for (const { request, answer } of [...open_].reverse()) answer(await recorded.estimate(request));
    await total(window, '101,200');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(textOf(byTestId(window, 'estimate-total'))).toBe('101,200');
  });

  test('a refusal stands where the price is, and goes when the next answer comes', async () => {
    const window = await open('sandbox', {
      estimate: (request) =>
        request.runs === 3
          ? Promise.resolve({ status: 'error', error: { code: 'price_unknown', params: { model: 'Sora 2' } } })
          : recorded.estimate(request),
    });
    const runs = byTestId(window, 'count-runs');
    await fireEvent.input(runs, { target: { value: '3' } });
    await vi.waitFor(() => expect(byTestId(window, 'error-banner').dataset['code']).toBe('price_unknown'));
    expect(byTestId(window, 'simulate-run')).toHaveProperty('disabled', true);
    await fireEvent.input(runs, { target: { value: '4' } });
    await vi.waitFor(() => expect(window.querySelector('[data-testid="error-banner"]')).toBeNull());
  });
});

describe('counts', () => {
  test.each([
    ['1,5', 'Whole numbers only'],
    ['', 'A number is missing'],
    ['9999999999', 'From 0 to 1,000,000,000'],
  ])('%s is refused in its place and not asked for', async (typed, words) => {
    const asked = vi.fn(recorded.estimate);
    const window = await open('sandbox', { estimate: asked });
    await fireEvent.click(byTestId(window, 'kind-chat'));
    const field = await vi.waitFor(() => byTestId(window, 'count-output_tokens') as HTMLInputElement);
    await vi.waitFor(() => byTestId(window, 'estimate-total'));
    asked.mockClear();
    await fireEvent.input(field, { target: { value: typed } });
    await tick();
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(textOf(window.querySelector('#fault-output_tokens') as Element)).toContain(words);
    expect(field.value).toBe(typed);
    expect(asked).not.toHaveBeenCalled();
    expect(await faults(window)).toEqual([]);
  });

  test('thousands may be set apart', async () => {
    const window = await open();
    await fireEvent.click(byTestId(window, 'kind-chat'));
    await choose(window, 'qwen3-4b');
    await fireEvent.input(byTestId(window, 'count-input_tokens'), { target: { value: '1,000,000' } });
    await total(window, '500.30');
  });

  test('what was typed stays for the next model of the kind', async () => {
    const window = await open();
    await fireEvent.click(byTestId(window, 'kind-image'));
    await choose(window, 'image-generation');
    await fireEvent.input(byTestId(window, 'count-images'), { target: { value: '7' } });
    await choose(window, 'image-upscale-2x');
    await total(window, '1,400');
  });
});

describe('the picker', () => {
  test('a name is found whichever tab it is in', async () => {
    const window = await open();
    await fireEvent.input(byTestId(window, 'model-search'), { target: { value: 'kokoro' } });
    await choose(window, 'tts-kokoro');
    await total(window, '35');
    expect(byTestId(window, 'kind-audio').getAttribute('aria-selected')).toBe('true');
  });

  test('nothing found says so and offers the way back', async () => {
    const window = await open();
    await fireEvent.input(byTestId(window, 'model-search'), { target: { value: 'no such model' } });
    expect(textOf(window)).toContain('No model fits');
    await fireEvent.click(within(window).getByRole('button', { name: 'Clear' }));
    byTestId(window, 'model-row-sora-2-text-to-video');
  });

  test('arrows move along the list and along the tabs', async () => {
    const window = await open();
    await fireEvent.click(byTestId(window, 'kind-chat'));
    const list = within(window).getByRole('listbox');
    await fireEvent.keyDown(list, { key: 'End' });
    const rows = within(list).getAllByRole('option');
    await vi.waitFor(() => expect(rows.at(-1)?.getAttribute('aria-selected')).toBe('true'));
    await fireEvent.keyDown(byTestId(window, 'kind-chat'), { key: 'ArrowRight' });
    expect(byTestId(window, 'kind-image').getAttribute('aria-selected')).toBe('true');
  });
});

describe('what it draws', () => {
  test('a run that is not covered says what is missing and where to go', async () => {
    const window = await open();
    await choose(window, 'sora-2-text-to-video');
    await fireEvent.input(byTestId(window, 'count-runs'), { target: { value: '500' } });
    await total(window, '2,200,000');
    expect(textOf(byTestId(window, 'estimate-draw'))).toContain('1,954,689.55 credits are missing');
    expect(await faults(window)).toEqual([]);
  });

  test('signed out: the price, no draw, and why', async () => {
    const window = await open('signed-out');
    expect(window.querySelector('[data-testid="estimate-draw"]')).toBeNull();
    expect(window.querySelector('[data-testid="simulate-run"]')).toBeNull();
    expect(textOf(byTestId(window, 'no-draw'))).toContain('Signed out');
  });

  test('live: no simulation', async () => {
    const window = await open('live');
    expect(window.querySelector('[data-testid="simulate-run"]')).toBeNull();
  });

  test('a simulated run is charged and confirmed', async () => {
    const window = await open();
    await choose(window, 'sora-2-text-to-video');
    await total(window, '4,400');
    await fireEvent.click(byTestId(window, 'simulate-run'));
    await vi.waitFor(() => expect(textOf(byTestId(window, 'simulated'))).toBe('Charged 4,400 credits for Sora 2. 240,910.45 are left.'));
    await vi.waitFor(() => expect(textOf(byTestId(window, 'estimate-draw'))).toContain('236,510.45'));
  });

  test('a refused simulation says why and charges nothing', async () => {
    const window = await open('sandbox', {
      simulateRun: () =>
        Promise.resolve({
          status: 'error',
          error: { code: 'insufficient_credits', params: { needed_credits: '8800', available_credits: '4120', short_credits: '4680' } },
        }),
    });
    await fireEvent.click(byTestId(window, 'simulate-run'));
    await vi.waitFor(() => expect(byTestId(window, 'error-banner').dataset['code']).toBe('insufficient_credits'));
    expect(window.querySelector('[data-testid="simulated"]')).toBeNull();
  });
});
