//! Loaded into a process by `LD_PRELOAD`: counts its changes to files under one folder, ends it at the N-th, or refuses them.
//!
//! `AISPACE_CHAOS_FOLDER` names the folder, `AISPACE_CHAOS_CONTROL` a file of six 64-bit words that both processes map:
//!
//! | word | meaning |
//! |---|---|
//! | 0 | 0 idle, 1 count, 2 kill before, 3 kill within (after half of a write), 4 kill after, 5 refuse, 6 read in small pieces |
//! | 1 | the change at which it happens, counted from 1; a refusal holds from there on |
//! | 2 | the `errno` of a refusal |
//! | 3 | the kinds that count, one bit each: write 1, sync 2, truncate 4, make 8, rename 16, remove 32, read 64 |
//! | 4 | changes counted since this word was last cleared |
//! | 5 | changes refused since then |

use std::ffi::{CStr, c_char, c_int, c_long, c_uint, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

const WORDS: usize = 6;
const WRITE: u64 = 1;
const SYNC: u64 = 2;
const TRUNCATE: u64 = 4;
const MAKE: u64 = 8;
const RENAME: u64 = 16;
const REMOVE: u64 = 32;
const READ: u64 = 64;
/// The longest read in pieces.
const PIECE: usize = 700;

const RTLD_NEXT: *mut c_void = -1isize as *mut c_void;
const O_ACCMODE: c_int = 0o3;
const O_CREAT: c_int = 0o100;
const O_RDWR: c_int = 0o2;
const PROT_READ_WRITE: c_int = 1 | 2;
const MAP_SHARED: c_int = 1;
const SIGKILL: c_int = 9;
const AT_FDCWD: c_int = -100;
const EROFS: c_int = 30;

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn getenv(name: *const c_char) -> *const c_char;
    fn mmap(at: *mut c_void, length: usize, protection: c_int, flags: c_int, fd: c_int, offset: c_long) -> *mut c_void;
    fn readlink(path: *const c_char, out: *mut c_char, length: usize) -> isize;
    fn kill(process: c_int, signal: c_int) -> c_int;
    fn getpid() -> c_int;
    fn pause() -> c_int;
    fn __errno_location() -> *mut c_int;
}

/// The function that this one stands in front of.
macro_rules! real {
    ($name:literal as $type:ty) => {{
        static FOUND: AtomicU64 = AtomicU64::new(0);
        let found = find(&FOUND, concat!($name, "\0"));
        #[allow(unused_unsafe)]
        unsafe {
            std::mem::transmute::<usize, $type>(found)
        }
    }};
}

fn find(cache: &AtomicU64, name: &str) -> usize {
    if cache.load(SeqCst) == 0 {
        cache.store(unsafe { dlsym(RTLD_NEXT, name.as_ptr().cast::<c_char>()) } as u64, SeqCst);
    }
    cache.load(SeqCst) as usize
}

struct Shim {
    folder: &'static [u8],
    words: &'static [AtomicU64; WORDS],
}

type Open = unsafe extern "C" fn(*const c_char, c_int, c_uint) -> c_int;
type OpenAt = unsafe extern "C" fn(c_int, *const c_char, c_int, c_uint) -> c_int;

fn shim() -> Option<&'static Shim> {
    static SHIM: OnceLock<Option<Shim>> = OnceLock::new();
    SHIM.get_or_init(|| unsafe {
        let variable = |name: &CStr| Some(getenv(name.as_ptr())).filter(|value| !value.is_null());
        let (folder, control) = (variable(c"AISPACE_CHAOS_FOLDER")?, variable(c"AISPACE_CHAOS_CONTROL")?);
        let fd = real!("open" as Open)(control, O_RDWR, 0);
        let map = mmap(std::ptr::null_mut(), WORDS * 8, PROT_READ_WRITE, MAP_SHARED, fd, 0);
        if fd < 0 || map as isize == -1 {
            return None;
        }
        Some(Shim { folder: CStr::from_ptr(folder).to_bytes(), words: &*map.cast::<[AtomicU64; WORDS]>() })
    })
    .as_ref()
}

impl Shim {
    fn word(&self, index: usize) -> u64 {
        self.words[index].load(SeqCst)
    }

    fn owns(&self, path: &[u8]) -> bool {
        path.strip_prefix(self.folder).is_some_and(|rest| rest.first() == Some(&b'/'))
    }
}

/// What to do about a call.
enum Verdict {
    Pass,
    KillBefore,
    KillWithin,
    KillAfter,
    Refuse(c_int),
}

fn verdict(kind: u64, is_ours: impl FnOnce(&Shim) -> bool) -> Verdict {
    let Some(shim) = shim() else { return Verdict::Pass };
    let mode = shim.word(0);
    if mode == 0 || mode == 6 || shim.word(3) & kind == 0 || !is_ours(shim) {
        return Verdict::Pass;
    }
    let count = shim.words[4].fetch_add(1, SeqCst) + 1;
    let at = shim.word(1);
    match mode {
        2 if count == at => Verdict::KillBefore,
        3 if count == at => Verdict::KillWithin,
        4 if count == at => Verdict::KillAfter,
        5 if count >= at => {
            shim.words[5].fetch_add(1, SeqCst);
            Verdict::Refuse(shim.word(2) as c_int)
        }
        _ => Verdict::Pass,
    }
}

fn die() -> ! {
    unsafe {
        kill(getpid(), SIGKILL);
        loop {
            pause();
        }
    }
}

fn refuse(errno: c_int) -> c_int {
    unsafe { *__errno_location() = errno };
    -1
}

