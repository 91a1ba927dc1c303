//! new-api's billing expressions, as far as a rate card can say them: a chain of conditions on the size of the prompt, each leading to a
//! sum of token counts times prices, in US dollars per million.

use super::{
    number,
    refusal::excerpt,
    syntax::{self, Node},
};
use aispace_units::{Exact, Rounding};
use std::collections::BTreeMap;

/// Longest expression that is read, in bytes.
const LENGTH_MAX: usize = 4_096;
/// Deepest nesting of parentheses, conditions and tiers.
const DEPTH_MAX: u32 = 64;
/// Most conditions.
const CHOICES_MAX: u32 = 64;
/// Most signs between two values.
const SIGNS_MAX: u32 = 256;

/// Why an expression is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// Too long or too deep to be a tariff.
    #[error("it is longer than 4,096 bytes, deeper than 64 levels, or with more than 64 conditions or 256 signs")]
    TooLarge,
    /// Something else was expected.
    #[error("{found} where {expected} belongs")]
    Unexpected {
        /// What stands there.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A part of the language that a rate card cannot say.
    #[error("{what} cannot be said in a rate card")]
    Unsupported {
        /// The part.
        what: String,
    },
    /// A count that some of the tiers price and some do not: in those it would cost nothing.
    #[error("{variable} has a price in some tiers only")]
    Uneven {
        /// The variable.
        variable: Variable,
    },
    /// A condition on what is left of the prompt once other variables are taken out of it.
    #[error("a condition on p, which leaves out {variable}; only len is the whole prompt")]
    PartialPrompt {
        /// A variable that is taken out of `p`.
        variable: Variable,
    },
    /// Arithmetic that 38 digits do not hold, or a price that is below zero.
    #[error("{given} is no price")]
    Number {
        /// As given.
        given: String,
    },
}

crate::words::words! {
    /// A count of tokens that an expression prices.
    Variable {
        /// The prompt without what other variables of the expression count.
        Prompt = "p",
        /// The answer without what other variables of the expression count.
        Completion = "c",
        /// Read from a cache.
        CacheRead = "cr",
        /// Written to a cache: of five minutes, or of any age where `cc1h` is not used.
        CacheWrite = "cc",
        /// Written to a cache of an hour.
        CacheWriteHour = "cc1h",
        /// Pictures sent.
        ImageInput = "img",
        /// Pictures made.
        ImageOutput = "img_o",
        /// Sound sent.
        AudioInput = "ai",
        /// Sound answered.
        AudioOutput = "ao",
    }
}

impl Variable {
    /// Whether new-api takes it out of `p` where an expression uses it.
    fn is_of_prompt(self) -> bool {
        match self {
            Self::CacheRead | Self::CacheWrite | Self::CacheWriteHour | Self::ImageInput | Self::AudioInput => true,
            Self::Prompt | Self::Completion | Self::ImageOutput | Self::AudioOutput => false,
        }
    }
}

/// What an expression charges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tariff {
    /// Dollars for a request, whatever is in it.
    Request(Exact),
    /// Prices by the size of the prompt, the smallest first; the first begins at 0.
    Tokens(Vec<Tier>),
}

/// Prices from a size of the prompt up to the next tier's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tier {
    /// The smallest prompt.
    pub(super) from: u64,
    /// As `tier(…)` names it.
    pub(super) name: Option<String>,
    /// Dollars per million of each variable; the same variables in every tier.
    pub(super) prices: BTreeMap<Variable, Exact>,
}

/// Reads an expression.
///
/// # Errors
/// Whatever is not a chain of conditions on `len` or `p` over sums of variables times prices.
pub(super) fn read(text: &str) -> Result<Tariff, ExpressionError> {
    if text.len() > LENGTH_MAX {
        return Err(ExpressionError::TooLarge);
    }
    if text.contains("|||") {
        return unsupported("a multiplier on fields of the request");
    }
    let root = syntax::parse(text.strip_prefix("v1:").unwrap_or(text), DEPTH_MAX, SIGNS_MAX)?;
    let mut reader = Reader { leaves: Vec::new(), choices: 0, sizes_p: false };
    reader.collect(&root, Span::ALL)?;
    reader.tariff()
}

/// Sizes of a prompt, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: u64,
    to: u64,
}

impl Span {
    const ALL: Self = Self { from: 0, to: u64::MAX };

