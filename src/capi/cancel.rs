//! Cancel tokens.

use super::handle::{Handle, cancel_token, guard};
use super::types::MpegClientCancel;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};

/// Makes a cancel token, for one caller whose blocking calls may have to end early.
///
/// Returns: a token to be freed with mpegclient_cancel_free; NULL if there is no memory. Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn mpegclient_cancel_new() -> *mut MpegClientCancel {
    Box::into_raw(Box::new(Handle::new(CancelToken::new()))).cast()
}

/// Ends every call that has this token, those to come included, with CANCELLED, until it is reset.
///
/// `cancel` must not be NULL.
/// Returns: OK; INVALID_ARGUMENT. Blocks: no. Threads: any; not in a signal handler. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_cancel_trigger(cancel: *const MpegClientCancel) -> i32 {
    // SAFETY: the caller vouches for the token.
    guard(|| unsafe { token(cancel) }.map(CancelToken::trigger))
}

/// Makes a triggered token usable again.
///
/// `cancel` must not be NULL.
/// Returns: OK; INVALID_ARGUMENT. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_cancel_reset(cancel: *const MpegClientCancel) -> i32 {
    // SAFETY: the caller vouches for the token.
    guard(|| unsafe { token(cancel) }.map(CancelToken::reset))
}

/// Frees a token. No call may have it any more.
///
/// `cancel` may be NULL. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_cancel_free(cancel: *mut MpegClientCancel) {
    if !cancel.is_null() {
        // SAFETY: it came from `Box::into_raw` in mpegclient_cancel_new, and the caller gives it up.
        unsafe { Box::from_raw(cancel.cast::<Handle<CancelToken>>()) }.free();
    }
}

/// # Safety
/// As [`cancel_token`].
unsafe fn token<'a>(cancel: *const MpegClientCancel) -> Result<&'a CancelToken> {
    // SAFETY: the caller vouches for the token.
    unsafe { cancel_token(cancel) }?
        .ok_or_else(|| Error::argument("cancel", "NULL", "a token from mpegclient_cancel_new"))
}
