import { fireEvent } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import { recordedBackend, recordedView } from '../../../recorded/backend';
import { byTestId, faults, openWindow, textOf } from '../../../tests/window';
import type { Backend } from '../../backend';
import { route } from '../../state/route.svelte';
import { exampleTerrace } from './example';

// axe reads the whole window, slowly the first time.
vi.setConfig({ testTimeout: 40_000 });

const recorded = recordedBackend('signed-out');
const TYPED = 'ask_example_only_not_a_key_9k2f';

async function open(changes: Partial<Backend> = {}): Promise<HTMLElement> {
  const window = await openWindow('signed-out', 'onboarding', changes);
  await vi.waitFor(() => byTestId(window, 'onboarding-buy'));
  return window;
}

async function signIn(window: HTMLElement, typed: string): Promise<HTMLInputElement> {
  await fireEvent.click(byTestId(window, 'onboarding-sign-in'));
  const field = (await vi.waitFor(() => byTestId(window, 'sign-in-key'))) as HTMLInputElement;
  await fireEvent.input(field, { target: { value: typed } });
  await fireEvent.submit(field.closest('form') as HTMLFormElement);
  return field;
}

describe('three ways to start', () => {
  test('buying', async () => {
    const window = await open();
    await fireEvent.click(byTestId(window, 'onboarding-buy'));
    expect(route.current).toBe('buy');
  });

  test('looking around', async () => {
    const window = await open();
    await fireEvent.click(byTestId(window, 'onboarding-look-around'));
    await vi.waitFor(() => byTestId(window, 'balance'), 20_000);
  });

  test('looking around is only for the sandbox', async () => {
    const view = recordedView('signed-out');
    const window = await open({ snapshot: () => Promise.resolve({ ...view, profile: { ...view.profile, kind: 'live' } }) });
    expect(window.querySelector('[data-testid="onboarding-look-around"]')).toBeNull();
  });

  test('without any of it: prices need no account, no wallet and no network', async () => {
    const window = await openWindow('signed-out-offline', 'onboarding');
    const said = await vi.waitFor(() => byTestId(window, 'onboarding-offline'));
    expect(textOf(said)).toContain('Prices can be looked up now.');
    await fireEvent.click(byTestId(window, 'onboarding-estimate'));
    expect(route.current).toBe('estimate');
    await vi.waitFor(() => byTestId(window, 'estimate-total'), 20_000);
  });

  test('with a key: it goes to Rust and from the page', async () => {
    const asked = vi.fn(recorded.signIn);
    const window = await open({ signIn: asked });
    await signIn(window, `  ${TYPED} `);
    await vi.waitFor(() => byTestId(window, 'balance'), 20_000);
    expect(asked).toHaveBeenCalledExactlyOnceWith(TYPED);
    expect(document.documentElement.outerHTML).not.toContain(TYPED);
  });
});

describe('a key that is refused', () => {
  test('says so in place and keeps what was typed', async () => {
    const window = await open({ signIn: () => Promise.resolve({ status: 'error', error: { code: 'key_refused', params: {} } }) });
    const field = await signIn(window, TYPED);
    await vi.waitFor(() => expect(byTestId(window, 'error-banner').dataset['code']).toBe('key_refused'));
    expect(field.value).toBe(TYPED);
    expect(field.type).toBe('password');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(await faults(window)).toEqual([]);
  });

  test('nothing typed asks nobody', async () => {
    const asked = vi.fn(recorded.signIn);
    const window = await open({ signIn: asked });
    await signIn(window, '   ');
    expect(textOf(window)).toContain('Paste the key first.');
    expect(asked).not.toHaveBeenCalled();
  });

  test('cancelling forgets it', async () => {
    const window = await open();
    await signIn(window, 'short');
    await vi.waitFor(() => byTestId(window, 'error-banner'));
    await fireEvent.click(byTestId(window, 'onboarding-sign-in'));
    expect(window.querySelector('[data-testid="error-banner"]')).toBeNull();
    await fireEvent.click(byTestId(window, 'onboarding-sign-in'));
    expect(await vi.waitFor(() => byTestId(window, 'sign-in-key'))).toHaveProperty('value', '');
  });
});

test('the example is marked as one and adds up', () => {
  const { slabs, pace } = exampleTerrace(Date.parse('2026-11-20T13:00:00Z'), ['words']);
  for (const [index, slab] of slabs.entries()) {
    const below = slabs[index + 1];
    if (below) expect(Math.abs(below.bottom_bp + below.height_bp - slab.bottom_bp)).toBeLessThanOrEqual(1);
  }
  expect(slabs.at(-1)?.bottom_bp).toBe(0);
  expect(pace.at(-1)?.y_bp).toBe(0);
  expect(pace.every((point, index) => index === 0 || point.y_bp <= (pace[index - 1]?.y_bp ?? 0))).toBe(true);
});
