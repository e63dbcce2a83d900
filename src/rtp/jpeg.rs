//! JPEG over RTP: RFC 2435. Of each picture's headers it sends what differs from picture to picture; the rest is put back.

use super::{AccessUnit, Integrity, MAX_UNIT, RtpPacket};
use crate::nal::{Entry, Lead};
use std::collections::{BTreeMap, VecDeque};

/// The tables of ITU-T T.81, annex K.1, in zigzag order, which RFC 2435, appendix A, scales by Q.
#[rustfmt::skip]
const QUANTIZERS: [[u8; 64]; 2] = [
    [
        16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40,
        26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
        56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87,
        95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
    ],
    [
        17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ],
];

const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// The first Q whose tables the packets bring along; and the one whose tables hold for one picture only.
const OWN_TABLES: u8 = 128;
const OWN_TABLES_ONCE: u8 = 255;

/// Makes pictures of packets.
#[derive(Default)]
pub(crate) struct JpegAssembler {
    picture: Option<Picture>,
    /// Packets lost since the last picture that was handed out.
    lost: u64,
    has_gap: bool,
    /// Tables that came with earlier pictures, by their Q.
    tables: BTreeMap<u8, Vec<u8>>,
    /// The last packet did not contain the size of its picture.
    is_without_size: bool,
}

struct Picture {
    timestamp: i64,
    data: Vec<u8>,
    /// Where the scan begins in the data.
    scan_at: usize,
}

/// The headers of a packet, in the order in which they come: RFC 2435, section 3.1.
struct Header {
    offset: usize,
    kind: u8,
    quality: u8,
    width: u16,
    height: u16,
    restart_interval: u16,
}

impl JpegAssembler {
    pub(crate) fn push(&mut self, packet: &RtpPacket<'_>, units: &mut VecDeque<AccessUnit>) {
        if packet.lost > 0 {
            self.lost = self.lost.saturating_add(packet.lost);
            self.give_up();
        }
        if self.picture.as_ref().is_some_and(|picture| picture.timestamp != packet.timestamp) {
            // Nothing is missing, it only was not marked.
            units.extend(self.finish());
        }
        if self.take(packet).is_none() {
            self.give_up();
        }
        if packet.is_marked {
            units.extend(self.finish());
        }
    }

    fn give_up(&mut self) {
        self.picture = None;
        self.has_gap = true;
    }

    pub(crate) fn refusal(&self) -> Option<&'static str> {
        self.is_without_size.then_some("their headers give 0 for a side, as for more than 2040 pixels")
    }

    /// Adds a packet to the picture at work; `None` if it does not fit there.
    fn take(&mut self, packet: &RtpPacket<'_>) -> Option<()> {
        let (header, mut rest) = Header::parse(packet.payload)?;
        self.is_without_size = header.width == 0 || header.height == 0;
        if self.is_without_size {
            return None;
        }
        if header.offset == 0 {
            let tables = self.tables(&header, &mut rest)?;
            let data = header.file(&tables);
            self.picture = Some(Picture { timestamp: packet.timestamp, scan_at: data.len(), data });
        }
        let picture = self.picture.as_mut()?;
        let is_next = header.offset == picture.data.len() - picture.scan_at;
        if !is_next || header.offset + rest.len() > MAX_UNIT {
            return None;
        }
        picture.data.try_reserve(rest.len()).ok()?;
        picture.data.extend_from_slice(rest);
        Some(())
    }

    /// The tables for brightness and colour, 64 bytes each, which may come with the packet.
    fn tables(&mut self, header: &Header, rest: &mut &[u8]) -> Option<Vec<u8>> {
        if header.quality < OWN_TABLES {
            return Some(scaled_tables(header.quality));
        }
        let [_, precisions, high, low, data @ ..] = *rest else { return None };
        let (tables, scan) = data.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
        *rest = scan;
        match (tables.len(), *precisions) {
            (0, _) if header.quality != OWN_TABLES_ONCE => self.tables.get(&header.quality).cloned(),
            (64, 0) => Some(self.remember(header.quality, tables.repeat(2))),
            (128, 0) => Some(self.remember(header.quality, tables.to_vec())),
            // With two bytes an entry they would be no baseline JPEG.
            _ => None,
        }
    }

    fn remember(&mut self, quality: u8, tables: Vec<u8>) -> Vec<u8> {
        self.tables.insert(quality, tables.clone());
        tables
    }

    fn finish(&mut self) -> Option<AccessUnit> {
        let mut picture = self.picture.take()?;
        if !picture.data.ends_with(&END_OF_IMAGE) {
            picture.data.extend(END_OF_IMAGE);
        }
        let has_gap = std::mem::take(&mut self.has_gap);
        Some(AccessUnit {
            data: picture.data,
            timestamp: picture.timestamp,
            lost: std::mem::take(&mut self.lost),
            integrity: if has_gap { Integrity::AfterGap } else { Integrity::Sound },
            entry: Entry::Clean,
            starts_picture: true,
            is_reference: false,
            lead: Lead::No,
        })
    }
}

impl Header {
    fn parse(payload: &[u8]) -> Option<(Self, &[u8])> {
        let [_, offset2, offset1, offset0, kind, quality, width, height, rest @ ..] = payload else { return None };
        // With 4:2:2 or 4:2:0 colours; from 64 on with restart markers, whose header follows.
        let (restart_interval, rest) = match (kind, rest) {
            (0..=1, _) => (0, rest),
            (64..=65, [high, low, _, _, rest @ ..]) => (u16::from_be_bytes([*high, *low]), rest),
            _ => return None,
        };
        let header = Self {
            offset: u32::from_be_bytes([0, *offset2, *offset1, *offset0]) as usize,
            kind: kind & 1,
            quality: *quality,
            width: u16::from(*width) * 8,
            height: u16::from(*height) * 8,
            restart_interval,
        };
        // A side that does not fit is sent as 0: RFC 2435, section 3.1.5, only knows sides of up to 2040.
        (header.quality > 0).then_some((header, rest))
    }

    /// The beginning of a JPEG file, up to its scan: RFC 2435, appendix B. Without Huffman tables in it, decoders take
    /// those of ITU-T T.81, annex K.3, which are the ones that the RFC means.
    fn file(&self, tables: &[u8]) -> Vec<u8> {
        let mut file = Vec::from(START_OF_IMAGE);
        for (number, table) in (0_u8..).zip(tables.chunks(64)) {
            file.extend([0xff, 0xdb, 0, 67, number]);
            file.extend(table);
        }
        if self.restart_interval > 0 {
            file.extend([0xff, 0xdd, 0, 4]);
            file.extend(self.restart_interval.to_be_bytes());
        }
        let [height, width] = [self.height.to_be_bytes(), self.width.to_be_bytes()];
        file.extend([0xff, 0xc0, 0, 17, 8, height[0], height[1], width[0], width[1], 3]);
        let sampling = if self.kind == 0 { 0x21 } else { 0x22 };
        file.extend([1, sampling, 0, 2, 0x11, 1, 3, 0x11, 1]);
        file.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]);
        file
    }
}

/// The tables of a Q below 128: RFC 2435, appendix A.
fn scaled_tables(quality: u8) -> Vec<u8> {
    let quality = u32::from(quality.clamp(1, 99));
    let scale = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    let scaled = |entry: &u8| u8::try_from(((u32::from(*entry) * scale + 50) / 100).clamp(1, 255)).unwrap_or(u8::MAX);
    QUANTIZERS.iter().flatten().map(scaled).collect()
}
