import type { UsageChartView, UsageColumnView } from '../../backend';
import { credits, percentOfBasisPoints, trimmed } from '../../format';
import { m } from '../../i18n';
import { seriesName, spanName } from './words';

/** Labels below the columns, at most. */
const LABELS = 6;

/** Which columns have a label below them: at equal distances from the last one back, by whole weeks where columns are days. */
export function labelled(chart: UsageChartView): number[] {
  const count = chart.columns.length;
  const even = Math.max(1, Math.ceil(count / LABELS));
  const apart = chart.step === 'day' && count > LABELS + 1 ? Math.ceil(even / 7) * 7 : even;
  const found: number[] = [];
  for (let at = count - 1; at >= 0; at -= apart) found.push(at);
  return found.reverse();
}

/** The column with the most. */
export function highest(chart: UsageChartView): UsageColumnView | undefined {
  const top = (column: UsageColumnView): number => column.parts.reduce((most, part) => Math.max(most, part.bottom_bp + part.height_bp), 0);
  return chart.columns.reduce<UsageColumnView | undefined>((most, column) => (most === undefined || top(column) > top(most) ? column : most), undefined);
}

/** The chart in words. */
export function describe(chart: UsageChartView, total: string): string {
  const [first, last, most] = [chart.columns[0], chart.columns.at(-1), highest(chart)];
  if (chart.series.length === 0 || first === undefined || last === undefined || most === undefined) return m.usage_chart_nothing();
  const name = (column: UsageColumnView): string => spanName(chart.step, column.from, column.until);
  const all = m.usage_chart_says({
    columns: String(chart.columns.length),
    from: name(first),
    until: name(last),
    credits: credits(total),
    highest: name(most),
    most: credits(most.credits),
  });
  const each = chart.series.map((one) => m.usage_chart_series({ name: seriesName(one), credits: credits(one.credits), share: percentOfBasisPoints(one.share_bp) }));
  return [all, ...each].join(' ');
}

/** What a column has of a series: `0` where it has none. */
export function partOf(column: UsageColumnView, series: number): string {
  return trimmed(column.parts.find((part) => part.series === series)?.credits ?? '0');
}
