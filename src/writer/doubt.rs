//! What a user is told of pictures that stay marked, or left out: a stream without key frames may do so for ever.

use crate::config::CorruptPolicy;
use crate::source::UnitMeta;

/// What is known of a picture.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Finding {
    pub(super) is_corrupt: bool,
    /// All of it has been refreshed in parts.
    pub(super) is_promised: bool,
    /// It is shown only because no better one came.
    pub(super) is_forced: bool,
}

/// Notices once for a connection that there may be no end to the doubt.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    since_ns: Option<i64>,
    has_told: bool,
}

impl Doubt {
    /// Takes note of a picture. Returns what is to be told; no key frame for so long is a reason.
    pub(super) fn note(
        &mut self,
        finding: Finding,
        now_ns: i64,
        keyless_ns: i64,
        policy: CorruptPolicy,
    ) -> Option<&'static str> {
        if !finding.is_corrupt || policy == CorruptPolicy::Keep {
            self.since_ns = None;
            return None;
        }
        let since_ns = *self.since_ns.get_or_insert(now_ns);
        let is_lasting = finding.is_forced || now_ns.saturating_sub(since_ns) >= keyless_ns;
        let text = match policy {
            _ if finding.is_promised => {
                "the stream is refreshed in parts: pictures look right and stay marked until a key frame comes"
            }
            _ if !is_lasting => return None,
            CorruptPolicy::Drop => "the stream shows no key frame: pictures that build on none are left out",
            _ => "the stream shows no key frame: pictures are shown as they are, and marked",
        };
        (!std::mem::replace(&mut self.has_told, true)).then_some(text)
    }
}

/// Damaged key frames in a row, for which no loss is a reason.
#[derive(Debug, Default)]
pub(super) struct DamagedKeys {
    /// When the first and the last of them arrived.
    span_ns: Option<(i64, i64)>,
    count: u32,
}

/// Fewer damaged key frames in a row may be chance.
const FEWEST_KEYS: u32 = 3;

impl DamagedKeys {
    /// Takes note of a picture, or of a packet of which no picture came.
    pub(super) fn note(&mut self, meta: &UnitMeta, is_damaged: bool) {
        if !meta.is_random_access {
            return;
        }
        if !is_damaged {
            *self = Self::default();
        } else if !meta.is_damaged && meta.lost == 0 {
            let now_ns = meta.arrival.monotonic_ns;
            let (since_ns, _) = self.span_ns.unwrap_or((now_ns, now_ns));
            self.span_ns = Some((since_ns, now_ns));
            self.count += 1;
        }
    }

    /// Whether there were enough of them, for long enough. They count anew then.
    pub(super) fn are_lasting(&mut self, patience_ns: i64) -> bool {
        let is_long = self.span_ns.is_some_and(|(since_ns, last_ns)| last_ns - since_ns >= patience_ns);
        let are_lasting = self.count >= FEWEST_KEYS && is_long;
        if are_lasting {
            *self = Self::default();
        }
        are_lasting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;

    fn key(second: i64, is_lost: bool) -> UnitMeta {
        UnitMeta {
            pts_ns: None,
            dts_ns: None,
            arrival: Moment { monotonic_ns: second, wall_ns: 0 },
            capture: None,
            is_random_access: true,
            is_refresh: false,
            is_damaged: is_lost,
            is_promised: false,
            is_incomplete: false,
            is_encrypted: false,
            lost: u64::from(is_lost),
        }
    }

    #[test]
    fn key_frames_that_stay_damaged_without_a_loss_are_lasting() {
        let mut keys = DamagedKeys::default();
        let mut lasting = |second, is_lost, is_damaged| {
            keys.note(&key(second, is_lost), is_damaged);
            keys.are_lasting(4)
        };
        assert!(!lasting(0, false, true) && !lasting(2, false, true));
        assert!(!lasting(4, true, true), "a loss is a reason");
        assert!(lasting(6, false, true));
        assert!(!lasting(8, false, true) && !lasting(10, false, true));
        assert!(!lasting(12, false, false), "a good one");
        assert!(!lasting(14, false, true) && !lasting(16, false, true) && lasting(18, false, true));
    }

    const BAD: Finding = Finding { is_corrupt: true, is_promised: false, is_forced: false };

    #[test]
    fn doubt_that_lasts_is_told_once() {
        let mut doubt = Doubt::default();
        let mut told = |finding, now_ns| doubt.note(finding, now_ns, 10, CorruptPolicy::Drop).is_some();
        assert!(!told(BAD, 0) && !told(BAD, 9));
        assert!(!told(Finding::default(), 10), "a good one ends it");
        assert!(!told(BAD, 11) && !told(BAD, 20) && told(BAD, 21) && !told(BAD, 99));
    }

    #[test]
    fn what_cannot_get_better_soon_is_told_at_once() {
        for finding in [Finding { is_promised: true, ..BAD }, Finding { is_forced: true, ..BAD }] {
            assert!(Doubt::default().note(finding, 0, 10, CorruptPolicy::Mark).is_some());
            assert!(Doubt::default().note(finding, 0, 10, CorruptPolicy::Keep).is_none());
        }
    }
}
