import { describe, expect, test } from 'vitest';
import * as f from './time';

const BERLIN = 'Europe/Berlin';
const END = '2026-11-23T21:18:09Z';

describe('instants', () => {
  test('local first, then UTC', () => expect(f.localAndUtc(END, BERLIN)).toBe('Mon 23 Nov, 22:18 CET · 21:18 UTC'));
  test('UTC says its own day where it differs', () =>
    expect(f.localAndUtc('2026-11-23T23:30:00Z', BERLIN)).toBe('Tue 24 Nov, 00:30 CET · Mon 23 Nov, 23:30 UTC'));
  test('UTC is said once where here is UTC', () => expect(f.localAndUtc(END, 'UTC')).toBe('Mon 23 Nov, 21:18 UTC'));
  test('midnight is 00', () => expect(f.time('2026-11-20T00:00:00Z', 'UTC')).toBe('00:00'));
  test('September is as short as the others', () => expect(f.dayMonth('2026-09-24T12:00:00Z', 'UTC')).toBe('24 Sep'));
  test('weekday', () => expect(f.weekdayLong(END, BERLIN)).toBe('Monday'));
  test('seconds', () => expect(f.timeWithSeconds(END, 'UTC')).toBe('21:18:09'));
});

describe('countdown', () => {
  const until = Date.parse(END);
  const before = (d: number, h = 0, min = 0, s = 0) => until - (((d * 24 + h) * 60 + min) * 60 + s) * 1000;
  const text = (now: number, units?: number) => f.countdown(END, now, units).replaceAll('\u00a0', ' ');
  test.each([
    [before(3, 8, 15), 2, '3 d 8 h'],
    [before(3, 8, 15), 3, '3 d 8 h 15 min'],
    [before(3, 0, 15), 2, '3 d'],
    [before(0, 0, 14, 59), 2, '14 min 59 s'],
    [before(0, 0, 0, 7), 2, '7 s'],
    [before(0), 2, '0 s'],
    [until + 5000, 2, '0 s'],
  ])('%#', (now, units, expected) => expect(text(now, units)).toBe(expected));
  test('ago', () => expect(f.ago(END, until + 9_360_000).replaceAll('\u00a0', ' ')).toBe('2 h 36 min'));
  test('duration', () => expect(f.duration(f.countdownParts(END, before(3, 8, 15), 3))).toBe('P3DT8H15M0S'));
});
