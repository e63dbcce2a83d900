//! The sender's clock: when each frame was captured, and how that clock lies to the local one.

use crate::clock::SECOND;
use crate::frame::CaptureClock;
use crate::stats::SenderClock;

/// RTP time has 32 bits (RFC 3550, section 5.1) of, for video, 1/90000 s (RFC 3551, section 5): it begins anew after
/// so long, and libavformat may count a frame from before a report as one from after the next time round.
const WRAP_NS: i64 = (1_i64 << 32) * SECOND / 90_000;

/// A time of capture this near to a whole number of rounds off is off by that.
const WRAP_TOLERANCE_NS: i64 = 10 * SECOND;

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
