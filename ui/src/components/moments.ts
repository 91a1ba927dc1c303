import type { MomentView } from '../backend';
import { creditsFloor, creditsShort, dateTime, isZero, time } from '../format';
import { m } from '../i18n';

/** What is read at one place of the terrace, in the parts that the eye separates. */
export type Reading = { when: string; unspent: string; pace: string | null; beside: string[] };

/** The words of a moment. `atMost`: runs since are not known. */
export function read(moment: MomentView, atMost: boolean): Reading {
  const unspent = atMost ? m.terrace_read_at_most({ credits: creditsFloor(moment.unspent_credits) }) : m.terrace_read_unspent({ credits: creditsShort(moment.unspent_credits) });
  const pace = moment.pace_credits;
  const [one, ...more] = moment.ends;
  return {
    when: moment.x_bp === 0 ? m.terrace_read_now({ time: time(moment.at) }) : dateTime(moment.at),
    unspent,
    pace: pace === null ? null : isZero(pace) ? m.terrace_read_empty() : m.terrace_read_pace({ credits: creditsShort(pace) }),
    beside: [
      ...(one === undefined ? [] : [more.length === 0 ? m.terrace_read_end({ order: one }) : m.terrace_read_ends({ count: moment.ends.length })]),
      ...(moment.daily_credits === null ? [] : [m.terrace_read_daily({ credits: creditsShort(moment.daily_credits) })]),
    ],
  };
}

/** A reading as one sentence. */
export const sentence = ({ when, unspent, pace, beside }: Reading): string => [when, unspent, ...(pace === null ? [] : [pace]), ...beside].join(', ');

/** The moment that a key leads to: a day on or back, or with Shift the next end; nothing for another key. */
export function stepTo(moments: MomentView[], from: number | null, key: string, shift: boolean): number | null {
  const here = from ?? 0;
  const stops = (moment: MomentView) => (shift ? moment.ends.length > 0 : moment.whole_day);
  if (key === 'Home') return 0;
  if (key === 'End') return moments.length - 1;
  if (key === 'ArrowRight') {
    const next = moments.findIndex((moment, index) => index > here && stops(moment));
    return next < 0 ? here : next;
  }
  if (key === 'ArrowLeft') {
    const before = moments.findLastIndex((moment, index) => index < here && stops(moment));
    return before < 0 ? here : before;
  }
  return null;
}

/** The moment nearest to a place on the ruler. */
export function nearest(moments: MomentView[], x_bp: number): number | null {
  let best: number | null = null;
  let least = Infinity;
  for (const [index, moment] of moments.entries()) {
    const away = Math.abs(moment.x_bp - x_bp);
    if (away < least) [best, least] = [index, away];
  }
  return best;
}
