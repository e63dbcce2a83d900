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

/// A distance between two frames that differs from the mean by more than this part of it is uneven.
const EVEN_PART: i64 = 4;

/// How far frames that follow each other lie apart, by their presentation times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spacing {
    /// No frame is missing between them, and all lie about equally far apart: none of the distances differs from their
    /// mean by more than a quarter.
    pub is_uniform: bool,
    /// The largest distance in nanoseconds; `None` for fewer than two frames, or where a time is not known.
    pub largest_gap_ns: Option<i64>,
    /// They came over several connections.
    pub is_mixed: bool,
}

impl Spacing {
    /// That of these frames, oldest first.
    pub fn of(infos: &[FrameInfo]) -> Self {
        let is_mixed = infos.windows(2).any(|pair| pair[0].generation != pair[1].generation);
        let unknown = Self { is_uniform: infos.len() < 2, largest_gap_ns: None, is_mixed };
        let distance = |pair: &[FrameInfo]| pair[1].pts_ns?.checked_sub(pair[0].pts_ns?);
        let Some(gaps) = infos.windows(2).map(distance).collect::<Option<Vec<i64>>>() else {
            return unknown;
        };
        let Some(largest) = gaps.iter().copied().max() else {
            return unknown;
        };
        let whole = infos.last().and_then(|last| last.pts_ns?.checked_sub(infos[0].pts_ns?));
        let mean = whole.unwrap_or_default() / gaps.len() as i64;
        let is_even = gaps.iter().all(|gap| mean > 0 && (gap - mean).abs() <= mean / EVEN_PART);
        let is_whole = infos.iter().skip(1).all(|info| !info.flags.contains(Flags::GAP_BEFORE));
        Self { is_uniform: is_even && is_whole && !is_mixed, largest_gap_ns: Some(largest), is_mixed }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;

    const MS: i64 = 1_000_000;

    fn frames(times_ms: &[Option<i64>]) -> Vec<FrameInfo> {
        let info = |pts: &Option<i64>| FrameInfo {
            seq: 1,
            generation: 1,
            pts_ns: pts.map(|pts| pts * MS),
            capture: None,
            arrival: Moment { monotonic_ns: 0, wall_ns: 0 },
            decoded_ns: 0,
            published_ns: 0,
            flags: Flags::default(),
            source_width: 1,
            source_height: 1,
            to_source: [0.0; 6],
        };
        times_ms.iter().map(info).collect()
    }

    fn spacing(times_ms: &[i64]) -> Spacing {
        Spacing::of(&frames(&times_ms.iter().map(|time| Some(*time)).collect::<Vec<_>>()))
    }

    fn told(is_uniform: bool, largest_gap_ms: Option<i64>) -> Spacing {
        Spacing { is_uniform, largest_gap_ns: largest_gap_ms.map(|gap| gap * MS), is_mixed: false }
    }

    #[test]
    fn even_frames_are_uniform_however_their_times_are_rounded() {
        assert_eq!(spacing(&[0, 200, 400, 600]), told(true, Some(200)));
        assert_eq!(spacing(&[0, 33, 67, 100]), told(true, Some(34)));
        assert_eq!(spacing(&[7]), told(true, None));
    }

    #[test]
    fn a_hole_a_standstill_and_an_unknown_time_are_not() {
        assert_eq!(spacing(&[0, 200, 600, 800]), told(false, Some(400)));
        assert!(!spacing(&[5, 5, 5]).is_uniform);
        assert_eq!(Spacing::of(&frames(&[Some(0), None])), told(false, None));
        let mut lossy = frames(&[Some(0), Some(40), Some(80)]);
        lossy[1].flags = Flags::GAP_BEFORE;
        assert!(!Spacing::of(&lossy).is_uniform);
        lossy[1].flags = Flags::default();
        lossy[0].flags = Flags::GAP_BEFORE;
        assert!(Spacing::of(&lossy).is_uniform, "a gap before the first is none between them");
        lossy[2].generation = 2;
        let mixed = Spacing::of(&lossy);
        assert!(mixed.is_mixed && !mixed.is_uniform);
    }
}
