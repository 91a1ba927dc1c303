import type { UsageRowView } from '../../backend';
import { isCharge } from '../../components/run-kind';
import { negated, sum, utcDate } from '../../format';
import { m } from '../../i18n';

/** What the log can be narrowed to: kinds of work, and what is posted to the balance. */
export const USAGE_KINDS = ['video', 'image', 'chat', 'audio', 'embedding', 'search', 'posted'] as const;
export type UsageKind = (typeof USAGE_KINDS)[number];

/** One UTC day of the log. */
export type UsageDayRows = { date: string; rows: UsageRowView[]; taken: string };

function kindOf(row: UsageRowView): UsageKind {
  if (!isCharge(row)) return 'posted';
  return USAGE_KINDS.find((kind) => kind === row.run_kind) ?? 'chat';
}

export function matches(row: UsageRowView, kind: UsageKind | null): boolean {
  return kind === null || kindOf(row) === kind;
}

/** The kinds that occur, in the order of the tabs. */
export function kindsIn(rows: UsageRowView[]): UsageKind[] {
  const found = new Set(rows.map(kindOf));
  return USAGE_KINDS.filter((kind) => found.has(kind));
}

export function kindLabel(kind: UsageKind): string {
  const names = {
    video: m.usage_kind_video,
    image: m.usage_kind_image,
    chat: m.usage_kind_chat,
    audio: m.usage_kind_audio,
    embedding: m.usage_kind_embedding,
    search: m.usage_kind_search,
    posted: m.usage_kind_posted,
  };
  return names[kind]();
}

/** The rows by UTC day, newest first, each with what its runs took. */
export function byDay(rows: UsageRowView[]): UsageDayRows[] {
  const days = new Map<string, UsageRowView[]>();
  for (const row of rows) {
    const date = utcDate(row.at);
    const day = days.get(date);
    if (day === undefined) days.set(date, [row]);
    else day.push(row);
  }
  return [...days].map(([date, list]) => ({
    date,
    rows: list,
    taken: negated(sum(list.filter(isCharge).map((row) => row.change_credits))),
  }));
}
