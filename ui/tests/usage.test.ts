import { render } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import type { UsageRowView } from '../src/backend';
import UsageDay from '../src/features/usage/UsageDay.svelte';
import { byDay, kindsIn } from '../src/features/usage/days';
import { textOf } from './window';

const row = (kind: string, change_credits: string, model_name = ''): UsageRowView => ({
  entry_id: kind,
  at: '2026-11-20T12:00:00Z',
  kind,
  run_kind: model_name === '' ? '' : 'video',
  model_name,
  model_id: '',
  meters: [],
  rule: '',
  change_credits,
  charge: null,
});

const ROWS = [
  row('allowance_set', '0'),
  row('debt_paid', '0'),
  row('refunded', '3'),
  row('voided', '-7'),
  row('timed_out', '0'),
  row('released', '0'),
  row('settled', '-12', 'Sora 2'),
  row('held', '0', 'Sora 2'),
  row('unknown', '0'),
];

test('every kind of entry has words of its own', () => {
  const [day] = byDay(ROWS);
  if (day === undefined) throw new Error('no day');
  const { getAllByTestId } = render(UsageDay, { day, today: false });
  const titles = getAllByTestId('usage-row').map((line) => textOf(line.querySelector<HTMLElement>('.strong') ?? line));
  expect(titles).toEqual([
    'Daily allowance set',
    'Debt paid',
    'Run refunded',
    'Batch voided',
    'Hold ended unused',
    'Hold released',
    'Sora 2',
    'Credits held for a run',
    'Other entry',
  ]);
});

test('a settlement is a run, and what the day took', () => {
  expect(byDay(ROWS).map((day) => day.taken)).toEqual(['12']);
  expect(kindsIn(ROWS)).toEqual(['video', 'posted']);
});
