import { fireEvent } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import type { Backend, UsageEntryView, UsageRequest } from '../src/backend';
import { backend } from '../src/backend';
import { LINE, lineAfter, scrolledTo, shownLines } from '../src/features/usage/lines';
import { titleOf } from '../src/features/usage/words';
import { app } from '../src/state/app.svelte';
import { allOf, byTestId, missing, openWindow, refused, shown, textOf } from './window';

const entry = (kind: string, model_name = ''): UsageEntryView => ({
  sequence: '1', at: '2026-11-20T12:00:00Z', kind, work: 'posted', model_name, meters: [], rule: '', change_credits: '0', held_change_credits: null,
  estimated_credits: null, above_estimate_percent: null,
});

/** The window on the log, with its first answer there. */
async function openLog(scenario: Parameters<typeof openWindow>[0] = 'sandbox', changes: Partial<Backend> = {}): Promise<HTMLElement> {
  const window = await openWindow(scenario, 'usage', changes);
  await shown(window, 'usage-list');
  return window;
}

const rows = (window: HTMLElement): string[] => allOf(window, 'usage-row').map(textOf);
const days = (window: HTMLElement): string[] => allOf(window, 'usage-day').map((day) => [...day.querySelectorAll('th, td.n:last-child')].map(textOf).join(' '));
const type = (window: HTMLElement, text: string) => fireEvent.input(byTestId(window, 'usage-search'), { target: { value: text } });

