//! Kept estimates beside what their runs cost.

use super::{figures::instant, parameters::run};
use crate::{
    kept_estimate::{EstimateBook, KeptEstimate, RunCharge},
    view::{EntryEstimateView, KeptEstimateView, KeptEstimatesView, RunChargeView},
};
use aispace_pricing::RateCard;
use aispace_units::{NanoCreditSum, NanoCredits};
use chrono::TimeDelta;

/// How long after an estimate was kept a charge is taken for its own.
const MATCHED_WITHIN: TimeDelta = TimeDelta::hours(24);
/// Charges that a person chooses among.
const CANDIDATES_MAX: usize = 6;

/// Charges that may be of each estimate of a book, in its order; none for those that have one.
pub(crate) type Candidates = Vec<Vec<RunCharge>>;

/// The book with what the app matches itself: one run, the only charge of its model within a day, and no other estimate's candidate.
pub(crate) fn matched(mut book: EstimateBook, candidates: &Candidates) -> EstimateBook {
    let within = |kept: &KeptEstimate, charge: &&RunCharge| charge.at.signed_duration_since(kept.at) <= MATCHED_WITHIN;
    let near: Vec<Vec<&RunCharge>> = book
        .estimates
        .iter()
        .zip(candidates)
        .map(|(kept, charges)| charges.iter().filter(|charge| within(kept, charge)).collect())
        .collect();
    let claims = |sequence: u64| near.iter().flatten().filter(|charge| charge.sequence == sequence).count();
    let only: Vec<Option<RunCharge>> = near
        .iter()
        .map(|charges| match charges.as_slice() {
            [charge] if claims(charge.sequence) == 1 => Some(RunCharge::clone(charge)),
            _ => None,
        })
        .collect();
    for (kept, charge) in book.estimates.iter_mut().zip(only) {
        if kept.charge.is_none() && kept.request.runs == 1 {
            kept.charge = charge;
        }
    }
    book
}

/// Every kept estimate, the newest first.
pub(crate) fn kept_estimates(card: &RateCard, book: &EstimateBook, candidates: &Candidates) -> KeptEstimatesView {
    let of_none = Vec::new();
    let charges = |at: usize| candidates.get(at).unwrap_or(&of_none);
    let errors: Vec<u64> = book.estimates.iter().filter_map(|kept| error_bp(kept, kept.charge.as_ref()?)).map(i64::unsigned_abs).collect();
    KeptEstimatesView {
        compared: u32::try_from(errors.len()).unwrap_or(u32::MAX),
        median_percent: median(errors).map(|bp| percent(i64::try_from(bp).unwrap_or(i64::MAX))),
        estimates: book.estimates.iter().enumerate().rev().map(|(at, kept)| estimate(card, kept, charges(at))).collect(),
    }
}

/// The estimate that was kept of a charge.
pub(crate) fn entry_estimate(book: &EstimateBook, sequence: u64) -> Option<EntryEstimateView> {
    let of = |kept: &KeptEstimate| kept.charge.clone().filter(|charge| charge.sequence == sequence);
    let (kept, charge) = book.estimates.iter().find_map(|kept| Some((kept, of(kept)?)))?;
    Some(EntryEstimateView { at: instant(kept.at), expected_credits: kept.expected.to_string(), charge: charge_view(kept, &charge) })
}

fn estimate(card: &RateCard, kept: &KeptEstimate, candidates: &[RunCharge]) -> KeptEstimateView {
    let request = &kept.request;
    let shown = if kept.charge.is_some() { &[] } else { candidates };
    KeptEstimateView {
        estimate_id: kept.id.clone(),
        at: instant(kept.at),
        name: card.model(&request.model_id).map_or_else(|_| request.model_id.clone(), |model| model.name.clone()),
        run: run(card, request).map(|run| run.describe()).unwrap_or_default(),
        expected_credits: kept.expected.to_string(),
        charge: kept.charge.as_ref().map(|charge| charge_view(kept, charge)),
        candidates: shown.iter().take(CANDIDATES_MAX).map(|charge| charge_view(kept, charge)).collect(),
        request: request.clone(),
    }
}

fn charge_view(kept: &KeptEstimate, charge: &RunCharge) -> RunChargeView {
    RunChargeView {
        sequence: charge.sequence.to_string(),
        at: instant(charge.at),
        credits: charge.net().to_string(),
        refunded_credits: (!charge.refunded.is_zero()).then(|| charge.refunded.to_string()),
        difference_credits: NanoCreditSum::from(charge.net()).minus(kept.expected.into()).to_string(),
        error_percent: error_bp(kept, charge).map(percent),
        link: charge.link,
    }
}

/// By how much a charge is more than what was expected, in basis points of that, rounded to the nearest and halves away from zero; nothing
/// where nothing was expected.
fn error_bp(kept: &KeptEstimate, charge: &RunCharge) -> Option<i64> {
    const WHOLE: i128 = 10_000;
    let nanos = |credits: NanoCredits| i128::from(credits.nanos());
    let expected = nanos(kept.expected);
    let scaled = nanos(charge.net()).checked_sub(expected)?.checked_mul(WHOLE)?;
    let half = expected.checked_div(2)?;
    let nearest = if scaled < 0 { scaled.checked_sub(half)? } else { scaled.checked_add(half)? };
    i64::try_from(nearest.checked_div(expected)?).ok()
}

