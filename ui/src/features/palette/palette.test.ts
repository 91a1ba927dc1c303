import { fireEvent } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import { byTestId, faults, missing, openWindow, textOf } from '../../../tests/window';
import type { Scenario } from '../../../recorded/backend';
import { app } from '../../state/app.svelte';
import { overlay } from '../../state/overlay.svelte';
import { route, type Route } from '../../state/route.svelte';
import { bench } from '../estimate/draft.svelte';
import { amountIn } from './estimating';
import './Palette.svelte';
import './Shortcuts.svelte';

vi.setConfig({ testTimeout: 60_000 });

const until = <T>(check: () => T): Promise<Awaited<T>> => Promise.resolve(vi.waitFor(check, 20_000));
const shown = (id: string) => until(() => byTestId(document.body, id));

async function open(scenario: Scenario = 'sandbox', screen: Route = 'overview') {
  const window = await openWindow(scenario, screen);
  await fireEvent.keyDown(document.body, { key: 'k', ctrlKey: true });
  const input = (await shown('palette-input')) as HTMLInputElement;
  await until(() => expect(document.activeElement).toBe(input));
  const type = async (text: string) => {
    await fireEvent.input(input, { target: { value: text } });
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const options = () => [...document.querySelectorAll<HTMLElement>('[role="option"]')].filter((one) => one.closest('#palette-list'));
  const chosen = () => document.querySelector('#palette-list [aria-selected="true"]');
  const press = (key: string, more = {}) => fireEvent.keyDown(input, { key, ...more });
  return { window, input, type, options, chosen, press };
}

const titles = (options: HTMLElement[]): string[] => options.map((one) => textOf(one.querySelector('.pal__title') ?? one));

describe('before anything is typed', () => {
  test('places come first, then what can be done here', async () => {
    const { options } = await open();
    const all = titles(options());
    expect(all.slice(0, 7)).toEqual(['Overview', 'Batches', 'Estimate', 'Buy', 'Usage', 'Settings', 'Sync now']);
    expect(all).toContain('Dark appearance');
    expect(all).not.toContain('Go back');
  });

  test('without an account only places that need none', async () => {
    const { options } = await open('signed-out', 'onboarding');
    expect(titles(options()).slice(0, 3)).toEqual(['Estimate', 'Buy', 'Settings']);
  });

  test('a payment that is followed stands on top', async () => {
    const { options, press } = await open('pay-card', 'estimate');
    expect(titles(options())[0]).toContain('$');
    await press('Enter');
    await until(() => expect(route.current).toBe('buy'));
  });
});

describe('finding', () => {
  test('a place by a few letters, and Enter goes there', async () => {
    const { type, press, chosen } = await open();
    await type('batc');
    expect(textOf(chosen() ?? document.body)).toContain('Batches');
    await press('Enter');
    await until(() => expect(route.current).toBe('batches'));
    expect(overlay.current).toBeNull();
    await until(() => expect(document.activeElement?.id).toBe('main'));
  });

  test('a model with its price, opened in Estimate', async () => {
    const { type, press, options } = await open();
    await until(async () => {
      await type('veo 3 fast');
      expect(titles(options())[0]).toBe('Veo 3 Fast');
    });
    await press('Enter');
    await until(() => expect(route.current).toBe('estimate'));
    expect(bench.kind).toBe('video');
    expect(bench.draft.model?.name).toBe('Veo 3 Fast');
  });

  test('the price of what was typed', async () => {
    const { type, press, options } = await open();
    await until(async () => {
      await type('sora 8');
      expect(textOf(options()[0] ?? document.body)).toBe('Sora 2, 8 s 720p, image to video, assumed linear 8,800 credits · $0.88');
    });
    await press('Enter');
    await until(() => expect(bench.draft.seconds).toBe(8));
  });

  test('what a model does not offer is said', async () => {
    const { type, options } = await open();
    await until(async () => {
      await type('sora 7');
      expect(textOf(options()[0] ?? document.body)).toContain('Sora 2, 7 s This model does not offer 7');
    });
  });

  test('a batch by its day, a payment by its sum, a section of the settings', async () => {
    const { type, options } = await open();
    await type('grant');
    expect(titles(options())).toContain('Grant of 11 Nov');
    await type('payments');
    expect(options().some((one) => one.id.startsWith('pal-payment-'))).toBe(true);
    await type('nodes');
    expect(options().length).toBeGreaterThan(0);
  });

  test('a batch is opened at its own row', async () => {
    const { type, press } = await open();
    await type('grant of 11 nov');
    await press('Enter');
    await until(() => expect(document.activeElement?.getAttribute('data-testid')).toBe('batch-row'));
    expect(textOf(document.activeElement ?? document.body)).toContain('added 11 Nov');
    expect(route.batch).toBeNull();
  });

  test('a run is opened with all that is known of it', async () => {
    const { type, options } = await open();
    await type('upscale 2x');
    const run = options().find((one) => one.id.startsWith('pal-run-'));
    await fireEvent.click(run ?? document.body);
    const detail = await shown('usage-detail');
    expect(textOf(detail)).toContain('3 images');
    expect(route.current).toBe('usage');
    expect(route.entry).toBeNull();
  });

  test('nothing is said in words', async () => {
    const { type, options, press } = await open();
    await type('zzzzqq');
    expect(options()).toEqual([]);
    expect(textOf(byTestId(document.body, 'palette'))).toContain('Nothing is called “zzzzqq”.');
    await press('Enter');
    expect(overlay.current).toBe('palette');
  });
});

describe('keys', () => {
  test('the arrows go round, and the field says what is chosen', async () => {
    const { press, input, options } = await open();
    const at = () => options().findIndex((one) => one.id === input.getAttribute('aria-activedescendant'));
    expect(at()).toBe(0);
    await press('ArrowUp');
    expect(at()).toBe(options().length - 1);
    await press('ArrowDown');
    await press('ArrowDown');
    expect(at()).toBe(1);
    await press('PageDown');
    expect(at()).toBe(6);
    expect(document.activeElement).toBe(input);
  });

  test('Escape closes it, and the focus returns to where it came from', async () => {
    const window = await openWindow('sandbox', 'overview');
    const from = byTestId(window, 'nav-usage');
    from.focus();
    await fireEvent.keyDown(from, { key: 'k', ctrlKey: true });
    const input = await shown('palette-input');
    await until(() => expect(document.activeElement).toBe(input));
    await fireEvent.keyDown(input, { key: 'Escape' });
    await until(() => expect(missing(document.body, 'palette')).toBe(true));
    await until(() => expect(document.activeElement).toBe(from));
    expect(route.current).toBe('overview');
  });

  test('Ctrl K closes it again; ? shows the list', async () => {
    const { press } = await open();
    await press('k', { ctrlKey: true });
    await until(() => expect(missing(document.body, 'palette')).toBe(true));
    await fireEvent.keyDown(document.body, { key: '?' });
    const list = await shown('shortcuts');
    expect(textOf(list)).toContain('Save calendar file of batch ends');
  });

  test('an action is done', async () => {
    const { type, press } = await open();
    await type('dark app');
    await press('Enter');
    await until(() => expect(app.view?.settings.theme).toBe('dark'));
  });
});

test.each(['', 'sora 8', 'zzzzqq'])('axe finds nothing with “%s”', async (text) => {
  const { type } = await open();
  await type(text);
  expect(await faults(document.body)).toEqual([]);
});

test.each([
  ['sora 8', 'Sora 2', { words: 'sora', amount: { size: '8', runs: null } }],
  ['sora 2', 'Sora 2', null],
  ['sora 2 8s', 'Sora 2', { words: 'sora 2', amount: { size: '8', runs: null } }],
  ['3x flux 4', 'Flux', { words: 'flux', amount: { size: '4', runs: 3 } }],
  ['qwen 235b', 'Qwen 3 235B', null],
])('%s of %s', (typed, name, expected) => expect(amountIn(typed, name)).toEqual(expected));