/// Whether an open file is in the folder.
fn fd_is_ours(fd: c_int) -> impl FnOnce(&Shim) -> bool {
    move |shim| {
        let mut link = *b"/proc/self/fd/\0\0\0\0\0\0\0\0\0\0\0\0";
        let digits = fd.max(0).to_string();
        link[14..14 + digits.len()].copy_from_slice(digits.as_bytes());
        let mut path = [0u8; 4096];
        let errno = unsafe { *__errno_location() };
        let length = unsafe { readlink(link.as_ptr().cast::<c_char>(), path.as_mut_ptr().cast::<c_char>(), path.len()) };
        unsafe { *__errno_location() = errno };
        shim.owns(&path[..usize::try_from(length).unwrap_or(0)])
    }
}

fn path_is_ours(path: *const c_char) -> impl FnOnce(&Shim) -> bool {
    move |shim| shim.owns(unsafe { CStr::from_ptr(path) }.to_bytes())
}

/// `whole` does the call, `half` does a part of it.
fn act<T: From<i8>>(verdict: Verdict, whole: impl FnOnce() -> T, half: impl FnOnce()) -> T {
    match verdict {
        Verdict::Pass => whole(),
        Verdict::KillBefore => die(),
        Verdict::KillWithin => {
            half();
            die()
        }
        Verdict::KillAfter => {
            whole();
            die()
        }
        Verdict::Refuse(errno) => {
            refuse(errno);
            T::from(-1)
        }
    }
}

type Write = unsafe extern "C" fn(c_int, *const c_void, usize) -> isize;
type Pwrite = unsafe extern "C" fn(c_int, *const c_void, usize, i64) -> isize;
type OfFd = unsafe extern "C" fn(c_int) -> c_int;
type Truncate = unsafe extern "C" fn(c_int, i64) -> c_int;
type Allocate = unsafe extern "C" fn(c_int, c_int, i64, i64) -> c_int;
type OfPath = unsafe extern "C" fn(*const c_char) -> c_int;
type Rename = unsafe extern "C" fn(*const c_char, *const c_char) -> c_int;

fn pwrite_by(real: Pwrite, fd: c_int, data: *const c_void, count: usize, offset: i64) -> isize {
    act(verdict(WRITE, fd_is_ours(fd)), || unsafe { real(fd, data, count, offset) }, || _ = unsafe { real(fd, data, count / 2, offset) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: c_int, data: *const c_void, count: usize) -> isize {
    let real = real!("write" as Write);
    act(verdict(WRITE, fd_is_ours(fd)), || unsafe { real(fd, data, count) }, || _ = unsafe { real(fd, data, count / 2) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite(fd: c_int, data: *const c_void, count: usize, offset: i64) -> isize {
    pwrite_by(real!("pwrite" as Pwrite), fd, data, count, offset)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(fd: c_int, data: *const c_void, count: usize, offset: i64) -> isize {
    pwrite_by(real!("pwrite64" as Pwrite), fd, data, count, offset)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    let real = real!("fsync" as OfFd);
    act(verdict(SYNC, fd_is_ours(fd)), || unsafe { real(fd) }, || {})
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    let real = real!("fdatasync" as OfFd);
    act(verdict(SYNC, fd_is_ours(fd)), || unsafe { real(fd) }, || {})
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate(fd: c_int, length: i64) -> c_int {
    let real = real!("ftruncate" as Truncate);
    act(verdict(TRUNCATE, fd_is_ours(fd)), || unsafe { real(fd, length) }, || {})
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate64(fd: c_int, length: i64) -> c_int {
    let real = real!("ftruncate64" as Truncate);
    act(verdict(TRUNCATE, fd_is_ours(fd)), || unsafe { real(fd, length) }, || {})
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fallocate(fd: c_int, mode: c_int, offset: i64, length: i64) -> c_int {
    let real = real!("fallocate" as Allocate);
    act(verdict(WRITE, fd_is_ours(fd)), || unsafe { real(fd, mode, offset, length) }, || {})
}

#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let real = real!("rename" as Rename);
    act(verdict(RENAME, path_is_ours(to)), || unsafe { real(from, to) }, || {})
}

#[unsafe(no_mangle)]
unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    let real = real!("unlink" as OfPath);
    act(verdict(REMOVE, path_is_ours(path)), || unsafe { real(path) }, || {})
}

/// A refusal with `EROFS` meets whatever wants to write; any other meets what makes files.
fn opening(path: *const c_char, flags: c_int) -> Verdict {
    let writes = flags & O_ACCMODE != 0;
    let read_only = shim().is_some_and(|shim| shim.word(0) == 5 && shim.word(2) == EROFS as u64);
    if flags & O_CREAT != 0 || (writes && read_only) { verdict(MAKE, path_is_ours(path)) } else { Verdict::Pass }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    let real = real!("open" as Open);
    act(opening(path, flags), || unsafe { real(path, flags, mode) }, || {})
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    let real = real!("open64" as Open);
    act(opening(path, flags), || unsafe { real(path, flags, mode) }, || {})
}

#[unsafe(no_mangle)]
unsafe extern "C" fn openat(folder: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    let real = real!("openat" as OpenAt);
    let verdict = if folder == AT_FDCWD { opening(path, flags) } else { Verdict::Pass };
    act(verdict, || unsafe { real(folder, path, flags, mode) }, || {})
}

type Read = unsafe extern "C" fn(c_int, *mut c_void, usize) -> isize;

#[unsafe(no_mangle)]
unsafe extern "C" fn read(fd: c_int, out: *mut c_void, count: usize) -> isize {
    let real = real!("read" as Read);
    let in_pieces = count > PIECE && shim().is_some_and(|shim| shim.word(0) == 6 && fd_is_ours(fd)(shim));
    let count = if in_pieces { PIECE } else { count };
    act(verdict(READ, fd_is_ours(fd)), || unsafe { real(fd, out, count) }, || {})
}
