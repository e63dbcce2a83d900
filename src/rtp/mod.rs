//! RTP packets to access units: pure functions of packets in their order. Nothing here knows of sockets or decoders.

mod assembler;
mod h264;
mod h265;
mod jpeg;
pub(crate) mod sdp;
#[cfg(test)]
mod tests;
mod trust;

pub(crate) use trust::{Trust, Worth};

use crate::nal::{Entry, Format, Lead};
use assembler::NalAssembler;
use jpeg::JpegAssembler;
use std::collections::VecDeque;

/// A unit larger than this is none: the largest picture that is taken would need less.
const MAX_UNIT: usize = 32 << 20;

/// What is sent over RTP, as far as it is understood here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    /// RFC 6184, packetization modes 0 and 1.
    H264,
    /// RFC 7798, without the reordering that it allows.
    H265,
    /// RFC 2435.
    Jpeg,
}

impl Codec {
    /// By the name that session descriptions have for it, in small letters.
    pub(crate) fn from_encoding_name(name: &str) -> Option<Self> {
        match name {
            "h264" => Some(Self::H264),
            "h265" => Some(Self::H265),
            "jpeg" => Some(Self::Jpeg),
            _ => None,
        }
    }

    /// libav's name of it.
    pub(crate) fn av_name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::H265 => "hevc",
            Self::Jpeg => "mjpeg",
        }
    }
}

/// A packet, with what its receiver knows of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RtpPacket<'a> {
    /// In units of the stream's clock, counted on beyond 32 bits.
    pub(crate) timestamp: i64,
    /// Its marker says that a unit ends with it. Not all senders tell the truth.
    pub(crate) is_marked: bool,
    /// Packets that are missing before it.
    pub(crate) lost: u64,
    pub(crate) payload: &'a [u8],
}

/// An access unit, or what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessUnit {
    /// As the decoder takes it: NAL units behind start codes, or a JPEG file.
    pub(crate) data: Vec<u8>,
    pub(crate) timestamp: i64,
    /// Packets that went missing since the unit before.
    pub(crate) lost: u64,
    pub(crate) integrity: Integrity,
    pub(crate) entry: Entry,
    /// It is the first, and mostly the only, unit of its picture.
    pub(crate) starts_picture: bool,
    /// Other pictures may build on it.
    pub(crate) is_reference: bool,
    pub(crate) lead: Lead,
}

/// Whether a unit is what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integrity {
    /// It is, and so is what was before it.
    Sound,
    /// It is, but something before it is missing.
    AfterGap,
    /// Something of it is missing, or may be.
    Damaged,
}

/// Makes units of one stream's packets.
pub(crate) enum Depacketizer {
    Nal(NalAssembler),
    Jpeg(JpegAssembler),
}

impl Depacketizer {
    pub(crate) fn new(codec: Codec) -> Self {
        match codec {
            Codec::H264 => Self::Nal(NalAssembler::new(Format::H264)),
            Codec::H265 => Self::Nal(NalAssembler::new(Format::H265)),
            Codec::Jpeg => Self::Jpeg(JpegAssembler::default()),
        }
    }

    /// Takes the next packet, and adds the units that it completes: one that lacked its marker, its own, or both.
    pub(crate) fn push(&mut self, packet: &RtpPacket<'_>, units: &mut VecDeque<AccessUnit>) {
        match self {
            Self::Nal(assembler) => assembler.push(packet, units),
            Self::Jpeg(assembler) => assembler.push(packet, units),
        }
    }

    /// Why packets make no picture, as far as that is known.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Nal(_) => None,
            Self::Jpeg(assembler) => assembler.refusal(),
        }
    }
}
