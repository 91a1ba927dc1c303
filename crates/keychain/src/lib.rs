//! The secret port: OS and in-memory stores.
