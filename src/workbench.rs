//! The converter and the depacketizers, laid open to benches and fuzzers; no part of the library's interface.

use crate::av::{BICUBIC, BICUBIC_EXACT, Frame, Picture, Planes, Reformatter, format};
use crate::config::{Conversion, Filter, PixelFormat};
use crate::converter::Converter;
use crate::frame::Shape;
use crate::geometry::Display;
#[cfg(feature = "rtsp-native")]
use crate::nal::Entry;
#[cfg(feature = "rtsp-native")]
use crate::rtp::{self, Integrity, RtpPacket, Trust, Worth, sdp};
#[cfg(feature = "rtsp-native")]
use std::collections::VecDeque;

/// ITU-T H.273, table 4: BT.709.
const BT709: i32 = 1;

/// A size in pixels: width and height.
pub type Size = (u32, u32);

/// A picture in yuv420p.
pub struct Source(Frame);

impl Source {
    /// From the bytes of its planes, one after the other; `None` if there are not enough.
    pub fn new(size: Size, mut bytes: &[u8]) -> Option<Self> {
        let (width, height) = (size.0 as usize, size.1 as usize);
        let chroma = (height.div_ceil(2), width.div_ceil(2));
        if bytes.len() < width * height + 2 * chroma.0 * chroma.1 {
            return None;
        }
        let fill = |_, _, row: &mut [u8]| {
            let (head, rest) = bytes.split_at(row.len());
            row.copy_from_slice(head);
            bytes = rest;
        };
        Frame::filled(size, format::YUV420P, &[(height, width), chroma, chroma], fill).ok().map(Self)
    }
}

/// This library's converter to rgb24.
pub struct Ours(Converter);

impl Ours {
    /// To pictures of this size by a filter, named as the parameter `scale_filter` has it.
    pub fn new((width, height): Size, filter: &str) -> Self {
        let shape = Shape { height, width, pixel_format: PixelFormat::Rgb24 };
        let conversion = Conversion { filter: Filter::from_name(filter), ..Conversion::default() };
        Self(Converter::new(shape, conversion))
    }

    /// Converts a picture into `to`. Returns whether it could.
    pub fn convert(&mut self, source: &Source, to: &mut [u8]) -> bool {
        self.0.convert(&source.0, Display::default(), to).is_ok()
    }
}

/// libswscale's.
pub struct Theirs {
    reformatter: Reformatter,
    size: Size,
}

impl Theirs {
    /// From pictures of one size to rgb24 of another, bicubic, as exact as it can be or as it comes; `None` if it cannot.
    pub fn new(from: Size, to: Size, is_exact: bool) -> Option<Self> {
        let picture = |(width, height), format| Picture { width, height, format };
        let flags = if is_exact { BICUBIC_EXACT } else { BICUBIC };
        let reformatter =
            Reformatter::scaling(picture(from, format::YUV420P), picture(to, format::RGB24), flags).ok()?;
        reformatter.set_colours(BT709, false, true);
        Some(Self { reformatter, size: to })
    }

    /// Converts a picture into memory of its own. Returns whether it could.
    pub fn convert(&mut self, source: &Source) -> bool {
        self.reformatter.convert(&source.0).is_ok()
    }

    /// Copies the picture last converted, row by row.
    pub fn pixels(&self) -> Vec<u8> {
        let (height, row_bytes) = (self.size.1 as usize, 3 * self.size.0 as usize);
        let planes = Planes::new(self.reformatter.output(), [(height, row_bytes)]);
        planes.map_or_else(Vec::new, |planes| (0..height).flat_map(|y| planes.row(0, y)).copied().collect())
    }
}

/// The depacketizer of a codec, and which of its units can be trusted.
#[cfg(feature = "rtsp-native")]
pub struct Depacketizer {
    depacketizer: rtp::Depacketizer,
    trust: Trust,
}

/// An RTP packet, with how many are missing before it.
#[cfg(feature = "rtsp-native")]
pub struct Packet<'a> {
    /// In units of the stream's clock.
    pub timestamp: i64,
    /// Its marker says that a unit ends with it.
    pub is_marked: bool,
    /// Packets that are missing before it.
    pub lost: u64,
    /// What follows its header.
    pub payload: &'a [u8],
}

/// What came of packets.
#[cfg(feature = "rtsp-native")]
#[derive(Debug)]
pub struct AccessUnit {
    /// As the decoder takes it.
    pub data: Vec<u8>,
    /// That of its packets.
    pub timestamp: i64,
    /// Packets that went missing since the unit before.
    pub lost: u64,
    /// Something of it is missing, or may be.
    pub is_damaged: bool,
    /// Decoding may begin with it.
    pub is_entry: bool,
    /// Its picture is right.
    pub is_trusted: bool,
}

#[cfg(feature = "rtsp-native")]
impl Depacketizer {
    /// For a codec, by its name in session descriptions; `None` if it is not known.
    pub fn new(codec: &str) -> Option<Self> {
        let codec = rtp::Codec::from_encoding_name(codec)?;
        Some(Self { depacketizer: rtp::Depacketizer::new(codec), trust: Trust::new() })
    }

    /// Takes the next packet; gives the units that it completes.
    pub fn push(&mut self, packet: &Packet<'_>) -> Vec<AccessUnit> {
        let Packet { timestamp, is_marked, lost, payload } = *packet;
        let mut units = VecDeque::new();
        self.depacketizer.push(&RtpPacket { timestamp, is_marked, lost, payload }, &mut units);
        let told = |unit: rtp::AccessUnit| AccessUnit {
            is_trusted: self.trust.judge(&unit) == Worth::Exact,
            is_damaged: unit.integrity == Integrity::Damaged,
            is_entry: unit.entry != Entry::None,
            timestamp: unit.timestamp,
            lost: unit.lost,
            data: unit.data,
        };
        units.into_iter().map(told).collect()
    }
}

/// The parameter sets that a session description has for the video of a payload type, each behind a start code.
#[cfg(feature = "rtsp-native")]
pub fn parameter_sets(description: &str, payload_type: u8) -> Vec<u8> {
    sdp::parameter_sets(sdp::format_parameters(description, payload_type))
}
