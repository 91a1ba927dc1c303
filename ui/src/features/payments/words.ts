/** What is said of a payment that is followed or behind. */
import type { ErrorView, Finality, PaymentRemark, PaymentRowView, PaymentState, PaymentView } from '../../backend';
import { isZero, negated, sum } from '../../format';
import { m } from '../../i18n';

const OVER: PaymentState[] = ['reverted', 'dropped', 'cancelled', 'abandoned'];
/** Nothing more will come of it. */
export const isOver = (state: PaymentState): boolean => OVER.includes(state);

/** The refusal that a state amounts to. */
export function stateError({ state }: PaymentView): ErrorView | null {
  if (state === 'reverted') return { code: 'payment_reverted', params: {} };
  return state === 'dropped' ? { code: 'payment_dropped', params: {} } : null;
}

/** Whether what arrived is what was ordered. */
export function isAsOrdered({ paid_eth, value_eth }: PaymentView): boolean {
  return paid_eth === null || isZero(sum([paid_eth, negated(value_eth)]));
}

const FINALITY: Record<Finality, () => string> = {
  unconfirmed: m.payment_unconfirmed,
  confirmed: m.payment_confirmed,
  safe: m.payment_safe,
  final: m.payment_final,
};
const STATES: Record<PaymentState, (() => string) | null> = {
  asked: m.payment_state_asked,
  signed: m.payment_state_under_way,
  sent: m.payment_state_under_way,
  seen: m.payment_state_under_way,
  confirmed: m.payment_state_crediting,
  credited: null,
  done: null,
  held: m.payment_state_held,
  reverted: m.payment_state_reverted,
  dropped: m.payment_state_dropped,
  cancelled: m.payment_state_cancelled,
  abandoned: m.payment_state_abandoned,
};

/** A payment's state in a word: how sure it is, once it is credited. */
export function stateWords({ state, finality, way }: Pick<PaymentRowView, 'state' | 'finality' | 'way'>): string {
  const own = STATES[state];
  if (own !== null) return own();
  return way === 'card' ? m.payment_paid() : FINALITY[finality]();
}

type Remark = { short: () => string; title: () => string; text: () => string; calm: boolean };
const REMARKS: Record<PaymentRemark, Remark> = {
  underpaid: { short: m.remark_underpaid, title: m.remark_underpaid_title, text: m.remark_underpaid_text, calm: true },
  overpaid: { short: m.remark_overpaid, title: m.remark_overpaid_title, text: m.remark_overpaid_text, calm: true },
  late: { short: m.remark_late, title: m.remark_late_title, text: m.remark_late_text, calm: true },
  replaced: { short: m.remark_replaced, title: m.remark_replaced_title, text: m.remark_replaced_text, calm: true },
  taken_back: { short: m.remark_taken_back, title: m.remark_taken_back_title, text: m.remark_taken_back_text, calm: false },
  waits_for_safe: { short: m.remark_waits_for_safe, title: m.remark_waits_for_safe_title, text: m.remark_waits_for_safe_text, calm: true },
  waits_for_price: { short: m.remark_waits_for_price, title: m.remark_waits_for_price_title, text: m.remark_waits_for_price_text, calm: true },
  another_payer: { short: m.remark_another_payer, title: m.remark_another_payer_title, text: m.remark_another_payer_text, calm: true },
};

export const remarkShort = (remark: PaymentRemark): string => REMARKS[remark].short();
export const remarkWords = (remark: PaymentRemark): { title: string; text: string; calm: boolean } => {
  const { title, text, calm } = REMARKS[remark];
  return { title: title(), text: text(), calm };
};
