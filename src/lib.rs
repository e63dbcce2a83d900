//! The newest N frames of any live video stream, as one array, at any moment: never stale, never hanging.
//!
//! A writer thread decodes a stream without pause into a ring of the newest frames, scaled to one size and brought to
//! one frame rate; readers take the newest of them as one array whenever they like. [`Client`] is the whole of it; the C
//! functions of [`capi`] are a thin face over the same methods.
//!
//! ```no_run
//! use mpegclient::{Client, ReadOptions};
//!
//! let client = Client::new();
//! client.set_parameter("width", "480")?;
//! client.set_parameter("height", "360")?;
//! client.set_parameter("frame_rate", "5/1")?;
//! client.setup(Some("rtsp://localhost:8554/video"), 10_000, None)?;
//! client.start()?;
//! let newest = client.acquire(&ReadOptions { count: Some(5), timeout_ms: 3_000, ..ReadOptions::default() })?;
//! println!("{} frames of {:?}", newest.infos().len(), newest.shape());
//! # Ok::<(), mpegclient::Error>(())
//! ```

mod allocation;
mod av;
mod board;
mod cancel;
pub mod capi;
mod capture;
mod client;
mod clock;
mod clock_check;
mod config;
mod converter;
mod decoder;
mod error;
mod event;
mod frame;
mod geometry;
mod log;
#[cfg(any(loom, shuttle))]
mod models;
mod nal;
mod pacer;
mod parameters;
mod playout;
mod presentation;
mod redact;
mod ring;
#[cfg(feature = "rtsp-native")]
mod rtp;
mod source;
mod state;
mod stats;
mod sync;
mod sys;
mod timeline;
mod view;
#[doc(hidden)]
pub mod workbench;
mod writer;

pub use board::{Failure, StreamInfo};
pub use cancel::CancelToken;
pub use client::{Batch, Client, FrameLease, LeaseStatus, ReadOptions, wait_any};
pub use clock::{Moment, UNKNOWN_TIME};
pub use config::{PixelFormat, Rational};
pub use error::{Error, Phase, Result, Status};
pub use event::{Event, EventKind};
pub use frame::{CaptureClock, Flags, FrameInfo, Shape, Spacing};
pub use log::{Level as LogLevel, Sink as LogSink, set_level as set_log_level, set_sink as set_log_sink};
pub use parameters::{Kind, Parameter, Scope, TABLE as PARAMETERS};
pub use redact::redact;
pub use ring::{Order, RingStatus};
pub use state::State;
pub use stats::{SenderClock, StatsSnapshot};
