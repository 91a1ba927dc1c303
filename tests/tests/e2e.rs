//! The whole path in the real window.
