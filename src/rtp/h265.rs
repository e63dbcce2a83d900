//! H.265 over RTP: RFC 7798. What its NAL units mean: ITU-T H.265.

use super::nal::{Kind, Payload};
use super::{Entry, Lead};

/// Types of NAL units: ITU-T H.265, table 7-1.
const LAST_SLICE: u8 = 31;
const SKIPPED_LEADING: std::ops::RangeInclusive<u8> = 8..=9;
const BROKEN_LINKS: std::ops::RangeInclusive<u8> = 16..=18;
const IDRS: std::ops::RangeInclusive<u8> = 19..=20;
const CLEAN_RANDOM_ACCESS: u8 = 21;
const VIDEO_PARAMETERS: u8 = 32;
const DELIMITER: u8 = 35;

/// Types of packets: RFC 7798, section 4.4.
const LAST_SINGLE: u8 = 47;
const AGGREGATION: u8 = 48;
const FRAGMENTATION: u8 = 49;

fn kind_of(header: u8) -> u8 {
    header >> 1 & 0x3f
}

pub(super) fn parse(payload: &[u8]) -> Payload<'_> {
    let [first, second, rest @ ..] = payload else {
        return if payload.is_empty() { Payload::Empty } else { Payload::Unknown };
    };
    match (kind_of(*first), rest) {
        (0..=LAST_SINGLE, _) => Payload::Whole(payload),
        (AGGREGATION, nals) => Payload::Several(nals),
        (FRAGMENTATION, [header, data @ ..]) => Payload::Piece {
            header: [first & 0x81 | (header & 0x3f) << 1, *second],
            header_size: 2,
            is_first: header & 0x80 != 0,
            is_last: header & 0x40 != 0,
            data,
        },
        _ => Payload::Unknown,
    }
}

pub(super) fn classify(nal: &[u8]) -> Kind {
    let [header, _, data @ ..] = nal else {
        return Kind::Other;
    };
    match kind_of(*header) {
        kind @ 0..=LAST_SLICE => Kind::Slice {
            // first_slice_segment_in_pic_flag
            is_first: data.first().is_some_and(|byte| byte & 0x80 != 0),
            entry: match kind {
                CLEAN_RANDOM_ACCESS => Entry::Open,
                _ if IDRS.contains(&kind) => Entry::Clean,
                _ if BROKEN_LINKS.contains(&kind) => Entry::Open,
                _ => Entry::None,
            },
            // Of use only where pictures are refreshed in parts, which is not looked for in H.265.
            is_reference: true,
            lead: if SKIPPED_LEADING.contains(&kind) { Lead::Yes } else { Lead::No },
        },
        VIDEO_PARAMETERS => Kind::Sequence,
        DELIMITER => Kind::Delimiter,
        _ => Kind::Other,
    }
}
