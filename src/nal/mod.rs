//! NAL units of H.264 and H.265: what one of them is for, and where they lie in a byte stream. Pure functions of bytes.

mod h264;
mod h265;
mod sei;
mod stream;

pub(crate) use stream::{Contents, find, nal_units};

/// Whose NAL units they are: what the header of one means depends on the codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    H264,
    H265,
}

/// What a NAL unit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first of an access unit, where there is one.
    Delimiter,
    /// The parameter set with which those before a key frame begin: the sequence's in H.264, the video's in H.265.
    Sequence,
    /// Messages before a picture.
    Message,
    /// Among them the one that says where decoding may begin.
    Recovery(Recovery),
    /// A part of a picture.
    Slice(Slice),
    Other,
}

/// What the first bytes of a slice tell of its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slice {
    /// The picture begins with it.
    pub(crate) is_first: bool,
    pub(crate) entry: Entry,
    /// It builds on no other picture, as far as is looked at: in H.265 that is not, and it says no.
    pub(crate) is_intra: bool,
    /// Other pictures may build on it.
    pub(crate) is_reference: bool,
    pub(crate) lead: Lead,
}

/// A recovery point: ITU-T H.264, D.2.8; ITU-T H.265, D.3.8. The promise is the encoder's, and not all keep theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recovery {
    /// Pictures are right once so many frames have followed.
    pub(crate) frames: u32,
    /// Right to the bit, not only to the eye.
    pub(crate) is_exact: bool,
    /// What leads it builds on what was cut away.
    pub(crate) is_broken: bool,
}

/// Whether decoding may begin at a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    None,
    /// All pictures from here on are right.
    Clean,
    /// All but those that lead it, unless what came before it is there.
    Open,
    /// All but those that lead it.
    Broken,
    /// Right to the eye once so many frames have followed, if the encoder keeps its promise: the picture is refreshed in
    /// parts.
    Gradual(u32),
}

impl Entry {
    /// Whether a whole picture is there with it.
    pub(crate) fn is_key(self) -> bool {
        matches!(self, Self::Clean | Self::Open | Self::Broken)
    }
}

/// Whether a picture leads the entry that came before it: it is shown before that and may build on what was before.
/// Timestamps do not tell, as some senders number pictures in the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    No,
    /// If it comes directly after it, with none between them that does not lead.
    Perhaps,
    Yes,
}

impl Format {
    /// By libav's name; `None` for codecs that have no NAL units.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "h264" => Some(Self::H264),
            "hevc" => Some(Self::H265),
            _ => None,
        }
    }

    /// Bytes of a NAL unit's header: H.264, section 7.3.1; H.265, section 7.3.1.2.
    pub(crate) fn header_size(self) -> usize {
        match self {
            Self::H264 => 1,
            Self::H265 => 2,
        }
    }

    /// What a NAL unit is for; its first bytes are enough to know.
    pub(crate) fn classify(self, nal: &[u8]) -> Kind {
        match self {
            Self::H264 => h264::classify(nal),
            Self::H265 => h265::classify(nal),
        }
    }

    /// Whether it holds a part of a picture.
    pub(crate) fn is_slice(self, nal: &[u8]) -> bool {
        matches!(self.classify(nal), Kind::Slice(_))
    }
}

/// Whether decoding may begin at a picture, by its slices (all of one picture have the same entry), whether all of them
/// build on no other, and the message before them.
pub(crate) fn entry_of(slice: Slice, are_all_intra: bool, recovery: Option<Recovery>) -> Entry {
    match (slice.entry, recovery) {
        (Entry::None, Some(Recovery { frames: 0, is_exact: true, is_broken })) if are_all_intra => {
            if is_broken {
                Entry::Broken
            } else {
                Entry::Open
            }
        }
        (Entry::None, Some(Recovery { frames, .. })) => Entry::Gradual(frames),
        (entry, _) => entry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_pictures_that_are_said_to_be_exact_are_whole_entries() {
        let slice = |entry| Slice { is_first: true, entry, is_intra: true, is_reference: true, lead: Lead::No };
        let plain = slice(Entry::None);
        let recovery = |frames, is_exact, is_broken| Some(Recovery { frames, is_exact, is_broken });
        assert_eq!(entry_of(plain, true, recovery(0, true, false)), Entry::Open);
        assert_eq!(entry_of(plain, true, recovery(0, true, true)), Entry::Broken);
        assert_eq!(entry_of(plain, true, recovery(0, false, false)), Entry::Gradual(0));
        assert_eq!(entry_of(plain, false, recovery(0, true, false)), Entry::Gradual(0));
        assert_eq!(entry_of(plain, true, recovery(9, true, false)), Entry::Gradual(9));
        assert_eq!(entry_of(plain, true, None), Entry::None);
        assert_eq!(entry_of(slice(Entry::Clean), true, recovery(9, true, false)), Entry::Clean);
    }
}
