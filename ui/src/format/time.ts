/** Instants are RFC 3339 strings or milliseconds; local time comes first, then UTC. */
import { formats, m } from '../i18n';
import { kept } from './kept';

export type Instant = string | number;

const milliseconds = (at: Instant): number => (typeof at === 'number' ? at : Date.parse(at));

type Options = Intl.DateTimeFormatOptions;

const formatterOf = kept((formats, options: Options) => new Intl.DateTimeFormat(formats, options));
const formatter = (options: Options): Intl.DateTimeFormat => formatterOf(formats(), options);

const DAY: Options = { day: 'numeric', month: 'short' };
const CLOCK: Options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };

function parts(at: Instant, timeZone: string | undefined, options: Options): Record<string, string> {
  const found = Object.fromEntries(formatter({ ...options, timeZone }).formatToParts(milliseconds(at)).map(({ type, value }) => [type, value]));
  // One width for every month.
  if (found['month'] === 'Sept') found['month'] = 'Sep';
  return found;
}

/** As the language writes it; English is put together here, because its engines differ in the commas. */
function written(at: Instant, timeZone: string | undefined, options: Options, inEnglish: (p: Record<string, string>) => string): string {
  if (formats().startsWith('en')) return inEnglish(parts(at, timeZone, options));
  return formatter({ ...options, timeZone }).format(milliseconds(at));
}

/** `22:18` */
export function time(at: Instant, timeZone?: string): string {
  const p = parts(at, timeZone, CLOCK);
  return `${p['hour']}:${p['minute']}`;
}

/** `22:18`; of another day than today `22:18 on 17 Nov`. */
export function timeOrDay(at: Instant, now: number, timeZone?: string): string {
  if (dayMonth(at, timeZone) === dayMonth(now, timeZone)) return time(at, timeZone);
  return m.time_on_day({ time: time(at, timeZone), day: dayMonth(at, timeZone) });
}

/** `22:18:09` */
export function timeWithSeconds(at: Instant, timeZone?: string): string {
  return `${time(at, timeZone)}:${parts(at, timeZone, { ...CLOCK, second: '2-digit' })['second']?.padStart(2, '0')}`;
}

/** `23 Nov` */
export function dayMonth(at: Instant, timeZone?: string): string {
  return written(at, timeZone, DAY, (p) => `${p['day']} ${p['month']}`);
}

/** `Mon 23 Nov` */
export function weekdayDay(at: Instant, timeZone?: string): string {
  return written(at, timeZone, { ...DAY, weekday: 'short' }, (p) => `${p['weekday']} ${p['day']} ${p['month']}`);
}

/** `Mon 23 Nov, 22:18` */
export function dateTime(at: Instant, timeZone?: string): string {
  return written(at, timeZone, { ...DAY, ...CLOCK, weekday: 'short' }, (p) => `${p['weekday']} ${p['day']} ${p['month']}, ${p['hour']}:${p['minute']}`);
}

/** `23 Nov, 22:18` */
export function dayTime(at: Instant, timeZone?: string): string {
  return written(at, timeZone, { ...DAY, ...CLOCK }, (p) => `${p['day']} ${p['month']}, ${p['hour']}:${p['minute']}`);
}

/** `20 Nov 2026, 14:07` */
export function dateYearTime(at: Instant, timeZone?: string): string {
  return written(at, timeZone, { ...DAY, ...CLOCK, year: 'numeric' }, (p) => `${p['day']} ${p['month']} ${p['year']}, ${p['hour']}:${p['minute']}`);
}

/** `Nov 2026` */
export function monthYear(at: Instant, timeZone?: string): string {
  return written(at, timeZone, { month: 'short', year: 'numeric' }, (p) => `${p['month']} ${p['year']}`);
}

/** `20 November` */
export function dayMonthLong(at: Instant, timeZone?: string): string {
  return formatter({ timeZone, day: 'numeric', month: 'long' }).format(milliseconds(at));
}

/** `CET` */
export function zone(at: Instant, timeZone?: string): string {
  return parts(at, timeZone, { timeZoneName: 'short' })['timeZoneName'] ?? '';
}

/** `21:18 UTC`; with its own day where that is another one than here: `Sun 22 Nov, 23:30 UTC`. */
export function utc(at: Instant, timeZone?: string): string {
  const sameDay = dayMonth(at, timeZone) === dayMonth(at, 'UTC');
  return `${sameDay ? time(at, 'UTC') : dateTime(at, 'UTC')} UTC`;
}

/** `Mon 23 Nov, 22:18 CET · 21:18 UTC`, and only once where here is UTC. */
export function localAndUtc(at: Instant, timeZone?: string): string {
  const here = zone(at, timeZone);
  if (here === 'UTC') return `${dateTime(at, timeZone)} UTC`;
  return `${dateTime(at, timeZone)} ${here} · ${utc(at, timeZone)}`;
}

/** `Monday` */
export function weekdayLong(at: Instant, timeZone?: string): string {
  return formatter({ timeZone, weekday: 'long' }).format(milliseconds(at));
}

/** A calendar date without a time, `2026-09-24` as `24 Sep 2026`. */
export function dateOnly(date: string): string {
  return written(`${date}T12:00:00Z`, 'UTC', { ...DAY, year: 'numeric' }, (p) => `${p['day']} ${p['month']} ${p['year']}`);
}

/** The UTC date, `2026-11-20`. */
export function utcDate(at: Instant): string {
  return new Date(milliseconds(at)).toISOString().slice(0, 10);
}

/** Units of a countdown, largest first. */
export type CountdownPart = { count: number; unit: 'd' | 'h' | 'min' | 's' };

/** The largest units of what is left; never negative, always at least one. */
export function countdownParts(until: Instant, now: number, units = 2): CountdownPart[] {
  const seconds = Math.max(0, Math.floor((milliseconds(until) - now) / 1000));
  const all: CountdownPart[] = [
    { count: Math.floor(seconds / 86_400), unit: 'd' },
    { count: Math.floor(seconds / 3600) % 24, unit: 'h' },
    { count: Math.floor(seconds / 60) % 60, unit: 'min' },
    { count: seconds % 60, unit: 's' },
  ];
  const first = all.findIndex(({ count }) => count > 0);
  if (first < 0) return [{ count: 0, unit: 's' }];
  return all.slice(first, first + units).filter(({ count }, index) => count > 0 || index === 0);
}

/** The word of a unit. */
export function unitName(unit: CountdownPart['unit']): string {
  const names = { d: m.time_d, h: m.time_h, min: m.time_min, s: m.time_s };
  return names[unit]();
}

/** `3 d 8 h` */
export function countdown(until: Instant, now: number, units = 2): string {
  return countdownParts(until, now, units)
    .map(({ count, unit }) => `${count}\u00a0${unitName(unit)}`)
    .join(' ');
}

/** How long ago, in the largest two units. */
export function ago(at: Instant, now: number): string {
  return countdown(now, milliseconds(at));
}

/** What `<time datetime>` takes for what is left: no finer than what is shown, so that nothing changes while nothing is seen to. */
export function duration(parts: readonly CountdownPart[]): string {
  const [d = 0, h = 0, min = 0, s = 0] = (['d', 'h', 'min', 's'] as const).map((unit) => parts.find((part) => part.unit === unit)?.count ?? 0);
  return `P${d}DT${h}H${min}M${s}S`;
}

export { time as clock, weekdayDay as dayShort };
