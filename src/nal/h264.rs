//! What NAL units of H.264 mean: ITU-T H.264.

use super::sei::{Bits, Count, recovery_point, without_escapes};
use super::{Entry, Kind, Lead, Slice};

/// Types of NAL units: ITU-T H.264, table 7-1.
const SLICE: u8 = 1;
const PARTITION_A: u8 = 2;
const IDR: u8 = 5;
const SEI: u8 = 6;
const SEQUENCE_PARAMETERS: u8 = 7;
const DELIMITER: u8 = 9;

/// Types of slices, of which each has two numbers, five apart: ITU-T H.264, table 7-6.
const TYPES: u32 = 5;
const BIDIRECTIONAL: u32 = 1;
const INTRA: [u32; 2] = [2, 4];

/// The kind of a slice is found within so many bytes.
const MAX_SLICE_START: usize = 16;

pub(super) fn classify(nal: &[u8]) -> Kind {
    let Some((header, data)) = nal.split_first() else {
        return Kind::Other;
    };
    match header & 0x1f {
        kind @ (SLICE | PARTITION_A | IDR) => {
            let slice_type = slice_type(data);
            Kind::Slice(Slice {
                // first_mb_in_slice is 0, which as an Exp-Golomb code is a bit that is set.
                is_first: data.first().is_some_and(|byte| byte & 0x80 != 0),
                entry: if kind == IDR { Entry::Clean } else { Entry::None },
                is_intra: slice_type.is_some_and(|kind| INTRA.contains(&kind)),
                is_reference: header & 0x60 != 0,
                lead: if slice_type == Some(BIDIRECTIONAL) { Lead::Perhaps } else { Lead::No },
            })
        }
        SEI => recovery_point(data, Count::Frames).map_or(Kind::Message, Kind::Recovery),
        SEQUENCE_PARAMETERS => Kind::Sequence,
        DELIMITER => Kind::Delimiter,
        _ => Kind::Other,
    }
}

/// The first of the two numbers of a slice's type: ITU-T H.264, 7.3.3.
fn slice_type(data: &[u8]) -> Option<u32> {
    let plain = without_escapes(&data[..data.len().min(MAX_SLICE_START)]);
    let mut bits = Bits { bytes: &plain, at: 0 };
    let (_first_macroblock, kind) = (bits.exp_golomb()?, bits.exp_golomb()?);
    Some(kind % TYPES)
}

#[cfg(test)]
mod tests {
    use super::super::Recovery;
    use super::*;

    #[test]
    fn units_are_told_apart() {
        let slice = |is_first, entry, is_intra, is_reference, lead| {
            Kind::Slice(Slice { is_first, entry, is_intra, is_reference, lead })
        };
        // The slice types are 7, 5, 6 and 2.
        assert_eq!(classify(&[0x65, 0x88]), slice(true, Entry::Clean, true, true, Lead::No));
        assert_eq!(classify(&[0x41, 0x9a]), slice(true, Entry::None, false, true, Lead::No));
        assert_eq!(classify(&[0x01, 0x9f]), slice(true, Entry::None, false, false, Lead::Perhaps));
        assert_eq!(classify(&[0x01, 0x4f]), slice(false, Entry::None, true, false, Lead::No));
        let recovery = Recovery { frames: 0, is_exact: true, is_broken: false };
        assert_eq!(classify(&[6, 6, 1, 0b1100_0000, 0x80]), Kind::Recovery(recovery));
        assert_eq!(
            (classify(&[0x67, 1]), classify(&[9, 0xf0]), classify(&[6, 6]), classify(&[])),
            (Kind::Sequence, Kind::Delimiter, Kind::Message, Kind::Other)
        );
    }
}
