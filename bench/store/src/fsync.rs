//! Every `fdatasync` and `fsync` of this process, counted and timed: the functions here stand in the C library's place for whatever is linked into this program.
#![allow(unsafe_code, reason = "two functions of the C library are replaced by the system calls that they make")]

use std::sync::Mutex;
use std::time::Instant;

static TIMES: Mutex<Vec<f64>> = Mutex::new(Vec::new());

fn timed(call: libc::c_long, fd: libc::c_int) -> libc::c_int {
    let began = Instant::now();
    // SAFETY: both calls take one file descriptor and touch no memory of this process.
    let answer = unsafe { libc::syscall(call, fd) };
    let took = began.elapsed().as_secs_f64() * 1e6;
    if let Ok(mut times) = TIMES.lock() {
        times.push(took);
    }
    answer as libc::c_int
}

/// Replaces the C library's.
#[unsafe(no_mangle)]
pub extern "C" fn fdatasync(fd: libc::c_int) -> libc::c_int {
    timed(libc::SYS_fdatasync, fd)
}

/// Replaces the C library's.
#[unsafe(no_mangle)]
pub extern "C" fn fsync(fd: libc::c_int) -> libc::c_int {
    timed(libc::SYS_fsync, fd)
}

/// What each took since this was last asked, in microseconds.
pub fn taken() -> Vec<f64> {
    TIMES.lock().map(|mut times| std::mem::take(&mut *times)).unwrap_or_default()
}
