//! What the fuzz targets do with their input, one file each. The tests of the library include this too: they run the
//! committed inputs through it.
//!
//! An input that is wrong in whatever way is no finding. A finding is a panic, here or in any thread of the library, or
//! what the sanitizer reports.
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
