import type { AccountView, AtRiskView } from '../../backend';
import { creditsShort, dayMonth, sum, time, usd, weekdayDay, weekdayLong } from '../../format';
import { m } from '../../i18n';

/** What lapses, in the two parts of the sentence: what and when, then the condition. */
export type Risk = { what: string; unless: string; parts: string[] };

const DAY = 86_400_000;

type Near = 'today' | 'tomorrow' | 'week' | 'later';

function near(at: string, now: number): Near {
  const end = Date.parse(at);
  if (dayMonth(end) === dayMonth(now)) return 'today';
  if (dayMonth(end) === dayMonth(now + DAY)) return 'tomorrow';
  // Within seven days a weekday says enough, unless it is today's.
  return end - now < 7 * DAY && weekdayLong(end) !== weekdayLong(now) ? 'week' : 'later';
}

/** `Friday` while that says enough, `Fri 4 Dec` beyond. */
const dayName = (at: string, now: number): string => (near(at, now) === 'week' ? weekdayLong(at) : weekdayDay(at));

function one(credits: string, at: string, now: number): string {
  const when = near(at, now);
  if (when === 'today') return m.overview_risk_today({ credits: creditsShort(credits), time: time(at) });
  if (when === 'tomorrow') return m.overview_risk_tomorrow({ credits: creditsShort(credits) });
  return m.overview_lapse_on({ credits: creditsShort(credits), day: dayName(at, now) });
}

function part(credits: string, at: string, now: number): string {
  const when = near(at, now);
  if (when === 'today') return m.overview_risk_part_today({ credits: creditsShort(credits) });
  if (when === 'tomorrow') return m.overview_risk_part_tomorrow({ credits: creditsShort(credits) });
  return m.overview_risk_part({ credits: creditsShort(credits), day: dayName(at, now) });
}

/** By local day: what ends on one day is said once. */
function byDay({ ends }: AtRiskView): { at: string; credits: string }[] {
  const days: { at: string; credits: string }[] = [];
  for (const end of ends) {
    const last = days.at(-1);
    if (last !== undefined && dayMonth(last.at) === dayMonth(end.at)) last.credits = sum([last.credits, end.credits]);
    else days.push({ ...end });
  }
  return days;
}

/** What is at risk within the week; else what of the next batch will lapse later; nothing when all is used in time. */
export function risk({ at_risk, next_end }: AccountView, now: number): Risk | null {
  if (at_risk === null) {
    if (next_end === null || next_end.lapse_credits === null) return null;
    const unless = next_end.lapse_usd === null ? m.overview_unless_used() : m.overview_unless_used_worth({ usd: usd(next_end.lapse_usd) });
    return { what: one(next_end.lapse_credits, next_end.expires, now), unless, parts: [] };
  }
  const days = byDay(at_risk);
  const [first] = days;
  if (days.length === 1 && first !== undefined) {
    return { what: one(first.credits, first.at, now), unless: m.overview_unless_used_worth({ usd: usd(at_risk.usd) }), parts: [] };
  }
  return {
    what: m.overview_risk_week({ credits: creditsShort(at_risk.credits) }),
    unless: m.overview_risk_parts_worth({ usd: usd(at_risk.usd) }),
    parts: days.map(({ at, credits }) => part(credits, at, now)),
  };
}
