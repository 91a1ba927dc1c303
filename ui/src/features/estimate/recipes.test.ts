import { fireEvent } from '@testing-library/svelte';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { recordedBackend } from '../../../recorded/backend';
import { allOf, byTestId, faults, missing, openWindow, shown, textOf } from '../../../tests/window';
import type { Result, TextCountView } from '../../backend';
import { bench, Draft, KINDS } from './draft.svelte';

// axe reads the whole window, slowly the first time.
vi.setConfig({ testTimeout: 40_000 });

beforeEach(() => {
  bench.kind = 'video';
  bench.isRecipes = false;
  bench.openJob({ recipe_id: null, name: '', runs: [] });
  for (const kind of KINDS) bench.drafts[kind] = new Draft();
});

async function open(...[scenario = 'sandbox', changes = {}]: [Parameters<typeof openWindow>[0]?, Parameters<typeof openWindow>[2]?]): Promise<HTMLElement> {
  const window = await openWindow(scenario, 'estimate', changes);
  await shown(window, 'estimate-total');
  return window;
}

describe('a recipe', () => {
  test('is put together from runs, named, kept, and priced as a whole', async () => {
    const window = await open('fresh');
    await fireEvent.click(byTestId(window, 'kind-image'));
    await vi.waitFor(() => expect(byTestId(window, 'add-to-recipe')).toHaveProperty('disabled', false));
    await fireEvent.click(byTestId(window, 'add-to-recipe'));
    expect(textOf(byTestId(window, 'add-to-recipe'))).toBe('Added');
    await fireEvent.click(byTestId(window, 'kind-audio'));
    await vi.waitFor(() => expect(textOf(byTestId(window, 'add-to-recipe'))).toBe('Add to recipe'));
    await fireEvent.click(byTestId(window, 'add-to-recipe'));
    await fireEvent.click(byTestId(window, 'kind-recipes'));
    await vi.waitFor(() => expect(textOf(byTestId(window, 'job-total'))).toContain('135.00'));
    expect(byTestId(window, 'recipe-save')).toHaveProperty('disabled', true);
    await fireEvent.input(byTestId(window, 'recipe-name'), { target: { value: 'Two things' } });
    await fireEvent.change(allOf(window, 'job-runs')[0] as HTMLElement, { target: { value: '3' } });
    await vi.waitFor(() => expect(textOf(byTestId(window, 'job-total'))).toContain('335.00'));
    await fireEvent.click(byTestId(window, 'recipe-save'));
    await vi.waitFor(() => expect(textOf(byTestId(window, 'recipe'))).toContain('Two things'));
    expect(textOf(byTestId(window, 'estimate-draw'))).toContain('335');
    expect(await faults(window)).toEqual([]);
  });

  test('is duplicated, deleted, and comes back', async () => {
    const window = await open();
    await fireEvent.click(byTestId(window, 'kind-recipes'));
    await vi.waitFor(() => expect(allOf(window, 'recipe')).toHaveLength(2));
    await fireEvent.click(allOf(window, 'recipe')[1] as HTMLElement);
    await vi.waitFor(() => expect(allOf(window, 'job-row')).toHaveLength(4));
    await fireEvent.click(byTestId(window, 'recipe-duplicate'));
    await vi.waitFor(() => expect(allOf(window, 'recipe').map(textOf).join()).toContain('Weekly reel, copy'));
    await vi.waitFor(() => expect(byTestId(window, 'recipe-delete')).toHaveProperty('disabled', false));
    await fireEvent.click(byTestId(window, 'recipe-delete'));
    await vi.waitFor(() => expect(allOf(window, 'recipe')).toHaveLength(2));
    expect(textOf(byTestId(window, 'recipe-deleted'))).toContain('Weekly reel, copy is deleted.');
    await fireEvent.click(byTestId(window, 'recipe-undo'));
    await vi.waitFor(() => expect(allOf(window, 'recipe')).toHaveLength(3));
    expect(missing(window, 'recipe-deleted')).toBe(true);
    expect(await faults(window)).toEqual([]);
  });

  test('a run of it opens in its own tab', async () => {
    const window = await open();
    await fireEvent.click(byTestId(window, 'kind-recipes'));
    await fireEvent.click(await vi.waitFor(() => allOf(window, 'recipe')[1] as HTMLElement));
    const row = await vi.waitFor(() => allOf(window, 'job-row')[3] as HTMLElement);
    await fireEvent.click(row.querySelector('.linklike') as Element);
    await vi.waitFor(() => expect(textOf(byTestId(window, 'estimate-total'))).toBe('70'));
    expect(byTestId(window, 'kind-audio').getAttribute('aria-selected')).toBe('true');
  });
});

describe('a text', () => {
  test('is counted into the tokens, as an estimate where the tokenizer is another one', async () => {
    const window = await open();
    await fireEvent.click(byTestId(window, 'kind-chat'));
    await fireEvent.click(await shown(window, 'text-open'));
    await fireEvent.input(byTestId(window, 'text-area'), { target: { value: 'x'.repeat(4_000) } });
    await vi.waitFor(() => expect((byTestId(window, 'count-input_tokens') as HTMLInputElement).value).toBe('1000'));
    expect(textOf(byTestId(window, 'text-count'))).toContain('an estimate for Venice Small');
    await fireEvent.click(byTestId(window, 'model-row-openai-gpt-oss-120b'));
    await vi.waitFor(() => expect(textOf(byTestId(window, 'text-count'))).toBe('1,000 tokens by o200k_base, which OpenAI GPT OSS 120B uses.'));
    expect(await faults(window)).toEqual([]);
  });

  test('the newest wins, and one that was overtaken says nothing', async () => {
    const answers: ((answer: Result<TextCountView | null>) => void)[] = [];
    const window = await open('sandbox', { countText: () => new Promise((answer) => answers.push(answer)) });
    await fireEvent.click(byTestId(window, 'kind-chat'));
    await fireEvent.click(await shown(window, 'text-open'));
    await fireEvent.input(byTestId(window, 'text-area'), { target: { value: 'one' } });
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    await fireEvent.input(byTestId(window, 'text-area'), { target: { value: 'one two' } });
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    answers[1]?.({ status: 'ok', data: { tokens: '2', characters: '7', encoding: 'o200k_base', own: false } });
    answers[0]?.({ status: 'ok', data: null });
    await vi.waitFor(() => expect((byTestId(window, 'count-input_tokens') as HTMLInputElement).value).toBe('2'));
  });

  test('speech is counted in characters', async () => {
    const window = await open('sandbox', { countText: recordedBackend('sandbox').countText });
    await fireEvent.click(byTestId(window, 'kind-audio'));
    await fireEvent.click(await shown(window, 'text-open'));
    await fireEvent.input(byTestId(window, 'text-area'), { target: { value: 'naïve 日本' } });
    await vi.waitFor(() => expect((byTestId(window, 'count-characters') as HTMLInputElement).value).toBe('8'));
  });
});
