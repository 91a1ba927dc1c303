import { describe, expect, test } from 'vitest';
import { clockLeft, secondsLeft } from './clock';
import { creditsOfUsd, readDollars } from './purchase.svelte';
import { feeUsd } from './words';

describe('an amount of dollars', () => {
  test.each([
    ['25', '25.00'],
    ['25.5', '25.50'],
    ['25.', '25.00'],
    [' $ 1,000.25 ', '1000.25'],
    ['0.01', '0.01'],
  ])('%s is %s', (typed, usd) => expect(readDollars(typed)).toBe(usd));

  test.each(['', '25.555', '-1', '1e3', '2,5', 'ten', '25 000', '1,0000', '.5'])('%s is none', (typed) => expect(readDollars(typed)).toBeNull());

  test.each([
    ['3.48', '34800'],
    ['0.01', '100'],
    ['25', '250000'],
  ])('%s dollars buy %s credits', (usd, credits) => expect(creditsOfUsd(usd)).toBe(credits));
});

test('a fee too small for four digits is not shown as nothing', () => {
  expect(feeUsd('0.00002255')).toBe('less than $0.0001');
  expect(feeUsd('0.00074')).toBe('$0.0007');
  expect(feeUsd('0')).toBe('$0.00');
});

test('a countdown ends at nothing', () => {
  const until = '2026-11-20T13:00:10Z';
  expect(secondsLeft(until, Date.parse(until) - 9_400)).toBe(10);
  expect(secondsLeft(until, Date.parse(until))).toBe(0);
  expect(secondsLeft(until, Date.parse(until) + 5000)).toBe(0);
  expect(clockLeft(527)).toBe('8:47');
  expect(clockLeft(7)).toBe('0:07');
});
