//! What NAL units of H.265 mean: ITU-T H.265.

use super::sei::{Count, recovery_point};
use super::{Entry, Kind, Lead, Slice};

/// Types of NAL units: ITU-T H.265, table 7-1.
const LAST_SLICE: u8 = 31;
const SKIPPED_LEADING: std::ops::RangeInclusive<u8> = 8..=9;
const BROKEN_LINKS: std::ops::RangeInclusive<u8> = 16..=18;
const IDRS: std::ops::RangeInclusive<u8> = 19..=20;
const CLEAN_RANDOM_ACCESS: u8 = 21;
const VIDEO_PARAMETERS: u8 = 32;
const DELIMITER: u8 = 35;
const PREFIX_SEI: u8 = 39;

pub(super) fn classify(nal: &[u8]) -> Kind {
    let [header, _, data @ ..] = nal else {
        return Kind::Other;
    };
    match header >> 1 & 0x3f {
        kind @ 0..=LAST_SLICE => Kind::Slice(Slice {
            // first_slice_segment_in_pic_flag
            is_first: data.first().is_some_and(|byte| byte & 0x80 != 0),
            entry: match kind {
                CLEAN_RANDOM_ACCESS => Entry::Open,
                _ if IDRS.contains(&kind) => Entry::Clean,
                _ if BROKEN_LINKS.contains(&kind) => Entry::Broken,
                _ => Entry::None,
            },
            // The slice's type comes behind what only the parameter sets tell the length of.
            is_intra: false,
            // So does this in effect; it only serves to count the frames of a refresh, which may then take longer.
            is_reference: true,
            lead: if SKIPPED_LEADING.contains(&kind) { Lead::Yes } else { Lead::No },
        }),
        PREFIX_SEI => recovery_point(data, Count::Order).map_or(Kind::Message, Kind::Recovery),
        VIDEO_PARAMETERS => Kind::Sequence,
        DELIMITER => Kind::Delimiter,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Recovery;
    use super::*;

    #[test]
    fn units_are_told_apart() {
        let slice =
            |entry, lead| Kind::Slice(Slice { is_first: true, entry, is_intra: false, is_reference: true, lead });
        let units = [(1, Entry::None), (16, Entry::Broken), (18, Entry::Broken), (19, Entry::Clean), (21, Entry::Open)];
        for (kind, entry) in units {
            assert_eq!(classify(&[kind << 1, 1, 0x80]), slice(entry, Lead::No));
        }
        assert_eq!(classify(&[8 << 1, 1, 0x80]), slice(Entry::None, Lead::Yes));
        // 19 frames on (000010 0110), exact.
        let recovery = Recovery { frames: 19, is_exact: true, is_broken: false };
        assert_eq!(classify(&[39 << 1, 1, 6, 2, 0b0000_0100, 0b1101_0000, 0x80]), Kind::Recovery(recovery));
        assert_eq!(
            (classify(&[32 << 1, 1]), classify(&[35 << 1, 1]), classify(&[1])),
            (Kind::Sequence, Kind::Delimiter, Kind::Other)
        );
    }
}
