//! Amounts between credit owners and currencies: exact, or rounded by name, or refused.

mod support;

use aispace_pricing::{ConvertError, Converted, Currency, RateCard, compare_worth, convert};
use aispace_units::{Exact, Rounding};
use num_rational::BigRational;
use proptest::prelude::*;
use std::cmp::Ordering;
use support::{cases, oracle::fraction};

fn exact(text: &str) -> Exact {
    text.parse().expect("a number")
}

fn currency(code: &str, per_usd: &str) -> Currency {
    Currency { code: code.to_owned(), name: code.to_owned(), per_usd: exact(per_usd) }
}

fn built_in(code: &str) -> Currency {
    Currency::find(code, &[]).expect("built in")
}

#[test]
fn the_built_in_currencies_are_those_of_the_built_in_cards() {
    let cards = RateCard::built_in().expect("built in");
    for own in Currency::built_in() {
        assert_eq!(Currency::find(&own.code, &cards), Ok(own.clone()), "{}", own.code);
        let listed = cards.iter().any(|card| card.unit() == &own || card.file().display.contains(&own));
        assert!(listed, "no built-in card says what {} is", own.code);
    }
}

#[test]
fn every_pair_of_owners_converts_by_what_both_are_worth() {
    for (amount, from, to, expected) in [
        ("4400", "aispace", "pinnora", "0.44"),
        ("4400", "aispace", "usd", "0.44"),
        ("0.000001", "aispace", "usd", "0.0000000001"),
        ("1", "pinnora", "aispace", "10000"),
        ("1", "pinnora", "usd", "1"),
        ("0.55", "usd", "aispace", "5500"),
        ("10000", "aispace", "cny", "7.3"),
        ("7.3", "cny", "usd", "1"),
        ("7.3", "cny", "aispace", "10000"),
        ("0.000073", "cny", "pinnora", "0.00001"),
        ("0", "cny", "usd", "0"),
        ("12.5", "cny", "cny", "12.5"),
    ] {
        let converted = convert(exact(amount), &built_in(from), &built_in(to), None).expect(amount);
        assert_eq!(converted, Converted { amount: exact(expected), exact: true }, "{amount} {from} in {to}");
    }
}

#[test]
fn what_never_ends_is_refused_until_a_rounding_is_named() {
    let (cny, usd) = (built_in("cny"), built_in("usd"));
    let error = convert(Exact::ONE, &cny, &usd, None).expect_err("10/73 of a dollar");
    assert_eq!(error, ConvertError::NotExact { amount: Exact::ONE, from: "cny".into(), to: "usd".into() });
    assert_eq!(error.to_string(), "1 cny has no exact amount of usd; a rounding must be named");
    // 10/73 is 0.136986301…
    for (rule, places, expected) in [
        (Rounding::Down, 4, "0.1369"),
        (Rounding::Up, 4, "0.137"),
        (Rounding::HalfUp, 4, "0.137"),
        (Rounding::HalfEven, 2, "0.14"),
        (Rounding::Down, 0, "0"),
        (Rounding::Up, 0, "1"),
    ] {
        let converted = convert(Exact::ONE, &cny, &usd, Some((rule, places))).expect("rounds");
        assert_eq!(converted, Converted { amount: exact(expected), exact: false }, "{rule:?} to {places}");
    }
}

#[test]
fn a_named_rounding_says_whether_it_changed_anything() {
    let (aispace, usd) = (built_in("aispace"), built_in("usd"));
    let cents = |credits: &str, rule| convert(exact(credits), &aispace, &usd, Some((rule, 2))).expect("rounds");
    assert_eq!(cents("4400", Rounding::Down), Converted { amount: exact("0.44"), exact: true });
    assert_eq!(cents("4450", Rounding::HalfUp), Converted { amount: exact("0.45"), exact: false });
    assert_eq!(cents("4450", Rounding::HalfEven), Converted { amount: exact("0.44"), exact: false });
    assert_eq!(cents("4550", Rounding::HalfEven), Converted { amount: exact("0.46"), exact: false });
    assert_eq!(cents("4449.999", Rounding::HalfUp), Converted { amount: exact("0.44"), exact: false });
    assert_eq!(cents("0.000001", Rounding::Up), Converted { amount: exact("0.01"), exact: false });
}

