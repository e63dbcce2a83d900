//! What a user is told of pictures that stay marked, or left out: a stream without key frames may do so for ever.

use crate::config::CorruptPolicy;

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

#[cfg(test)]
mod tests {
    use super::*;

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
