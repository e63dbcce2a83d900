//! Datagrams that the network brought twice.
//!
//! libavformat drops an RTP packet that is older than the last one it took, but takes the last one again. What is built
//! of it then holds the same bytes twice, which a decoder may well decode: to another picture.

use crate::nal::{Format, find, nal_units};

/// The greatest fragment looked for: what an Ethernet packet holds.
const LARGEST_FRAGMENT: usize = 1_500;

/// The smallest. Senders fill their packets, but for the last, whose repetition lies behind the end of the slice.
const SMALLEST_FRAGMENT: usize = 528;

/// Fragments are searched for by these many of their bytes, at every so many.
const ANCHOR: usize = 16;
const ANCHOR_STEP: usize = SMALLEST_FRAGMENT - ANCHOR;

/// What a unit repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// The unit before, from some place on, and nothing else.
    Whole,
    /// A part of itself, or of the one before.
    Part,
}

/// Looks for repetitions in H.264 and H.265 units with start codes (Annex B), as they are handed on one after the other.
pub(super) struct RepeatFinder {
    format: Format,
    /// The last NAL unit of the unit before.
    last: Vec<u8>,
}

impl RepeatFinder {
    pub(super) fn new(format: Format) -> Self {
        Self { format, last: Vec::new() }
    }

    /// What the next unit repeats.
    pub(super) fn look_at(&mut self, unit: &[u8]) -> Option<Repeat> {
        let nals: Vec<&[u8]> = nal_units(unit).collect();
        let (first, last) = (*nals.first()?, *nals.last()?);
        // The beginning of a slice that came twice was taken for a picture of its own, and so was a whole one.
        let begins_again =
            self.format.is_slice(&self.last) && self.format.is_slice(first) && first.starts_with(&self.last);
        if begins_again && unit_is_only(&nals, self.last.len()) {
            return Some(Repeat::Whole);
        }
        let is_within =
            nals.iter().any(|nal| self.format.is_slice(nal) && repeats_a_fragment(nal, self.format.header_size()));
        self.last.clear();
        self.last.extend_from_slice(last);
        (begins_again || is_within).then_some(Repeat::Part)
    }
}

fn unit_is_only(nals: &[&[u8]], size: usize) -> bool {
    matches!(nals, [only] if only.len() == size)
}

/// Whether two fragments of a NAL unit that follow each other are the same. The last may be: no decoder reads so far.
fn repeats_a_fragment(nal: &[u8], header_size: usize) -> bool {
    (header_size..nal.len()).step_by(ANCHOR_STEP).any(|at| repeats_around(nal, header_size, at).unwrap_or(false))
}

/// The same for the fragment that this place belongs to.
fn repeats_around(nal: &[u8], header_size: usize, at: usize) -> Option<bool> {
    let anchor = nal.get(at..at + ANCHOR)?;
    let ahead = &nal[at + 1..nal.len().min(at + LARGEST_FRAGMENT + ANCHOR)];
    // What recurs sooner is a pattern in the picture.
    let size = find(ahead, anchor)? + 1;
    if size < SMALLEST_FRAGMENT {
        return None;
    }
    let is_same = |place: &usize| nal.get(place + size) == Some(&nal[*place]);
    let begin = (header_size..at).rev().take_while(is_same).last().unwrap_or(at);
    let end = (at..nal.len()).take_while(is_same).last()? + 1;
    // All fragments but the last have the same size, and the header is in none.
    let first = header_size + (begin - header_size).next_multiple_of(size);
    Some(first + size <= end && first + 2 * size < nal.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRAGMENT: usize = 1_386;

    /// Bytes of a slice as an arithmetic coder leaves them: without pattern, and without what looks like a start code.
    fn slice(size: usize, seed: u64) -> Vec<u8> {
        let mut state = seed | 1;
        let noise = std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8 | 1
        });
        std::iter::once(0x41).chain(noise.take(size)).collect()
    }

    /// The same slice when a fragment came twice.
    fn with_fragment_twice(slice: &[u8], index: usize) -> Vec<u8> {
        let (header, payload) = slice.split_at(1);
        let fragments = payload.chunks(FRAGMENT).enumerate();
        let bytes = fragments.flat_map(|(at, bytes)| bytes.repeat(1 + usize::from(at == index)));
        header.iter().copied().chain(bytes).collect()
    }

    fn unit(nals: &[&[u8]]) -> Vec<u8> {
        nals.iter().flat_map(|nal| [&[0, 0, 0, 1], *nal].concat()).collect()
    }

    fn finder() -> RepeatFinder {
        RepeatFinder::new(Format::H264)
    }

    #[test]
    fn a_fragment_that_came_twice_is_found() {
        let whole = slice(5 * FRAGMENT + 300, 1);
        for index in 1..5 {
            let bad = with_fragment_twice(&whole, index);
            assert_eq!(finder().look_at(&unit(&[&[9, 16], &bad])), Some(Repeat::Part), "fragment {index}");
        }
        let harmless = with_fragment_twice(&whole, 5);
        assert_eq!(finder().look_at(&unit(&[&harmless])), None, "behind the end of the slice");
    }

    #[test]
    fn a_slice_that_begins_again_is_found() {
        let (mut finder, whole) = (finder(), slice(3 * FRAGMENT, 2));
        assert_eq!(finder.look_at(&unit(&[&[9, 16], &whole[..=FRAGMENT]])), None);
        assert_eq!(finder.look_at(&unit(&[&whole])), Some(Repeat::Part));
        assert_eq!(finder.look_at(&unit(&[&[9, 16], &slice(200, 3)])), None);
    }

    #[test]
    fn a_unit_that_came_twice_is_told_each_time() {
        let (mut finder, short) = (finder(), slice(400, 4));
        assert_eq!(finder.look_at(&unit(&[&[9, 16], &short])), None);
        assert_eq!(finder.look_at(&unit(&[&short])), Some(Repeat::Whole));
        assert_eq!(finder.look_at(&unit(&[&short])), Some(Repeat::Whole));
        assert_eq!(finder.look_at(&unit(&[&[9, 16], &slice(400, 5)])), None);
    }

    #[test]
    fn patterns_in_a_picture_are_no_repetition() {
        for period in [1, 5, 300, 527] {
            let pattern: Vec<u8> = slice(period, 6)[1..].iter().copied().cycle().take(9_000).collect();
            let flat = [&[0x41], &slice(100, 7)[1..], &pattern].concat();
            assert!(!repeats_a_fragment(&flat, 1), "period {period}");
        }
    }

    proptest! {
        #[test]
        fn slices_without_repetition_pass(seed in any::<u64>(), size in 1_usize..20_000) {
            prop_assert_eq!(finder().look_at(&unit(&[&slice(size, seed)])), None);
        }

        #[test]
        fn any_bytes_are_looked_at(units in prop::collection::vec(prop::collection::vec(0_u8..3, 0..4_000), 1..5)) {
            for format in [Format::H264, Format::H265] {
                let mut finder = RepeatFinder::new(format);
                for unit in &units {
                    finder.look_at(unit);
                }
            }
        }
    }
}
