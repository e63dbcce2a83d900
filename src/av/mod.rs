//! libav behind safe types: one object a file, each freed by its `Drop`. The only place that names `ffmpeg_sys_next`.
#![expect(unsafe_code, reason = "libav is a C library")]

mod codec;
mod demuxer;
mod devices;
mod dictionary;
mod frame;
mod input;
mod log;
mod nested;
mod numbers;
mod packet;
mod pipe;
mod pixel_format;
mod planes;
mod reformat;
mod remarks;
mod tls;

pub(crate) use codec::{CodecContext, CodecParameters};
pub(crate) use demuxer::Demuxer;
pub(crate) use dictionary::Dictionary;
pub(crate) use frame::{Frame, Tags};
pub(crate) use input::{Input, Nested, OriginGuard, VideoStream, can_shake_hands, format_has_option};
pub(crate) use log::{Complaints, check_log, install as install_log, is_log_received, on_own_thread};
pub(crate) use numbers::colour_names;
pub(crate) use packet::Packet;
pub(crate) use pipe::Pipe;
pub(crate) use pixel_format::{Component, PixelLayout, format};
pub(crate) use planes::Planes;
pub(crate) use reformat::{BICUBIC, BICUBIC_EXACT, Picture, Reformatter};
pub(crate) use remarks::Remarks;
pub(crate) use tls::{checks_host_names, finds_system_certificates, names_tls, without_tls};

use ffmpeg_sys_next as ffi;
use std::ffi::{CStr, c_char, c_int};

/// A failure code of libav.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AvError(pub(crate) c_int);

impl AvError {
    pub(crate) const AGAIN: Self = Self(ffi::AVERROR(ffi::EAGAIN));
    pub(crate) const END: Self = Self(ffi::AVERROR_EOF);
    pub(crate) const EXIT: Self = Self(ffi::AVERROR_EXIT);
    pub(crate) const INVALID_DATA: Self = Self(ffi::AVERROR_INVALIDDATA);
    pub(crate) const NO_MEMORY: Self = Self(ffi::AVERROR(ffi::ENOMEM));
    pub(crate) const NO_ENTRY: Self = Self(ffi::AVERROR(ffi::ENOENT));
    pub(crate) const IO: Self = Self(ffi::AVERROR(ffi::EIO));
    pub(crate) const REFUSED: Self = Self(ffi::AVERROR(ffi::ECONNREFUSED));
    pub(crate) const TIMED_OUT: Self = Self(ffi::AVERROR(ffi::ETIMEDOUT));
    pub(crate) const HOST_UNREACHABLE: Self = Self(ffi::AVERROR(ffi::EHOSTUNREACH));
    pub(crate) const NET_UNREACHABLE: Self = Self(ffi::AVERROR(ffi::ENETUNREACH));
    pub(crate) const RESET: Self = Self(ffi::AVERROR(ffi::ECONNRESET));
    pub(crate) const BROKEN_PIPE: Self = Self(ffi::AVERROR(ffi::EPIPE));
    pub(crate) const NO_PROTOCOL: Self = Self(ffi::AVERROR_PROTOCOL_NOT_FOUND);
    pub(crate) const NO_DEMUXER: Self = Self(ffi::AVERROR_DEMUXER_NOT_FOUND);
    pub(crate) const NO_DECODER: Self = Self(ffi::AVERROR_DECODER_NOT_FOUND);
    pub(crate) const NOT_IMPLEMENTED: Self = Self(ffi::AVERROR_PATCHWELCOME);
    pub(crate) const NO_STREAM: Self = Self(ffi::AVERROR_STREAM_NOT_FOUND);
    pub(crate) const PROTOCOL_UNSUPPORTED: Self = Self(ffi::AVERROR(ffi::EPROTONOSUPPORT));

    /// The HTTP or RTSP status that the code stands for, 0 if for none.
    pub(crate) fn protocol_status(self) -> i32 {
        match self.0 {
            ffi::AVERROR_HTTP_BAD_REQUEST => 400,
            ffi::AVERROR_HTTP_UNAUTHORIZED => 401,
            ffi::AVERROR_HTTP_FORBIDDEN => 403,
            ffi::AVERROR_HTTP_NOT_FOUND => 404,
            ffi::AVERROR_HTTP_SERVER_ERROR => 500,
            _ => 0,
        }
    }

    /// libav's words for it.
    pub(crate) fn text(self) -> String {
        let mut buffer = [0 as c_char; 128];
        // SAFETY: the buffer has the size given; libav ends the text with NUL in every case.
        unsafe {
            ffi::av_strerror(self.0, buffer.as_mut_ptr(), buffer.len());
            CStr::from_ptr(buffer.as_ptr()).to_string_lossy().into_owned()
        }
    }
}

/// Turns what a libav function returns into a result: every negative number is a failure.
fn check(ret: c_int) -> Result<c_int, AvError> {
    if ret < 0 { Err(AvError(ret)) } else { Ok(ret) }
}

/// FFmpeg's versions and licence in one line.
pub(crate) fn build_info() -> String {
    let version = |number: u32| format!("{}.{}.{}", number >> 16, number >> 8 & 0xff, number & 0xff);
    // SAFETY: these take nothing and return numbers or strings that live as long as the library.
    unsafe {
        format!(
            "FFmpeg {}{} (libavformat {}, libavcodec {}, libswscale {}; TLS by {}; {})",
            CStr::from_ptr(ffi::av_version_info()).to_string_lossy(),
            // Set by `make static`; the objects themselves do not tell how they will be linked.
            if option_env!("MPEGCLIENT_STATIC").is_some() { " linked in" } else { "" },
            version(ffi::avformat_version()),
            version(ffi::avcodec_version()),
            version(ffi::swscale_version()),
            tls::library(),
            CStr::from_ptr(ffi::avformat_license()).to_string_lossy(),
        )
    }
}

/// Whether libavformat's parser attaches a packet's side data to the unit before it, as it does before FFmpeg 8.1.
pub(crate) fn side_data_comes_early() -> bool {
    // SAFETY: it takes nothing and returns a number.
    unsafe { ffi::avformat_version() < (62 << 16 | 12 << 8) }
}

/// A string that libav owns; empty for NULL.
///
/// # Safety
/// `text` is NULL or a C string.
unsafe fn owned_text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not NULL, and the caller vouches for the rest.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
