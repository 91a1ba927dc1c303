//! What several answers make together.

/// How many of `asked` nodes must say the same: more than half.
pub(super) fn needed(asked: usize) -> usize {
    asked.checked_div(2).unwrap_or_default().saturating_add(1)
}

/// The answer that at least `needed` gave.
pub(super) fn agree<T: PartialEq + Clone>(answers: &[T], needed: usize) -> Option<T> {
    let votes = |candidate: &T| answers.iter().filter(|answer| *answer == candidate).count();
    answers.iter().find(|candidate| votes(candidate) >= needed).cloned()
}

/// As [`agree`], where a node may not know yet: `None` while too few know, an error when those who know contradict
/// each other.
pub(super) fn agree_when_known<T: PartialEq + Clone>(answers: &[Option<T>], needed: usize) -> Result<Option<T>, ()> {
    let known: Vec<T> = answers.iter().flatten().cloned().collect();
    match agree(&known, needed) {
        Some(answer) => Ok(Some(answer)),
        None if known.iter().zip(known.iter().skip(1)).any(|(one, next)| one != next) => Err(()),
        None => Ok(None),
    }
}

/// The highest figure that at least `needed` of the answers reach.
pub(super) fn reached_by<T: Ord + Copy>(mut answers: Vec<T>, needed: usize) -> Option<T> {
    answers.sort_unstable_by(|a, b| b.cmp(a));
    answers.get(needed.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn more_than_half_are_needed() {
        assert_eq!([1, 2, 3, 4, 5].map(needed), [1, 2, 2, 3, 3]);
    }

    #[test]
    fn two_of_three_decide() {
        assert_eq!(agree(&[7, 9, 7], 2), Some(7));
        assert_eq!(agree(&[7, 8, 9], 2), None);
    }

    #[test]
    fn not_known_yet_is_no_contradiction() {
        assert_eq!(agree_when_known(&[Some(1), None, None], 2), Ok(None));
        assert_eq!(agree_when_known(&[Some(1), Some(1), None], 2), Ok(Some(1)));
        assert_eq!(agree_when_known(&[Some(1), Some(2), None], 2), Err(()));
        assert_eq!(agree_when_known(&[Some(1), Some(2), Some(1)], 2), Ok(Some(1)));
        assert_eq!(agree_when_known::<u8>(&[None, None], 2), Ok(None));
    }

    proptest! {
        #[test]
        fn one_liar_of_three_stays_within_the_honest_two(honest: (u64, u64), lie: u64, at in 0usize..3) {
            let mut answers = vec![honest.0, honest.1];
            answers.insert(at.min(2), lie);
            let figure = reached_by(answers, 2).expect("three answered");
            prop_assert!(figure >= honest.0.min(honest.1) && figure <= honest.0.max(honest.1));
        }

        #[test]
        fn one_liar_of_three_never_makes_a_fact(truth: u64, lie: u64, at in 0usize..3) {
            let mut answers = vec![truth, truth];
            answers.insert(at, lie);
            prop_assert_eq!(agree(&answers, 2), Some(truth));
        }
    }
}
