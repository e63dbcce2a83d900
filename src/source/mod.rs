//! Where access units come from. One engine today, libavformat; what it hands on is the same for any other.

mod address;
mod annex_b;
mod libav;
mod repeats;

pub(crate) use libav::LibavSource;

use crate::av::{CodecParameters, Packet};
use crate::clock::Moment;
use crate::config::Rational;
use crate::error::Error;
use crate::frame::CaptureClock;
use crate::geometry::Display;

/// One complete access unit.
pub(crate) struct Unit {
    pub(crate) packet: Packet,
    pub(crate) meta: UnitMeta,
}

/// What is known of a unit besides its data; it goes with the unit's frame through the decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnitMeta {
    pub(crate) pts_ns: Option<i64>,
    pub(crate) arrival: Moment,
    pub(crate) capture: Option<(i64, CaptureClock)>,
    /// Decoding may begin here.
    pub(crate) is_random_access: bool,
    pub(crate) is_damaged: bool,
    /// Packets of the network that were lost since the unit before, as far as the source can tell.
    pub(crate) lost: u64,
}

/// What a source has to say next.
pub(crate) enum Next {
    Unit(Unit),
    End(End),
}

/// How a source came to its end.
#[derive(Debug)]
pub(crate) enum End {
    /// It was asked to stop.
    Stopped,
    /// A file was read to its end.
    Finished,
    /// The stream was lost.
    Lost(Error),
}

/// What is known of a source once it is open.
pub(crate) struct SourceInfo {
    pub(crate) stream_index: u32,
    pub(crate) codec: CodecParameters,
    pub(crate) frame_rate: Option<Rational>,
    pub(crate) container: String,
    pub(crate) duration_ns: Option<i64>,
    /// A live stream does not end but is lost, and cannot be paused.
    pub(crate) is_live: bool,
    /// It comes in bursts, or as fast as it is read: whoever wants it in time must wait by its timestamps.
    pub(crate) is_bursty: bool,
    /// How its pictures are to be shown, where it says so itself and not only in its pictures.
    pub(crate) display: Display,
}
