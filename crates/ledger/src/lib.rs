//! Batches, FIFO, expiry, hash-chained entries.
