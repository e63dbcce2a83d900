//! "Keep this frame?": brings a stream to a lower frame rate, by its timestamps alone.
//!
//! Grid points lie `1/rate` apart, anchored at the first frame. The first frame at or after each point is kept; nothing
//! waits for a later one. A frame may come a little early, so that rounded timestamps do not miss their point: 25 frames
//! a second in and 5 wanted keeps one every 200 ms. From a source that is no faster than what is wanted it may come
//! earlier still: 25 in and 25 wanted keeps every frame, however uneven the timestamps are. By how much is a constant as
//! long as the source keeps its rate, so that any window of time holds its share of frames, give or take one. Points that no frame came for are counted:
//! whoever wants a constant rate repeats the frame before at them.

use crate::clock::SECOND;
use crate::config::Rational;

/// A step of the timestamps beyond this, or backwards, is a jump: the time of arrival counts instead.
const LARGEST_STEP_NS: i64 = 10 * SECOND;

/// Decides for each frame of a stream whether it is kept.
#[derive(Debug, Clone)]
pub struct Pacer {
    /// `None` keeps every frame.
    rate: Option<Rational>,
    last: Option<Stamp>,
    /// The stream's own time since the first frame, cleared of jumps; never goes back.
    elapsed_ns: i64,
    /// The number of the grid point that the next kept frame is for.
    next_point: i64,
    /// The usual time between two frames of the source, 0 while not known.
    usual_step_ns: i64,
    /// The source is no faster than what is wanted.
    is_slow: bool,
}

/// When a frame is to be shown by its own account, and when it arrived.
#[derive(Debug, Clone, Copy)]
struct Stamp {
    pts_ns: Option<i64>,
    arrival_ns: i64,
}

/// What to do with a frame that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Grid points before the frame's own that no frame came for.
    pub missed: u32,
}

impl Pacer {
    /// A pacer for the given rate; `None` keeps every frame.
    pub fn new(rate: Option<Rational>) -> Self {
        Self { rate, last: None, elapsed_ns: 0, next_point: 0, usual_step_ns: 0, is_slow: false }
    }

    /// Whether to keep the frame with this timestamp (`None`: it has none), which arrived at this moment.
    pub fn keep(&mut self, pts_ns: Option<i64>, arrival_ns: i64) -> Option<Kept> {
        let Some(rate) = self.rate else { return Some(Kept::default()) };
        self.advance(Stamp { pts_ns, arrival_ns });
        let reached = point_at(rate, self.elapsed_ns.saturating_add(self.early_ns(rate.interval_ns())));
        let missed = reached.checked_sub(self.next_point).filter(|missed| *missed >= 0)?;
        self.next_point = reached.saturating_add(1);
        Some(Kept { missed: u32::try_from(missed).unwrap_or(u32::MAX) })
    }

    fn advance(&mut self, stamp: Stamp) {
        if let Some(last) = self.last.replace(stamp) {
            let step = step_between(last, stamp);
            self.elapsed_ns = self.elapsed_ns.saturating_add(step);
            // Slowly, and not by much: one long step is a stall.
            self.usual_step_ns = match self.usual_step_ns {
                0 => step,
                usual => usual + (step.min(usual.saturating_mul(2)) - usual) / 16,
            };
        }
    }

    /// How much before its grid point a frame may come.
    fn early_ns(&mut self, interval_ns: i64) -> i64 {
        // Once slow, it is so until it is clearly faster.
        let limit_ns = if self.is_slow { interval_ns / 5 * 4 } else { interval_ns / 10 * 9 };
        self.is_slow = self.usual_step_ns > limit_ns;
        if self.is_slow { interval_ns / 2 } else { interval_ns / 8 }
    }
}

fn step_between(last: Stamp, next: Stamp) -> i64 {
    let arrived = next.arrival_ns.saturating_sub(last.arrival_ns).max(0);
    match (last.pts_ns, next.pts_ns) {
        (Some(a), Some(b)) if (0..=LARGEST_STEP_NS).contains(&b.saturating_sub(a)) => b.saturating_sub(a),
        _ => arrived,
    }
}