describe('the lines that are drawn', () => {
  test('are those that show and a few more, however many there are', () => {
    expect(shownLines(-400, 800, 30)).toEqual({ first: 0, last: 30 });
    const far = shownLines(50_000 * LINE, 800, 100_000);
    expect(far.first).toBeLessThanOrEqual(50_000 - 10);
    expect(far.last).toBeGreaterThanOrEqual(50_000 + 17 + 10);
    expect(far.last - far.first).toBeLessThan(60);
    expect(shownLines(99_995 * LINE, 800, 100_000).last).toBe(100_000);
    expect(shownLines(0, 800, 0)).toEqual({ first: 0, last: 0 });
    const onlyThose = shownLines(-400, 800, 1000, 0);
    expect([onlyThose.first, onlyThose.last]).toEqual([0, 18]);
    expect(shownLines(-900, 800, 1000, 0).last).toBeGreaterThan(0);
  });

  test('change once in several lines of a scroll', () => {
    const starts = new Set(Array.from({ length: 60 }, (_, nth) => shownLines((600 + nth) * LINE, 800, 100_000).first));
    expect(starts.size).toBeLessThanOrEqual(11);
  });

  test('keys lead to a line, and it is scrolled into view', () => {
    expect(['ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'End', 'x'].map((key) => lineAfter(key, 50, 100, 20))).toEqual([51, 49, 70, 30, 0, 99, null]);
    expect([lineAfter('ArrowDown', 99, 100, 20), lineAfter('PageUp', 3, 100, 20)]).toEqual([99, 0]);
    expect([scrolledTo(10, 0, 800), scrolledTo(10, 600, 800), scrolledTo(30, 0, 800)]).toEqual([null, 480, 31 * LINE - 800]);
  });
});

test('every kind of entry has words of its own', () => {
  const kinds = ['allowance_set', 'debt_paid', 'refunded', 'voided', 'timed_out', 'released', 'settled', 'held', 'expired', 'batch_added', 'debit', 'of_later'];
  const titles = kinds.map((kind) => titleOf(entry(kind)));
  expect(new Set(titles).size).toBe(kinds.length - 1);
  expect(titles.at(-1)).toBe('Other entry');
  expect(['settled', 'held', 'refunded'].map((kind) => titleOf(entry(kind, 'Sora 2')))).toEqual(['Sora 2', 'Sora 2', 'Sora 2, given back']);
});

describe('usage', () => {
  test('adds each day up exactly, and the whole', async () => {
    const window = await openLog();
    expect(days(window).slice(0, 2)).toEqual(['Fri 20 Nov, UTC day so far 8,791.85', 'Thu 19 Nov, UTC day 14,194.00']);
    expect(textOf(window)).toContain('500 in, 200 out');
    expect(textOf(byTestId(window, 'usage-total'))).toBe(textOf(byTestId(window, 'usage-used')));
    expect(textOf(byTestId(window, 'usage-totals'))).toContain('Given back2,200.00');
  });

  test('narrows to a kind of work, to a model, to words, and back', async () => {
    const window = await openLog();
    const before = textOf(byTestId(window, 'usage-used'));
    await fireEvent.click(byTestId(window, 'work-chat'));
    await vi.waitFor(() => expect(rows(window).every((row) => / in, /.test(row))).toBe(true));
    expect(byTestId(window, 'work-chat').getAttribute('aria-pressed')).toBe('true');
    await fireEvent.click(byTestId(window, 'work-chat'));
    await vi.waitFor(() => expect(window.querySelector('option[value="sora-2"]')).not.toBeNull());
    await fireEvent.change(byTestId(window, 'usage-model'), { target: { value: 'sora-2' } });
    await vi.waitFor(() => expect(rows(window).every((row) => row.includes('Sora 2'))).toBe(true));
    expect(rows(window).some((row) => row.includes('Sora 2, given back'))).toBe(true);
    await fireEvent.change(byTestId(window, 'usage-model'), { target: { value: '' } });
    await type(window, 'kokoro  characters');
    await vi.waitFor(() => expect(rows(window).every((row) => row.includes('Kokoro TTS'))).toBe(true));
    await type(window, 'no such thing');
    await shown(window, 'usage-no-match');
    await type(window, '');
    await vi.waitFor(() => expect(textOf(byTestId(window, 'usage-used'))).toBe(before));
  });

  test('an answer that comes late is not shown in the place of a newer one', async () => {
    const asked: UsageRequest[] = [];
    const window = await openLog();
    const answer = backend.usage;
    let late: (() => void) | undefined;
    backend.usage = async (request) => {
      asked.push(request);
      if (request.filter.text === 'sora') await new Promise<void>((resolve) => (late = resolve));
      return answer(request);
    };
    await type(window, 'sora');
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    await type(window, 'kokoro');
    await vi.waitFor(() => expect(rows(window).every((row) => row.includes('Kokoro TTS'))).toBe(true));
    late?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(rows(window).every((row) => row.includes('Kokoro TTS'))).toBe(true);
  });

  test('/ goes to the search, and Shift T to the table', async () => {
    const window = await openLog();
    await fireEvent.keyDown(document.body, { key: '/' });
    expect(document.activeElement).toBe(byTestId(window, 'usage-search'));
    (document.activeElement as HTMLElement).blur();
    expect(missing(window, 'usage-twin-table')).toBe(true);
    await fireEvent.keyDown(document.body, { key: 'T', shiftKey: true });
    const twin = await shown(window, 'usage-twin-table');
    expect(textOf(twin.querySelector('tfoot td:last-child') ?? twin)).toBe(textOf(byTestId(window, 'usage-used')));
  });

  test('the chart says itself in words, is walked through by keys, and leads to its entries', async () => {
    const window = await openLog();
    const columns = byTestId(window, 'usage-columns');
    expect(textOf(columns.querySelector('desc') ?? columns)).toMatch(/^30 columns from Thu 22 Oct to Fri 20 Nov, .* credits in all/);
    expect(columns.getAttribute('aria-valuetext')).toBe('Fri 20 Nov: 8,791.85 credits');
    await fireEvent.keyDown(columns, { key: 'ArrowLeft' });
    expect(columns.getAttribute('aria-valuetext')).toBe('Thu 19 Nov: 14,194.00 credits');
    expect(textOf(byTestId(window, 'usage-total'))).toBe('14,194.00');
    await fireEvent.keyDown(columns, { key: 'Enter' });
    const list = byTestId(window, 'usage-list');
    expect(document.activeElement).toBe(list);
    const active = window.querySelector(`#${CSS.escape(list.getAttribute('aria-activedescendant') ?? '')}`);
    expect(textOf(active ?? list)).toContain('Thu 19 Nov');
  });

  test('kinds are stacked as well as models', async () => {
    const window = await openLog();
    await fireEvent.click(byTestId(window, 'split-work'));
    await vi.waitFor(() => expect(allOf(window, 'usage-total').length).toBe(1));
    await vi.waitFor(() => expect([...window.querySelectorAll('.uselist__name')].map(textOf)).toContain('Search'));
  });

  test('an entry opens by key with the lines it was charged by, and leads to what is about the same run', async () => {
    const window = await openLog();
    const list = byTestId(window, 'usage-list');
    list.focus();
    await fireEvent.keyDown(list, { key: 'End' });
    await fireEvent.keyDown(list, { key: 'Home' });
    for (let nth = 0; nth < 3; nth += 1) await fireEvent.keyDown(list, { key: 'ArrowDown' });
    await fireEvent.keyDown(list, { key: 'Enter' });
    const detail = await shown(document.body, 'usage-detail');
    expect(textOf(detail)).toMatch(/Why it took that.*Total/);
    await fireEvent.keyDown(detail, { key: 'Escape' });
    await vi.waitFor(() => expect(missing(document.body, 'usage-detail')).toBe(true));
    const refund = allOf(window, 'usage-row').find((row) => textOf(row).includes('given back'));
    await fireEvent.click(refund ?? list);
    await vi.waitFor(() => expect(textOf(byTestId(document.body, 'usage-detail'))).toContain('Half of the clip was black'));
    await fireEvent.click(byTestId(document.body, 'usage-related'));
    await vi.waitFor(() => expect(textOf(byTestId(document.body, 'usage-detail'))).not.toContain('Half of the clip was black'));
  });

  test('a hundred thousand entries are a list of that length, of which few are drawn', async () => {
    const window = await openLog('long-log');
    await fireEvent.click(byTestId(window, 'period-all'));
    await vi.waitFor(() => expect(Number(byTestId(window, 'usage-list').getAttribute('aria-rowcount'))).toBeGreaterThan(101_000));
    expect(window.querySelectorAll('[data-line]').length).toBeLessThan(80);
    const list = byTestId(window, 'usage-list');
    list.focus();
    await fireEvent.keyDown(list, { key: 'End' });
    expect(window.querySelectorAll('[data-line]').length).toBeLessThan(80);
  });

  test('says how much of the log is here, and asks again when it has grown', async () => {
    const window = await openLog('log-filling');
    expect(textOf(byTestId(window, 'usage-reading'))).toContain('of 100,000 entries are on this computer');
    const spy = vi.fn(backend.usage);
    backend.usage = spy;
    const view = app.view;
    if (view !== null) app.accept({ ...view, revision: view.revision + 1, usage_log: { revision: 2, kept: 100_000, posted: 100_000 } });
    await vi.waitFor(() => expect(spy).toHaveBeenCalledTimes(1), 3000);
    expect(missing(window, 'usage-reading')).toBe(true);
  });

  test('saves what is shown, and says why it does not', async () => {
    const window = await openLog();
    await fireEvent.click(byTestId(window, 'usage-csv'));
    expect(textOf(await shown(window, 'saved-path'))).toContain('aispace-usage-2026-11-20.csv');
    const filling = await openLog('log-filling');
    await fireEvent.click(allOf(filling, 'usage-json')[0] ?? filling);
    await vi.waitFor(() => expect(textOf(filling)).toContain('No file was written.'));
  });

  test('is empty in words, and says what is not here yet or cannot be read', async () => {
    expect(textOf(await openWindow('empty', 'usage'))).toContain('Nothing was taken yet.');
    expect(textOf(await shown(await openWindow('log-none', 'usage'), 'usage-not-here'))).toContain('as soon as the service answers');
    const failing = await openWindow('sandbox', 'usage', { usage: () => Promise.resolve(refused('store_failed', { reason: 'disk full' })) });
    await vi.waitFor(() => expect(textOf(failing)).toContain('disk full'));
  });
});