/// The middle of errors in basis points; between two middle ones the half of their sum, rounded up.
fn median(mut errors: Vec<u64>) -> Option<u64> {
    errors.sort_unstable();
    let upper = errors.len() / 2;
    let high = *errors.get(upper)?;
    if errors.len() % 2 == 1 {
        return Some(high);
    }
    let low = *errors.get(upper.checked_sub(1)?)?;
    Some(low.saturating_add(high.saturating_sub(low).div_ceil(2)))
}

/// Basis points as a decimal number of per cent: `-125` is `-1.25`.
fn percent(bp: i64) -> String {
    let (whole, rest) = (bp.unsigned_abs() / 100, bp.unsigned_abs() % 100);
    let sign = if bp < 0 { "-" } else { "" };
    let text = format!("{sign}{whole}.{rest:02}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::ChargeLink;
    use chrono::{DateTime, Utc};
    use proptest::prelude::*;

    const BASE: &str = "2027-01-01T00:00:00Z";

    fn at(hours: i64) -> DateTime<Utc> {
        BASE.parse::<DateTime<Utc>>().expect("an instant") + TimeDelta::hours(hours)
    }

    fn nanos(amount: i64) -> NanoCredits {
        NanoCredits::from_nanos(amount).expect("not negative")
    }

    fn kept(hours: i64, runs: u32, expected: i64, charge: Option<RunCharge>) -> KeptEstimate {
        let request = serde_json::json!({"model_id": "image-generation", "runs": runs, "parameters": {"kind": "image", "images": "1"}});
        let request = serde_json::from_value(request).expect("a request");
        KeptEstimate {
            id: hours.to_string(),
            at: at(hours),
            request,
            expected: nanos(expected),
            after: 0,
            charge,
            rejected: Default::default(),
        }
    }

    fn charge(sequence: u64, hours: i64, amount: i64) -> RunCharge {
        RunCharge { sequence, at: at(hours), credits: nanos(amount), refunded: NanoCredits::ZERO, link: ChargeLink::Matched }
    }

    fn links(estimates: Vec<KeptEstimate>, candidates: Candidates) -> Vec<Option<u64>> {
        let book = matched(EstimateBook { version: 1, estimates }, &candidates);
        book.estimates.into_iter().map(|kept| kept.charge.map(|charge| charge.sequence)).collect()
    }

    #[test]
    fn the_only_charge_within_a_day_is_matched() {
        assert_eq!(links(vec![kept(0, 1, 5, None)], vec![vec![charge(7, 24, 5)]]), [Some(7)]);
        assert_eq!(links(vec![kept(0, 1, 5, None)], vec![vec![charge(7, 25, 5)]]), [None], "too late");
        assert_eq!(links(vec![kept(0, 1, 5, None)], vec![vec![charge(7, 3, 5), charge(8, 4, 5)]]), [None], "one of two");
        assert_eq!(links(vec![kept(0, 1, 5, None)], vec![vec![charge(7, 3, 5), charge(8, 40, 5)]]), [Some(7)], "the other is too late");
        assert_eq!(links(vec![kept(0, 2, 5, None)], vec![vec![charge(7, 3, 5)]]), [None], "two runs are two charges");
    }

    #[test]
    fn a_charge_that_two_estimates_may_claim_is_of_neither() {
        let both = || vec![charge(7, 3, 5)];
        assert_eq!(links(vec![kept(0, 1, 5, None), kept(1, 1, 5, None)], vec![both(), both()]), [None, None]);
    }

    #[test]
    fn what_was_picked_stays() {
        let picked = RunCharge { link: ChargeLink::Picked, ..charge(3, 50, 9) };
        assert_eq!(links(vec![kept(0, 1, 5, Some(picked))], vec![vec![]]), [Some(3)]);
    }

    #[test]
    fn errors_are_shares_of_what_was_expected() {
        let shown = |expected: i64, amount: i64| {
            let kept = kept(0, 1, expected, None);
            let view = charge_view(&kept, &charge(1, 0, amount));
            (view.difference_credits, view.error_percent)
        };
        let said = |difference: &str, percent: &str| (difference.to_owned(), Some(percent.to_owned()));
        assert_eq!(shown(8_000_000_000, 8_200_000_000), said("0.2", "2.5"));
        assert_eq!(shown(8_000_000_000, 7_900_000_000), said("-0.1", "-1.25"));
        assert_eq!(shown(8_000_000_000, 8_000_000_000), said("0", "0"));
        assert_eq!(shown(3_000_000_000, 13_000_000_000), said("10", "333.33"));
        assert_eq!(shown(0, 5), ("0.000000005".to_owned(), None));
        assert_eq!(shown(i64::MAX, 0).1.as_deref(), Some("-100"));
        assert_eq!(shown(1, i64::MAX).1, None, "too far off for a figure");
    }

    #[test]
    fn what_was_given_back_is_no_part_of_what_a_run_cost() {
        let refunded = |amount: i64, back: i64| RunCharge { refunded: nanos(back), ..charge(1, 0, amount) };
        let kept = |charge: RunCharge| kept(0, 1, 8_000_000_000, Some(charge));
        let part = charge_view(&kept(charge(1, 0, 1)), &refunded(10_000_000_000, 1_600_000_000));
        assert_eq!((part.credits.as_str(), part.refunded_credits.as_deref()), ("8.4", Some("1.6")));
        assert_eq!((part.difference_credits.as_str(), part.error_percent.as_deref()), ("0.4", Some("5")));
        let card = RateCard::aispace().expect("a card");
        let estimates = vec![kept(refunded(10_000_000_000, 1_600_000_000)), kept(refunded(8_000_000_000, 8_000_000_000))];
        let view = kept_estimates(&card, &EstimateBook { version: 1, estimates }, &vec![vec![], vec![]]);
        assert_eq!(view.median_percent.as_deref(), Some("52.5"));
        assert_eq!(charge_view(&kept(charge(1, 0, 1)), &charge(1, 0, 5)).refunded_credits, None);
    }

    #[test]
    fn what_has_a_charge_is_compared_and_the_rest_is_offered() {
        let card = RateCard::aispace().expect("a card");
        let book = EstimateBook {
            version: 1,
            estimates: vec![kept(0, 1, 1000, Some(charge(1, 0, 1010))), kept(1, 1, 1000, None), kept(2, 1, 1000, Some(charge(2, 2, 970)))],
        };
        let view = kept_estimates(&card, &book, &vec![vec![], vec![charge(3, 40, 1), charge(4, 41, 1)], vec![]]);
        assert_eq!((view.compared, view.median_percent.as_deref()), (2, Some("2")));
        let shown: Vec<(&str, usize)> = view.estimates.iter().map(|one| (one.estimate_id.as_str(), one.candidates.len())).collect();
        assert_eq!(shown, [("2", 0), ("1", 2), ("0", 0)]);
        assert_eq!(entry_estimate(&book, 2).expect("kept").charge.error_percent.as_deref(), Some("-3"));
        assert!(entry_estimate(&book, 9).is_none());
        assert_eq!(kept_estimates(&card, &EstimateBook::default(), &Vec::new()).median_percent, None);
    }

    proptest! {
        /// As many errors are no larger as are no smaller, whatever their order, and there is one whenever there are errors.
        #[test]
        fn the_median_is_in_the_middle(errors in prop::collection::vec(prop_oneof![0u64..20, any::<u64>()], 0..40), turn in any::<usize>()) {
            let Some(middle) = median(errors.clone()) else {
                prop_assert!(errors.is_empty());
                return Ok(());
            };
            let below = errors.iter().filter(|error| **error <= middle).count();
            let above = errors.iter().filter(|error| **error >= middle).count();
            prop_assert!(below * 2 >= errors.len());
            if errors.len() % 2 == 1 {
                prop_assert!(above * 2 >= errors.len() && errors.contains(&middle));
            } else {
                // Halves are rounded up: just under it lie no more than half.
                prop_assert!(errors.iter().filter(|error| u128::from(**error) * 2 + 1 < u128::from(middle) * 2).count() * 2 <= errors.len());
                let mut sorted = errors.clone();
                sorted.sort_unstable();
                let pair = u128::from(sorted[sorted.len() / 2 - 1]) + u128::from(sorted[sorted.len() / 2]);
                prop_assert_eq!(u128::from(middle), pair.div_ceil(2));
            }
            let mut turned = errors;
            let by = turn % turned.len();
            turned.rotate_left(by);
            prop_assert_eq!(median(turned), Some(middle));
        }

        /// The figure is the true share, to half a basis point.
        #[test]
        fn an_error_is_within_half_a_basis_point(expected in 1i64..i64::MAX, actual in 0i64..i64::MAX) {
            if let Some(bp) = error_bp(&kept(0, 1, expected, None), &charge(1, 0, actual)) {
                let off = (i128::from(bp) * i128::from(expected) - (i128::from(actual) - i128::from(expected)) * 10_000).abs();
                prop_assert!(off * 2 <= i128::from(expected));
            }
        }

        /// A charge is never of two estimates, and only of one that may claim it.
        #[test]
        fn no_charge_is_matched_twice(claims in prop::collection::vec(prop::collection::vec((0u64..6, 0i64..60), 0..4), 0..6)) {
            let candidates: Candidates =
                claims.iter().map(|own| own.iter().map(|(sequence, hours)| charge(*sequence, *hours, 5)).collect()).collect();
            let linked = links(claims.iter().map(|_| kept(0, 1, 5, None)).collect(), candidates.clone());
            for (at, sequence) in linked.iter().enumerate().filter_map(|(at, link)| Some((at, (*link)?))) {
                prop_assert_eq!(linked.iter().filter(|other| **other == Some(sequence)).count(), 1);
                prop_assert!(candidates[at].iter().any(|charge| charge.sequence == sequence));
            }
        }
    }
}
