//! The sender's clock: when each frame was captured, and how that clock lies to the local one.

use crate::clock::SECOND;
use crate::frame::CaptureClock;
use crate::stats::SenderClock;

/// RTP time has 32 bits (RFC 3550, section 5.1) of, for video, 1/90000 s (RFC 3551, section 5): it begins anew after
/// so long, and libavformat may count a frame from before a report as one from after the next time round.
const WRAP_NS: i64 = (1_i64 << 32) * SECOND / 90_000;

/// A time of capture this near to a whole number of rounds off is off by that.
const WRAP_TOLERANCE_NS: i64 = 10 * SECOND;

/// NTP counts seconds by 32 bits, and begins anew with each era: the next begins on 2036-02-07 (RFC 5905, section 6).
const ERA_NS: i64 = (1_i64 << 32) * SECOND;

/// 2026-01-01, before which no local clock is right.
const EARLIEST_NS: i64 = 1_767_225_600 * SECOND;

/// What part of a new measurement goes into the jitter, as in RFC 3550, section 6.4.1.
const JITTER_SHARE: i64 = 16;

/// Ties the times of capture that come with some units to the timestamps that all have.
#[derive(Debug, Default)]
pub(crate) struct CaptureTimes {
    /// From the stream's timestamps to the sender's clock, once a unit told.
    offset_ns: Option<i64>,
    /// From the sender's clock to the arrival by the local clock, last time.
    transit_ns: Option<i64>,
    jitter_ns: i64,
}

impl CaptureTimes {
    /// The time of capture of a unit, from what came with it and what came with those before.
    pub(crate) fn resolve(
        &mut self,
        told_ns: Option<i64>,
        pts_ns: Option<i64>,
        arrival_ns: i64,
    ) -> Option<(i64, CaptureClock)> {
        let Some(told_ns) = told_ns else {
            // A report holds for what follows it, too.
            let known = self.offset_ns?.checked_add(pts_ns?)?;
            return Some((known, CaptureClock::Rtcp));
        };
        let told_ns = in_nearest_era(told_ns, arrival_ns);
        let expected_ns = self.offset_ns.zip(pts_ns).map_or(arrival_ns, |(offset, pts)| offset.saturating_add(pts));
        let capture_ns = unwrap(told_ns, expected_ns);
        self.offset_ns = pts_ns.and_then(|pts| capture_ns.checked_sub(pts)).or(self.offset_ns);
        self.measure(arrival_ns.saturating_sub(capture_ns));
        Some((capture_ns, CaptureClock::Rtcp))
    }

    fn measure(&mut self, transit_ns: i64) {
        if let Some(last) = self.transit_ns.replace(transit_ns) {
            let change = transit_ns.saturating_sub(last).saturating_abs();
            self.jitter_ns += (change - self.jitter_ns) / JITTER_SHARE;
        }
    }

    /// What to add to a timestamp of this stream to have the time of capture, once it is known.
    pub(crate) fn offset_ns(&self) -> Option<i64> {
        self.offset_ns
    }

    /// How the sender's clock lies to the local one, once it is known.
    pub(crate) fn sender_clock(&self) -> Option<SenderClock> {
        self.transit_ns.map(|offset_ns| SenderClock { offset_ns, jitter_ns: self.jitter_ns })
    }
}

/// The sender's time in the era of NTP in which it is nearest to the local time.
fn in_nearest_era(told_ns: i64, local_ns: i64) -> i64 {
    let off_ns = i128::from(local_ns.max(EARLIEST_NS)) - i128::from(told_ns);
    let eras = (off_ns + i128::from(ERA_NS / 2)).div_euclid(i128::from(ERA_NS));
    i64::try_from(i128::from(told_ns) + eras * i128::from(ERA_NS)).unwrap_or(told_ns)
}

