//! Exactness: the engine against a second reading of the format in fractions of whole numbers, on made-up cards and runs.
#![allow(missing_docs)]

mod support;

use aispace_pricing::{Bill, LineMeter, LineRole, Quote, QuoteError, RateCard, Run, Terms, quote, total};
use aispace_units::Exact;
use num_rational::BigRational;
use num_traits::{One, Zero};
use proptest::test_runner::TestRunner;
use std::cell::{Cell, RefCell};
use support::{
    Priced, cases,
    oracle::{self, Answer, Refusal, fraction},
    priced, words,
};

const RUNS: usize = 8;

#[derive(Debug, Default)]
struct Seen {
    quoted: Cell<u32>,
    billed: Cell<u32>,
    too_wide: Cell<u32>,
    too_wide_to_post: Cell<u32>,
    no_price: Cell<u32>,
    instant_needed: Cell<u32>,
    impossible: Cell<u32>,
}

impl Seen {
    fn refused(&self, refusal: Refusal) -> &Cell<u32> {
        match refusal {
            Refusal::NoPrice => &self.no_price,
            Refusal::InstantNeeded => &self.instant_needed,
            Refusal::Impossible => &self.impossible,
        }
    }
}

fn one_more(count: &Cell<u32>) {
    count.set(count.get() + 1);
}

