//! How sure a price is.

use crate::words::words;

words! {
    /// How sure a price is, from the surest on.
    Evidence {
        /// Asked just now.
        LiveQuote = "live_quote",
        /// Asked before.
        CachedQuote = "cached_quote",
        /// Printed or seen for exactly this run.
        RateCard = "rate_card",
        /// From the rate of several prices seen.
        Interpolated = "interpolated",
        /// From the rate of one price seen.
        AssumedLinear = "assumed_linear",
    }
}
