//! Holding a block's payments against the balance.

use aispace_units::Wei;

/// What the payment address's balance before and after a block says of the payments found in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconciliation {
    /// The payments are all that arrived.
    Exact,
    /// This much more arrived than the payments make: contracts sent it and too few nodes can trace calls, or it came by no call
    /// at all. It is to be kept on record until someone explains it.
    Surplus {
        /// What is unexplained.
        wei: Wei,
    },
    /// This much less is there than the block's transactions leave. A payment that no transaction shows may be hidden behind it.
    Shortfall {
        /// What is missing.
        wei: Wei,
    },
    /// Too few nodes could say what the balance was: a payment that a contract made would not be seen.
    Unchecked,
}

impl Reconciliation {
    /// What arrived and is in no payment, as far as is known.
    #[must_use]
    pub fn unexplained(&self) -> Wei {
        match self {
            Self::Surplus { wei } => *wei,
            Self::Exact | Self::Shortfall { .. } | Self::Unchecked => Wei::ZERO,
        }
    }

    /// Whether no more was found than there is.
    pub(crate) fn is_possible(&self) -> bool {
        match self {
            Self::Exact | Self::Surplus { .. } => true,
            Self::Shortfall { .. } | Self::Unchecked => false,
        }
    }
}

/// What was found to move to and from an address in a block. A figure that no longer fits 128 bits is `None`: no balance will be
/// found to agree with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    arrived: Option<Wei>,
    left: Option<Wei>,
    fees_least: Option<Wei>,
    fees_most: Most,
}

/// The most that fees can have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Most {
    Known(Wei),
    Unknown,
}

impl Default for Flow {
    fn default() -> Self {
        let none = Some(Wei::ZERO);
        Self { arrived: none, left: none, fees_least: none, fees_most: Most::Known(Wei::ZERO) }
    }
}

impl Flow {
    pub(crate) fn arrive(&mut self, value: Wei) {
        self.arrived = self.arrived.and_then(|sum| sum.checked_add(value));
    }

    pub(crate) fn leave(&mut self, value: Wei) {
        self.left = self.left.and_then(|sum| sum.checked_add(value));
    }

    /// Adds a transaction's fee: between these two, without an upper end where the nodes do not tell all of it.
    pub(crate) fn pay_fee(&mut self, least: Option<Wei>, most: Option<Wei>) {
        self.fees_least = self.fees_least.and_then(|sum| sum.checked_add(least?));
        self.fees_most = match (self.fees_most, most) {
            (Most::Known(sum), Some(most)) => sum.checked_add(most).map_or(Most::Unknown, Most::Known),
            (Most::Unknown, _) | (Most::Known(_), None) => Most::Unknown,
        };
    }

    /// What the balances before and after say of it.
    pub(crate) fn reconcile(&self, before: Wei, after: Wei) -> Reconciliation {
        self.difference(before, after).unwrap_or(Reconciliation::Unchecked)
    }

