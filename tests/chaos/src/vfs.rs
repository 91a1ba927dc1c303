//! The model disk as SQLite sees it: a VFS after sqlite.org/c3ref/vfs.html and sqlite.org/c3ref/io_methods.html.
//!
//! A crate for this exists (`sqlite-plugin`), but it wants libclang to build.
#![allow(unsafe_code, reason = "SQLite calls a VFS through C function pointers; nothing outside tests links this crate")]

use crate::disk::{Disk, DiskError};
use crate::locks::Level;
use rusqlite::ffi;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::Arc;

/// 2027-01-15, in SQLite's milliseconds since -4713-11-24.
const EPOCH_MS: i64 = 1_800_000_000_000 + 210_866_760_000_000;
const PATH_MAX: c_int = 512;

/// A disk under the name by which `Connection::open_with_flags_and_vfs` finds it. Connections must be closed before it is dropped.
pub struct Mounted {
    vfs: *mut ffi::sqlite3_vfs,
    name: CString,
}

// SAFETY: the structure is not written after its registration, and the disk behind it has a lock of its own.
unsafe impl Send for Mounted {}
// SAFETY: as above.
unsafe impl Sync for Mounted {}

impl Mounted {
    /// Makes SQLite know a disk.
    ///
    /// # Panics
    /// When SQLite refuses.
    #[must_use]
    pub fn new(disk: Arc<Disk>) -> Self {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = CString::new(format!("aispace-chaos-{number}")).expect("no zero byte");
        let vfs = Box::into_raw(Box::new(ffi::sqlite3_vfs {
            iVersion: 2,
            szOsFile: c_int::try_from(size_of::<SimFile>()).expect("small"),
            mxPathname: PATH_MAX,
            pNext: std::ptr::null_mut(),
            zName: name.as_ptr(),
            pAppData: Box::into_raw(Box::new(disk)).cast::<c_void>(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: None,
            xGetLastError: None,
            xCurrentTimeInt64: Some(current_time),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        // SAFETY: the structure and its name live until `drop` takes them back.
        let registered = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        assert_eq!(registered, ffi::SQLITE_OK, "SQLite takes the VFS");
        Self { vfs, name }
    }

    /// The name.
    ///
    /// # Panics
    /// Never: the name was text.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.to_str().expect("made from text")
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // SAFETY: both were made by `new`; the owner has closed its connections, so nothing points here any more.
        unsafe {
            ffi::sqlite3_vfs_unregister(self.vfs);
            drop(Box::from_raw((*self.vfs).pAppData.cast::<Arc<Disk>>()));
            drop(Box::from_raw(self.vfs));
        }
    }
}

/// Makes SQLite's own random numbers, such as the salts of a WAL, follow from a seed. They are one sequence for the whole process.
pub fn seed_sqlite(seed: u64) {
    let seed = c_int::try_from(seed % 0x7FFF_FFFE).unwrap_or(0) + 1;
    // SAFETY: this control takes an int and a connection, which may be null.
    unsafe { ffi::sqlite3_test_control(ffi::SQLITE_TESTCTRL_PRNG_SEED, seed, std::ptr::null_mut::<ffi::sqlite3>()) };
}

#[repr(C)]
struct SimFile {
    base: ffi::sqlite3_file,
    open: *mut Opened,
}

struct Opened {
    disk: Arc<Disk>,
    handle: u64,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// SAFETY: `vfs` must be one that [`Mounted::new`] registered.
unsafe fn disk<'a>(vfs: *mut ffi::sqlite3_vfs) -> &'a Arc<Disk> {
    // SAFETY: its data was made by `Mounted::new` and lives as long as it is registered.
    unsafe { &*(*vfs).pAppData.cast::<Arc<Disk>>() }
}

/// SAFETY: `file` must have been filled by [`open`] and not been closed.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a Opened {
    // SAFETY: `open` put a box there, which `close` takes back.
    unsafe { &*(*file.cast::<SimFile>()).open }
}

/// SAFETY: `name` must be null or a C string.
unsafe fn text<'a>(name: *const c_char) -> Option<&'a str> {
    // SAFETY: SQLite hands over C strings.
    if name.is_null() { None } else { unsafe { CStr::from_ptr(name) }.to_str().ok() }
}

/// SQLite's code for a refusal of an operation whose own input/output error is `io`.
fn code(outcome: Result<(), DiskError>, io: c_int) -> c_int {
    match outcome {
        Ok(()) => ffi::SQLITE_OK,
        Err(DiskError::Full) => ffi::SQLITE_FULL,
        Err(DiskError::Busy) => ffi::SQLITE_BUSY,
        Err(DiskError::Missing) => ffi::SQLITE_CANTOPEN,
        Err(DiskError::Io | DiskError::Off) => io,
    }
}

fn size(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes its own VFS, a C string or null, and room for `szOsFile` bytes.
    unsafe {
        (*file).pMethods = std::ptr::null();
        let disk = disk(vfs);
        let has = |flag: c_int| flags & flag != 0;
        match disk.open(text(name), has(ffi::SQLITE_OPEN_CREATE), has(ffi::SQLITE_OPEN_DELETEONCLOSE)) {
            Ok(handle) => {
                let file = file.cast::<SimFile>();
                (*file).open = Box::into_raw(Box::new(Opened { disk: Arc::clone(disk), handle }));
                (*file).base.pMethods = &raw const METHODS;
                if !out_flags.is_null() {
                    *out_flags = flags;
                }
                ffi::SQLITE_OK
            }
            Err(_) => ffi::SQLITE_CANTOPEN,
        }
    }
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_directory: c_int) -> c_int {
    // SAFETY: as in `open`.
    let outcome = unsafe { disk(vfs).delete(text(name).unwrap_or_default(), sync_directory != 0) };
    match outcome {
        Err(DiskError::Missing) => ffi::SQLITE_IOERR_DELETE_NOENT,
        outcome => code(outcome, ffi::SQLITE_IOERR_DELETE),
    }
}

unsafe extern "C" fn access(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, _flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: as in `open`.
    unsafe {
        let exists = disk(vfs).exists(text(name).unwrap_or_default());
        *out = c_int::from(exists.unwrap_or(false));
        code(exists.map(drop), ffi::SQLITE_IOERR_ACCESS)
    }
}

unsafe extern "C" fn full_pathname(_vfs: *mut ffi::sqlite3_vfs, name: *const c_char, room: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite passes a C string and `room` bytes.
    unsafe {
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if bytes.len() > size(i64::from(room)) {
            return ffi::SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr().cast::<c_char>(), out, bytes.len());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(vfs: *mut ffi::sqlite3_vfs, count: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite passes `count` bytes.
    unsafe { disk(vfs).random(std::slice::from_raw_parts_mut(out.cast::<u8>(), size(i64::from(count)))) };
    count
}

unsafe extern "C" fn sleep(vfs: *mut ffi::sqlite3_vfs, us: c_int) -> c_int {
    // SAFETY: as in `open`. Nothing sleeps: the disk's clock is set on.
    unsafe { disk(vfs) }.pass(u64::try_from(us).unwrap_or(0));
    us
}

unsafe extern "C" fn current_time(vfs: *mut ffi::sqlite3_vfs, out: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: as in `open`.
    unsafe { *out = EPOCH_MS + i64::try_from(disk(vfs).now_us() / 1_000).unwrap_or(0) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the box is from `open`, and SQLite closes once.
    let opened = unsafe { Box::from_raw((*file.cast::<SimFile>()).open) };
    opened.disk.close(opened.handle);
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, out: *mut c_void, count: c_int, offset: ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes an open file and `count` bytes.
    let (opened, buffer) = unsafe { (opened(file), std::slice::from_raw_parts_mut(out.cast::<u8>(), size(i64::from(count)))) };
    match opened.disk.read(opened.handle, size(offset), buffer) {
        Ok(there) if there == buffer.len() => ffi::SQLITE_OK,
        Ok(there) => {
            // What lies beyond the end reads as zeros, by contract.
            buffer[there..].fill(0);
            ffi::SQLITE_IOERR_SHORT_READ
        }
        Err(error) => code(Err(error), ffi::SQLITE_IOERR_READ),
    }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, data: *const c_void, count: c_int, offset: ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes an open file and `count` bytes.
    let (opened, data) = unsafe { (opened(file), std::slice::from_raw_parts(data.cast::<u8>(), size(i64::from(count)))) };
    code(opened.disk.write(opened.handle, size(offset), data), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes an open file.
    let opened = unsafe { opened(file) };
    code(opened.disk.truncate(opened.handle, size(length)), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let opened = unsafe { opened(file) };
    code(opened.disk.sync(opened.handle), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes an open file and room for the answer.
    unsafe {
        let opened = opened(file);
        let length = opened.disk.size(opened.handle);
        *out = i64::try_from(length.unwrap_or(0)).unwrap_or(i64::MAX);
        code(length.map(drop), ffi::SQLITE_IOERR_FSTAT)
    }
}

fn level(lock: c_int) -> Level {
    match lock {
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        ffi::SQLITE_LOCK_PENDING => Level::Pending,
        ffi::SQLITE_LOCK_EXCLUSIVE => Level::Exclusive,
        _ => Level::None,
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, wanted: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let opened = unsafe { opened(file) };
    code(opened.disk.lock(opened.handle, level(wanted)), ffi::SQLITE_IOERR_LOCK)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, left: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let opened = unsafe { opened(file) };
    opened.disk.unlock(opened.handle, level(left));
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite passes an open file and room for the answer.
    unsafe {
        let opened = opened(file);
        let reserved = opened.disk.reserved(opened.handle);
        *out = c_int::from(reserved.unwrap_or(false));
        code(reserved.map(drop), ffi::SQLITE_IOERR_CHECKRESERVEDLOCK)
    }
}

unsafe extern "C" fn file_control(_file: *mut ffi::sqlite3_file, _op: c_int, _argument: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite passes an open file.
    c_int::try_from(unsafe { opened(file) }.disk.sector()).unwrap_or(4096)
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite passes an open file.
    if unsafe { opened(file) }.disk.is_powersafe() { ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE } else { 0 }
}

unsafe extern "C" fn shm_map(file: *mut ffi::sqlite3_file, index: c_int, count: c_int, extend: c_int, out: *mut *mut c_void) -> c_int {
    // SAFETY: SQLite passes an open file and room for the answer. The disk keeps a region for as long as it lives, and an open file
    // keeps the disk.
    unsafe {
        let opened = opened(file);
        let region = opened.disk.region(opened.handle, size(i64::from(index)), size(i64::from(count)), extend != 0);
        *out = match &region {
            Ok(Some(region)) => region.as_ptr().cast_mut().cast::<c_void>(),
            Ok(None) | Err(_) => std::ptr::null_mut(),
        };
        code(region.map(drop), ffi::SQLITE_IOERR_SHMMAP)
    }
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, from: c_int, count: c_int, flags: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let opened = unsafe { opened(file) };
    let (from, count) = (size(i64::from(from)), size(i64::from(count)));
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        opened.disk.shm_unlock(opened.handle, from, count);
        return ffi::SQLITE_OK;
    }
    let exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
    code(opened.disk.shm_lock(opened.handle, from, count, exclusive), ffi::SQLITE_IOERR_SHMLOCK)
}

unsafe extern "C" fn shm_barrier(_file: *mut ffi::sqlite3_file) {
    std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let opened = unsafe { opened(file) };
    opened.disk.shm_leave(opened.handle, delete != 0);
    ffi::SQLITE_OK
}
