import { fireEvent } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import { recordedView } from '../recorded/backend';
import { app } from '../src/state/app.svelte';
import { route } from '../src/state/route.svelte';
import { keyPageInstead, shownScreen } from '../src/state/screen';
import { byTestId, openWindow, shown, textOf } from './window';

describe('overview', () => {
  test('shows the balance exactly, and when the next batch ends', async () => {
    const window = await openWindow('sandbox');
    expect(textOf(byTestId(window, 'balance'))).toBe('245,310.45');
    expect(textOf(byTestId(window, 'balance-state'))).toBe('Available');
    const ticket = window.querySelector('.departure');
    expect(ticket && textOf(ticket)).toContain('3 d 8 h 15 min');
    expect(ticket && textOf(ticket)).toContain('About 14,350 credits lapse on Monday');
    expect(textOf(byTestId(window, 'connection'))).toMatch(/^Live, synced \d\d:\d\d$/);
    expect(window.querySelector('[data-testid="sandbox-band"]')).not.toBeNull();
  });

  test('says at most, and as known at, when offline', async () => {
    const window = await openWindow('offline');
    expect(textOf(byTestId(window, 'balance-state'))).toBe('At most');
    expect(textOf(byTestId(window, 'balance'))).toBe('245,310');
    expect(textOf(byTestId(window, 'known-at'))).toMatch(/^as known at \d\d:\d\d, 2 h 36 min ago$/);
    expect(byTestId(window, 'offline-band').dataset['code']).toBe('service_unreachable');
    expect(textOf(byTestId(window, 'connection'))).toMatch(/^As known at/);
  });

  test('has a table twin of the terrace', async () => {
    const window = await openWindow('sandbox');
    const twin = window.querySelector<HTMLElement>('[aria-label="Show as a table"]');
    await fireEvent.click(twin ?? document.body);
    const rows = [...window.querySelectorAll('.twin__batches tbody tr')].map(textOf);
    expect(rows).toHaveLength(7);
    expect(rows[0]).toContain('44,310.45');
    expect(rows[0]).toContain('about 14,350');
    expect(twin?.getAttribute('aria-pressed')).toBe('true');
  });

  test('explains batches when there are none', async () => {
    const window = await openWindow('empty');
    expect(textOf(byTestId(window, 'balance'))).toBe('0.00');
    expect(textOf(window)).toContain('Each purchase is a batch.');
  });

  test('says what is held and owed, when there is any', async () => {
    const window = await openWindow('owing');
    expect(textOf(byTestId(window, 'balance'))).toBe('0.00');
    expect([...window.querySelectorAll('.facts dt')].map(textOf)).toEqual(['Owed', 'On hold', 'Lapsed so far', 'Daily credits']);
    expect(textOf(byTestId(window, 'held'))).toBe('4,400 for runs');
    expect(textOf(byTestId(window, 'debt'))).toBe('2,150.50, paid first by new credits');
    expect(textOf(byTestId(window, 'daily'))).toBe('none on this account');
  });

  test('says what is added daily, and nothing of holds and debt that are not there', async () => {
    const window = await openWindow('sandbox');
    expect(textOf(byTestId(window, 'daily'))).toBe('1,000 at 00:00 UTC');
    expect(window.querySelector('[data-testid="held"], [data-testid="debt"]')).toBeNull();
  });

  test('is not drawn in amber when time is not running out', async () => {
    const window = await openWindow('fresh');
    expect(textOf(byTestId(window, 'balance'))).toBe('250,000.00');
    expect(window.querySelector('.railclock .lapse')).toBeNull();
    expect(window.querySelector('.departure__risk')).toBeNull();
  });
});

test('a key that cannot be read: what is known, and a way to ask again', async () => {
  const syncNow = vi.fn(() => Promise.resolve({ status: 'ok' as const, data: { ...recordedView('sandbox'), revision: 2 } }));
  const window = await openWindow('locked', 'overview', { syncNow });
  const page = byTestId(window, 'error-banner');
  expect(page.dataset['code']).toBe('keychain_locked');
  expect(textOf(page)).toContain('at most 245,310 credits');
  await fireEvent.click(page.querySelector('button') ?? page);
  expect(syncNow).toHaveBeenCalledOnce();
  await vi.waitFor(() => expect(textOf(byTestId(window, 'balance'))).toBe('245,310.45'));
});