#[test]
fn a_long_amount_is_refused_only_where_its_answer_is_too_long() {
    // Both units share 36 digits, so only the product on the way is too long.
    let (left, right) =
        (currency("left", "300000000000000000000000000000000003"), currency("right", "600000000000000000000000000000000006"));
    let long = exact("12345678901234567890123456789012345678");
    let doubled = convert(long, &left, &right, None).expect("twice as many");
    assert_eq!(doubled.amount, exact("24691357802469135780246913578024691356"));
    assert_eq!(convert(doubled.amount, &right, &left, None).expect("half as many").amount, long);

    // So do the amount and what it is converted from.
    let (odd, sevens) = (currency("odd", "12345678901234567890123456789012345678"), currency("sevens", "700"));
    assert_eq!(convert(long, &odd, &sevens, None).expect("is a dollar").amount, exact("700"));
    assert_eq!(convert(exact("700"), &sevens, &odd, None).expect("is a dollar").amount, long);

    let huge = exact("99999999999999999999999999999999999999");
    let dear = currency("dear", "99999999999999999999");
    assert!(matches!(convert(huge, &built_in("usd"), &dear, None), Err(ConvertError::NotExact { .. })));
    let error = convert(huge, &built_in("usd"), &dear, Some((Rounding::Down, 2))).expect_err("58 digits");
    assert_eq!(error, ConvertError::OutOfRange { amount: huge, from: "usd".into(), to: "dear".into() });
}

#[test]
fn a_unit_that_is_worth_nothing_converts_nothing() {
    let nothing = currency("nothing", "0");
    for (from, to) in [(&nothing, &built_in("usd")), (&built_in("usd"), &nothing)] {
        let error = convert(Exact::ONE, from, to, Some((Rounding::Down, 2))).expect_err("worthless");
        assert_eq!(error, ConvertError::Worthless { code: "nothing".into() });
    }
}

fn card(id: &str, display: &str) -> RateCard {
    RateCard::from_json(&format!(
        r#"{{"format": "aispace-rate-card/2", "id": "{id}", "name": "Made up", "date": "2026-01-01",
            "unit": {{"code": "made-up", "name": "made-up credits", "per_usd": "3"}}, "display": [{display}],
            "posting": {{"rule": "half_up", "decimals": 9}}, "models": []}}"#
    ))
    .expect("a card")
}

