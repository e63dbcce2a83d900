//! The C face. Each function checks its pointers, calls one safe method and turns the result into a status; what the
//! calls mean is decided below, in `client`.
//!
//! # Safety
//! What every exported function demands of its caller is said once, in the chapters that open `include/mpegclient.h`:
//! objects come from the library and are not freed while a call has them, strings end with NUL, structs begin with their
//! size, buffers have the size that comes with them. NULL is always safe.
#![expect(unsafe_code, reason = "pointers from C can only be followed by unsafe code")]
#![expect(clippy::missing_safety_doc, reason = "one contract for all of them, above and in the header's chapters")]

// The order of the header.
mod library;

mod parameters;

mod client;

mod frames;

mod lease;

mod events;

mod cancel;

mod handle;
mod last_error;
mod types;

pub use cancel::*;
pub use client::*;
pub use events::*;
pub use frames::*;
pub use lease::*;
pub use library::*;
pub use parameters::*;
pub use types::*;
