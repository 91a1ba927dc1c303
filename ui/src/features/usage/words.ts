import type { UsageEntryView, UsagePeriod, UsageSeriesView, UsageStep, UsageWork } from '../../backend';
import { dayMonth, dateOnly, monthYear, weekdayDay } from '../../format';
import { m } from '../../i18n';

export const PERIODS: { period: UsagePeriod; label: () => string }[] = [
  { period: 'days7', label: m.usage_days7 },
  { period: 'days30', label: m.usage_days30 },
  { period: 'days90', label: m.usage_days90 },
  { period: 'all', label: m.usage_always },
];

export function workLabel(work: UsageWork): string {
  const names: Record<UsageWork, () => string> = {
    video: m.usage_kind_video,
    image: m.usage_kind_image,
    chat: m.usage_kind_chat,
    audio: m.usage_kind_audio,
    embedding: m.usage_kind_embedding,
    search: m.usage_kind_search,
    other: m.usage_kind_other,
    posted: m.usage_kind_posted,
  };
  return names[work]();
}

/** Whether a run was charged, at once or after a hold. */
export const isRun = (entry: UsageEntryView): boolean => entry.kind === 'debit' || entry.kind === 'settled';

/** What a person calls it. */
export function titleOf(entry: UsageEntryView): string {
  const model = entry.model_name;
  switch (entry.kind) {
    case 'batch_added':
      return m.usage_batch_added();
    case 'expired':
      return m.usage_expired();
    case 'held':
      return model || m.usage_held();
    case 'released':
      return m.usage_released();
    case 'timed_out':
      return m.usage_timed_out();
    case 'voided':
      return m.usage_voided();
    case 'refunded':
      return model === '' ? m.usage_refunded() : m.usage_refunded_of({ model });
    case 'debt_paid':
      return m.usage_debt_paid();
    case 'allowance_set':
      return m.usage_allowance_set();
    case 'debit':
    case 'settled':
      return model || m.usage_run();
    default:
      return m.usage_unknown();
  }
}

export function seriesName(series: UsageSeriesView): string {
  if (series.work !== null) return workLabel(series.work);
  if (series.model_id === null) return m.usage_everything_else();
  return series.name || series.model_id;
}

const noon = (date: string): string => `${date}T12:00:00Z`;

/** The day of a section of the list; with its year where that is another one. */
export function dayName(date: string, today: string): string {
  return date.slice(0, 4) === today.slice(0, 4) ? weekdayDay(noon(date), 'UTC') : `${weekdayDay(noon(date), 'UTC')} ${date.slice(0, 4)}`;
}

/** What a column spans. */
export function spanName(step: UsageStep, from: string, until: string): string {
  if (step === 'day') return weekdayDay(noon(from), 'UTC');
  if (step === 'month') return monthYear(noon(from), 'UTC');
  return from === until ? dateOnly(from) : `${dayMonth(noon(from), 'UTC')} – ${dateOnly(until)}`;
}

/** What stands below a column. */
export function tickName(step: UsageStep, from: string): string {
  return step === 'month' ? monthYear(noon(from), 'UTC') : dayMonth(noon(from), 'UTC');
}
