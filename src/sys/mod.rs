//! System calls that no safe library wraps, one subject a file.
#![expect(unsafe_code, reason = "C functions can only be called by unsafe code")]

mod signals;
mod thread;

pub(crate) use thread::spawn;
