//! How long a source that comes in segments may be silent: until the next one is due, and no longer for every outage that
//! it has had.

/// Not knowing how long segments are, the length that RFC 8216's authors recommend is assumed.
const DEFAULT_SEGMENT_MS: i64 = 6_000;

/// Longer ones are not expected: a playlist of three would be a minute behind.
const LONGEST_SEGMENT_MS: i64 = 20_000;

/// Three segments late, a stream is lost.
const SEGMENTS: i64 = 3;

/// A shorter silence is none between two segments.
const SHORTEST_SILENCE_MS: i64 = 1_000;

/// Learns the length of segments from the silences between them.
#[derive(Debug)]
pub(super) struct SegmentClock {
    segment_ms: i64,
    last_silence_ms: i64,
}

impl Default for SegmentClock {
    fn default() -> Self {
        Self { segment_ms: DEFAULT_SEGMENT_MS, last_silence_ms: 0 }
    }
}

impl SegmentClock {
    /// Takes a silence after which the stream went on. One alone may be an outage: two in a row are as long as segments.
    pub(super) fn note_silence(&mut self, silence_ms: i64) {
        if silence_ms >= SHORTEST_SILENCE_MS {
            let usual_ms = silence_ms.min(std::mem::replace(&mut self.last_silence_ms, silence_ms));
            self.segment_ms = self.segment_ms.max(usual_ms.min(LONGEST_SEGMENT_MS));
        }
    }

    /// For how long nothing may come.
    pub(super) fn patience_ms(&self) -> i64 {
        self.segment_ms * SEGMENTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience_after(silences: &[i64]) -> i64 {
        let mut clock = SegmentClock::default();
        silences.iter().for_each(|silence| clock.note_silence(*silence));
        clock.patience_ms()
    }

    #[test]
    fn long_segments_are_waited_for() {
        assert_eq!(patience_after(&[]), 18_000);
        assert_eq!(patience_after(&[0, 10_000, 0, 1, 10_000]), 30_000);
        assert_eq!(patience_after(&[2_000, 2_000, 2_000]), 18_000);
    }

    #[test]
    fn outages_make_no_more_patient() {
        assert_eq!(patience_after(&[4_000, 0, 17_000, 0, 4_000, 0, 17_500, 3_900]), 18_000);
        // One outage after the other.
        let worse: Vec<i64> = (0..50).map(|n| 17_000 * 3_i64.pow(n / 2 % 20)).collect();
        assert_eq!(patience_after(&worse), 60_000);
        assert_eq!(patience_after(&[i64::MAX, i64::MAX]), 60_000);
    }
}
