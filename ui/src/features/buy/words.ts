import type { AmountUnit, PaymentStep, PriceSourceView, SourceVerdict } from '../../backend';
import { isZero, usd } from '../../format';
import { m } from '../../i18n';

const VERDICTS: Record<SourceVerdict, () => string> = {
  used: m.buy_source_used,
  stale: m.buy_source_stale,
  outlier: m.buy_source_outlier,
  silent: m.buy_source_silent,
  not_asked: m.buy_source_not_asked,
};

/** What became of a source. One that nobody had to ask while others made up the price is in reserve. */
export function verdict(of: PriceSourceView, all: PriceSourceView[]): string {
  if (of.verdict === 'not_asked' && all.some((one) => one.verdict === 'used')) return m.buy_source_reserve();
  return VERDICTS[of.verdict]();
}

/** How old a source's figure is. */
export function sourceAge(source: PriceSourceView): string {
  if (source.age_seconds === null) return source.usd_per_eth === null ? '' : m.buy_source_age_unknown();
  if (source.age_seconds < 120) return m.buy_source_ago_seconds({ count: source.age_seconds.toString() });
  return m.buy_source_ago_minutes({ count: Math.floor(source.age_seconds / 60).toString() });
}

const UNITS: Record<AmountUnit, () => string> = { usd: m.buy_unit_usd, eth: m.buy_eth_unit, credits: m.buy_unit_credits };
export const unitName = (unit: AmountUnit): string => UNITS[unit]();

const STEPS: Record<PaymentStep, () => string> = {
  asked: m.buy_pay_asked,
  signed: m.buy_pay_signed,
  sent: m.buy_pay_sent,
  seen: m.buy_pay_seen,
  confirmed: m.buy_pay_confirmed,
  credited: m.buy_pay_credited,
  key_stored: m.buy_pay_key_stored,
  safe: m.buy_pay_safe,
  final: m.buy_pay_final,
};
export const stepName = (step: PaymentStep): string => STEPS[step]();

const LEAST_USD = '0.0001';

/** Dollars of a fee: what is too small for four digits is said to be, never shown as nothing. */
export function feeUsd(amount: string): string {
  const isTiny = !isZero(amount) && /^0*\.0000\d*$/u.test(amount);
  return isTiny ? m.buy_less_than({ usd: usd(LEAST_USD) }) : usd(amount);
}