#[test]
fn every_cost_is_the_fraction_that_the_format_says() {
    let seen = Seen::default();
    let bill = RefCell::new(Bill::new());
    TestRunner::new(cases(600))
        .run(&words(500), |words| {
            let Priced { card, file, runs } = priced(words, RUNS);
            for (run, terms) in &runs {
                let expected = oracle::price(&file, run, terms);
                match (quote(&card, run, terms), expected) {
                    (Ok(quote), Ok(answer)) => agrees(&card, run, terms, &quote, &answer, &seen),
                    (Err(QuoteError::NotExact(_)), _) => {
                        assert!(oracle::needs_more_digits(&file, run, terms), "38 digits are enough");
                        one_more(&seen.too_wide);
                    }
                    (Err(error), Err(refusal)) => {
                        assert!(is_of(&error, refusal), "{error:?} but {refusal:?} for {run:?} {terms:?}");
                        one_more(seen.refused(refusal));
                    }
                    (quote, answer) => panic!("{quote:#?} but {answer:?} for {run:?} {terms:?}"),
                }
                billed(&card, run, &mut bill.borrow_mut(), &seen);
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    let cases = seen.quoted.get() + seen.too_wide.get() + seen.no_price.get() + seen.instant_needed.get() + seen.impossible.get();
    // The test is worth nothing when the made-up runs stop meeting the cards.
    assert!(seen.quoted.get() * 10 > cases * 8 && seen.billed.get() * 10 > cases * 5, "{seen:?}");
    assert!(seen.too_wide.get() * 50 < cases && seen.too_wide_to_post.get() * 50 < cases, "{seen:?}");
    assert!(seen.no_price.get() > 0 && seen.instant_needed.get() > 0, "{seen:?}");
}

fn agrees(card: &RateCard, run: &Run, terms: &Terms, quote: &Quote, answer: &Answer, seen: &Seen) {
    one_more(&seen.quoted);
    assert_eq!(fraction(quote.total), answer.total, "{quote:#?}");
    assert_eq!(total(card, run, terms), Ok(quote.total));
    let amounts = |role: LineRole| quote.lines.iter().filter(move |l| l.role == role).map(|l| fraction(l.amount)).collect::<Vec<_>>();
    assert_eq!(amounts(LineRole::Charge), answer.charges, "{quote:#?}");
    assert_eq!(amounts(LineRole::Factor), answer.factors);
    assert_eq!(amounts(LineRole::Runs), if run.runs > 1 { vec![answer.total.clone()] } else { Vec::new() });
    explained(card, quote);
    match quote.posted() {
        Ok(posted) => assert_eq!(fraction(posted), answer.posted, "{quote:#?}"),
        Err(_) => {
            assert!(oracle::needs_more_digits(card.file(), run, terms), "38 digits are enough to post {quote:#?}");
            one_more(&seen.too_wide_to_post);
        }
    }
    converted(card, quote, &answer.total);
}

/// Every line of counts is its own sum: quantity × rate ÷ denominator.
fn explained(card: &RateCard, quote: &Quote) {
    for line in &quote.lines {
        let product = fraction(line.quantity) * fraction(line.rate) / BigRational::from_integer(line.denominator.count().into());
        match line.meter {
            LineMeter::Metered(_) | LineMeter::Extra(_) | LineMeter::Runs | LineMeter::Display | LineMeter::ToCredits => {
                assert_eq!(fraction(line.amount), product, "{line:?}");
            }
            LineMeter::ToCents | LineMeter::Rounded => {
                let unit = |r: &aispace_pricing::MeterRounding| BigRational::new(1.into(), num_bigint::BigInt::from(10).pow(r.decimals));
                let by_one = |r| oracle::rounded(&product, &unit(r), r.rule) == fraction(line.amount);
                assert!(card.file().rounding.iter().any(by_one), "{line:?}");
            }
            LineMeter::Factor(_) => assert_eq!(line.role, LineRole::Factor),
        }
    }
}

/// Dollars and further currencies are exact, or left out where there is no such decimal.
fn converted(card: &RateCard, quote: &Quote, total: &BigRational) {
    let usd = total / fraction(card.unit().per_usd);
    match quote.usd {
        Some(own) => assert_eq!(fraction(own), usd),
        None => assert!(!ends_within(&usd, 30), "{usd} is left out"),
    }
    for (code, amount) in &quote.display {
        let currency = card.file().display.iter().find(|c| c.code == *code).expect("a currency of the card");
        assert_eq!(fraction(*amount), &usd * fraction(currency.per_usd), "{code}");
    }
    assert!(quote.usd.is_none() || quote.display.len() == card.file().display.len() || !ends_within(&usd, 30));
}

/// Whether a number is a decimal of so many digits.
fn ends_within(number: &BigRational, digits: u32) -> bool {
    let most = num_bigint::BigInt::from(10).pow(digits);
    (0..=digits).any(|scale| {
        let whole = number * BigRational::from_integer(num_bigint::BigInt::from(10).pow(scale));
        whole.denom().is_one() && *whole.numer() < most
    })
}

/// The way without words comes to the same for a run that chooses nothing.
fn billed(card: &RateCard, run: &Run, bill: &mut Bill, seen: &Seen) {
    let plain = Run::new(run.model_id.clone(), run.usage.clone());
    let found = card.find(&run.model_id).expect("a model of the card");
    match (card.bill(found, &plain.usage, bill), oracle::price(card.file(), &plain, &Terms::default())) {
        (Ok(()), Ok(answer)) => {
            one_more(&seen.billed);
            let lines: Vec<BigRational> = bill.lines().map(|line| fraction(line.amount)).collect();
            assert_eq!(lines, answer.charges, "{plain:?}");
            assert_eq!(fraction(bill.total()), lines.iter().fold(BigRational::zero(), |sum, line| sum + line));
            let (mantissa, scale) = bill.raw_total();
            assert_eq!(Exact::new(mantissa, scale), bill.total());
        }
        (Err(QuoteError::NotExact(error)), _) => {
            assert!(oracle::needs_more_digits(card.file(), &plain, &Terms::default()), "{error}, but 38 digits are enough: {plain:?}");
        }
        (Err(error), Err(refusal)) => assert!(is_of(&error, refusal), "{error:?} but {refusal:?}"),
        (bill, answer) => panic!("{bill:?} but {answer:?} for {plain:?} of {}", card.to_json()),
    }
}

fn is_of(error: &QuoteError, refusal: Refusal) -> bool {
    match refusal {
        Refusal::NoPrice => matches!(error, QuoteError::NoPrice { .. } | QuoteError::NoRate { .. }),
        Refusal::InstantNeeded => matches!(error, QuoteError::InstantNeeded { .. }),
        Refusal::Impossible => matches!(error, QuoteError::Impossible { .. }),
    }
}
