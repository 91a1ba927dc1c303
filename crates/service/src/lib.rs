//! The reference account service.
