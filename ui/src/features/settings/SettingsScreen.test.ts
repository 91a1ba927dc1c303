import { fireEvent } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { recordedBackend } from '../../../recorded/backend';
import { byTestId, faults, openWindow, refused, textOf } from '../../../tests/window';
import type { Backend, Result } from '../../backend';
import { go, route } from '../../state/route.svelte';

// axe reads the whole window, slowly the first time.
vi.setConfig({ testTimeout: 90_000 });

const recorded = recordedBackend('sandbox');
const KEY = 'ask_example_only_not_a_key_9k2f';
const LAST_FOUR = '9k2f';
const page = (): HTMLElement => document.body;
const holdsKey = (): boolean => document.documentElement.outerHTML.includes(KEY);
const shown = (id: string): Promise<HTMLElement> => vi.waitFor(() => byTestId(page(), id));

// What is loaded when it is asked for takes its time the first time.
beforeAll(() => import('../accounts/LeaveDialog.svelte'), 90_000);
afterEach(() => vi.useRealTimers());

async function open(changes: Partial<Backend> = {}): Promise<void> {
  await openWindow('sandbox', 'settings', changes);
  await shown('settings-theme-dark');
}

async function reveal(typed = LAST_FOUR): Promise<void> {
  await fireEvent.click(byTestId(page(), 'reveal-key'));
  const field = await shown('reveal-confirm');
  await fireEvent.input(field, { target: { value: typed } });
  await fireEvent.submit(field.closest('form') as HTMLFormElement);
}

describe('revealing the key', () => {
  test('asks for the last four characters first', async () => {
    await open();
    await fireEvent.click(byTestId(page(), 'reveal-key'));
    await shown('reveal-confirm');
    expect(holdsKey()).toBe(false);
    expect(await faults(page())).toEqual([]);
  });

  test('a wrong confirmation shows nothing and says so', async () => {
    await open();
    await reveal('0000');
    expect((await shown('error-banner')).dataset['code']).toBe('reveal_refused');
    expect(holdsKey()).toBe(false);
  });

  test('the key goes from the page after 30 s', async () => {
    await open();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await reveal();
    expect(textOf(await shown('revealed-key'))).toBe(KEY);
    expect(await faults(page())).toEqual([]);
    vi.advanceTimersByTime(29_000);
    await tick();
    expect(holdsKey()).toBe(true);
    vi.advanceTimersByTime(1000);
    await tick();
    await vi.waitFor(() => expect(holdsKey()).toBe(false));
  });

  test('hiding it and leaving the screen take it away at once', async () => {
    await open();
    await reveal();
    await fireEvent.click(await shown('hide-key'));
    await vi.waitFor(() => expect(holdsKey()).toBe(false));
    await reveal();
    await shown('revealed-key');
    go('overview');
    await vi.waitFor(() => expect(holdsKey()).toBe(false));
  });

  test('an answer that comes after the dialog was closed is not shown', async () => {
    let answer: (result: Result<string[]>) => void = () => undefined;
    await open({ revealSecret: () => new Promise((resolve) => (answer = resolve)) });
    await reveal();
    await fireEvent.click(await vi.waitFor(() => document.querySelector('.dialog [aria-label="Close"]') as HTMLElement));
    answer({ status: 'ok', data: [KEY] });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(holdsKey()).toBe(false);
  });

  test('copying is done by Rust, with or without showing, and a refusal is said', async () => {
    const copied = vi.fn(recorded.copySecureKey).mockResolvedValueOnce(refused('clipboard_failed', { reason: 'no' }));
    const write = vi.fn<(text: string) => Promise<void>>();
    vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText: write } });
    await open({ copySecureKey: copied });
    await fireEvent.click(byTestId(page(), 'reveal-key'));
    await fireEvent.input(await shown('reveal-confirm'), { target: { value: LAST_FOUR } });
    await fireEvent.click(byTestId(page(), 'copy-hidden'));
    expect((await shown('error-banner')).dataset['code']).toBe('clipboard_failed');
    await fireEvent.click(byTestId(page(), 'copy-hidden'));
    expect(textOf(await shown('key-copied'))).toContain('cleared in 30 s');
    expect(holdsKey()).toBe(false);
    await fireEvent.submit(byTestId(page(), 'reveal-confirm').closest('form') as HTMLFormElement);
    await fireEvent.click(await shown('copy-key'));
    await vi.waitFor(() => expect(copied).toHaveBeenCalledTimes(3));
    expect(copied).toHaveBeenLastCalledWith('first', LAST_FOUR);
    expect(write).not.toHaveBeenCalled();
    vi.unstubAllGlobals();
  });
});

describe('signing out', () => {
  test('says what goes and what stays before it does anything', async () => {
    const left = vi.fn(recorded.signOut);
    await open({ signOut: left });
    await fireEvent.click(byTestId(page(), 'sign-out'));
    await shown('sign-out-confirm');
    const words = textOf(document.querySelector('.dialog') as Element);
    expect(words).toContain('the Secure Key, from the keychain');
    expect(words).toContain('your credits, with the service');
    expect(left).not.toHaveBeenCalled();
    expect(await faults(page())).toEqual([]);
  });

  test('then it does, and comes back to the door', async () => {
    await open();
    await fireEvent.click(byTestId(page(), 'sign-out'));
    await fireEvent.click(await shown('sign-out-confirm'));
    await shown('onboarding-buy');
    expect(route.current).toBe('onboarding');
  });

  test('a refusal stays in the dialog', async () => {
    await open({ signOut: () => Promise.resolve({ status: 'error', error: { code: 'keychain_locked', params: {} } }) });
    await fireEvent.click(byTestId(page(), 'sign-out'));
    await fireEvent.click(await shown('sign-out-confirm'));
    expect((await shown('error-banner')).dataset['code']).toBe('keychain_locked');
  });
});

test('the theme is set by Rust and shows at once', async () => {
  await open();
  await fireEvent.click(byTestId(page(), 'settings-theme-dark').querySelector('input') as HTMLInputElement);
  await vi.waitFor(() => expect(document.documentElement.dataset['theme']).toBe('dark'));
});

test('says where everything is', async () => {
  await open();
  const words = textOf(page());
  for (const one of ['/home/ada/.local/share/aispace-wallet', 'AiSpace credits, 2026-01-01', '0.1.0', 'http://127.0.0.1:18080', 'no answer', 'Coinbase Exchange']) {
    expect(words).toContain(one);
  }
});

test('signed out: no key to reveal, and the way in', async () => {
  await openWindow('signed-out', 'settings');
  await shown('settings-theme-dark');
  expect(document.querySelector('[data-testid="reveal-key"]')).toBeNull();
  expect(textOf(page())).toContain('No account on this computer');
});
