/** Reminders of the recorded account, and what there is outside the window. */
import type { OutsideView, ReminderMark, ReminderSettingsView, RemindersView, UpcomingReminderView } from '../src/backend/bindings';
import { DAY, ends, instant, LIFE, NOW, text, type Batch } from './model';

const BEFORE: Record<ReminderMark, number> = { one_hour: DAY / 24, one_day: DAY, three_days: 3 * DAY, seven_days: 7 * DAY };
const MINUTE = 60_000;
/** Where the pictures are taken it is an hour later than UTC. */
const HERE = 60 * MINUTE;

export const USUAL: ReminderSettingsView = { marks: ['seven_days', 'three_days', 'one_day'], only_lapsing: false, quiet: { from: '22:00', until: '08:00' }, credited: true };
export const OUTSIDE: OutsideView = { tray: true, notifications: true, keep_in_tray: false, start_at_login: false, links: false };

const minutes = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
const place = (at: number): number => Math.max(0, Math.min(10_000, Math.round(((at - NOW) / LIFE) * 10_000)));
const week = (at: number): number => Math.min(4, Math.floor((at - 1 - NOW) / (7 * DAY)) + 1);

/** How far into quiet hours an instant is, in minutes; `null` outside of them. */
function inside(at: number, quiet: ReminderSettingsView['quiet']): number | null {
  if (quiet === null) return null;
  const now = Math.floor(((at + HERE) % DAY) / MINUTE);
  const since = (minute: number) => (minute + 1440 - minutes(quiet.from)) % 1440;
  return since(now) < since(minutes(quiet.until)) ? since(now) : null;
}

/** `others` are the batches of accounts that do not show, by the window's ids of them; `shown` is that of the one that does, where there are several. */
export function reminders(settings: ReminderSettingsView, batches: Batch[] | null, shown: string | null = null, others: Record<string, Batch[]> = {}): RemindersView {
  const accounts = new Map([...Object.entries(others)].flatMap(([account, list]) => list.filter((one) => batches?.every(({ id }) => id !== one.id) ?? true).map((one) => [one, account] as const)));
  const live = [...(batches ?? []), ...accounts.keys()].filter((one) => ends(one) > NOW && one.granted > one.used);
  const upcoming = live.flatMap((one) =>
    settings.marks.flatMap((mark): UpcomingReminderView[] => {
      const own = ends(one) - BEFORE[mark];
      const into = inside(own, settings.quiet);
      const at = into === null ? own : own - (own % MINUTE) - (into + 5) * MINUTE;
      if (at <= NOW) return [];
      const view = { account: accounts.get(one) ?? shown, batch_id: one.id, mark, at: instant(at), at_bp: place(at), left_credits: text(one.granted - one.used), expires: instant(ends(one)) };
      return [{ ...view, shift: into === null ? 'kept' : 'ahead' }];
    }),
  );
  return {
    settings,
    upcoming: upcoming.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)),
    ends: live.map((one) => ({ batch_id: one.id, expires: instant(ends(one)), ends_bp: place(ends(one)), week: week(ends(one)) })),
    has_account: batches !== null,
  };
}
