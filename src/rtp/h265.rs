//! H.265 over RTP: RFC 7798.

use super::assembler::Payload;

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
