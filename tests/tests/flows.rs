//! The app without its window, against the real service, the real node and, where it matters, the real Secret Service.

#[path = "flows/accounts.rs"]
mod accounts;
#[path = "flows/buying.rs"]
mod buying;
#[path = "flows/cards.rs"]
mod cards;
#[path = "flows/estimating.rs"]
mod estimating;
#[path = "flows/faults.rs"]
mod faults;
#[path = "flows/files.rs"]
mod files;
#[path = "flows/killed.rs"]
mod killed;
#[path = "flows/killed_phone.rs"]
mod killed_phone;
#[path = "flows/killed_ways.rs"]
mod killed_ways;
#[path = "flows/offline.rs"]
mod offline;
#[path = "flows/outside.rs"]
mod outside;
#[path = "flows/phones.rs"]
mod phones;
#[path = "flows/rewriting.rs"]
mod rewriting;
#[path = "flows/signing_in.rs"]
mod signing_in;
#[path = "flows/wallet.rs"]
mod wallet;
#[path = "flows/ways.rs"]
mod ways;
#[path = "flows/world.rs"]
mod world;
