//! Parameters by name.

use super::handle::{OutStruct, c_str, guard, text, with_client, write_bytes};
use super::types::{
    MPEGCLIENT_PARAMETER_CHOICE, MPEGCLIENT_PARAMETER_COLOR, MPEGCLIENT_PARAMETER_INTEGER,
    MPEGCLIENT_PARAMETER_RATIONAL, MPEGCLIENT_PARAMETER_SECRET, MPEGCLIENT_PARAMETER_TEXT, MPEGCLIENT_SCOPE_NOW,
    MPEGCLIENT_SCOPE_SETUP, MpegClient, MpegClientParameterInfo,
};
use crate::error::Error;
use crate::parameters::{Kind, Scope, TABLE};
use crate::sync::process::Lazy;
use std::ffi::{CString, c_char};
use std::mem::size_of;

/// Sets a parameter from text. Most parameters count at the next setup; see mpegclient_parameter_describe.
///
/// `key` is a name of the table, or "av." and the name of a libav option, which setup refuses if libav does not take it.
/// `value` is UTF-8 text, but for "url", which may be a path of any bytes; an empty value takes a libav option away.
/// Returns: OK; INVALID_ARGUMENT; UNKNOWN_PARAMETER. On failure nothing has changed. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_set_parameter(
    client: *mut MpegClient,
    key: *const c_char,
    value: *const c_char,
) -> i32 {
    // SAFETY: the caller vouches for all three.
    unsafe {
        with_client(client, |client| client.set_parameter_bytes(text(key, "key")?, c_str(value, "value")?.to_bytes()))
    }
}

/// Sets a parameter from a whole number, as mpegclient_set_parameter does from its decimal text.
///
/// Returns: OK; INVALID_ARGUMENT; UNKNOWN_PARAMETER. On failure nothing has changed. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_set_parameter_int(client: *mut MpegClient, key: *const c_char, value: i64) -> i32 {
    // SAFETY: the caller vouches for both.
    unsafe { with_client(client, |client| client.set_parameter(text(key, "key")?, &value.to_string())) }
}

/// Gets a parameter's value as text: the one set, or its default.
///
/// `buffer` receives the text with its NUL; it may be NULL if `buffer_size` is 0. `needed` receives the size that the
/// text takes with its NUL, whether it fits or not; it may be NULL.
/// Returns: OK; BUFFER_TOO_SMALL; INVALID_ARGUMENT; UNKNOWN_PARAMETER. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_get_parameter(
    client: *const MpegClient,
    key: *const c_char,
    buffer: *mut c_char,
    buffer_size: usize,
    needed: *mut usize,
) -> i32 {
    // SAFETY: the caller vouches for all of them.
    unsafe {
        with_client(client, |client| {
            let value = client.parameter_bytes(text(key, "key")?)?;
            write_bytes(&value, buffer, buffer_size, needed)
        })
    }
}

/// Tells how many rows the table of parameters has.
///
/// Returns: the number. Since: 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn mpegclient_parameter_count() -> usize {
    TABLE.len()
}

/// Describes one row of the table of parameters.
///
/// `index` is 0 to mpegclient_parameter_count() - 1. `info` has its struct_size set.
/// Returns: OK; INVALID_ARGUMENT. Since: 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpegclient_parameter_describe(index: usize, info: *mut MpegClientParameterInfo) -> i32 {
    guard(|| {
        // SAFETY: the caller vouches for it.
        let info = unsafe { OutStruct::new(info, "info")? };
        let row =
            ROWS.get(index).ok_or_else(|| Error::argument("index", index, &format!("0 to {}", TABLE.len() - 1)))?;
        info.write(row.describe());
        Ok(())
    })
}

/// A row's texts as C has them.
struct Row {
    kind: i32,
    scope: i32,
    key: CString,
    default: CString,
    range: CString,
    help: CString,
}

static ROWS: Lazy<Vec<Row>> = Lazy::new(|| {
    let c_string = |text: &str| CString::new(text).unwrap_or_default();
    let row = |p: &crate::parameters::Parameter| Row {
        kind: match p.kind {
            Kind::Text => MPEGCLIENT_PARAMETER_TEXT,
            Kind::Secret => MPEGCLIENT_PARAMETER_SECRET,
            Kind::Integer(..) => MPEGCLIENT_PARAMETER_INTEGER,
            Kind::Rational => MPEGCLIENT_PARAMETER_RATIONAL,
            Kind::Choice(_) => MPEGCLIENT_PARAMETER_CHOICE,
            Kind::Color => MPEGCLIENT_PARAMETER_COLOR,
        },
        scope: match p.scope {
            Scope::Setup => MPEGCLIENT_SCOPE_SETUP,
            Scope::Now => MPEGCLIENT_SCOPE_NOW,
        },
        key: c_string(p.key),
        default: c_string(p.default),
        range: c_string(&p.range()),
        help: c_string(p.help),
    };
    TABLE.iter().map(row).collect()
});

impl Row {
    fn describe(&self) -> MpegClientParameterInfo {
        MpegClientParameterInfo {
            struct_size: size_of::<MpegClientParameterInfo>() as u32,
            kind: self.kind,
            scope: self.scope,
            reserved: 0,
            key: self.key.as_ptr(),
            default_value: self.default.as_ptr(),
            range: self.range.as_ptr(),
            help: self.help.as_ptr(),
        }
    }
}
