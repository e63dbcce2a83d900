//! H.264 over RTP: RFC 6184. What its NAL units mean: ITU-T H.264.

use super::nal::{Kind, Payload};
use super::{Entry, Lead};

/// Types of NAL units: ITU-T H.264, table 7-1.
const SLICE: u8 = 1;
const PARTITION_A: u8 = 2;
const IDR: u8 = 5;
const SEI: u8 = 6;
const SEQUENCE_PARAMETERS: u8 = 7;
const DELIMITER: u8 = 9;

/// Types of packets: RFC 6184, table 1.
const LAST_SINGLE: u8 = 23;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// The SEI message that says where decoding may begin: ITU-T H.264, annex D.
const RECOVERY_POINT: u32 = 6;

/// An SEI message is looked for within so many bytes.
const MAX_SEI: usize = 4096;

/// The kind of a slice is.
const MAX_SLICE_START: usize = 16;

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

pub(super) fn classify(nal: &[u8]) -> Kind {
    let Some((header, data)) = nal.split_first() else {
        return Kind::Other;
    };
    match header & 0x1f {
        kind @ (SLICE | PARTITION_A | IDR) => Kind::Slice {
            // first_mb_in_slice is 0, which as an Exp-Golomb code is a bit that is set.
            is_first: data.first().is_some_and(|byte| byte & 0x80 != 0),
            entry: if kind == IDR { Entry::Clean } else { Entry::None },
            is_reference: header & 0x60 != 0,
            lead: if is_bidirectional(data) { Lead::Perhaps } else { Lead::No },
        },
        SEI => recovery_point(data).map_or(Kind::Other, Kind::Recovery),
        SEQUENCE_PARAMETERS => Kind::Sequence,
        DELIMITER => Kind::Delimiter,
        _ => Kind::Other,
    }
}

/// The frames until a picture is right, from the recovery point among the messages of an SEI unit: ITU-T H.264, 7.3.2.3.
fn recovery_point(data: &[u8]) -> Option<u32> {
    let plain = without_escapes(&data[..data.len().min(MAX_SEI)]);
    let mut rest = plain.as_slice();
    // The bits that end the unit make up the last byte.
    while rest.len() > 1 {
        let kind = extended_number(&mut rest)?;
        let size = usize::try_from(extended_number(&mut rest)?).ok()?;
        let (message, others) = rest.split_at_checked(size)?;
        if kind == RECOVERY_POINT {
            return Bits { bytes: message, at: 0 }.exp_golomb();
        }
        rest = others;
    }
    None
}

/// A number in bytes of which each that is 255 says that another follows.
fn extended_number(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    loop {
        let (byte, others) = rest.split_first()?;
        *rest = others;
        number = number.checked_add(u32::from(*byte))?;
        if *byte != 255 {
            return Some(number);
        }
    }
}

/// Whether a slice builds on two others: ITU-T H.264, 7.3.3 and table 7-6.
fn is_bidirectional(data: &[u8]) -> bool {
    let plain = without_escapes(&data[..data.len().min(MAX_SLICE_START)]);
    let mut bits = Bits { bytes: &plain, at: 0 };
    let (_first_macroblock, kind) = (bits.exp_golomb(), bits.exp_golomb());
    kind.is_some_and(|kind| kind % 5 == 1)
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn next(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1 == 1;
        self.at += 1;
        Some(bit)
    }

    /// An Exp-Golomb code: ITU-T H.264, 9.1.
    fn exp_golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.next()? {
            zeros += 1;
        }
        let mut number = 1_u64;
        for _ in 0..zeros {
            number = number.checked_mul(2)?.checked_add(u64::from(self.next()?))?;
        }
        u32::try_from(number - 1).ok()
    }
}

/// Bytes without those that keep start codes from showing up in them: ITU-T H.264, 7.4.1.
fn without_escapes(data: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(data.len());
    let mut zeros = 0;
    for byte in data {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        plain.push(*byte);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_point_is_found_behind_other_messages() {
        // A message of 3 bytes, one of 300, then a recovery point of 3 frames (00100), exact, and the end.
        let mut sei = vec![5, 3, 0, 0, 3, 0];
        sei.extend([5, 255, 45]);
        sei.extend([9; 300]);
        sei.extend([6, 2, 0b0010_0100, 0, 0x80]);
        assert_eq!(classify(&[&[6], sei.as_slice()].concat()), Kind::Recovery(3));
        assert_eq!(classify(&[6, 6, 1, 0x80, 0x80]), Kind::Recovery(0));
        for broken in [&[6][..], &[6, 6], &[6, 6, 9, 1], &[6, 255, 255], &[6, 6, 1, 0, 0x80]] {
            assert_eq!(classify(broken), Kind::Other, "{broken:?}");
        }
    }

    #[test]
    fn slices_are_told_apart() {
        let slice = |is_first, entry, is_reference, lead| Kind::Slice { is_first, entry, is_reference, lead };
        assert_eq!(classify(&[0x65, 0x88]), slice(true, Entry::Clean, true, Lead::No));
        assert_eq!(classify(&[0x41, 0x9a]), slice(true, Entry::None, true, Lead::No));
        assert_eq!(classify(&[0x01, 0x9f]), slice(true, Entry::None, false, Lead::Perhaps));
        assert_eq!(classify(&[0x01, 0x4f]), slice(false, Entry::None, false, Lead::No));
        assert_eq!(
            (classify(&[0x67, 1]), classify(&[9, 0xf0]), classify(&[])),
            (Kind::Sequence, Kind::Delimiter, Kind::Other)
        );
    }
}
