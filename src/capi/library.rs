//! The library as a whole: version, texts, log.

use super::handle::{OutStruct, c_str, guard, write_text};
use super::last_error;
use super::types::{
    MPEGCLIENT_ABI_VERSION, MPEGCLIENT_VERSION_MAJOR, MPEGCLIENT_VERSION_MINOR, MPEGCLIENT_VERSION_PATCH,
    MpegClientError, MpegClientLogCallback,
};
use crate::error::{Error, Phase, Status};
use crate::log::{self, Level, Sink};
use crate::redact::redact;
use crate::state::State;
use crate::sync::process::Lazy;
use std::ffi::{CString, c_char, c_void};

/// Tells the version of the loaded library as one number, to compare with mpegclient_version_number of another.
///
/// Returns: major * 1000000 + minor * 1000 + patch. Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn mpegclient_version_number() -> u32 {
    MPEGCLIENT_VERSION_MAJOR * 1_000_000 + MPEGCLIENT_VERSION_MINOR * 1_000 + MPEGCLIENT_VERSION_PATCH
}

/// Tells the version of the loaded library as text, such as "0.1.0".
///
/// Returns: a string that lives as long as the library. Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn mpegclient_version() -> *const c_char {
    const TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    TEXT.as_ptr().cast()
}

/// Tells the ABI number of the loaded library. A program built with this header runs with every library of the same
/// SONAME whose number is at least MPEGCLIENT_ABI_VERSION.
///
/// Returns: the number, 1 or more. Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn mpegclient_abi_version() -> u32 {
    MPEGCLIENT_ABI_VERSION
}

/// Tells how the library was built: its version, FFmpeg's versions and licence.
///
/// Returns: one line of text that lives as long as the library. Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn mpegclient_build_info() -> *const c_char {
    static TEXT: Lazy<CString> = Lazy::new(|| {
        let text = format!("mpegclient {}, {}", env!("CARGO_PKG_VERSION"), crate::av::build_info());
        CString::new(text).unwrap_or_default()
    });
    TEXT.as_ptr()
}

/// Says in one sentence what a status means.
///
/// Returns: a string that lives as long as the library, for any number; never NULL. Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn mpegclient_status_string(status: i32) -> *const c_char {
    Status::from_code(status).map_or(c"unknown status", Status::c_text).as_ptr()
}

/// Says in a few words what a state means.
///
/// Returns: a string that lives as long as the library, for any number; never NULL. Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn mpegclient_state_string(state: i32) -> *const c_char {
    State::from_code(state).map_or(c"unknown state", State::c_text).as_ptr()
}

/// Says in a few words what a phase means.
///
/// Returns: a string that lives as long as the library, for any number; never NULL. Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn mpegclient_phase_string(phase: i32) -> *const c_char {
    Phase::from_code(phase).map_or(c"unknown phase", Phase::c_text).as_ptr()
}

/// Gives a text without the credentials in it: of addresses it keeps scheme, host, port, path and the values of the query
/// that are known to be harmless, of all else what does not follow the name of a secret. What is hidden becomes "***".
/// It is what every text of the library has been through, for programs that show addresses themselves.
///
/// `text` may hold bytes that are not UTF-8, which become U+FFFD. `buffer` receives the text with its NUL; it may be NULL
/// if `buffer_size` is 0. `needed` receives the size that the text takes with its NUL, whether it fits or not; it may be
/// NULL.
/// Returns: OK; BUFFER_TOO_SMALL; INVALID_ARGUMENT. Threads: any. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_redact(
    text: *const c_char,
    buffer: *mut c_char,
    buffer_size: usize,
    needed: *mut usize,
) -> i32 {
    // SAFETY: the caller vouches for all of them.
    guard(|| unsafe {
        let shown = redact(&c_str(text, "text")?.to_string_lossy());
        write_text(&shown, buffer, buffer_size, needed)
    })
}

/// Tells in words what went wrong in the last call on this thread that failed. A call that succeeds leaves it alone.
///
/// Returns: UTF-8 text without credentials, empty if nothing has failed; valid until the next failing call on this
/// thread. Threads: each has its own. Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn mpegclient_last_error() -> *const c_char {
    last_error::text()
}

/// Tells all that is known of the last call on this thread that failed: what mpegclient_last_error has in words, its phase,
/// and what libav and the server said. A call that succeeds leaves it alone, this one too.
///
/// `error` has its struct_size set; its status is OK if nothing has failed yet.
/// Returns: OK; INVALID_ARGUMENT. Threads: each has its own. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_thread_error(error: *mut MpegClientError) -> i32 {
    // SAFETY: the caller vouches for the pointer.
    guard(|| unsafe {
        OutStruct::new(error, "error")?.write(last_error::record());
        Ok(())
    })
}

/// Sets how much is logged, for the whole process. Without a callback the lines go to the standard error stream.
///
/// `level` is MPEGCLIENT_LOG_*.
/// Returns: OK; INVALID_ARGUMENT. Threads: any. Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn mpegclient_set_log_level(level: i32) -> i32 {
    guard(|| {
        let level =
            Level::from_code(level).ok_or_else(|| Error::argument("level", level, "MPEGCLIENT_LOG_*, 0 to 4"))?;
        log::set_level(level);
        Ok(())
    })
}

/// Has a function receive the log lines, for the whole process, instead of the one before.
///
/// `callback` may be NULL: the lines go to the standard error stream again. `user_data` is handed to it as it is and
/// must stay valid until another callback is set and the calls in progress have returned.
/// Returns: OK. Threads: any. Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn mpegclient_set_log_callback(callback: MpegClientLogCallback, user_data: *mut c_void) -> i32 {
    /// The pointer is only handed back to the caller's own function.
    struct UserData(*mut c_void);
    // SAFETY: never followed here; the caller promises that its function may be called on any thread.
    unsafe impl Send for UserData {}
    // SAFETY: as above.
    unsafe impl Sync for UserData {}

    guard(|| {
        let user_data = UserData(user_data);
        let sink = callback.map(|function| -> Sink {
            Box::new(move |level: Level, line: &str| {
                let UserData(pointer) = &user_data;
                let line = CString::new(line.replace('\0', " ")).unwrap_or_default();
                // SAFETY: the caller vouches for the function and its pointer until it sets another.
                unsafe { function(level.code(), line.as_ptr(), *pointer) };
            })
        });
        log::set_sink(sink);
        Ok(())
    })
}
