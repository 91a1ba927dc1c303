//! Base: price, fees, transaction, watch, signer.
