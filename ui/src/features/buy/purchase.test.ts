import { describe, expect, test } from 'vitest';
import type { AmountUnit } from '../../backend';
import { creditsOfUsd, readAmount } from './amounts';
import { clockLeft, secondsLeft } from './clock';
import { readHash } from './hash';
import { feeUsd } from './words';

describe('an amount', () => {
  test.each<[string, AmountUnit, string]>([
    ['25', 'usd', '25.00'],
    ['25.5', 'usd', '25.50'],
    ['25.', 'usd', '25.00'],
    [' $ 1,000.25 ', 'usd', '1000.25'],
    ['0.01', 'usd', '0.01'],
    ['30.1826', 'usd', '30.1826'],
    ['0.0001', 'usd', '0.0001'],
    ['0.008282917972606734', 'eth', '0.008282917972606734'],
    ['1', 'eth', '1'],
    ['1.', 'eth', '1'],
    ['0.5 ETH', 'eth', '0.5'],
    ['150,000', 'credits', '150000'],
    ['0.000000001', 'credits', '0.000000001'],
    ['34,800 credits', 'credits', '34800'],
  ])('%s in %s is %s', (typed, unit, text) => expect(readAmount(typed, unit)).toBe(text));

  test.each<[string, AmountUnit]>([
    ['', 'usd'],
    ['25.00000000000001', 'usd'],
    ['-1', 'usd'],
    ['1e3', 'usd'],
    ['2,5', 'usd'],
    ['ten', 'usd'],
    ['25 000', 'usd'],
    ['1,0000', 'usd'],
    ['.5', 'usd'],
    ['$1', 'eth'],
    ['0.0000000000000000001', 'eth'],
    ['0,5', 'eth'],
    ['1.0000000001', 'credits'],
  ])('%s in %s is none', (typed, unit) => expect(readAmount(typed, unit)).toBeNull());

  test.each([
    ['3.48', '34800'],
    ['0.01', '100'],
    ['25', '250000'],
    ['25.555', '255550'],
    ['0.00001', '0.1'],
    ['123456789.25', '1234567892500'],
  ])('%s dollars buy %s credits', (usd, credits) => expect(creditsOfUsd(usd)).toBe(credits));
});

describe('a transaction hash', () => {
  const HASH = `0x${'9f2c41b7'.repeat(8)}`;

  test.each([
    ['bare', HASH.slice(2)],
    ['with its mark', HASH],
    ['in capitals', `0X${HASH.slice(2).toUpperCase()}`],
    ['with spaces', ` ${HASH.slice(0, 20)} ${HASH.slice(20)}\n`],
    ['in an explorer’s address', `https://basescan.org/tx/${HASH}?tab=logs`],
  ])('%s', (_, typed) => expect(readHash(typed)).toEqual({ kind: 'whole', hash: HASH }));

  test.each([
    ['', { kind: 'empty' }],
    ['0x', { kind: 'empty' }],
    ['0x9f2c41b7e05d', { kind: 'short', digits: 12 }],
    [`${HASH}00`, { kind: 'long', digits: 66 }],
    ['0x9f2g', { kind: 'bad' }],
    ['order 12', { kind: 'bad' }],
    // An address is not taken for a hash, and nothing is cut out of something longer.
    ['0x52908400098527886E0F7030069857D2E4169EE7', { kind: 'short', digits: 40 }],
    [`https://basescan.org/tx/${HASH}ab`, { kind: 'bad' }],
  ])('%s', (typed, read) => expect(readHash(typed)).toEqual(read));
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
