import { describe, expect, test } from 'vitest';
import { BATCHES, terraceOf } from '../../recorded/model';
import { nearest, read, sentence, stepTo } from './moments';

const { moments } = terraceOf(BATCHES, undefined, true, 100_000);

describe('reading the terrace', () => {
  test('there is a stop at each day and at each end', () => {
    expect(moments.filter(({ whole_day }) => whole_day)).toHaveLength(31);
    expect(moments.flatMap(({ ends }) => ends)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('an arrow goes a day on or back, with Shift to the next end', () => {
    const day = stepTo(moments, 0, 'ArrowRight', false);
    expect(day).toBe(1);
    const end = stepTo(moments, 0, 'ArrowRight', true);
    expect(moments[end ?? 0]?.ends).toEqual([1]);
    expect(stepTo(moments, end, 'ArrowRight', false)).toBe((end ?? 0) + 1);
    expect(stepTo(moments, end, 'ArrowLeft', true)).toBe(end);
    expect(stepTo(moments, 1, 'ArrowLeft', false)).toBe(0);
    expect(stepTo(moments, null, 'End', false)).toBe(moments.length - 1);
    expect(stepTo(moments, 4, 'a', false)).toBeNull();
  });

  test('the pointer finds the nearest', () => {
    expect(nearest(moments, -40)).toBe(0);
    expect(nearest(moments, 10_400)).toBe(moments.length - 1);
    expect(moments[nearest(moments, 1115) ?? 0]?.ends).toEqual([1]);
    expect(nearest([], 0)).toBeNull();
  });

  test('says both balances, what ends, and what is still to come daily', () => {
    const end = moments.find(({ ends }) => ends.includes(1));
    expect(end && sentence(read(end, false))).toMatch(/^Mon 23 Nov, \d\d:18, 204,000 if unspent, about [\d,]+ at your pace, batch 1 ends, 3,000 of it still to come daily$/);
    expect(end && read({ ...end, pace_credits: '0' }, false).pace).toBe('nothing left at your pace');
    expect(end && read({ ...end, pace_credits: null, unspent_credits: '204000.99' }, true)).toMatchObject({ unspent: 'at most 204,000 if unspent', pace: null });
  });
});
