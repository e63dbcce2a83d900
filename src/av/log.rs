//! libav's log, which is one for the whole process: ours is told from the host's.
//!
//! A line is ours if it is said on a thread that only this library runs libav on, or by a decoder of ours, whose helper
//! threads are libav's own. All other lines go to libav's default output, as they would without this library.

use super::{Remarks, ffi};
use crate::log::{Level, is_enabled, line};
use crate::sync::process::{AtomicBool, PerProcess};
use crate::sync::{Mutex, Ordering};
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::catch_unwind;
use std::ptr::null_mut;

#[cfg(target_arch = "x86_64")]
type VaList = *mut ffi::__va_list_tag;
#[cfg(not(target_arch = "x86_64"))]
type VaList = ffi::va_list;

/// Lines are cut here; libav's own limit is the same.
const LINE_SIZE: usize = 1024;

/// Complaints kept of one attempt to connect.
const MAX_COMPLAINTS: usize = 8;

static IS_INSTALLED: AtomicBool = AtomicBool::new(false);
/// Addresses of the decoders that this process opened.
static OWN: PerProcess<Mutex<Vec<usize>>> = PerProcess::new(|| Mutex::new(Vec::new()));

thread_local! {
    static IS_OWN_THREAD: Cell<bool> = const { Cell::new(false) };
    static HAS_ECHOED: Cell<bool> = const { Cell::new(false) };
    /// What has been said of a line that is not complete yet.
    static PARTIAL: RefCell<String> = const { RefCell::new(String::new()) };
    /// `None` while nobody collects them.
    static COMPLAINTS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// A line that is logged to see whether it comes back, and is recognized by its address.
static ECHO: &CStr = c"mpegclient looks whether libav's log callback is its own\n";

/// Whether libav's lines come here. Another library may have set its own callback since: there is only one.
pub(crate) fn is_log_received() -> bool {
    HAS_ECHOED.set(false);
    // SAFETY: no context, and a format that takes no arguments.
    unsafe { ffi::av_log(null_mut(), ffi::AV_LOG_TRACE, ECHO.as_ptr()) };
    HAS_ECHOED.get()
}

/// Logs once for the process that libav's lines do not come here any more.
pub(crate) fn check_log() {
    static HAS_WARNED: AtomicBool = AtomicBool::new(false);
    if !HAS_WARNED.load(Ordering::SeqCst) && !is_log_received() && !HAS_WARNED.swap(true, Ordering::SeqCst) {
        let text = "another library has set libav's log callback: what libavformat discards from now on is neither counted \
                    nor marked, and failures to connect have fewer reasons";
        line(Level::Warning, text);
    }
}

/// Has libav's lines come here. Done once, when the first client is made.
pub(crate) fn install() {
    // Threads that make their first clients at once may all set it, to the same.
    if !IS_INSTALLED.load(Ordering::SeqCst) {
        // SAFETY: the callback has the signature that libav wants and lives for ever.
        unsafe { ffi::av_log_set_callback(Some(receive)) };
        IS_INSTALLED.store(true, Ordering::SeqCst);
    }
}

/// Says that all that libav does on this thread, it does for this library.
pub(crate) fn on_own_thread() {
    IS_OWN_THREAD.set(true);
}

pub(super) fn own(context: *const c_void) {
    OWN.get().lock().push(context.addr());
}

pub(super) fn disown(context: *const c_void) {
    OWN.get().lock().retain(|own| *own != context.addr());
}

/// What libav complains of on this thread, which says more than its error codes. While complaints are collected they
/// are not logged: whoever collects them says them in words of its own.
pub(crate) struct Complaints;

impl Complaints {
    /// Begins to collect them.
    pub(crate) fn collect() -> Self {
        COMPLAINTS.set(Some(Vec::new()));
        Self
    }

    /// Those since then, in one line; no more are kept after.
    pub(crate) fn take(&self) -> String {
        COMPLAINTS.with_borrow_mut(|complaints| complaints.as_mut().map(std::mem::take).unwrap_or_default()).join("; ")
    }
}

impl Drop for Complaints {
    fn drop(&mut self) {
        COMPLAINTS.set(None);
    }
}

unsafe extern "C" fn receive(context: *mut c_void, level: c_int, format: *const c_char, arguments: VaList) {
    if format == ECHO.as_ptr() {
        HAS_ECHOED.set(true);
    } else if IS_OWN_THREAD.get() || (!context.is_null() && OWN.get().lock().contains(&context.addr())) {
        // A panic must not reach libav; a lost line is the lesser evil.
        let _ = catch_unwind(|| {
            // SAFETY: passed on as libav gave them.
            unsafe { receive_own(context, level, format, arguments) }
        });
    } else {
        // SAFETY: passed on as libav gave them.
        unsafe { ffi::av_log_default_callback(context, level, format, arguments) };
    }
}

/// # Safety
/// The arguments are those of libav's log callback.
unsafe fn receive_own(context: *mut c_void, level: c_int, format: *const c_char, arguments: VaList) {
    let Some(own_level) = own_level(level & 0xff) else { return };
    let is_complaint = own_level == Level::Error && COMPLAINTS.with_borrow(Option::is_some);
    let may_be_remark = own_level != Level::Debug && IS_OWN_THREAD.get();
    if !is_enabled(own_level) && !is_complaint && !may_be_remark {
        return;
    }
    let mut buffer = [0 as c_char; LINE_SIZE];
    let mut print_prefix = PARTIAL.with_borrow(|partial| c_int::from(partial.is_empty()));
    // SAFETY: as libav gave them; the buffer has the size given and is ended with NUL.
    let text = unsafe {
        ffi::av_log_format_line2(
            context,
            level,
            format,
            arguments,
            buffer.as_mut_ptr(),
            LINE_SIZE as c_int,
            &mut print_prefix,
        );
        CStr::from_ptr(buffer.as_ptr()).to_string_lossy()
    };
    // Joined to whole lines first: a password may be cut in two by libav's fragments.
    let whole = PARTIAL.with_borrow_mut(|partial| {
        partial.push_str(&text);
        (partial.ends_with('\n') || partial.len() >= 4 * LINE_SIZE).then(|| std::mem::take(partial))
    });
    for text in whole.iter().flat_map(|whole| whole.lines()) {
        let text = without_address(text.trim()).replace(char::is_control, " ");
        Remarks::note_here(&text, own_level == Level::Error);
        if is_complaint {
            complain(text);
        } else if !text.is_empty() {
            line(own_level, &text);
        }
    }
}

fn complain(text: String) {
    COMPLAINTS.with_borrow_mut(|complaints| {
        if let Some(complaints) = complaints.as_mut().filter(|complaints| complaints.len() < MAX_COMPLAINTS)
            && !complaints.contains(&text)
        {
            complaints.push(text);
        }
    });
}

/// A line of libav's without the address of whoever says it: `[tcp @ 0x7f00] text` becomes `tcp: text`.
fn without_address(text: &str) -> String {
    let parts = text.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    match parts.and_then(|(speaker, text)| speaker.split_once(" @ 0x").map(|(name, _)| (name, text))) {
        Some((name, text)) => format!("{name}: {}", without_address(text)),
        None => text.to_owned(),
    }
}

/// Our level for libav's: what libav calls verbose and info interests only who debugs. What it says of every byte it
/// reads interests only who debugs libav.
fn own_level(level: c_int) -> Option<Level> {
    match level {
        ..=ffi::AV_LOG_ERROR => Some(Level::Error),
        ffi::AV_LOG_WARNING => Some(Level::Warning),
        ffi::AV_LOG_INFO | ffi::AV_LOG_VERBOSE => Some(Level::Debug),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_that_another_library_sets_is_noticed() {
        // SAFETY: both callbacks have the signature that libav wants and live for ever.
        let set = |callback| unsafe { ffi::av_log_set_callback(Some(callback)) };
        set(receive);
        assert!(is_log_received());
        set(ffi::av_log_default_callback);
        assert!(!is_log_received());
        set(receive);
        assert!(is_log_received());
    }

    #[test]
    fn addresses_are_left_out() {
        assert_eq!(without_address("[rtsp @ 0x7f37dc000e00] method DESCRIBE failed"), "rtsp: method DESCRIBE failed");
        assert_eq!(without_address("[hls @ 0x1] [http @ 0x2] no"), "hls: http: no");
        assert_eq!(without_address("[0] text [x @ 0x1] y"), "[0] text [x @ 0x1] y");
        assert_eq!(without_address(""), "");
    }
}
