//! "Keep this frame?": brings a stream to a lower frame rate, by its timestamps alone.
//!
//! Grid points lie `1/rate` apart, anchored at the first frame. The first frame at or after each point is kept; nothing
//! waits for a later one. A frame may come a little early, so that rounded timestamps do not miss their point: 25 frames
//! a second in and 5 wanted keeps one every 200 ms. From a source that is no faster than what is wanted it may come
//! earlier still: 25 in and 25 wanted keeps every frame, however uneven the timestamps are. By how much is a constant as
//! long as the source keeps its rate, so that any window of time holds its share of frames, give or take one. Points that no frame came for are counted:
//! whoever wants a constant rate repeats the frame before at them.
//!
//! Where the timestamps of a live stream do not keep pace with its arrival, arrival decides.

use crate::clock::SECOND;
use crate::clock_check::ClockCheck;
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
    /// For live streams.
    check: Option<ClockCheck>,
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
        Self { rate, last: None, elapsed_ns: 0, next_point: 0, usual_step_ns: 0, is_slow: false, check: None }
    }

    /// Begins with another connection, whose timestamps have nothing in common with those before. Whether they are
    /// compared with arrival is up to the caller: files, and streams that wait for their reader, have a pace of their own.
    pub fn connect(&mut self, checks_clock: bool) {
        self.check = checks_clock.then(ClockCheck::default);
        if let Some(last) = &mut self.last {
            last.pts_ns = None;
        }
    }

    /// Whether timestamps decide, and not arrival.
    pub fn follows_timestamps(&self) -> bool {
        self.check.as_ref().is_none_or(ClockCheck::is_reliable)
    }

    /// By how many seconds the timestamps have advanced in a second of arrival, where that is looked at.
    pub fn clock_speed(&self) -> Option<f64> {
        self.check.as_ref().map(ClockCheck::speed)
    }

    /// The time from the first frame to the last one, by what decides.
    pub fn elapsed_ns(&self) -> i64 {
        self.elapsed_ns
    }

    /// Whether to keep the frame with this timestamp (`None`: it has none), which arrived at this moment.
    pub fn keep(&mut self, pts_ns: Option<i64>, arrival_ns: i64) -> Option<Kept> {
        self.advance(pts_ns, arrival_ns);
        let Some(rate) = self.rate else { return Some(Kept::default()) };
        let reached = point_at(rate, self.elapsed_ns.saturating_add(self.early_ns(rate.interval_ns())));
        let missed = reached.checked_sub(self.next_point).filter(|missed| *missed >= 0)?;
        self.next_point = reached.saturating_add(1);
        Some(Kept { missed: u32::try_from(missed).unwrap_or(u32::MAX) })
    }

    fn advance(&mut self, pts_ns: Option<i64>, arrival_ns: i64) {
        // Where pictures are sent in another order than they are shown, some arrive before the one shown before them.
        let arrival_ns = self.last.map_or(arrival_ns, |last| last.arrival_ns.max(arrival_ns));
        let stamp = Stamp { pts_ns, arrival_ns };
        if let Some(last) = self.last.replace(stamp) {
            let step = self.step_between(last, stamp);
            self.elapsed_ns = self.elapsed_ns.saturating_add(step);
            // Slowly, and not by much: one long step is a stall.
            self.usual_step_ns = match self.usual_step_ns {
                0 => step,
                usual => usual + (step.min(usual.saturating_mul(2)) - usual) / 16,
            };
        }
    }

    /// The time between two frames, by what decides.
    fn step_between(&mut self, last: Stamp, next: Stamp) -> i64 {
        let arrived = next.arrival_ns.saturating_sub(last.arrival_ns);
        let stamped = match (last.pts_ns, next.pts_ns) {
            (Some(a), Some(b)) if (0..=LARGEST_STEP_NS).contains(&b.saturating_sub(a)) => b.saturating_sub(a),
            _ => arrived,
        };
        let was_followed = self.follows_timestamps();
        if let Some(check) = &mut self.check {
            check.note(stamped, arrived);
        }
        if self.follows_timestamps() != was_followed {
            self.usual_step_ns = 0;
        }
        if self.follows_timestamps() { stamped } else { arrived }
    }

    /// How much before its grid point a frame may come.
    fn early_ns(&mut self, interval_ns: i64) -> i64 {
        // Once slow, it is so until it is clearly faster.
        let limit_ns = if self.is_slow { interval_ns / 5 * 4 } else { interval_ns / 10 * 9 };
        self.is_slow = self.usual_step_ns > limit_ns;
        if self.is_slow { interval_ns / 2 } else { interval_ns / 8 }
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

    // ---- Timestamps against arrival ----

    /// A pacer to 5 frames a second that looks after the clock.
    fn checking() -> Pacer {
        let mut pacer = Pacer::new(rate(5, 1));
        pacer.connect(true);
        pacer
    }

    /// Arrivals of which frames are kept, of frames with these timestamps and arrivals in ms.
    fn arrivals(pacer: &mut Pacer, frames: impl IntoIterator<Item = (i64, i64)>) -> Vec<i64> {
        frames.into_iter().filter(|(pts, at)| pacer.keep(Some(pts * MS), at * MS).is_some()).map(|(_, at)| at).collect()
    }

    /// Fails unless any window of a second up to 5 seconds holds five frames a second, give or take one.
    fn assert_five_a_second(kept: &[i64], from_ms: i64, to_ms: i64) {
        for seconds in 1..=5 {
            for begin in (from_ms..to_ms - seconds * 1_000).step_by(170) {
                let window = begin..begin + seconds * 1_000;
                let count = kept.iter().filter(|at| window.contains(at)).count() as i64;
                assert!((5 * seconds - 1..=5 * seconds + 1).contains(&count), "{count} in {window:?}: {kept:?}");
            }
        }
    }

    /// How arrival is late, in ms, at each frame of a stream of 25 frames a second.
    fn lateness(kind: usize, n: i64) -> i64 {
        let ms = n * 40;
        match kind {
            0 => 0,
            // A network that holds everything up for 3 s, three times, and brings it at once.
            1 => [8_000, 20_000, 23_500]
                .iter()
                .map(|stall| (stall + 3_000 - ms) * i64::from((*stall..stall + 3_000).contains(&ms)))
                .sum(),
            // Groups of pictures, each sent at once: of 0.48, 2 and 4 s.
            2 => 480 - ms % 480,
            3 => 2_000 - ms % 2_000,
            4 => 4_000 - ms % 4_000,
            // 3 s in which frames come at a tenth of their pace, then all at once.
            5 => {
                if (8_000..8_300).contains(&ms) {
                    (ms - 8_000) * 9
                } else {
                    (11_000 - ms) * i64::from((8_300..11_000).contains(&ms))
                }
            }
            // The last 10 s come at once at the beginning.
            6 => (10_000 - ms).max(0),
            // What was held up for 8 s comes at three times its pace.
            7 => ((8_000 - (ms - 9_000) * 2 / 3) * i64::from(ms >= 9_000)).max(0),
            _ => (n * 7_919 % 300).max(0),
        }
    }

    #[test]
    fn a_good_clock_keeps_its_grid_however_frames_arrive() {
        for kind in 0..9 {
            let mut latest = 0;
            let frames: Vec<_> = (0..3_000)
                .map(|n| {
                    latest = (n * 40 + lateness(kind, n)).max(latest);
                    (n * 40, latest)
                })
                .collect();
            let mut pacer = checking();
            for (n, (pts, at)) in frames.into_iter().enumerate() {
                assert_eq!(pacer.keep(Some(pts * MS), at * MS).is_some(), n % 5 == 0, "kind {kind}, frame {n}");
                assert!(pacer.follows_timestamps(), "kind {kind}, frame {n}");
            }
        }
    }

    #[test]
    fn a_clock_that_drifts_keeps_its_grid_for_a_day() {
        for drift_ppm in [-200, 200] {
            let mut pacer = checking();
            let frames: i64 = if cfg!(miri) { 25 * 60 } else { 25 * 3_600 * 24 };
            for n in 0..frames {
                let at = n * (40 * MS + 40 * drift_ppm);
                assert_eq!(pacer.keep(Some(n * 40 * MS), at).is_some(), n % 5 == 0, "{drift_ppm} ppm, frame {n}");
            }
            assert!(pacer.follows_timestamps());
        }
    }

    #[test]
    fn pictures_that_arrive_out_of_their_order_are_no_fault_of_the_clock() {
        // Shown in the order B B P, sent in the order P B B.
        let mut pacer = checking();
        let frames = (0..3_000_i64).map(|n| (n * 40, n / 3 * 120 + [40, 80, 0][n as usize % 3]));
        assert_eq!(arrivals(&mut pacer, frames).len(), 600);
        assert!(pacer.follows_timestamps());
    }

    #[test]
    fn a_clock_that_does_not_keep_pace_gives_way_within_seconds() {
        // Standing, ten times too slow, half as fast, too fast.
        for (num, den) in [(0, 1), (1, 10), (1, 2), (4, 5), (6, 5), (2, 1), (21, 2), (100, 1)] {
            let mut pacer = checking();
            let kept = arrivals(&mut pacer, (0..25 * 60).map(|n| (n * 40 * num / den, n * 40)));
            assert!(!pacer.follows_timestamps());
            assert_five_a_second(&kept, 17_000, 60_000);
            let wrong = kept.len() as i64 - 300;
            assert!(wrong.abs() <= 3 * 5 + 30, "{num}/{den}: {wrong}");
        }
    }

    #[test]
    fn timestamps_in_the_order_of_sending_give_way() {
        let mut pacer = checking();
        let frames = (0..25 * 60_i64).map(|n| ((n / 3 * 3 + [2, 0, 1][n as usize % 3]) * 40, n * 40));
        let kept = arrivals(&mut pacer, frames);
        assert_five_a_second(&kept, 12_000, 60_000);
    }

    #[test]
    fn a_clock_that_is_right_again_decides_again() {
        let mut pacer = checking();
        let standing = (0..500).map(|n| (0, n * 40));
        let right = (500..2_500).map(|n| (n * 40 + 777_000, n * 40));
        let count = arrivals(&mut pacer, standing.chain(right)).len();
        assert!((480..=486).contains(&count), "3 s of 100 are missing: {count}");
        assert!(pacer.follows_timestamps());
        assert!((pacer.clock_speed().unwrap_or_default() - 1.0).abs() < 0.01);
        // And the next connection begins without what is known of the one before.
        arrivals(&mut pacer, (2_500..3_000).map(|n| (0, n * 40)));
        assert!(!pacer.follows_timestamps());
        pacer.connect(true);
        assert!(pacer.follows_timestamps());
    }

    #[test]
    fn a_clock_that_is_wrong_again_and_again_is_believed_less_and_less() {
        let (mut pacer, mut changes, mut was) = (checking(), 0, true);
        for n in 0..25 * 3_600_i64 {
            // Wrong for 20 s of each minute.
            let pts = n * 40 - (n * 40 / 60_000 * 20_000 + (n * 40 % 60_000).min(20_000));
            pacer.keep(Some(pts * MS), n * 40 * MS);
            changes += i64::from(std::mem::replace(&mut was, pacer.follows_timestamps()) != was);
        }
        assert!(changes < 12, "{changes}");
    }

    proptest! {
        #[test]
        fn any_steps_give_five_a_second_by_arrival_before_long(
            num in 0_i64..4_000, jumps in prop::collection::vec((0_i64..3_000, -20_000_i64..20_000), 0..20),
        ) {
            // Far from the pace of arrival, with jumps.
            prop_assume!(!(700..1_400).contains(&num));
            let mut pacer = checking();
            let frames = (0..25 * 120_i64).map(|n| {
                let jumped: i64 = jumps.iter().filter(|(at, _)| *at <= n).map(|(_, by)| by).sum();
                (n * 40 * num / 1_000 + jumped, n * 40)
            });
            let kept = arrivals(&mut pacer, frames);
            prop_assert!(!pacer.follows_timestamps());
            let late = kept.iter().filter(|at| **at >= 60_000).count() as i64;
            prop_assert!((299..=301).contains(&late), "{}", late);
        }
    }
}
