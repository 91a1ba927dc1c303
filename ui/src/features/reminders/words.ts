import type { ReminderMark } from '../../backend';
import { m } from '../../i18n';

/** The marks, the farthest from the end first. */
export const MARKS: { mark: ReminderMark; name: () => string; before: (figures: { credits: string }) => string; top: number }[] = [
  { mark: 'seven_days', name: m.reminders_seven_days, before: m.reminders_seven_days_before, top: 32 },
  { mark: 'three_days', name: m.reminders_three_days, before: m.reminders_three_days_before, top: 24 },
  { mark: 'one_day', name: m.reminders_one_day, before: m.reminders_one_day_before, top: 14 },
  { mark: 'one_hour', name: m.reminders_one_hour, before: m.reminders_one_hour_before, top: 8 },
];

export const isLast = (mark: ReminderMark): boolean => mark === 'one_day' || mark === 'one_hour';

/** A time of day as a person types it: `8:5`, `0805` and `08.05` are `08:05`; `null` when it is none. */
export function timeOfDay(typed: string): string | null {
  const found = /^([01]?\d|2[0-3])(?:[:.h ]?([0-5]?\d))?$/u.exec(typed.trim());
  if (found === null) return null;
  const [, hours = '', minutes = ''] = found;
  return `${hours.padStart(2, '0')}:${minutes.padStart(2, '0')}`;
}
