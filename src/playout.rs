//! When to show a frame of a source that does not come at its own pace: files, and streams that come in bursts.

/// A timestamp this far from the last one begins a new timeline.
const LARGEST_STEP_NS: i64 = 10_000_000_000;

/// A frame this late means that decoding cannot keep up: the timeline is moved rather than chased.
const LATEST_NS: i64 = 1_000_000_000;

/// Ties timestamps to the clock, at the first frame and again after every jump.
#[derive(Debug, Default)]
pub(crate) struct Playout {
    anchor: Option<Anchor>,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    pts_ns: i64,
    clock_ns: i64,
    last_pts_ns: i64,
}

impl Playout {
    /// When the frame with this timestamp is due by the monotonic clock; now, if it has none.
    pub(crate) fn due_ns(&mut self, pts_ns: Option<i64>, now_ns: i64) -> i64 {
        let Some(pts_ns) = pts_ns else { return now_ns };
        if let Some(anchor) = &mut self.anchor {
            let due_ns = anchor.clock_ns.saturating_add(pts_ns.saturating_sub(anchor.pts_ns));
            let is_steady = pts_ns.saturating_sub(anchor.last_pts_ns).saturating_abs() <= LARGEST_STEP_NS;
            if is_steady && now_ns.saturating_sub(due_ns) <= LATEST_NS {
                anchor.last_pts_ns = pts_ns;
                return due_ns;
            }
        }
        self.anchor = Some(Anchor { pts_ns, clock_ns: now_ns, last_pts_ns: pts_ns });
        now_ns
    }

    /// Forgets the timeline: the next frame is due at once.
    pub(crate) fn restart(&mut self) {
        self.anchor = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn frames_keep_their_distance() {
        let mut playout = Playout::default();
        let due: Vec<i64> = (0..5).map(|n| playout.due_ns(Some(7_000 * MS + n * 40 * MS), n * MS)).collect();
        assert_eq!(due, [0, 40 * MS, 80 * MS, 120 * MS, 160 * MS]);
    }

    #[test]
    fn jumps_lateness_and_missing_times_do_not_wait() {
        let mut playout = Playout::default();
        assert_eq!(playout.due_ns(Some(0), 0), 0);
        assert_eq!(playout.due_ns(None, 5), 5);
        assert_eq!(playout.due_ns(Some(900_000 * MS), 10), 10, "a jump forward");
        assert_eq!(playout.due_ns(Some(0), 20), 20, "a jump back");
        assert_eq!(playout.due_ns(Some(40 * MS), 5_000 * MS), 5_000 * MS, "late");
        assert_eq!(playout.due_ns(Some(80 * MS), 5_000 * MS), 5_040 * MS);
        playout.restart();
        assert_eq!(playout.due_ns(Some(120 * MS), 9_000 * MS), 9_000 * MS, "after a pause");
        assert_eq!(playout.due_ns(Some(i64::MAX), i64::MAX), i64::MAX);
    }
}