    fn difference(&self, before: Wei, after: Wei) -> Option<Reconciliation> {
        // before + arrived = after + left + fees, and nothing is ever subtracted from what may be smaller.
        let had = before.checked_add(self.arrived?)?;
        let kept = after.checked_add(self.left?)?;
        let least = kept.checked_add(self.fees_least?)?;
        if let Some(wei) = least.checked_sub(had).filter(|wei| *wei != Wei::ZERO) {
            return Some(Reconciliation::Surplus { wei });
        }
        let Most::Known(fees_most) = self.fees_most else { return Some(Reconciliation::Exact) };
        let missing = had.checked_sub(kept.checked_add(fees_most)?).filter(|wei| *wei != Wei::ZERO);
        Some(missing.map_or(Reconciliation::Exact, |wei| Reconciliation::Shortfall { wei }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wei(value: u128) -> Wei {
        Wei::new(value)
    }

    fn flow(arrived: u128, left: u128, fees: &[(u128, Option<u128>)]) -> Flow {
        let mut flow = Flow::default();
        flow.arrive(wei(arrived));
        flow.leave(wei(left));
        for (least, most) in fees {
            flow.pay_fee(Some(wei(*least)), most.map(wei));
        }
        flow
    }

    #[test]
    fn money_out_does_not_hide_money_in() {
        // 100 went out with a fee of 5, 70 came in unseen: the balance fell, and yet 70 is unexplained.
        let found = flow(0, 100, &[(5, Some(5))]);
        assert_eq!(found.reconcile(wei(200), wei(165)), Reconciliation::Surplus { wei: wei(70) });
        assert_eq!(found.reconcile(wei(200), wei(95)), Reconciliation::Exact);
        assert_eq!(found.reconcile(wei(200), wei(94)), Reconciliation::Shortfall { wei: wei(1) });
        // What came in unseen was spent in the same block.
        assert_eq!(found.reconcile(wei(0), wei(2)), Reconciliation::Surplus { wei: wei(107) });
    }

    #[test]
    fn a_fee_that_is_not_told_whole_has_room_upwards_only() {
        let found = flow(0, 100, &[(5, None)]);
        for after in [95, 94, 0] {
            assert_eq!(found.reconcile(wei(200), wei(after)), Reconciliation::Exact, "{after}");
        }
        assert_eq!(found.reconcile(wei(200), wei(96)), Reconciliation::Surplus { wei: wei(1) });
    }

    #[test]
    fn figures_beyond_all_ether_are_believed_by_nobody() {
        let mut found = flow(u128::MAX, 0, &[]);
        assert_eq!(found.reconcile(wei(1), wei(0)), Reconciliation::Unchecked);
        found.arrive(wei(1));
        assert_eq!(found.reconcile(wei(0), wei(0)), Reconciliation::Unchecked);
    }

    prop_compose! {
        /// A balance, what arrived seen and unseen, what left (never more than there was), and fees with how well they are told.
        fn block()(
            before in 0u128..1 << 100,
            seen in prop::collection::vec(1u128..1 << 90, 0..6),
            unseen in prop::collection::vec(1u128..1 << 90, 0..6),
            out in prop::collection::vec((0u64..100, 0u128..1 << 40, 0u128..1 << 20), 0..4),
        ) -> (u128, Vec<u128>, Vec<u128>, Vec<(u128, u128, u128)>) {
            let mut have = before + seen.iter().sum::<u128>() + unseen.iter().sum::<u128>();
            let mut left = Vec::new();
            for (percent, fee, slack) in out {
                let value = have / 200 * u128::from(percent);
                if value + fee > have { continue }
                have -= value + fee;
                left.push((value, fee, slack));
            }
            (before, seen, unseen, left)
        }
    }

    proptest! {
        /// Whatever went out, what arrived unseen is told to the wei when fees are known, and its finding closes the gap.
        #[test]
        fn what_is_unseen_is_told_to_the_wei((before, seen, unseen, out) in block()) {
            let (mut after, mut found) = (before, Flow::default());
            for value in &seen {
                found.arrive(wei(*value));
                after += value;
            }
            after += unseen.iter().sum::<u128>();
            for (value, fee, _) in &out {
                found.leave(wei(*value));
                found.pay_fee(Some(wei(*fee)), Some(wei(*fee)));
                after -= value + fee;
            }
            let hidden = unseen.iter().sum::<u128>();
            let expected = if hidden == 0 { Reconciliation::Exact } else { Reconciliation::Surplus { wei: wei(hidden) } };
            prop_assert_eq!(found.reconcile(wei(before), wei(after)), expected);
            // Each one that a trace finds takes its part away; one too many is impossible.
            let mut rest = hidden;
            for value in &unseen {
                found.arrive(wei(*value));
                rest -= value;
                prop_assert_eq!(found.reconcile(wei(before), wei(after)).unexplained(), wei(rest));
                prop_assert!(found.reconcile(wei(before), wei(after)).is_possible());
            }
            found.arrive(wei(1));
            prop_assert_eq!(found.reconcile(wei(before), wei(after)), Reconciliation::Shortfall { wei: wei(1) });
        }

        /// Fees told as a range never make a surplus of nothing, and never hide more than the range is wide.
        #[test]
        fn a_range_of_fees_hides_no_more_than_its_width((before, seen, unseen, out) in block()) {
            let (mut after, mut found, mut width) = (before, Flow::default(), 0);
            for value in &seen {
                found.arrive(wei(*value));
                after += value;
            }
            // What left may have been paid out of what came in unseen.
            let hidden = unseen.iter().sum::<u128>();
            after += hidden;
            for (value, fee, slack) in &out {
                found.leave(wei(*value));
                found.pay_fee(Some(wei(fee.saturating_sub(*slack))), Some(wei(fee + slack)));
                after -= value + fee;
                width += fee - fee.saturating_sub(*slack);
            }
            let told = found.reconcile(wei(before), wei(after)).unexplained().get();
            prop_assert_eq!(told, hidden.saturating_sub(width));
            found.arrive(wei(hidden));
            prop_assert_eq!(found.reconcile(wei(before), wei(after)), Reconciliation::Exact);
        }
    }
}