#[test]
fn a_code_is_looked_up_in_the_cards_first() {
    let (one, two) = (card("one", r#"{"code": "cny", "name": "yuan", "per_usd": "7"}"#), card("two", ""));
    assert_eq!(Currency::find("made-up", [&one, &two]).map(|c| c.per_usd), Ok(exact("3")), "both agree");
    assert_eq!(Currency::find("cny", [&one]).map(|c| c.per_usd), Ok(exact("7")));
    assert_eq!(Currency::find("cny", [&two]).map(|c| c.per_usd), Ok(exact("7.3")));
    let other = card("other", r#"{"code": "cny", "name": "yuan", "per_usd": "7.1"}"#);
    let candidates = vec!["7 for 1 USD (one)".to_owned(), "7.1 for 1 USD (other)".to_owned()];
    assert_eq!(Currency::find("cny", [&one, &other]), Err(ConvertError::Ambiguous { code: "cny".into(), candidates }));
    let known = ["aispace", "pinnora", "usd", "cny", "made-up"].map(str::to_owned).to_vec();
    let error = Currency::find("eur", [&one, &two]).expect_err("unknown");
    assert_eq!(error, ConvertError::Unknown { code: "eur".into(), known });
    assert_eq!(error.to_string(), r#"no currency "eur"; known: aispace, pinnora, usd, cny, made-up"#);
}

#[test]
fn worth_is_compared_where_no_dollars_can_be_written() {
    let (cny, usd) = (built_in("cny"), built_in("usd"));
    let ten_73rds = |more: &str| compare_worth((Exact::ONE, &cny), (exact(more), &usd));
    assert_eq!(ten_73rds("0.13698630136986301369863013698630136986"), Ordering::Greater);
    assert_eq!(ten_73rds("0.13698630136986301369863013698630136987"), Ordering::Less);
    assert_eq!(compare_worth((exact("7.3"), &cny), (Exact::ONE, &usd)), Ordering::Equal);
    assert_eq!(compare_worth((Exact::ZERO, &cny), (Exact::ZERO, &usd)), Ordering::Equal);
    assert_eq!(compare_worth((Exact::ZERO, &cny), (exact("0.000001"), &usd)), Ordering::Less);
    // Too far apart for any common scale.
    let speck = Exact::new(1, 4_000_000_000);
    let heap = Exact::new(u128::MAX, 0);
    let wide = currency("wide", "99999999999999999999999999999999999999");
    assert_eq!(compare_worth((speck, &wide), (heap, &cny)), Ordering::Less);
    assert_eq!(compare_worth((heap, &cny), (speck, &wide)), Ordering::Greater);
}

fn any_exact(digits: u32) -> impl Strategy<Value = Exact> {
    (0..10u128.pow(digits), 0..=digits).prop_map(|(mantissa, scale)| Exact::new(mantissa, scale))
}

fn any_unit() -> impl Strategy<Value = Currency> {
    let written = prop_oneof![Just("1"), Just("10000"), Just("7.3"), Just("3"), Just("0.7")].prop_map(exact);
    prop_oneof![written, any_exact(6), any_exact(38)].prop_filter("worth something", |n| !n.is_zero()).prop_map(|per_usd| Currency {
        code: "unit".into(),
        name: "unit".into(),
        per_usd,
    })
}

fn worth(amount: Exact, from: &Currency, to: &Currency) -> BigRational {
    fraction(amount) * fraction(to.per_usd) / fraction(from.per_usd)
}

proptest! {
    #![proptest_config(cases(1_000))]

    /// An exact answer is the fraction itself; a rounded one lies within one step of it, on the side that its rule names.
    #[test]
    fn a_conversion_is_the_fraction(amount in any_exact(38), from in any_unit(), to in any_unit(), places in 0u32..20) {
        let truth = worth(amount, &from, &to);
        if let Ok(converted) = convert(amount, &from, &to, None) {
            prop_assert_eq!((fraction(converted.amount), converted.exact), (truth.clone(), true));
        }
        let step = fraction(Exact::new(1, places));
        for rule in [Rounding::Down, Rounding::Up, Rounding::HalfUp, Rounding::HalfEven] {
            let Ok(converted) = convert(amount, &from, &to, Some((rule, places))) else { continue };
            let rounded = fraction(converted.amount);
            let (off, half) = if rounded > truth { (&rounded - &truth, rule != Rounding::Down) } else { (&truth - &rounded, rule != Rounding::Up || rounded == truth) };
            prop_assert!(off < step && half, "{rule:?}: {rounded} for {truth}");
            prop_assert!(matches!(rule, Rounding::Down | Rounding::Up) || &off + &off <= step);
            prop_assert!(converted.amount.scale() <= places);
            prop_assert_eq!(converted.exact, rounded == truth);
        }
    }

    /// What goes there and back exactly is what it was.
    #[test]
    fn there_and_back_is_the_same(amount in any_exact(20), from in any_unit(), to in any_unit()) {
        if let Ok(there) = convert(amount, &from, &to, None) {
            let back = convert(there.amount, &to, &from, None);
            prop_assert_eq!(back, Ok(Converted { amount, exact: true }));
        }
    }

    /// Worth is ordered as fractions are, whatever the lengths.
    #[test]
    fn worth_is_ordered_as_fractions_are(a in any_exact(38), b in any_exact(38), one in any_unit(), two in any_unit(), near in any::<bool>()) {
        let usd = Currency::usd();
        // Half of the time the second is made from the first, so that they differ only in their last digits.
        let b = if near { convert(a, &one, &two, Some((Rounding::HalfUp, 18))).map_or(b, |c| c.amount) } else { b };
        prop_assert_eq!(compare_worth((a, &one), (b, &two)), worth(a, &one, &usd).cmp(&worth(b, &two, &usd)));
    }
}
