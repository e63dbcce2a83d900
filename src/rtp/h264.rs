//! H.264 over RTP: RFC 6184. What its NAL units mean: ITU-T H.264.

use super::Entry;
use super::nal::{Kind, Payload};

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
            return exp_golomb(message);
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

/// The Exp-Golomb code that bytes begin with: ITU-T H.264, 9.1.
fn exp_golomb(bytes: &[u8]) -> Option<u32> {
    let bit = |at: usize| bytes.get(at / 8).map(|byte| u32::from(byte >> (7 - at % 8) & 1));
    let zeros = (0..32).find(|at| bit(*at) != Some(0))?;
    let number = (zeros..=2 * zeros).try_fold(0_u64, |number, at| Some(number << 1 | u64::from(bit(at)?)))?;
    u32::try_from(number.checked_sub(1)?).ok()
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
        let slice = |is_first, entry, is_reference| Kind::Slice { is_first, entry, is_reference };
        assert_eq!(classify(&[0x65, 0x88]), slice(true, Entry::Clean, true));
        assert_eq!(classify(&[0x41, 0x9a]), slice(true, Entry::None, true));
        assert_eq!(classify(&[0x01, 0x40]), slice(false, Entry::None, false));
        assert_eq!(
            (classify(&[0x67, 1]), classify(&[9, 0xf0]), classify(&[])),
            (Kind::Sequence, Kind::Delimiter, Kind::Other)
        );
    }
}
