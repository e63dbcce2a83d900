//! A connection's own time: timestamps that never go back, whatever the sender's clock does.

/// A step not so far back is a picture out of order: it has the time of the one before.
const SMALLEST_JUMP_NS: i64 = -1_000_000_000;

/// A greater step forward says nothing of the distance between two pictures.
const LARGEST_STEP_NS: i64 = 10_000_000_000;

/// Places timestamps on one timeline. A clock that is set back, or wraps, goes on where it was.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    last_ns: Option<i64>,
    /// The last distance between two timestamps.
    step_ns: i64,
    /// What to add to the sender's timestamps.
    shift_ns: i64,
    /// The last time was no timestamp of the sender's.
    is_adrift: bool,
}

impl Timeline {
    /// The time of the next picture, not before the one before.
    pub(crate) fn place(&mut self, pts_ns: i64) -> i64 {
        let place = pts_ns.saturating_add(self.shift_ns);
        let Some(last) = self.last_ns else {
            self.last_ns = Some(place);
            return place;
        };
        let step = if std::mem::take(&mut self.is_adrift) { i64::MIN } else { place.saturating_sub(last) };
        let place = match step {
            ..SMALLEST_JUMP_NS => {
                let next = last.saturating_add(self.step_ns);
                self.shift_ns = next.saturating_sub(pts_ns);
                next
            }
            SMALLEST_JUMP_NS..1 => last,
            1..=LARGEST_STEP_NS => {
                self.step_ns = step;
                place
            }
            _ => place,
        };
        self.last_ns = Some(place);
        place
    }

    /// The time of the next picture where timestamps are not reliable: so long after the one before.
    pub(crate) fn follow(&mut self, step_ns: i64) -> i64 {
        let place = self.last_ns.unwrap_or(0).saturating_add(step_ns);
        (self.last_ns, self.step_ns, self.is_adrift) = (Some(place), step_ns, true);
        place
    }

    /// Whether times are still those of the sender's clock.
    pub(crate) fn is_true(&self) -> bool {
        self.shift_ns == 0 && !self.is_adrift
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: i64 = 1_000_000;

    fn places(stamps: &[i64]) -> Vec<i64> {
        let mut timeline = Timeline::default();
        stamps.iter().map(|stamp| timeline.place(stamp * MS) / MS).collect()
    }

    #[test]
    fn a_steady_clock_is_left_alone() {
        assert_eq!(places(&[-80, -40, 0, 40, 900_000, 900_040]), [-80, -40, 0, 40, 900_000, 900_040]);
    }

    #[test]
    fn a_clock_that_is_set_back_goes_on() {
        assert_eq!(places(&[5_000, 5_040, 1_400, 1_440, 1_480]), [5_000, 5_040, 5_080, 5_120, 5_160]);
    }

    #[test]
    fn pictures_out_of_order_do_not_move_the_clock() {
        assert_eq!(places(&[0, 80, 40, 120]), [0, 80, 80, 120]);
    }

    #[test]
    fn timestamps_that_are_reliable_again_go_on_from_where_others_were() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.place(7_000), 7_000);
        assert_eq!([200, 200].map(|step| timeline.follow(step)), [7_200, 7_400]);
        assert!(!timeline.is_true());
        assert_eq!([3, 43, 83].map(|pts| timeline.place(pts)), [7_600, 7_640, 7_680]);
        assert!(!timeline.is_true());
    }

    proptest! {
        #[test]
        fn time_never_goes_back(stamps in prop::collection::vec(any::<i64>(), 1..100)) {
            let mut timeline = Timeline::default();
            let places: Vec<i64> = stamps.into_iter().map(|stamp| timeline.place(stamp)).collect();
            prop_assert!(places.is_sorted());
        }
    }
}