    fn and(self, other: Self) -> Option<Self> {
        let both = Self { from: self.from.max(other.from), to: self.to.min(other.to) };
        (both.from <= both.to).then_some(both)
    }

    /// What lies below it and what lies above it.
    fn around(self) -> [Option<Self>; 2] {
        let below = self.from.checked_sub(1).map(|to| Self { from: 0, to });
        let above = self.to.checked_add(1).map(|from| Self { from, to: u64::MAX });
        [below, above]
    }
}

/// What is charged at some sizes of the prompt.
#[derive(Debug)]
struct Leaf<'t> {
    within: Span,
    name: Option<&'t str>,
    sum: Sum,
}

/// A sum of variables times numbers, and a number; or a price for a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Sum {
    prices: BTreeMap<Variable, Exact>,
    constant: Exact,
    fixed: Option<Exact>,
}

impl Sum {
    fn is_constant(&self) -> bool {
        self.prices.is_empty() && self.fixed.is_none()
    }
}

struct Reader<'t> {
    leaves: Vec<Leaf<'t>>,
    choices: u32,
    /// Whether a condition looks at `p`.
    sizes_p: bool,
}

impl<'t> Reader<'t> {
    /// Every leaf with the sizes at which it is reached.
    fn collect(&mut self, node: &Node<'t>, within: Span) -> Result<(), ExpressionError> {
        let (name, sum) = match node {
            Node::Choice { condition, then, otherwise } => return self.choice(condition, then, otherwise, within),
            Node::Call { name: "tier", arguments } => match arguments.as_slice() {
                [Node::Text(name), Node::Call { name: "fixed", arguments }] => (Some(*name), fixed(arguments)?),
                [Node::Text(name), value] => (Some(*name), sum(value)?),
                _ => return unsupported("tier() of anything but a name and a price"),
            },
            other => (None, sum(other)?),
        };
        self.leaves.push(Leaf { within, name, sum });
        Ok(())
    }

    fn choice(&mut self, condition: &Node<'t>, then: &Node<'t>, otherwise: &Node<'t>, within: Span) -> Result<(), ExpressionError> {
        // Each is met once for every stretch of sizes that leads to it.
        self.choices = self.choices.saturating_add(1);
        if self.choices > CHOICES_MAX {
            return Err(ExpressionError::TooLarge);
        }
        let Some(holds) = self.holds(condition)? else { return self.collect(otherwise, within) };
        if let Some(inside) = within.and(holds) {
            self.collect(then, inside)?;
        }
        let outside = holds.around().into_iter().flatten().filter_map(|outside| within.and(outside));
        outside.into_iter().try_for_each(|outside| self.collect(otherwise, outside))
    }

    /// The sizes at which a condition holds, if at any.
    fn holds(&mut self, condition: &Node<'_>) -> Result<Option<Span>, ExpressionError> {
        let Node::Binary { sign, left, right } = condition else {
            return unsupported("a condition on anything but the size of the prompt");
        };
        if *sign == "&&" {
            let (left, right) = (self.holds(left)?, self.holds(right)?);
            return Ok(left.zip(right).and_then(|(left, right)| left.and(right)));
        }
        let (word, sign, number) = match (left.as_ref(), right.as_ref()) {
            (Node::Word(word), Node::Number(number)) => (*word, *sign, *number),
            (Node::Number(number), Node::Word(word)) => (*word, turned(sign), *number),
            _ => return unsupported("a condition on anything but the size of the prompt"),
        };
        match word {
            "len" => {}
            "p" => self.sizes_p = true,
            other => return unsupported(format!("a condition on {}", excerpt(other))),
        }
        span(sign, read_number(number)?)
    }

    fn tariff(mut self) -> Result<Tariff, ExpressionError> {
        self.leaves.sort_by_key(|leaf| leaf.within.from);
        if let [Leaf { sum: Sum { fixed: Some(price), .. }, .. }] = self.leaves.as_slice() {
            return Ok(Tariff::Request(*price));
        }
        if self.leaves.iter().any(|leaf| leaf.sum.fixed.is_some()) {
            return unsupported("a price for a request that depends on the size of the prompt");
        }
        let used = || self.leaves.iter().flat_map(|leaf| leaf.sum.prices.keys().copied());
        if let Some(variable) = used().find(|v| self.leaves.iter().any(|leaf| !leaf.sum.prices.contains_key(v))) {
            return Err(ExpressionError::Uneven { variable });
        }
        if let Some(variable) = used().find(|v| self.sizes_p && v.is_of_prompt()) {
            return Err(ExpressionError::PartialPrompt { variable });
        }
        if self.leaves.iter().any(|leaf| !leaf.sum.constant.is_zero()) {
            return unsupported("a price that is added to every request");
        }
        if used().next().is_none() {
            return unsupported("a price of nothing");
        }
        let tier = |leaf: Leaf<'_>| Tier { from: leaf.within.from, name: leaf.name.map(excerpt), prices: leaf.sum.prices };
        Ok(Tariff::Tokens(self.leaves.into_iter().map(tier).collect()))
    }
}

