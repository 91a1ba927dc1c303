//! Account connectors over HTTP.