/// Takes whole rounds of the 32-bit clock out of a time that is off by them.
fn unwrap(told_ns: i64, expected_ns: i64) -> i64 {
    let off_ns = told_ns.saturating_sub(expected_ns);
    let rounds = (off_ns as f64 / WRAP_NS as f64).round() as i64;
    let rest_ns = off_ns.saturating_sub(rounds.saturating_mul(WRAP_NS));
    if rounds != 0 && rest_ns.saturating_abs() <= WRAP_TOLERANCE_NS {
        told_ns.saturating_sub(rounds.saturating_mul(WRAP_NS))
    } else {
        told_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: i64 = 1_000_000;
    const NOW: i64 = 1_700_000_000 * SECOND;

    fn time(resolved: Option<(i64, CaptureClock)>) -> Option<i64> {
        resolved.map(|(time, _)| time)
    }

    #[test]
    fn a_unit_without_a_time_gets_it_from_those_before() {
        let mut times = CaptureTimes::default();
        assert_eq!(time(times.resolve(None, Some(0), NOW)), None);
        assert_eq!(time(times.resolve(Some(NOW - 5 * MS), Some(40 * MS), NOW)), Some(NOW - 5 * MS));
        assert_eq!(time(times.resolve(None, Some(80 * MS), NOW)), Some(NOW + 35 * MS));
        assert_eq!(times.offset_ns(), Some(NOW - 45 * MS));
        assert_eq!(time(times.resolve(None, None, NOW)), None);
    }

    #[test]
    fn a_round_of_the_32_bit_clock_is_taken_out() {
        let mut times = CaptureTimes::default();
        assert_eq!(time(times.resolve(Some(NOW + WRAP_NS), Some(0), NOW)), Some(NOW));
        assert_eq!(time(times.resolve(Some(NOW - WRAP_NS + 40 * MS), Some(40 * MS), NOW)), Some(NOW + 40 * MS));
    }

    #[test]
    fn a_sender_whose_clock_is_wrong_is_believed() {
        let mut times = CaptureTimes::default();
        for wrong in [-3_600 * SECOND, 86_400 * SECOND, -NOW] {
            assert_eq!(time(times.resolve(Some(NOW + wrong), None, NOW)), Some(NOW + wrong));
            assert_eq!(times.sender_clock().map(|clock| clock.offset_ns), Some(-wrong));
        }
    }

    /// The time of capture that an NTP time of so many seconds stands for, where the local clock shows that time.
    fn captured(ntp_s: i64, local_s: i64) -> Option<i64> {
        let told_ns = (ntp_s - 2_208_988_800) * SECOND;
        time(CaptureTimes::default().resolve(Some(told_ns), None, local_s * SECOND)).map(|ns| ns / SECOND)
    }

    #[test]
    fn ntp_times_are_of_the_nearest_era() {
        let (year, next_era) = (31_556_952, 2_085_978_496);
        // The last second of the era and the first of the next, seen from either side.
        for local in [next_era - 1, next_era, next_era + 10 * year, 1_800_000_000] {
            assert_eq!(captured((1 << 32) - 1, local), Some(next_era - 1), "{local}");
            assert_eq!(captured(0, local), Some(next_era), "{local}");
            assert_eq!(captured(10 * year, local), Some(next_era + 10 * year), "{local}");
        }
        // Senders whose clocks are wrong are believed.
        assert_eq!(captured(2_208_988_800, 1_800_000_000), Some(0));
        // A local clock that was never set does not count.
        for local in [0, 10 * year, -year] {
            assert_eq!(captured(2_208_988_800 + 1_800_000_000, local), Some(1_800_000_000));
            assert_eq!(captured(10 * year, local), Some(next_era + 10 * year));
        }
        // The era after the next.
        assert_eq!(captured(5, 2 * 4_294_967_296 - 2_208_988_800), Some(2 * 4_294_967_296 - 2_208_988_800 + 5));
    }

    proptest! {
        #[test]
        fn no_time_is_too_far_away(times in prop::collection::vec(any::<(Option<i64>, Option<i64>, i64)>(), 1..40)) {
            let mut capture = CaptureTimes::default();
            for (told, pts, arrival) in times {
                capture.resolve(told, pts, arrival);
            }
        }
    }

    #[test]
    fn jitter_is_none_on_an_even_way_and_grows_on_an_uneven_one() {
        let mut times = CaptureTimes::default();
        for n in 0..100 {
            times.resolve(Some(NOW + n * 40 * MS), Some(n * 40 * MS), NOW + n * 40 * MS + MS);
        }
        assert_eq!(times.jitter_ns, 0);
        for n in 100..200 {
            times.resolve(Some(NOW + n * 40 * MS), Some(n * 40 * MS), NOW + n * 40 * MS + (n % 2) * 8 * MS);
        }
        assert!((7 * MS..=8 * MS).contains(&times.jitter_ns), "{}", times.jitter_ns);
    }
}
