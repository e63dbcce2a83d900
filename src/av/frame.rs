//! Decoded pictures.

use super::numbers::{number, pixel_format_name};
use super::{AvError, ffi};
use std::ffi::c_int;
use std::ptr::NonNull;

/// An `AVFrame`.
pub(crate) struct Frame(NonNull<ffi::AVFrame>);

// SAFETY: a frame's data is reference-counted with atomics, and nothing of it is tied to a thread.
unsafe impl Send for Frame {}

impl Frame {
    pub(crate) fn new() -> Result<Self, AvError> {
        // SAFETY: takes nothing; NULL means that there is no memory.
        NonNull::new(unsafe { ffi::av_frame_alloc() }).map(Self).ok_or(AvError::NO_MEMORY)
    }

    pub(crate) fn width(&self) -> u32 {
        u32::try_from(self.get().width).unwrap_or(0)
    }

    pub(crate) fn height(&self) -> u32 {
        u32::try_from(self.get().height).unwrap_or(0)
    }

    /// What the packet's timestamp was when it went into the decoder.
    pub(crate) fn timestamp(&self) -> i64 {
        self.get().pts
    }

    /// libav's number for the pixel format.
    pub(crate) fn format(&self) -> c_int {
        self.get().format
    }

    pub(crate) fn format_name(&self) -> String {
        pixel_format_name(self.format())
    }

    /// The matrix between colours and brightness, by the numbers of ITU-T H.273, table 4.
    pub(crate) fn matrix(&self) -> c_int {
        // SAFETY: a valid field of the size of a C int.
        unsafe { number!(self.get().colorspace) }
    }

    /// Whether brightness uses all values from 0 to 255; `None` if the stream does not say.
    pub(crate) fn is_full_range(&self) -> Option<bool> {
        // SAFETY: a valid field of the size of a C int.
        match unsafe { number!(self.get().color_range) } {
            1 => Some(false),
            2 => Some(true),
            _ => None,
        }
    }

    /// Whether the decoder says that the picture is damaged.
    pub(crate) fn is_damaged(&self) -> bool {
        self.is_marked() || self.get().decode_error_flags != 0
    }

    /// Whether the decoder shows the picture only because it was told to show damaged ones.
    pub(crate) fn is_marked(&self) -> bool {
        self.get().flags & ffi::AV_FRAME_FLAG_CORRUPT != 0
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::AVFrame {
        self.0.as_ptr()
    }

    pub(super) fn get(&self) -> &ffi::AVFrame {
        // SAFETY: valid for as long as `self` is.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let mut frame = self.0.as_ptr();
        // SAFETY: allocated by libav and not used after.
        unsafe { ffi::av_frame_free(&mut frame) };
    }
}
