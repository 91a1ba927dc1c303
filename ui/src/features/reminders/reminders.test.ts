import { fireEvent } from '@testing-library/svelte';
import { expect, test, vi } from 'vitest';
import { recordedBackend } from '../../../recorded/backend';
import { allOf, byTestId, faults, missing, openWindow, refused, shown, textOf } from '../../../tests/window';
import type { Backend } from '../../backend';
import { app } from '../../state/app.svelte';
import { route } from '../../state/route.svelte';
import { timeOfDay } from './words';

// axe reads the whole window, slowly the first time.
vi.setConfig({ testTimeout: 90_000 });

const recorded = recordedBackend('sandbox');
const page = (): HTMLElement => document.body;

async function open(changes: Partial<Backend> = {}, scenario: 'sandbox' | 'offline' | 'empty' | 'accounts' = 'sandbox'): Promise<void> {
  await openWindow(scenario, 'settings', changes);
  await shown(page(), 'mark-one_day');
}

test('what is to come is listed, with what quiet hours moved', async () => {
  await open();
  await shown(page(), 'outside-links');
  const rows = allOf(page(), 'upcoming').map(textOf);
  expect(rows).toHaveLength(6);
  expect(rows.some((row) => row.includes('moved ahead of quiet hours'))).toBe(true);
  expect(page().querySelector('.bellruler desc')?.textContent).toMatch(/^\d+ reminders over the next 30 days/);
  await fireEvent.click(byTestId(page(), 'all-reminders'));
  expect(allOf(page(), 'upcoming').length).toBeGreaterThan(6);
  expect(await faults(page())).toEqual([]);
});

test('with several accounts, each reminder names its own', async () => {
  await open({}, 'accounts');
  await fireEvent.click(await shown(page(), 'all-reminders'));
  const rows = allOf(page(), 'upcoming').map(textOf);
  expect(rows.filter((row) => row.includes('Personal: ')).length).toBeGreaterThan(0);
  expect(rows.every((row) => row.includes('Personal: ') || row.includes('Studio North: '))).toBe(true);
  expect(await faults(page())).toEqual([]);
});

test('a mark is taken away and given back', async () => {
  const set = vi.fn(recorded.setReminders);
  await open({ setReminders: set });
  for (const mark of ['seven_days', 'three_days', 'one_day']) await fireEvent.click(byTestId(page(), `mark-${mark}`));
  await vi.waitFor(() => expect(textOf(byTestId(page(), 'no-reminders'))).toContain('Choose above'));
  await fireEvent.click(byTestId(page(), 'mark-one_hour'));
  await vi.waitFor(() => expect(set.mock.lastCall?.[0].marks).toEqual(['one_hour']));
});

test('quiet hours are typed, kept when both are times, and refused when they are one', async () => {
  const set = vi.fn(recorded.setReminders);
  await open({ setReminders: set });
  const from = byTestId(page(), 'quiet-from');
  await fireEvent.input(from, { target: { value: '9x' } });
  await fireEvent.blur(from);
  expect(from.getAttribute('aria-invalid')).toBe('true');
  expect(set).not.toHaveBeenCalled();
  await fireEvent.input(from, { target: { value: '930' } });
  await fireEvent.blur(from);
  await fireEvent.input(from, { target: { value: '8' } });
  await fireEvent.keyDown(from, { key: 'Enter' });
  expect((await shown(page(), 'error-banner')).dataset['code']).toBe('quiet_hours_refused');
  await fireEvent.click(byTestId(page(), 'quiet'));
  await vi.waitFor(() => expect(missing(page(), 'quiet-from')).toBe(true));
});

test('a switch that cannot be set stays as it was and says why', async () => {
  await open({ setOutside: () => Promise.resolve(refused('outside_not_set', { reason: 'permission denied' })) });
  const login = (await shown(page(), 'outside-start_at_login')) as HTMLInputElement;
  await fireEvent.click(login);
  expect(textOf(await shown(page(), 'error-banner'))).toContain('permission denied');
  expect(login.checked).toBe(false);
});

test('a desktop without a tray and without notifications is said to be one', async () => {
  await open({}, 'offline');
  await shown(page(), 'nobody-shows');
  expect(byTestId(page(), 'outside-keep_in_tray')).toHaveProperty('disabled', true);
});

test('what leads somewhere from outside is followed once', async () => {
  await open();
  const led = (serial: number, screen: 'usage' | 'batches') => {
    if (app.view !== null) app.accept({ ...app.view, revision: app.view.revision + 1, led: { serial, place: { screen } } });
  };
  led(1, 'usage');
  await vi.waitFor(() => expect(route.current).toBe('usage'));
  route.current = 'settings';
  led(1, 'usage');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(route.current).toBe('settings');
  led(2, 'batches');
  await vi.waitFor(() => expect(route.current).toBe('batches'));
});

test.each([
  ['22:00', '22:00'],
  ['8', '08:00'],
  ['8:5', '08:05'],
  ['0805', '08:05'],
  ['7.30', '07:30'],
  ['24:00', null],
  ['12:60', null],
  ['', null],
  ['noon', null],
])('%j as a time of day is %j', (typed, read) => expect(timeOfDay(typed)).toBe(read));
