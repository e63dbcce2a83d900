//! What is known of a frame besides its pixels.

use crate::clock::Moment;
use crate::config::PixelFormat;

/// The shape of every frame of a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows.
    pub height: u32,
    /// Pixels of a row.
    pub width: u32,
    /// What a pixel is made of.
    pub pixel_format: PixelFormat,
}

impl Shape {
    /// Bytes of a pixel.
    pub fn channels(self) -> u32 {
        self.pixel_format.channels()
    }

    /// Bytes of a row.
    pub fn row_bytes(self) -> usize {
        self.width as usize * self.channels() as usize
    }

    /// Bytes of a frame.
    pub fn frame_bytes(self) -> usize {
        self.row_bytes() * self.height as usize
    }
}

/// Whose clock the time of capture was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureClock {
    /// The sender's, by its RTCP reports.
    Rtcp,
}

/// Properties of a frame that are either there or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u32);

impl Flags {
    /// Decoded from a key frame.
    pub const KEY: Self = Self(1);
    /// Damaged, or perhaps so.
    pub const CORRUPT: Self = Self(2);
    /// Frames that should lie before this one were dropped or lost.
    pub const GAP_BEFORE: Self = Self(4);
    /// A repetition of the frame before.
    pub const REPEATED: Self = Self(8);

    /// The flags as a number, as the C header has them.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Whether all of the other's flags are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags, and the other's where the condition holds.
    #[must_use]
    pub fn with(self, other: Self, condition: bool) -> Self {
        if condition { Self(self.0 | other.0) } else { self }
    }
}

/// What is known of one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameInfo {
    /// Its number, 1 for the first that a client ever publishes.
    pub seq: u64,
    /// The connection it came over, counted from 1.
    pub generation: u64,
    /// Presentation time by the stream's clock.
    pub pts_ns: Option<i64>,
    /// When the sender captured it, nanoseconds since 1970, and by whose clock.
    pub capture: Option<(i64, CaptureClock)>,
    /// When its packet arrived.
    pub arrival: Moment,
    /// When it was decoded, monotonic nanoseconds.
    pub decoded_ns: i64,
    /// When it became readable, monotonic nanoseconds.
    pub published_ns: i64,
    /// Its properties.
    pub flags: Flags,
    /// Width before scaling.
    pub source_width: u32,
    /// Height before scaling.
    pub source_height: u32,
    /// From a place in the frame to the one in the decoded picture, in pixels from the upper left corner:
    /// `x = m[0] X + m[1] Y + m[2]`, `y = m[3] X + m[4] Y + m[5]`.
    pub to_source: [f64; 6],
}
