import { describe, expect, test } from 'vitest';
import { readCount, stepCount } from './counts';

const RANGE = { least: 0, most: 1_000_000_000 };
const RUNS = { least: 1, most: 10_000 };

describe('a typed count', () => {
  test.each([
    ['500', '500'],
    [' 12,400 ', '12400'],
    ['1 000 000', '1000000'],
    ['1\u202f000', '1000'],
    ["1'000", '1000'],
    ['1_000', '1000'],
    ['007', '7'],
    ['0', '0'],
  ])('%s is %s', (typed, value) => expect(readCount(typed, RANGE)).toEqual({ ok: true, value }));

  test.each([
    ['', 'empty'],
    ['   ', 'empty'],
    ['1,5', 'whole'],
    ['1.5', 'whole'],
    ['12.400', 'whole'],
    ['1,000 000', 'whole'],
    ['1e3', 'whole'],
    ['-1', 'whole'],
    ['ten', 'whole'],
    ['٣', 'whole'],
    ['1,000,000,001', 'range'],
    ['99999999999999999999', 'range'],
  ])('%s is refused: %s', (typed, why) => expect(readCount(typed, RANGE)).toEqual({ ok: false, why }));

  test('no run is no run', () => expect(readCount('0', RUNS)).toEqual({ ok: false, why: 'range' }));
});

describe('a step', () => {
  test.each<[string, 1 | -1, string]>([
    ['1', 1, '2'],
    ['1', -1, '1'],
    ['10,000', 1, '10000'],
    ['20000', -1, '10000'],
    ['', 1, '1'],
    ['ten', -1, '1'],
  ])('from %s by %i is %s', (typed, by, value) => expect(stepCount(typed, by, RUNS)).toBe(value));
});
