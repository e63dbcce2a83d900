//! H.264 and H.265 as byte streams: NAL units between start codes (ITU-T H.264 and H.265, annex B).

use super::{Entry, Format, Kind, entry_of};

const START_CODE: &[u8] = &[0, 0, 1];

/// What bytes tell of the access unit that they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contents {
    /// They begin where an access unit does, and hold no second one.
    pub(crate) is_one_unit: bool,
    pub(crate) entry: Entry,
}

impl Contents {
    pub(crate) fn of(format: Format, bytes: &[u8]) -> Self {
        let kinds: Vec<Kind> = nal_units(bytes).map(|nal| format.classify(nal)).collect();
        let delimiters = kinds.iter().filter(|kind| **kind == Kind::Delimiter).count();
        Self { is_one_unit: kinds.first() == Some(&Kind::Delimiter) && delimiters == 1, entry: entry_among(&kinds) }
    }
}

fn entry_among(kinds: &[Kind]) -> Entry {
    let slices = || kinds.iter().filter_map(|kind| if let Kind::Slice(slice) = kind { Some(*slice) } else { None });
    let recovery =
        kinds.iter().find_map(|kind| if let Kind::Recovery(recovery) = kind { Some(*recovery) } else { None });
    slices().next().map_or(Entry::None, |first| entry_of(first, slices().all(|slice| slice.is_intra), recovery))
}

/// The NAL units between the start codes.
pub(crate) fn nal_units(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = find(bytes, START_CODE).map(|at| &bytes[at + START_CODE.len()..]);
    std::iter::from_fn(move || {
        let all = rest.take()?;
        let end = find(all, START_CODE);
        rest = end.map(|end| &all[end + START_CODE.len()..]);
        let nal = &all[..end.unwrap_or(all.len())];
        // A start code may have another zero before it, which no NAL unit ends with.
        Some(nal.strip_suffix(&[0]).unwrap_or(nal))
    })
}

/// Where these bytes begin for the first time.
pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_lie_between_start_codes_of_either_length() {
        let bytes = [9, 9, 0, 0, 1, 0x41, 5, 0, 0, 0, 1, 0x65, 7, 0, 0, 1];
        let units: Vec<&[u8]> = nal_units(&bytes).collect();
        assert_eq!(units, [&[0x41, 5][..], &[0x65, 7], &[]]);
        assert_eq!(nal_units(&[0, 0]).count(), 0);
    }

    #[test]
    fn one_unit_is_told_from_more_and_from_a_part() {
        let h264 = |bytes: &[u8]| Contents::of(Format::H264, bytes);
        let whole = [0, 0, 0, 1, 9, 16, 0, 0, 1, 0x65, 1, 2];
        assert_eq!(h264(&whole), Contents { is_one_unit: true, entry: Entry::Clean });
        assert!(!h264(&[whole, whole].concat()).is_one_unit);
        assert!(!h264(&whole[6..]).is_one_unit);
        assert!(!h264(&[]).is_one_unit);
        let h265 = [0, 0, 1, 35 << 1, 1, 0, 0, 1, 21 << 1, 1, 9];
        assert_eq!(Contents::of(Format::H265, &h265), Contents { is_one_unit: true, entry: Entry::Open });
    }
}
