//! H.264 over RTP: RFC 6184.

use super::assembler::Payload;

/// Types of packets: RFC 6184, table 1.
const LAST_SINGLE: u8 = 23;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

pub(super) fn parse(payload: &[u8]) -> Payload<'_> {
    let Some(first) = payload.first() else {
        return Payload::Empty;
    };
    match (first & 0x1f, payload) {
        (1..=LAST_SINGLE, nal) => Payload::Whole(nal),
        (STAP_A, [_, nals @ ..]) => Payload::Several(nals),
        (FU_A, [indicator, header, data @ ..]) => Payload::Piece {
            header: [indicator & 0xe0 | header & 0x1f, 0],
            header_size: 1,
            is_first: header & 0x80 != 0,
            is_last: header & 0x40 != 0,
            data,
        },
        _ => Payload::Unknown,
    }
}
