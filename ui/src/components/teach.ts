/** What an empty screen will say one day. */
import { m } from '../i18n';

export const batchFacts = (): { head: string; text: string }[] => [
  { head: m.teach_batches_order(), text: m.teach_batches_order_text() },
  { head: m.teach_batches_end(), text: m.teach_batches_end_text() },
  { head: m.teach_batches_lapse(), text: m.teach_batches_lapse_text() },
];

export const usageFacts = (): { head: string; text: string }[] => [
  { head: m.teach_usage_run(), text: m.teach_usage_run_text() },
  { head: m.teach_usage_rule(), text: m.teach_usage_rule_text() },
  { head: m.teach_usage_sum(), text: m.teach_usage_sum_text() },
];
