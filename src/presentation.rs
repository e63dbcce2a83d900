//! Presentation times where containers give decoding times only, or wrong ones: the rule of libavcodec's
//! `best_effort_timestamp` (`guess_correct_pts` in libavcodec/decode.c).

/// Chooses between the two times that a decoder returns with a picture.
///
/// A picture leaves the decoder in the order of presentation, at a packet whose decoding time has the same order. So
/// where the presentation times are missing, or go back more often than the decoding times do, those take their place.
#[derive(Debug)]
pub(crate) struct PresentationTimes {
    /// A presentation time counts wherever there is one. A live stream may lose the picture that would have kept the
    /// order, which says nothing of its times.
    trusts_pts: bool,
    last_pts_ns: Option<i64>,
    last_dts_ns: Option<i64>,
    faulty_pts: u64,
    faulty_dts: u64,
}

impl PresentationTimes {
    pub(crate) fn new(trusts_pts: bool) -> Self {
        Self { trusts_pts, last_pts_ns: None, last_dts_ns: None, faulty_pts: 0, faulty_dts: 0 }
    }

    /// The time of the next picture. `pts_ns` is that of its own packet, `dts_ns` that of the packet at which the
    /// decoder returned it.
    pub(crate) fn choose(&mut self, pts_ns: Option<i64>, dts_ns: Option<i64>) -> Option<i64> {
        let goes_back = |next: Option<i64>, last: Option<i64>| next.zip(last).is_some_and(|(next, last)| next <= last);
        self.faulty_dts += u64::from(goes_back(dts_ns, self.last_dts_ns));
        self.faulty_pts += u64::from(goes_back(pts_ns, self.last_pts_ns));
        self.last_dts_ns = dts_ns.or(pts_ns).or(self.last_dts_ns);
        self.last_pts_ns = pts_ns.or(dts_ns).or(self.last_pts_ns);
        if self.trusts_pts || self.faulty_pts <= self.faulty_dts { pts_ns.or(dts_ns) } else { dts_ns.or(pts_ns) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The times chosen for pictures with these presentation and decoding times.
    fn chosen(trusts_pts: bool, times: &[(Option<i64>, Option<i64>)]) -> Vec<Option<i64>> {
        let mut presentation = PresentationTimes::new(trusts_pts);
        times.iter().map(|(pts, dts)| presentation.choose(*pts, *dts)).collect()
    }

    #[test]
    fn decoding_times_are_those_of_the_packet_at_which_a_picture_came_out() {
        let times = [(None, Some(80)), (None, Some(120)), (None, Some(160)), (None, None)];
        assert_eq!(chosen(false, &times), [Some(80), Some(120), Some(160), None]);
    }

    #[test]
    fn presentation_times_that_go_back_give_way() {
        // An MP4 file without composition offsets: what it calls presentation times are decoding times.
        let times = [(0, 80), (80, 120), (40, 160), (160, 200), (120, 240)].map(|(pts, dts)| (Some(pts), Some(dts)));
        assert_eq!(chosen(false, &times), [0, 80, 160, 200, 240].map(Some));
        assert_eq!(chosen(true, &times), [0, 80, 40, 160, 120].map(Some));
    }

    #[test]
    fn both_sets_of_times_may_go_back_with_the_clock() {
        let times = [(900, 860), (940, 900), (0, -40), (40, 0)].map(|(pts, dts)| (Some(pts), Some(dts)));
        assert_eq!(chosen(false, &times), [900, 940, 0, 40].map(Some));
    }

    proptest! {
        #[test]
        fn a_picture_has_a_time_wherever_one_is_known(times in prop::collection::vec(any::<(Option<i64>, Option<i64>)>(), 1..60), trusts in any::<bool>()) {
            for ((pts, dts), time) in times.iter().zip(chosen(trusts, &times)) {
                prop_assert!(time == *pts || time == *dts);
                prop_assert_eq!(time.is_some(), pts.is_some() || dts.is_some());
            }
        }

        #[test]
        fn presentation_times_in_order_are_left_alone(steps in prop::collection::vec((1_i64..1000, any::<Option<i64>>()), 1..60)) {
            let times: Vec<_> = steps.iter().scan(0, |time, (step, dts)| { *time += step; Some((Some(*time), *dts)) }).collect();
            prop_assert_eq!(chosen(false, &times), times.iter().map(|(pts, _)| *pts).collect::<Vec<_>>());
        }
    }
}
