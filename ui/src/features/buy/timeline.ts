/** What each step of a payment is called, and what it says. */
import type { PaymentState, PaymentView, StepView } from '../../backend';
import { count, creditsShort } from '../../format';
import { m } from '../../i18n';
import { wayName } from './ways';
import { stepName } from './words';

/** How long after its block a transaction is final on Base, about. */
const FINAL_AFTER_MS = 20 * 60_000;
const MINUTE_MS = 60_000;

type Words = { name: string; note: string };

function finalNote(step: StepView, payment: PaymentView, now: number): string {
  if (step.state === 'done') return m.buy_pay_final_note();
  if (step.state !== 'now' || payment.block_time === null) return m.buy_pay_final_wait();
  const left = Math.ceil((Date.parse(payment.block_time) + FINAL_AFTER_MS - now) / MINUTE_MS);
  return left > 0 ? m.buy_pay_final_left({ minutes: count(left) }) : m.buy_pay_final_soon();
}

/** Why nothing more will come, at the step that was not reached. */
const FAILED: Partial<Record<PaymentState, () => string>> = {
  reverted: m.buy_pay_failed_reverted,
  dropped: m.buy_pay_failed_dropped,
  cancelled: m.buy_pay_failed_cancelled,
  abandoned: m.buy_pay_failed_abandoned,
};

function note(step: StepView, payment: PaymentView, inMemory: boolean, now: number): string {
  const failed = step.state === 'failed' ? FAILED[payment.state] : undefined;
  if (failed !== undefined) return failed();
  switch (step.step) {
    case 'asked':
      return step.state === 'done' ? (payment.wallet_name ?? wayName(payment.way)) : m.buy_pay_asked_note();
    case 'signed':
      return m.buy_pay_signed_note();
    case 'sent':
      return m.buy_pay_sent_note();
    case 'seen':
      return m.buy_pay_seen_note();
    case 'confirmed':
      return payment.block_number === null ? m.buy_pay_confirmed_wait() : m.buy_pay_confirmed_note({ block: count(payment.block_number) });
    case 'credited':
      return step.state === 'done' ? m.buy_pay_credited_batch({ credits: creditsShort(payment.batch?.credits ?? payment.credits) }) : m.buy_pay_crediting_note();
    case 'key_stored':
      if (payment.top_up) return m.buy_pay_key_kept_note();
      return inMemory ? m.buy_pay_key_memory_note() : m.buy_pay_key_stored_note();
    case 'safe':
      return m.buy_pay_safe_note();
    case 'final':
      return finalNote(step, payment, now);
  }
}

export function stepWords(step: StepView, payment: PaymentView, inMemory: boolean, now = 0): Words {
  const isCrediting = step.step === 'credited' && step.state === 'now';
  return { name: isCrediting ? m.buy_pay_crediting() : stepName(step.step), note: note(step, payment, inMemory, now) };
}

const SECOND_MS = 1000;

/** How long a step took after the one before it. */
export function stepDelta(steps: StepView[], index: number): string {
  const [before, at] = [steps[index - 1]?.at, steps[index]?.at];
  if (before == null || at == null) return '';
  const seconds = Math.max(0, Math.round((Date.parse(at) - Date.parse(before)) / SECOND_MS));
  return seconds < 600 ? m.buy_pay_delta({ seconds: count(seconds) }) : m.buy_pay_delta_minutes({ minutes: count(Math.round(seconds / 60)) });
}
