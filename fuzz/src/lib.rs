//! What the fuzz targets do with their input, one file each. The tests of the library include this too: they run the
//! committed inputs through it.
//!
//! An input that is wrong in whatever way is no finding. A finding is a panic, here or in any thread of the library, or
//! what the sanitizer reports; but for one that is known.
#![allow(clippy::expect_used, clippy::panic, reason = "a finding is told by a panic")]

pub mod calls;
pub mod depacketizers;
pub mod media;
pub mod parameters;
pub mod server;

mod choices;
mod header;
mod listener;
mod log;
mod reading;

use std::panic::{PanicHookInfo, set_hook, take_hook};

/// Has no more said or done of the panics of sdp-types, whose parser does not bear a line that it cannot read before one
/// that it can. The native engine catches them and leaves the stream to the other.
pub fn pass_over_known_panics() {
    let is_known = |panic: &PanicHookInfo| panic.location().is_some_and(|place| place.file().contains("/sdp-types-"));
    let others = take_hook();
    set_hook(Box::new(move |panic| {
        if !is_known(panic) {
            others(panic);
        }
    }));
}
