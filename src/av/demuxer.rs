//! Demuxers by name: those of libavformat, and devices.

use super::{devices, ffi};
use std::ffi::{CString, c_int};
use std::ptr::{null, null_mut};

/// What a source is to be read with.
#[derive(Clone, Copy)]
pub(crate) struct Demuxer {
    /// NULL: libavformat finds it out.
    pub(super) format: *const ffi::AVInputFormat,
    pub(super) is_device: bool,
}

impl Demuxer {
    /// Whatever libavformat finds out.
    pub(crate) const ANY: Self = Self { format: null(), is_device: false };

    /// JPEGs one after the other, whatever stands between them.
    pub(super) fn jpegs() -> Self {
        // SAFETY: a C string; NULL, where there is no such demuxer, is as good as any.
        Self { format: unsafe { ffi::av_find_input_format(c"mjpeg".as_ptr()) }, ..Self::ANY }
    }

    /// The demuxer or device of this name, any one for an empty name; or why there is none.
    pub(crate) fn find(name: &str) -> Result<Self, String> {
        if name.is_empty() {
            return Ok(Self::ANY);
        }
        let text = CString::new(name).map_err(|error| format!("input_format: {error}"))?;
        // SAFETY: a C string; NULL means that there is no such demuxer.
        let format = unsafe { ffi::av_find_input_format(text.as_ptr()) };
        if !format.is_null() {
            return Ok(Self { format, is_device: false });
        }
        let expected = format!("input_format is {name}, expected the name of a demuxer or video device of this FFmpeg");
        match devices::find(&text) {
            Ok(device) if device.is_null() => Err(expected),
            Ok(device) => Ok(Self { format: device, is_device: true }),
            Err(why) => Err(format!("{expected}; there are no devices: {why}")),
        }
    }

    /// Whether a URL is read by a demuxer that opens its files by itself.
    pub(crate) fn opens_by_itself(self, url: &str) -> bool {
        let Ok(url) = CString::new(url) else { return false };
        let data = ffi::AVProbeData { filename: url.as_ptr(), buf: null_mut(), buf_size: 0, mime_type: null() };
        let format = if self.format.is_null() {
            // SAFETY: the file name is a C string, and without data there is none to read.
            unsafe { ffi::av_probe_input_format(&data, 0) }
        } else {
            self.format
        };
        // SAFETY: NULL, or one of libavformat's own demuxers.
        unsafe { format.as_ref() }.is_some_and(|format| format.flags & ffi::AVFMT_NOFILE as c_int != 0)
    }
}
