import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as f from '../src/format';
import { speech, type Locale } from '../src/i18n';
import { nearest } from '../src/i18n/locale';

const AT = '2026-11-23T21:18:09Z';
const IN = 'Europe/Berlin';

afterEach(() => {
  speech.locale = 'en';
  f.privacy.hidden = false;
});

describe('the language', () => {
  test.each([
    [['de-DE', 'en-US'], 'en'],
    [['zh-CN'], 'zh-Hans'],
    [['fr', 'zh-Hant-TW', 'en'], 'zh-Hans'],
    [['de'], 'en'],
    [[], 'en'],
  ])('of a system that asks for %j is %s', (asked, locale) => expect(nearest(asked)).toBe(locale));

  test('is the one that was set, or the system’s', () => {
    speech.speak('zh-Hans', ['en']);
    expect(speech.locale).toBe('zh-Hans');
    speech.speak('system', ['en-GB', 'zh']);
    expect([speech.locale, speech.direction]).toEqual(['en', 'ltr']);
    speech.locale = 'ar-XB' as Locale;
    expect(speech.direction).toBe('rtl');
  });
});

describe('Chinese', () => {
  beforeEach(() => speech.speak('zh-Hans'));

  test('dates', () => {
    expect(f.time(AT, IN)).toBe('22:18');
    expect(f.timeWithSeconds(AT, IN)).toBe('22:18:09');
    expect(f.dayMonth(AT, IN)).toBe('11月23日');
    expect(f.weekdayDay(AT, IN)).toBe('11月23日周一');
    expect(f.dateTime(AT, IN)).toBe('11月23日周一 22:18');
    expect(f.dateYearTime(AT, IN)).toBe('2026年11月23日 22:18');
    expect(f.weekdayLong(AT, IN)).toBe('星期一');
    expect(f.dateOnly('2026-09-24')).toBe('2026年9月24日');
    expect(f.utc(AT, 'Asia/Shanghai')).toBe('11月23日周一 21:18 UTC');
  });

  test('amounts keep every digit', () => {
    expect(f.credits('12345678901234567890.123456789')).toBe('12,345,678,901,234,567,890.123456789');
    expect(f.usd('-1.5')).toBe('\u2212$1.50');
  });

  test.each([
    ['500', '500'],
    ['2500', '2,500'],
    ['50000', '5万'],
    ['125000', '12.5万'],
    ['1000000', '100万'],
    ['250000000', '2.5亿'],
    ['50000.5', '50,000.50'],
  ])('%s on an axis is %s', (value, text) => expect(f.creditsAxis(value)).toBe(text));

  test('one and many are said alike', () => expect([f.isOne(1), f.isOne(2)]).toEqual([false, false]));
});

test('English tells one from many', () => expect([f.isOne(1), f.isOne('1'), f.isOne(2), f.isOne(0)]).toEqual([true, true, false, false]));

describe('hidden', () => {
  beforeEach(() => (f.privacy.hidden = true));

  test('every amount is the same five dots', () => {
    const said = [
      f.credits('248310.45'), f.creditsShort('4400'), f.creditsFloor('1.5'), f.creditsChange('-0.55'), f.creditsAxis('2500'), f.usd('24.83'), f.usdExact('0.030182'),
      f.ethShort('1'), f.ethAtLeast('1'), f.ethAtMost('1'), f.creditsParts('4400.5').whole, f.ethGroups('1.25').whole,
    ];
    expect(new Set(said)).toEqual(new Set(['•••••']));
    expect([f.creditsParts('4400.5').fraction, f.ethGroups('1.25').groups]).toEqual(['', []]);
  });

  test('counts and times stay', () => expect([f.count('12400'), f.time(AT, IN)]).toEqual(['12,400', '22:18']));
});
