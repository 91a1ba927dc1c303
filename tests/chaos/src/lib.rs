//! Faults on purpose: a disk that is a model, drawn from one seed, under a real SQLite; and a shim that ends a real process at its
//! N-th write or refuses it. Tests only.

mod dice;
mod disk;
mod locks;
mod media;
#[cfg(target_os = "linux")]
mod preload;
mod vfs;

pub use dice::Dice;
pub use disk::{Crash, Disk, DiskError, Faults, Tally};
#[cfg(target_os = "linux")]
pub use preload::{Errno, Ops, Plan, Preload};
pub use vfs::{Mounted, seed_sqlite};
