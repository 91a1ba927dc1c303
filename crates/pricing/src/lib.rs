//! Rate cards and tariff rules to an itemised quote.