/// The number of the last grid point at or before this time, without rounding errors that could add up.
fn point_at(rate: Rational, elapsed_ns: i64) -> i64 {
    let points = i128::from(elapsed_ns) * i128::from(rate.num) / (i128::from(rate.den) * i128::from(SECOND));
    i64::try_from(points).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: i64 = 1_000_000;

    fn rate(num: u32, den: u32) -> Option<Rational> {
        Some(Rational { num, den })
    }

    /// The timestamps that a pacer keeps of a source that gives one frame every `interval_ns`.
    fn kept(pacer: &mut Pacer, stamps: impl IntoIterator<Item = i64>) -> Vec<i64> {
        stamps.into_iter().filter(|t| pacer.keep(Some(*t), *t).is_some()).collect()
    }

    #[test]
    fn one_in_five_lies_evenly() {
        let times = kept(&mut Pacer::new(rate(5, 1)), (0..100).map(|n| n * 40 * MS));
        assert_eq!(times, (0..20).map(|n| n * 200 * MS).collect::<Vec<_>>());
    }

    #[test]
    fn an_equal_rate_keeps_all_however_times_are_rounded() {
        // 30 frames a second in whole milliseconds, as Matroska and FLV have them.
        let stamps = (0..3000).map(|n| (n * 1000 + 15) / 30 * MS);
        assert_eq!(kept(&mut Pacer::new(rate(30, 1)), stamps).len(), 3000);
    }

    #[test]
    fn a_slower_source_is_kept_whole() {
        assert_eq!(kept(&mut Pacer::new(rate(25, 1)), (0..50).map(|n| n * 200 * MS)).len(), 50);
    }

    #[test]
    fn a_stall_brings_no_burst() {
        let stamps = (0..50).chain(1550..1600).map(|n| n * 40 * MS);
        let times = kept(&mut Pacer::new(rate(5, 1)), stamps);
        assert_eq!(times.len(), 20);
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 180 * MS), "{times:?}");
    }

    #[test]
    fn jumps_and_missing_times_fall_back_on_arrival() {
        let mut pacer = Pacer::new(rate(5, 1));
        let pts = |n: i64| match n {
            0..50 => Some(n * 40 * MS),
            50..100 => Some((n + 100_000) * 40 * MS),
            100..150 => Some((n - 100) * 40 * MS),
            _ => None,
        };
        let count = (0..200).filter(|n| pacer.keep(pts(*n), n * 40 * MS).is_some()).count();
        assert!((39..=41).contains(&count), "{count}");
    }

    #[test]
    fn points_without_a_frame_are_counted() {
        let mut pacer = Pacer::new(rate(25, 1));
        let missed: Vec<u32> = [0, 40, 120, 160, 1_160]
            .iter()
            .filter_map(|t| pacer.keep(Some(t * MS), t * MS))
            .map(|kept| kept.missed)
            .collect();
        assert_eq!(missed, [0, 0, 1, 0, 24]);
        assert_eq!(Pacer::new(None).keep(None, 0), Some(Kept::default()));
    }

    #[test]
    fn a_simulated_year_does_not_drift() {
        let hours = if cfg!(miri) { 6 } else { 24 * 365 };
        let mut pacer = Pacer::new(rate(30_000, 1001));
        // One frame an hour stands for the many between: the grid point must be that of exact arithmetic.
        let hour = 3_600 * SECOND;
        pacer.last = Some(Stamp { pts_ns: Some(0), arrival_ns: 0 });
        for n in 1..=hours {
            for part in 1..=360 {
                pacer.keep(Some((n - 1) * hour + part * hour / 360), 0);
            }
        }
        let exact = i128::from(hours * hour) * 30_000 / 1001 / i128::from(SECOND);
        // The next point of the grid, or the one after where the last frame was early for its own.
        assert!((1..=2).contains(&(i128::from(pacer.next_point) - exact)), "{} {exact}", pacer.next_point);
    }

    proptest! {
        #[test]
        fn a_faster_source_gives_time_times_rate(fps in 10i64..120, num in 1u32..10, den in 1u32..4, seconds in 5i64..60) {
            let mut pacer = Pacer::new(rate(num, den));
            let count = kept(&mut pacer, (0..fps * seconds).map(|n| n * SECOND / fps)).len() as i64;
            let expected = seconds * i64::from(num) / i64::from(den);
            prop_assert!((expected - 1..=expected + 1).contains(&count), "{} of {}", count, expected);
        }

        #[test]
        fn any_window_of_an_uneven_source_holds_its_share(
            gaps in prop::collection::vec(1_i64..100, 50..600), num in 1_u32..11, from in 0_i64..60_000, share in 1_i64..40,
        ) {
            // A source that is always faster than what is wanted, however unevenly its frames come.
            let mut pacer = Pacer::new(rate(num, 1));
            let stamps = gaps.iter().scan(0, |t, gap| { *t += gap * MS; Some(*t) });
            let times = kept(&mut pacer, stamps);
            let last: i64 = gaps.iter().sum::<i64>() * MS;
            let begin = times[0] + (from * MS) % last;
            let share = share.min((last - begin) * i64::from(num) / SECOND);
            let end = begin + share * SECOND / i64::from(num);
            let count = times.iter().filter(|t| (begin..end).contains(*t)).count() as i64;
            prop_assert!((share - 1..=share + 1).contains(&count), "{} of {}", count, share);
        }

        #[test]
        fn no_rate_and_no_timestamps_can_overflow(
            num in 1_u32.., den in 1_u32.., stamps in prop::collection::vec(any::<(Option<i64>, i64)>(), 1..100),
        ) {
            let mut pacer = Pacer::new(rate(num, den));
            for (pts, arrival) in stamps {
                pacer.keep(pts, arrival);
            }
        }

        #[test]
        fn repeats_make_a_slow_source_whole(interval in 40_i64..900, num in 2_u32..60, frames in 10_i64..200) {
            let mut pacer = Pacer::new(rate(num, 1));
            let stamps = (0..frames).map(|n| n * interval * MS);
            let count: i64 = stamps.filter_map(|t| pacer.keep(Some(t), t)).map(|kept| i64::from(kept.missed) + 1).sum();
            let expected = (frames - 1) * interval * i64::from(num) / 1_000;
            prop_assert!((expected - 1..=expected + 2).contains(&count), "{} of {}", count, expected);
        }

        #[test]
        fn any_timestamps_pass_without_burst(steps in prop::collection::vec((any::<Option<i64>>(), 0i64..100), 1..400)) {
            let mut pacer = Pacer::new(rate(5, 1));
            let mut arrival = 0;
            let mut count = 0;
            for (pts, wait) in steps {
                arrival += wait * MS;
                count += i64::from(pacer.keep(pts, arrival).is_some());
            }
            // Random 64-bit timestamps are jumps, so that arrival decides.
            prop_assert!(count <= arrival / (200 * MS) + 2, "{} in {}", count, arrival);
        }
    }
}
