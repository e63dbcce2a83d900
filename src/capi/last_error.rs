//! The calling thread's last failure, as text and as a record.
//!
//! Buffers of fixed size without destructor: they need no memory when memory is short, and nothing runs when a thread or
//! the process ends.

use super::handle::fixed_text;
use super::types::MpegClientError;
use crate::clock::{UNKNOWN_TIME, wall_ns};
use crate::error::{Error, Phase, Status};
use std::cell::{Cell, UnsafeCell};
use std::ffi::c_char;
use std::mem::size_of;

const SIZE: usize = 1024;

thread_local! {
    static TEXT: UnsafeCell<[u8; SIZE]> = const { UnsafeCell::new([0; SIZE]) };
    static RECORD: Cell<MpegClientError> = const { Cell::new(MpegClientError::NONE) };
}

/// Keeps a failure for this thread, its text cut to the buffer at a character's end.
pub(super) fn set(error: &Error) {
    let text = error.to_string();
    TEXT.with(|cell| {
        // SAFETY: the cell belongs to this thread and nothing else borrows it while this closure runs.
        let buffer = unsafe { &mut *cell.get() };
        copy_text(&text, buffer);
    });
    RECORD.set(MpegClientError::new(error, &text, wall_ns()));
}

/// The text, valid until the next failing call on this thread.
pub(super) fn text() -> *const c_char {
    TEXT.with(|cell| cell.get().cast::<c_char>().cast_const())
}

/// All that is known of it.
pub(super) fn record() -> MpegClientError {
    RECORD.get()
}

impl MpegClientError {
    /// Nothing has failed yet.
    pub(super) const NONE: Self = Self {
        struct_size: size_of::<Self>() as u32,
        status: Status::Ok as i32,
        phase: Phase::None as i32,
        av_code: 0,
        protocol_status: 0,
        retryable: 0,
        time_ns: UNKNOWN_TIME,
        message: [0; 512],
    };

    /// A failure, its words and when it happened.
    pub(super) fn new(error: &Error, text: &str, time_ns: i64) -> Self {
        Self {
            status: error.status.code(),
            phase: error.phase.code(),
            av_code: error.av_code,
            protocol_status: error.protocol_status,
            retryable: u32::from(error.retryable),
            time_ns,
            message: fixed_text(text),
            ..Self::NONE
        }
    }
}

/// Copies text into a C buffer: cut at a character's end if too long, inner NULs replaced, NUL at the end.
pub(super) fn copy_text(text: &str, buffer: &mut [u8]) {
    let Some(room) = buffer.len().checked_sub(1) else {
        return;
    };
    let mut end = text.len().min(room);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    for (to, from) in buffer.iter_mut().zip(text.as_bytes()[..end].iter()) {
        *to = if *from == 0 { b' ' } else { *from };
    }
    buffer[end] = 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_a_character() {
        let mut buffer = [1; 4];
        copy_text("aäö", &mut buffer);
        assert_eq!(&buffer[..], b"a\xc3\xa4\0");
        copy_text("x\0y", &mut buffer);
        assert_eq!(&buffer[..], b"x y\0");
        copy_text("anything", &mut []);
    }
}
