//! H.264 and H.265 as byte streams: NAL units between start codes (ITU-T H.264 and H.265, annex B).

const START_CODE: &[u8] = &[0, 0, 1];

/// What the header of a NAL unit means depends on the codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    H264,
    H265,
}

impl Codec {
    /// By libav's name; `None` for codecs that are no byte streams of this kind.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "h264" => Some(Self::H264),
            "hevc" => Some(Self::H265),
            _ => None,
        }
    }

    /// Bytes of a NAL unit's header: H.264, section 7.3.1; H.265, section 7.3.1.2.
    pub(super) fn header_size(self) -> usize {
        match self {
            Self::H264 => 1,
            Self::H265 => 2,
        }
    }

    /// `nal_unit_type`; 0 of an empty unit.
    fn kind(self, nal: &[u8]) -> u8 {
        match (self, nal.first()) {
            (Self::H264, Some(header)) => header & 0x1f,
            (Self::H265, Some(header)) => header >> 1 & 0x3f,
            (_, None) => 0,
        }
    }

    /// Whether it holds a part of a picture: H.264, table 7-1; H.265, table 7-1.
    pub(super) fn is_slice(self, nal: &[u8]) -> bool {
        match self {
            Self::H264 => matches!(self.kind(nal), 1..=5),
            Self::H265 => !nal.is_empty() && self.kind(nal) < 32,
        }
    }

    /// Whether decoding may begin with it: IDR pictures, and those of H.265 that stand for one (types 16 to 23).
    fn is_random_access(self, nal: &[u8]) -> bool {
        match self {
            Self::H264 => self.kind(nal) == 5,
            Self::H265 => (16..24).contains(&self.kind(nal)),
        }
    }

    /// Whether it marks the beginning of an access unit.
    fn is_delimiter(self, nal: &[u8]) -> bool {
        match self {
            Self::H264 => self.kind(nal) == 9,
            Self::H265 => self.kind(nal) == 35,
        }
    }
}

/// What bytes tell of the access unit that they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Contents {
    /// They begin where an access unit does, and hold no second one.
    pub(super) is_one_unit: bool,
    pub(super) is_random_access: bool,
}

impl Contents {
    pub(super) fn of(codec: Codec, bytes: &[u8]) -> Self {
        let begins = nal_units(bytes).next().is_some_and(|first| codec.is_delimiter(first));
        let delimiters = nal_units(bytes).filter(|nal| codec.is_delimiter(nal)).count();
        Self {
            is_one_unit: begins && delimiters == 1,
            is_random_access: nal_units(bytes).any(|nal| codec.is_random_access(nal)),
        }
    }
}

/// The NAL units between the start codes.
pub(super) fn nal_units(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
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
pub(super) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
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
        let h264 = |bytes: &[u8]| Contents::of(Codec::H264, bytes);
        let whole = [0, 0, 0, 1, 9, 16, 0, 0, 1, 0x65, 1, 2];
        assert_eq!(h264(&whole), Contents { is_one_unit: true, is_random_access: true });
        assert!(!h264(&[whole, whole].concat()).is_one_unit);
        assert!(!h264(&whole[6..]).is_one_unit);
        assert!(!h264(&[]).is_one_unit);
        let h265 = [0, 0, 1, 35 << 1, 1, 0, 0, 1, 21 << 1, 1, 9];
        assert_eq!(Contents::of(Codec::H265, &h265), Contents { is_one_unit: true, is_random_access: true });
    }
}