describe('batches', () => {
  test('stand in draw order with local time, UTC and countdown', async () => {
    const window = await openWindow('sandbox', 'batches');
    const rows = [...window.querySelectorAll<HTMLElement>('[data-testid="batch-row"]')];
    expect(rows).toHaveLength(7);
    const first = rows[0] ?? window;
    expect(textOf(byTestId(first, 'batch-expires-utc'))).toContain('21:18 UTC');
    expect(textOf(byTestId(first, 'batch-countdown'))).toBe('3 d 8 h');
    expect(byTestId(first, 'batch-expires-local').getAttribute('datetime')).toBe('2026-11-23T21:18:09Z');
    expect(textOf(first)).toContain('about 14,350 lapse');
    expect(rows.map((row) => textOf(row.querySelector('.order') ?? row))).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  });

  test('keep the ended ones below', async () => {
    const window = await openWindow('sandbox', 'batches');
    const summary = window.querySelector<HTMLElement>('summary');
    expect(textOf(summary ?? window)).toBe('3 ended batches 14,449.80 credits lapsed, worth $1.44');
    expect(window.querySelector('.past tbody')).toBeNull();
    await fireEvent.click(summary ?? window);
    await shown(window, 'ended-row');
    expect(textOf(window.querySelector('.past tbody tr') ?? window)).toContain('137,480.20');
  });
});

describe('the window', () => {
  test('goes where the rail, the numbers and the letters say', async () => {
    const window = await openWindow('sandbox');
    await fireEvent.click(byTestId(window, 'nav-batches'));
    expect(route.current).toBe('batches');
    expect(byTestId(window, 'nav-batches').getAttribute('aria-current')).toBe('page');
    await fireEvent.keyDown(document.body, { key: '5' });
    expect(route.current).toBe('usage');
    await fireEvent.keyDown(document.body, { key: 'e' });
    expect(route.current).toBe('estimate');
    await fireEvent.keyDown(document.body, { key: 'Escape' });
    expect(route.current).toBe('usage');
    await fireEvent.keyDown(document.body, { key: 'b', ctrlKey: true });
    expect(route.current).toBe('usage');
  });

  test('does not take letters from a field', async () => {
    await openWindow('sandbox');
    const field = document.body.appendChild(document.createElement('input'));
    await fireEvent.keyDown(field, { key: 'b', bubbles: true });
    expect(route.current).toBe('overview');
    field.remove();
  });

  test('says each notice, until it is put away', async () => {
    const window = await openWindow('notices');
    expect(textOf(byTestId(window, 'notice-store_rebuilt'))).toContain('store-2026-11-20.damaged');
    expect(textOf(byTestId(window, 'notice-clock_skewed'))).toContain('7 min behind');
    expect(textOf(byTestId(window, 'notice-key_in_memory_only'))).toContain('memory only');
    const resumed = byTestId(window, 'notice-payment_resumed');
    await fireEvent.click(resumed.querySelector('[aria-label="Put away"]') ?? resumed);
    expect(window.querySelector('[data-testid="notice-payment_resumed"]')).toBeNull();
  });

  test('wears the theme of the settings', async () => {
    await openWindow('sandbox');
    app.accept({ ...recordedView('sandbox', 'dark'), revision: 9 });
    await vi.waitFor(() => expect(document.documentElement.dataset['theme']).toBe('dark'));
  });

  test('offers only what works without an account to whoever has none', async () => {
    const window = await openWindow('signed-out', 'estimate');
    expect(window.querySelector('[data-testid="nav-estimate"]')).not.toBeNull();
    expect(window.querySelector('[data-testid="nav-overview"]')).toBeNull();
  });
});

describe('state', () => {
  test('drops a view older than the one that is there', () => {
    app.accept({ ...recordedView('fresh'), revision: 5 });
    app.accept({ ...recordedView('empty'), revision: 4 });
    expect(app.view?.account?.available_credits).toBe('250000');
  });

  test('counts by the service’s clock', () => {
    app.accept(recordedView('sandbox'));
    expect(Math.abs(app.now - Date.parse('2026-11-20T13:02:31Z'))).toBeLessThan(1000);
  });

  test('a broken bridge becomes a refusal', async () => {
    expect(await app.run(Promise.reject(new Error('no bridge')))).toBe(false);
    expect(app.failure).toEqual({ code: 'internal', params: { reason: 'no bridge' } });
  });

  test.each([
    ['signed-out', 'overview', 'onboarding'],
    ['signed-out', 'onboarding', 'onboarding'],
    ['signed-out', 'buy', 'buy'],
    ['signed-out', 'estimate', 'estimate'],
    ['paying', 'onboarding', 'buy'],
    ['sandbox', 'onboarding', 'overview'],
    ['unknown', 'overview', 'loading'],
    ['unknown', 'estimate', 'estimate'],
    ['locked', 'onboarding', 'overview'],
  ] as const)('%s asking for %s sees %s', (scenario, asked, shown) => expect(shownScreen(recordedView(scenario), asked)).toBe(shown));

  test('a locked keychain leaves what is stored readable', () => {
    expect(keyPageInstead(recordedView('locked'), 'overview')).toBe(true);
    expect(keyPageInstead(recordedView('locked'), 'batches')).toBe(false);
    expect(keyPageInstead(recordedView('locked-new'), 'batches')).toBe(true);
    expect(keyPageInstead(recordedView('locked-new'), 'estimate')).toBe(false);
  });
});
