import { describe, expect, test } from 'vitest';
import * as f from './number';

describe('credits', () => {
  test.each([
    ['250000', '250,000.00'],
    ['248310.45', '248,310.45'],
    ['0.55', '0.55'],
    ['0.0005', '0.0005'],
    ['0.000000001', '0.000000001'],
    ['0', '0.00'],
    ['-453.9', '\u2212453.90'],
    ['12345678901234567890.123456789', '12,345,678,901,234,567,890.123456789'],
  ])('%s in a column is %s', (value, text) => expect(f.credits(value)).toBe(text));

  test.each([
    ['4400', '4,400'],
    ['4400.00', '4,400'],
    ['0.55', '0.55'],
    ['226.6', '226.60'],
  ])('%s in a sentence is %s', (value, text) => expect(f.creditsShort(value)).toBe(text));

  test('a ceiling is rounded down', () => expect(f.creditsFloor('248310.99')).toBe('248,310'));
  test('parts', () => expect(f.creditsParts('248310.4')).toEqual({ whole: '248,310', fraction: '.40' }));
  test('a change has a sign', () => {
    expect(f.creditsChange('250000')).toBe('+250,000.00');
    expect(f.creditsChange('-0.55')).toBe('\u22120.55');
  });
  test.each([
    ['0', '0'],
    ['500', '500'],
    ['2500', '2.5k'],
    ['50000', '50k'],
    ['250000.00', '250k'],
    ['1000000', '1M'],
    ['500000000', '500M'],
    ['1000000000', '1B'],
    ['2500000000', '2.5B'],
    ['10000000000', '10B'],
    ['0.25', '0.25'],
  ])('%s on an axis is %s', (value, text) => expect(f.creditsAxis(value)).toBe(text));
  test.each([
    ['14350', '14,350'],
    ['9999999', '9,999,999'],
    ['12345678', '12.3M'],
    ['1234543660', '1.2B'],
    ['1999999999.99', '2B'],
  ])('%s where there is little room is %s', (value, text) => expect(f.creditsCompact(value)).toBe(text));
  test('little room from seven digits on', () => {
    expect(f.creditsCompact('3212253', 7)).toBe('3.2M');
    expect(f.creditsCompact('999999', 7)).toBe('999,999');
  });
});

describe('dollars', () => {
  test.each([
    ['24.831045', '$24.83'],
    ['25', '$25.00'],
    ['0.44', '$0.44'],
    ['0.0025', '$0.0025'],
    ['0.000055', '$0.0001'],
    ['0', '$0.00'],
    ['0.00', '$0.00'],
    ['3018.26', '$3,018.26'],
    ['-1.5', '\u2212$1.50'],
  ])('%s is %s', (value, text) => expect(f.usd(value)).toBe(text));

  test.each([
    ['250000', '25.0000'],
    ['0.55', '0.000055'],
    ['14350', '1.4350'],
    ['-4400', '-0.4400'],
  ])('%s credits are %s dollars', (value, dollars) => expect(f.usdOfCredits(value)).toBe(dollars));
});

describe('ether', () => {
  test('what is short is never nothing, what is there never more', () => {
    expect(f.ethAtLeast('0.000000000000000001')).toBe('0.00000001');
    expect(f.ethAtMost('0.999999999999999999')).toBe('0.99999999');
  });
  test('eight decimals in prose', () => expect(f.ethShort('0.004862191234567891')).toBe('0.00486219'));
  test('all eighteen in threes', () =>
    expect(f.ethGroups('1234.0048')).toEqual({ whole: '1,234', mark: '.', groups: ['004', '800', '000', '000', '000', '000'] }));
});

test('an address in fours', () =>
  expect(f.fours('0xA7f3Ad0E69F61864092FAbBa6Cee00AF6e584689')).toEqual([
    '0xA7f3', 'Ad0E', '69F6', '1864', '092F', 'AbBa', '6Cee', '00AF', '6e58', '4689',
  ]));

test('sums are exact', () => {
  expect(f.sum(['0.1', '0.2'])).toBe('0.3');
  expect(f.sum(['-453.9', '-0.000000001'])).toBe('-453.900000001');
  expect(f.sum([])).toBe('0');
  expect(f.sum(['9007199254740993', '0.01'])).toBe('9007199254740993.01');
});

test('shares', () => {
  expect(f.shareInBasisPoints('14350', '100000')).toBe(1435);
  expect(f.shareInBasisPoints('1', '3')).toBe(3333);
  expect(f.shareInBasisPoints('0', '0')).toBe(0);
});

test('signs', () => {
  expect(f.negated('0')).toBe('0');
  expect(f.isZero('0.00')).toBe(true);
  expect(f.isZero('-0')).toBe(true);
  expect(f.isNegative('-0.01')).toBe(true);
  expect(f.isNegative('-0.00')).toBe(false);
  expect(f.negated('-4400')).toBe('4400');
  expect(f.percentOfBasisPoints(6789)).toBe('68\u00a0%');
});