/// The comparison as it reads from the other side.
fn turned(sign: &'static str) -> &'static str {
    match sign {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        other => other,
    }
}

/// The sizes that compare so with a bound. A size is whole: at most 2.5 is at most 2, at least 2.5 is at least 3.
fn span(sign: &str, bound: Exact) -> Result<Option<Span>, ExpressionError> {
    let whole = |rule| bound.round(0, rule).to_whole().and_then(|whole| u64::try_from(whole).ok()).unwrap_or(u64::MAX);
    let (down, up) = (whole(Rounding::Down), whole(Rounding::Up));
    Ok(match sign {
        "<=" => Some(Span { to: down, ..Span::ALL }),
        "<" => up.checked_sub(1).map(|to| Span { to, ..Span::ALL }),
        ">=" => Some(Span { from: up, ..Span::ALL }),
        ">" => down.checked_add(1).map(|from| Span { from, ..Span::ALL }),
        other => return unsupported(format!("a condition with {other}")),
    })
}

/// `fixed(price)`, in dollars.
fn fixed(arguments: &[Node<'_>]) -> Result<Sum, ExpressionError> {
    match arguments {
        [Node::Number(number)] => Ok(Sum { fixed: Some(read_number(number)?), ..Sum::default() }),
        _ => unsupported("a price for a request that is not a number"),
    }
}

fn sum(node: &Node<'_>) -> Result<Sum, ExpressionError> {
    match node {
        Node::Number(number) => Ok(Sum { constant: read_number(number)?, ..Sum::default() }),
        Node::Word(word) => match word.parse::<Variable>() {
            Ok(variable) => Ok(Sum { prices: BTreeMap::from([(variable, Exact::ONE)]), ..Sum::default() }),
            Err(_) => unsupported(excerpt(word)),
        },
        Node::Binary { sign, left, right } => {
            let (left, right) = (sum(left)?, sum(right)?);
            match *sign {
                "+" => plus(left, right),
                "*" if left.is_constant() => times(right, |n| n.mul(left.constant).ok()),
                "*" if right.is_constant() => times(left, |n| n.mul(right.constant).ok()),
                "*" => unsupported("one count times another"),
                "/" if right.is_constant() => times(left, |n| n.div_exact(right.constant)),
                "/" => unsupported("a division by a count"),
                other => unsupported(format!("the sign {other} in a price")),
            }
        }
        Node::Call { name: "tier", .. } => unsupported("arithmetic on whole tiers"),
        Node::Call { name, .. } => unsupported(format!("{}()", excerpt(name))),
        Node::Choice { .. } => unsupported("a condition inside a price"),
        Node::Minus => unsupported("a price below zero"),
        Node::Text(text) => Err(ExpressionError::Number { given: format!("{:?}", excerpt(text)) }),
    }
}

fn plus(mut sum: Sum, term: Sum) -> Result<Sum, ExpressionError> {
    let add = |a: Exact, b: Exact| a.add(b).map_err(|_| ExpressionError::Number { given: format!("{a} + {b}") });
    for (variable, price) in term.prices {
        let before = sum.prices.get(&variable).copied().unwrap_or_default();
        sum.prices.insert(variable, add(before, price)?);
    }
    sum.constant = add(sum.constant, term.constant)?;
    Ok(sum)
}

fn times(mut sum: Sum, by: impl Fn(Exact) -> Option<Exact>) -> Result<Sum, ExpressionError> {
    let scaled = |n: Exact| by(n).ok_or_else(|| ExpressionError::Number { given: format!("a multiple of {n}") });
    for price in sum.prices.values_mut() {
        *price = scaled(*price)?;
    }
    sum.constant = scaled(sum.constant)?;
    Ok(sum)
}

fn read_number(text: &str) -> Result<Exact, ExpressionError> {
    // The language allows `200_000`.
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    number::exact(&plain).map_err(|_| ExpressionError::Number { given: excerpt(text) })
}

fn unsupported<T>(what: impl Into<String>) -> Result<T, ExpressionError> {
    Err(ExpressionError::Unsupported { what: what.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `from: variable price, …` of every tier.
    fn tiers(text: &str) -> Vec<String> {
        match read(text) {
            Ok(Tariff::Tokens(tiers)) => tiers.iter().map(line).collect(),
            Ok(Tariff::Request(price)) => vec![format!("request {price}")],
            Err(error) => vec![error.to_string()],
        }
    }

    fn line(tier: &Tier) -> String {
        let prices: Vec<String> = tier.prices.iter().map(|(v, price)| format!("{v} {price}")).collect();
        format!("{}: {}", tier.from, prices.join(", "))
    }

    #[test]
    fn chains_become_tiers() {
        assert_eq!(tiers("p * 2.5 + c * 15"), ["0: p 2.5, c 15"]);
        assert_eq!(tiers(r#"v1:tier("base", p * 2.5 + c * 15 + cr * 0.25)"#), ["0: p 2.5, c 15, cr 0.25"]);
        assert_eq!(
            tiers(r#"len <= 200000 ? tier("standard", p * 3 + c * 15 + cr * 0.3) : tier("long", p * 6 + c * 22.5 + cr * 0.6)"#),
            ["0: p 3, c 15, cr 0.3", "200001: p 6, c 22.5, cr 0.6"]
        );
        assert_eq!(
            tiers("len < 32_000 ? p*1+c*2 : len <= 1.28e5 ? p*3+c*4 : (len >= 1000000 ? p*7+c*8 : p*5+c*6)"),
            ["0: p 1, c 2", "32000: p 3, c 4", "128001: p 5, c 6", "1000000: p 7, c 8"]
        );
        assert_eq!(tiers("(200000 < len ? p*2 : p*1)"), ["0: p 1", "200001: p 2"]);
        assert_eq!(tiers("len > 10 && len <= 20 ? p*2 : p*1"), ["0: p 1", "11: p 2", "21: p 1"]);
        assert_eq!(tiers("p <= 100000 ? p*1 + c : p*2 + c"), ["0: p 1, c 1", "100001: p 2, c 1"]);
        assert_eq!(tiers(r#"tier("request", fixed(0.01))"#), ["request 0.01"]);
    }

    #[test]
    fn sums_are_worked_out() {
        assert_eq!(tiers("p + c"), ["0: p 1, c 1"]);
        assert_eq!(tiers("(p) * 2 + 8*c + c * 0.5"), ["0: p 2, c 8.5"]);
        assert_eq!(tiers("(p * 2 + c * 10) * 0.5 / 4"), ["0: p 0.25, c 1.25"]);
        assert_eq!(tiers("p * 1 / 3"), ["a multiple of 1 is no price"]);
        assert_eq!(tiers("p * 0 + c * 0"), ["0: p 0, c 0"], "nothing, but said so");
        assert_eq!(tiers("img * 2 + img_o * 3 + ai * 4 + ao * 5 + cc * 6 + cc1h * 7"), ["0: cc 6, cc1h 7, img 2, img_o 3, ai 4, ao 5"]);
    }

    #[test]
    fn tiers_that_are_never_reached_are_left_out() {
        assert_eq!(tiers("len <= 200 ? p*1 : len <= 100 ? p*2 : p*3"), ["0: p 1", "201: p 3"]);
        assert_eq!(tiers("len >= 0 ? p*1 : p*2"), ["0: p 1"]);
        assert_eq!(tiers("len < 0 ? p*1 : p*2"), ["0: p 2"]);
        assert_eq!(tiers("len > 2.5 ? p*1 : p*2"), ["0: p 2", "3: p 1"]);
        assert_eq!(tiers("len > 99999999999999999999 ? p*1 : p*2"), ["0: p 2"]);
    }

    #[test]
    fn what_a_card_cannot_say_is_named() {
        for (text, reason) in [
            (r#"tier("x", p*2) * (param("service_tier") == "fast" ? 2 : 1)"#, "arithmetic on whole tiers"),
            (r#"p * 2 * (param("service_tier") == "fast" ? 2 : 1)"#, "a condition inside a price"),
            (r#"tier("x", p*5)|||when(header("a") has "b") * 6"#, "a multiplier on fields"),
            (r#"param("fast") == true ? tier("a", p*4) : tier("b", p*2)"#, "a condition on anything but"),
            (r#"hour("UTC") < 6 ? p*1 : p*2"#, "a condition on anything but"),
            ("len <= 5 || len > 9 ? p*1 : p*2", "a condition on anything but"),
            ("c <= 200 ? p*1 + c : p*2 + c", "a condition on c"),
            ("len == 5 ? p*1 : p*2", "a condition with =="),
            ("max(p, c) * 0.5", "max()"),
            ("ceil(p / 1000) * 0.5", "ceil()"),
            (r#"u("seconds") * 0.4"#, "u()"),
            ("p * 2 - c", "the sign - in a price"),
            ("p * -2", "a price below zero"),
            ("p * c", "one count times another"),
            ("1000 / p", "a division by a count"),
            ("p * 2 + 1000", "added to every request"),
            ("5", "added to every request"),
            ("0", "a price of nothing"),
            ("p * 2 + img_cr * 3", "img_cr"),
            ("p * 2 + q", "q cannot be said"),
            (r#"len < 5 ? tier("a", fixed(1)) : tier("b", p*2)"#, "depends on the size"),
            ("len <= 5 ? p*1 + cr*1 : p*2", "cr has a price in some tiers only"),
            ("p <= 5 ? p*1 + cr*1 : p*2 + cr*2", "only len is the whole prompt"),
            (r#"(len < 5 ? tier("a", p*1) : tier("b", p*2)) / 2"#, "a condition inside a price"),
            (r#"tier("a", p*1) * 2"#, "arithmetic on whole tiers"),
            (r#"tier(p*1)"#, "tier() of anything but"),
            (r#"tier("a", fixed(p))"#, "not a number"),
            (r#"tier("a", fixed(1) + 2)"#, "fixed()"),
            ("p * 1e400", "is no price"),
            ("p * 1.2.3", "is no price"),
        ] {
            let [error] = tiers(text).try_into().expect("one line");
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn size_and_depth_have_ends() {
        let deep = format!("{}p{}", "(".repeat(100), ")".repeat(100));
        assert_eq!(read(&deep), Err(ExpressionError::TooLarge));
        assert_eq!(read(&"p+".repeat(4_000)), Err(ExpressionError::TooLarge));
        let chain: String = (1..100).map(|n| format!("len<{n}?p:")).collect();
        assert_eq!(read(&format!("{chain}p")), Err(ExpressionError::TooLarge));
        let sum = |terms| format!("p{}", "+p".repeat(terms));
        assert_eq!(tiers(&sum(256)), ["0: p 257"]);
        assert_eq!(read(&sum(257)), Err(ExpressionError::TooLarge));
        assert_eq!(read(&format!("p{}", "-".repeat(100))), Err(ExpressionError::TooLarge));
        let windows: String = (1..60).map(|n| format!("len>{n}&&len<{}?p:", 200 - n)).collect();
        assert!(read(&format!("{windows}p")).is_err(), "stretches that multiply");
    }

    /// What new-api would charge, in dollars per million, by walking the tiers as its engine does.
    fn walked(tiers: &[(u64, u64)], len: u64) -> u64 {
        tiers.iter().find(|(bound, _)| len <= *bound).or(tiers.last()).map_or(0, |(_, price)| *price)
    }

    proptest! {
        #[test]
        fn tiers_answer_as_the_chain_does(chain in prop::collection::vec((0u64..50, 1u64..99), 1..8), len in 0u64..60) {
            let last = chain.last().map_or(0, |(_, price)| *price);
            let text: String = chain.iter().map(|(bound, price)| format!("len <= {bound} ? p * {price} : ")).collect();
            let Ok(Tariff::Tokens(tiers)) = read(&format!("{text}p * {last}")) else { panic!("{text} is a chain") };
            prop_assert_eq!(tiers.first().map(|t| t.from), Some(0));
            let tier = tiers.iter().rev().find(|t| t.from <= len).expect("the first begins at 0");
            prop_assert_eq!(tier.prices.get(&Variable::Prompt).copied(), Some(Exact::from(walked(&chain, len))));
        }

        #[test]
        fn no_text_panics(any in "\\PC*", like in "[pclenrtimg0-9?:<=>()+*/., \"'&|_-]{0,200}") {
            let _ = (read(&any), read(&like));
        }
    }
}
