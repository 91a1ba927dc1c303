//! Figures as the window gets them.

use crate::view::{ErrorView, QrView};
use aispace_payments::{
    price::{SourceReading, Verdict},
    qr::Qr,
};
use aispace_units::{CreditAmount, CreditOwner, EthUsdPrice, NanoCredits, Wei};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rust_decimal::Decimal;

/// The 30-day ruler.
pub(crate) const RULER: TimeDelta = TimeDelta::days(30);
/// The whole of a width or height.
pub(crate) const WHOLE_BP: i128 = 10_000;

/// RFC 3339 in UTC, to the millisecond.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A share in basis points, 0 to 10,000.
pub(crate) fn basis_points(part: i128, whole: i128) -> u32 {
    let share = part.saturating_mul(WHOLE_BP).checked_div(whole).unwrap_or(0);
    u32::try_from(share.clamp(0, WHOLE_BP)).unwrap_or(0)
}

/// Where an instant stands on the 30-day ruler that begins now.
pub(crate) fn on_ruler(at: DateTime<Utc>, now: DateTime<Utc>) -> u32 {
    basis_points(i128::from((at - now).num_milliseconds()), i128::from(RULER.num_milliseconds()))
}

/// 1 for what ends within a week, up to 4.
pub(crate) fn week(expires: DateTime<Utc>, now: DateTime<Utc>) -> u32 {
    let days = (expires - now).num_milliseconds() / TimeDelta::days(1).num_milliseconds();
    u32::try_from((days / 7 + 1).clamp(1, 4)).unwrap_or(4)
}

/// A forecast, rounded to ten credits; nothing when that is none.
pub(crate) fn about(amount: NanoCredits) -> Option<NanoCredits> {
    const TEN: i64 = 10_000_000_000;
    let tens = amount.nanos().saturating_add(TEN / 2) / TEN;
    if tens == 0 { None } else { NanoCredits::from_nanos(tens.saturating_mul(TEN)).ok() }
}

/// What AiSpace credits are worth in dollars.
pub(crate) fn usd(credits: Decimal) -> String {
    let worth = CreditAmount::new(CreditOwner::AiSpace, credits).and_then(CreditAmount::to_usd);
    worth.map_or_else(|_| "0".into(), |usd| usd.to_string())
}

/// What wei are worth in dollars, to six decimals.
pub(crate) fn wei_in_usd(wei: Wei, price: EthUsdPrice) -> String {
    let ether = i128::try_from(wei.get()).ok().and_then(|w| Decimal::try_from_i128_with_scale(w, 18).ok());
    ether.and_then(|e| e.checked_mul(price.get())).map_or_else(String::new, |usd| usd.round_dp(6).normalize().to_string())
}

/// How far a price is from another, in per cent with three decimals, signed.
pub(crate) fn difference_percent(price: EthUsdPrice, from: EthUsdPrice) -> Option<Decimal> {
    let difference = price.get().checked_sub(from.get())?.checked_mul(Decimal::ONE_HUNDRED)?;
    Some(difference.checked_div(from.get())?.round_dp(3))
}

/// A source's difference from the median.
pub(crate) fn source_difference(source: &SourceReading, median: Option<EthUsdPrice>) -> Option<String> {
    let difference = difference_percent(source.price?, median?)?;
    Some(difference.to_string())
}

/// A text to be scanned.
pub(crate) fn qr(text: &str) -> Result<QrView, ErrorView> {
    let qr = Qr::encode(text).map_err(ErrorView::internal)?;
    Ok(QrView { size: qr.size(), path: qr.path() })
}

/// A verdict in the window's words.
pub(crate) fn verdict(verdict: Verdict) -> crate::view::SourceVerdict {
    use crate::view::SourceVerdict as View;
    match verdict {
        Verdict::Used => View::Used,
        Verdict::Stale => View::Stale,
        Verdict::Outlier => View::Outlier,
        Verdict::Silent => View::Silent,
        Verdict::Reserve => View::NotAsked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forecasts_are_rounded_to_ten() {
        let amount = |text: &str| text.parse::<NanoCredits>().unwrap();
        assert_eq!(about(amount("14347.9")), Some(amount("14350")));
        assert_eq!(about(amount("5")), Some(amount("10")));
        assert_eq!(about(amount("4.999999999")), None);
    }

    #[test]
    fn weeks_begin_at_their_day() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        assert_eq!(week(now + TimeDelta::hours(1), now), 1);
        assert_eq!(week(now + TimeDelta::days(7), now), 2);
        assert_eq!(week(now + TimeDelta::days(30), now), 4);
    }

    #[test]
    fn dollars_of_wei_are_exact_to_six_decimals() {
        let price: EthUsdPrice = "3018.26".parse().unwrap();
        assert_eq!(wei_in_usd(Wei::new(4_969_750_783_564_041), price), "15");
        assert_eq!(wei_in_usd(Wei::new(245_080_024_508), price), "0.00074");
    }

    #[test]
    fn differences_are_signed() {
        let price = |text: &str| text.parse::<EthUsdPrice>().unwrap();
        assert_eq!(difference_percent(price("3030"), price("3000")), Some(Decimal::ONE));
        assert_eq!(difference_percent(price("2999"), price("3000")).unwrap().to_string(), "-0.033");
    }
}
