//! libav's enumerations as plain numbers.
//!
//! The bindings make Rust enums of them, and a library newer than its headers may hand out a value that such an enum does
//! not have, which would be undefined behaviour to even hold. So the fields are read, and the functions called, with the
//! C type that they really have.

use super::{ffi, owned_text};
use std::ffi::{c_char, c_int};

unsafe extern "C" {
    fn avcodec_find_decoder(id: c_int) -> *const ffi::AVCodec;
    fn avcodec_get_name(id: c_int) -> *const c_char;
    fn av_get_pix_fmt(name: *const c_char) -> c_int;
    fn av_get_pix_fmt_name(format: c_int) -> *const c_char;
    fn av_pix_fmt_desc_get(format: c_int) -> *const ffi::AVPixFmtDescriptor;
    fn av_color_space_name(number: c_int) -> *const c_char;
    fn av_color_primaries_name(number: c_int) -> *const c_char;
    fn av_color_transfer_name(number: c_int) -> *const c_char;
}

/// Reads a field of an enumerated type as the number it is.
macro_rules! number {
    ($place:expr) => {
        (&raw const $place).cast::<std::ffi::c_int>().read()
    };
}
pub(super) use number;

/// libav's number for a codec by its name.
#[cfg(feature = "rtsp-native")]
pub(super) fn codec_id(name: &str) -> Option<c_int> {
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: a C string; NULL means that there is none, else a description that lives for ever.
    unsafe {
        let descriptor = ffi::avcodec_descriptor_get_by_name(name.as_ptr());
        (!descriptor.is_null()).then(|| number!((*descriptor).id))
    }
}

pub(super) fn find_decoder(codec_id: c_int) -> Option<*const ffi::AVCodec> {
    // SAFETY: takes any number; NULL means that there is none.
    let codec = unsafe { avcodec_find_decoder(codec_id) };
    (!codec.is_null()).then_some(codec)
}

pub(super) fn codec_name(codec_id: c_int) -> String {
    // SAFETY: takes any number and returns a string that lives for ever.
    unsafe { owned_text(avcodec_get_name(codec_id)) }
}

/// Empty for a format that is unknown.
pub(super) fn pixel_format_name(format: c_int) -> String {
    // SAFETY: takes any number and returns NULL or a string that lives for ever.
    unsafe { owned_text(av_get_pix_fmt_name(format)) }
}

/// libav's number for a pixel format by its name.
pub(super) fn pixel_format(name: &str) -> Option<c_int> {
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: a C string; below 0 means that there is none.
    Some(unsafe { av_get_pix_fmt(name.as_ptr()) }).filter(|format| *format >= 0)
}

/// `None` for a format that is unknown.
pub(super) fn pixel_format_descriptor(format: c_int) -> Option<&'static ffi::AVPixFmtDescriptor> {
    // SAFETY: takes any number and returns NULL or a row of a table that lives for ever.
    unsafe { av_pix_fmt_desc_get(format).as_ref() }
}

/// libav's names for the numbers of ITU-T H.273, tables 4, 2 and 3: matrix, primaries and transfer; empty for those that
/// are unknown or not told.
pub(crate) fn colour_names(matrix: c_int, primaries: c_int, transfer: c_int) -> [String; 3] {
    // SAFETY: each takes any number and returns NULL or a string that lives for ever.
    let names = unsafe {
        [
            owned_text(av_color_space_name(matrix)),
            owned_text(av_color_primaries_name(primaries)),
            owned_text(av_color_transfer_name(transfer)),
        ]
    };
    names.map(|name| if name == "unknown" || name == "reserved" { String::new() } else { name })
}
