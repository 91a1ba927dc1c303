import { fireEvent } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import { recordedBackend } from '../recorded/backend';
import { act } from '../src/state/actions.svelte';
import { allOf, byTestId, faults, missing, openWindow, shown, textOf } from './window';

describe('the chart of the overview', () => {
  test('is read with the keys, and says so', async () => {
    const window = await openWindow('sandbox');
    const reader = byTestId(window, 'terrace-reader');
    expect(textOf(byTestId(window, 'terrace-reading'))).toContain('Point at a day');
    await fireEvent.focus(reader);
    await fireEvent.keyDown(reader, { key: 'ArrowRight', shiftKey: true });
    expect(textOf(byTestId(window, 'terrace-reading'))).toMatch(/^Mon 23 Nov, \d\d:18 ?204,000 if unspent ?about [\d,]+ at your pace ?batch 1 ends/);
    expect(reader.getAttribute('aria-valuetext')).toContain('204,000 if unspent');
    await fireEvent.keyDown(reader, { key: 'Escape' });
    expect(textOf(byTestId(window, 'terrace-reading'))).toContain('Point at a day');
  });

  test('turns into a table with Shift+T, with each day in it', async () => {
    const window = await openWindow('sandbox');
    await fireEvent.keyDown(document.body, { key: 'T', code: 'KeyT', shiftKey: true });
    await vi.waitFor(() => expect(window.querySelectorAll('.twin__days tbody tr')).toHaveLength(31));
    await fireEvent.keyDown(document.body, { key: 'T', code: 'KeyT', shiftKey: true });
    await vi.waitFor(() => expect(window.querySelector('.twin')).toBeNull());
  });

  test('is not foretold offline', async () => {
    const window = await openWindow('offline');
    expect(missing(window, 'at-risk')).toBe(true);
    expect(textOf(window)).toContain('Your pace is left out until the next sync.');
  });
});

describe('the overview', () => {
  test('sums what is at risk within the week', async () => {
    const window = await openWindow('at-risk');
    expect(textOf(byTestId(window, 'at-risk'))).toMatch(/^About 149,8\d0 credits lapse within 7 days unless used, worth \$14\.9\d: [\d,]+ today, [\d,]+ on Monday, [\d,]+ on Thursday/);
  });

  test('says when daily credits come, or that none do', async () => {
    expect(textOf(byTestId(await openWindow('sandbox'), 'daily-section'))).toMatch(/1,000 arrive in 10 h 57 min ?Sat 21 Nov, \d\d:00/);
    expect(textOf(byTestId(await openWindow('at-risk'), 'daily-section'))).toContain('No daily credits on this account.');
  });
});

describe('batches', () => {
  test('tell used, held and left apart', async () => {
    const window = await openWindow('at-risk', 'batches');
    expect(textOf(byTestId(window, 'batch-held'))).toBe('of 50,000, 4,400 on hold');
    expect(window.querySelector('[data-batch="r1"] .amount__held')?.getAttribute('width')).toBe('8.8%');
  });

  test('are followed at a pace that is tried out', async () => {
    const whatIf = vi.fn(recordedBackend('sandbox').whatIf);
    const window = await openWindow('sandbox', 'batches', { whatIf });
    expect(missing(window, 'what-if-panel')).toBe(true);
    await fireEvent.click(byTestId(window, 'what-if-runs'));
    await vi.waitFor(() => expect(textOf(byTestId(window, 'what-if-said'))).toContain('every batch is used before it ends'));
    expect(whatIf).toHaveBeenLastCalledWith({ kind: 'runs', credits_per_run: '4400', runs_per_day: 2, on_top: true });
    expect(textOf(byTestId(window, 'what-if-said'))).toMatch(/^About 17,760 credits a day:.*About 14,350 fewer than at your pace\. The balance lasts until \w+ \d+ Dec\.$/);
    expect(window.querySelector('.is-risk')).toBeNull();
    expect(window.querySelectorAll('line.whatif').length).toBeGreaterThan(0);
    expect(await faults(window)).toEqual([]);

    await fireEvent.click(byTestId(window, 'what-if-more'));
    expect(whatIf).toHaveBeenLastCalledWith(expect.objectContaining({ runs_per_day: 3 }));
    await fireEvent.click(byTestId(window, 'what-if-nothing'));
    await vi.waitFor(() => expect(textOf(byTestId(window, 'what-if-said'))).toContain('0 of 7 are used in time'));
    await fireEvent.click(byTestId(window, 'what-if-pace'));
    expect(missing(window, 'what-if-panel')).toBe(true);
    expect(window.querySelectorAll('.is-risk')).toHaveLength(1);
  });

  test('an amount that is none is said at its field', async () => {
    const window = await openWindow('sandbox', 'batches');
    await fireEvent.click(byTestId(window, 'what-if-fixed'));
    const field = byTestId(window, 'what-if-per-day') as HTMLInputElement;
    expect(field.value).toBe('8960');
    await fireEvent.input(field, { target: { value: 'ten' } });
    await vi.waitFor(() => expect(field.getAttribute('aria-invalid')).toBe('true'));
    expect(textOf(byTestId(window, 'what-if-said'))).toContain('at most nine decimals');
  });

  test('are saved as a calendar, by its key too, and as a table', async () => {
    const saveCalendar = vi.fn(recordedBackend('sandbox').saveCalendar);
    const window = await openWindow('sandbox', 'batches', { saveCalendar });
    await fireEvent.click(byTestId(window, 'save-calendar'));
    expect(textOf(await shown(window, 'saved-path'))).toContain('aispace-batch-ends-2026-11-20.ics');
    expect(saveCalendar.mock.calls[0]?.[0].summary).toBe('{credits} AiSpace credits end');
    expect(act('calendar_file')).toBe(true);
    await vi.waitFor(() => expect(saveCalendar).toHaveBeenCalledTimes(2));
    await vi.waitFor(() => expect((byTestId(window, 'save-batches-csv') as HTMLButtonElement).disabled).toBe(false));
    await fireEvent.click(byTestId(window, 'save-batches-csv'));
    await vi.waitFor(() => expect(textOf(byTestId(window, 'saved-path'))).toContain('aispace-batches-2026-11-20.csv'));
  });

  test('ten thousand that ended are leafed through a hundred at a time', async () => {
    const endedBatches = vi.fn(recordedBackend('many-batches').endedBatches);
    const window = await openWindow('many-batches', 'batches', { endedBatches });
    expect(allOf(window, 'batch-row')).toHaveLength(33);
    expect(endedBatches).not.toHaveBeenCalled();
    const summary = window.querySelector<HTMLElement>('summary');
    expect(textOf(summary ?? window)).toContain('10,000 ended batches');
    await fireEvent.click(summary ?? window);
    await shown(window, 'ended-row');
    expect(allOf(window, 'ended-row')).toHaveLength(100);
    expect(textOf(byTestId(window, 'ended-range'))).toBe('1 to 100 of 10,000');
    await fireEvent.click(byTestId(window, 'ended-older'));
    await vi.waitFor(() => expect(textOf(byTestId(window, 'ended-range'))).toBe('101 to 200 of 10,000'));
    expect(allOf(window, 'ended-row')).toHaveLength(100);
  });
});
