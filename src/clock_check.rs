//! Whether the timestamps of a live stream keep pace with their arrival. Some senders have timestamps that stand still, or
//! advance several times too fast or too slowly.
//!
//! Arrival is uneven: networks hold packets up and deliver them in bursts. So what counts is not how far a frame is off,
//! but whether the stream gets ahead of its earliest arrival, or falls behind while frames keep coming.

use crate::clock::SECOND;

/// Timestamps that are off by more do not keep pace.
const LARGEST_ERROR_NS: i64 = 3 * SECOND;

/// What a server or a buffer has in store at first arrives faster than the stream advances.
const SETTLING_NS: i64 = SECOND;

/// A longer wait for a frame counts as one of this length: the network may have held the frame up.
const LONGEST_WAIT_NS: i64 = SECOND / 2;

/// A single step forward counts as one of this length at most: it may be a jump of a clock that is right otherwise.
const LARGEST_LEAP_NS: i64 = SECOND;

/// The drift of a good clock, in ns per ms: twice what a clock that NTP controls may be off by (MAXFREQ in RFC 5905,
/// appendix A.1.1), as there are two clocks.
const DRIFT_NS_PER_MS: i64 = 1_000;

/// For how long, at first, the stream's lead is looked at before it is compared with the one after.
const FIRST_WINDOW_NS: i64 = 5 * SECOND;

/// A longer window makes no difference.
const MOST_DOUBLINGS: u32 = 6;

/// So many windows in a row with about the same lead make timestamps reliable again.
const STEADY_WINDOWS: u32 = 3;

/// What is about the same.
const STEADY_NS: i64 = SECOND / 2;

/// Compares the steps of a stream's timestamps with those of arrival.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClockCheck {
    /// Since the check began, by arrival.
    age_ns: i64,
    /// How far the stream is ahead of its earliest arrival so far. Below 0 while frames are late.
    ahead_ns: i64,
    /// How far it has fallen behind while frames kept coming.
    behind_ns: i64,
    /// There while timestamps are not relied on.
    probation: Option<Probation>,
    /// How often they turned out not to be reliable.
    faults: u32,
    /// Recent steps, of the stream and of arrival.
    recent: (i64, i64),
}

/// Looks whether timestamps have become reliable again.
#[derive(Debug, Clone, Default)]
struct Probation {
    /// Of the stream before arrival, since the probation began.
    lead_ns: i64,
    /// The largest in the present window, and since when that lasts.
    best_ns: Option<i64>,
    window_ns: i64,
    /// The largest in the first of those windows that had about the same, and how many they are.
    steady_ns: i64,
    steady_windows: u32,
}

impl ClockCheck {
    /// Takes the step from one frame to the next, by the stream's timestamps and by arrival; neither is negative.
    pub(crate) fn note(&mut self, stream_ns: i64, arrival_ns: i64) {
        self.note_recent(stream_ns, arrival_ns);
        match &mut self.probation {
            Some(probation) => {
                let window_ns = FIRST_WINDOW_NS << self.faults.saturating_sub(1).min(MOST_DOUBLINGS);
                if probation.is_passed(stream_ns, arrival_ns, window_ns) {
                    *self = Self { faults: self.faults, ..Self::default() };
                }
            }
            None => {
                self.compare(stream_ns, arrival_ns);
                if self.ahead_ns.max(self.behind_ns) > LARGEST_ERROR_NS {
                    self.faults = self.faults.saturating_add(1);
                    self.probation = Some(Probation::default());
                }
            }
        }
    }

    fn compare(&mut self, stream_ns: i64, arrival_ns: i64) {
        let drift_ns = (arrival_ns / 1_000_000).saturating_mul(DRIFT_NS_PER_MS);
        let highest_ns = self.ahead_ns.max(0).saturating_add(LARGEST_LEAP_NS);
        let ahead_ns = self.ahead_ns.saturating_add(stream_ns.saturating_sub(arrival_ns)).min(highest_ns);
        self.ahead_ns = toward_zero(ahead_ns, drift_ns);
        let waited_ns = arrival_ns.min(LONGEST_WAIT_NS).saturating_sub(stream_ns);
        self.behind_ns = self.behind_ns.saturating_add(waited_ns).saturating_sub(drift_ns).max(0);
        self.age_ns = self.age_ns.saturating_add(arrival_ns);
        if self.age_ns < SETTLING_NS {
            self.ahead_ns = self.ahead_ns.min(0);
        }
    }

    fn note_recent(&mut self, stream_ns: i64, arrival_ns: i64) {
        let (stream, arrival) = self.recent;
        self.recent = (stream.saturating_add(stream_ns), arrival.saturating_add(arrival_ns));
        if self.recent.1 > 4 * SECOND {
            self.recent = (self.recent.0 / 2, self.recent.1 / 2);
        }
    }

    /// Whether timestamps keep pace with arrival, as far as is known.
    pub(crate) fn is_reliable(&self) -> bool {
        self.probation.is_none()
    }

    /// By how many seconds the timestamps advance in a second of arrival.
    pub(crate) fn speed(&self) -> f64 {
        self.recent.0 as f64 / self.recent.1.max(1) as f64
    }
}

impl Probation {
    fn is_passed(&mut self, stream_ns: i64, arrival_ns: i64, window_ns: i64) -> bool {
        if stream_ns.saturating_sub(arrival_ns) > LARGEST_LEAP_NS {
            // What was lost before is not made up for by a jump.
            *self = Self::default();
            return false;
        }
        self.lead_ns = self.lead_ns.saturating_add(stream_ns.saturating_sub(arrival_ns));
        let best_ns = self.best_ns.map_or(self.lead_ns, |best| best.max(self.lead_ns));
        self.best_ns = Some(best_ns);
        self.window_ns = self.window_ns.saturating_add(arrival_ns);
        if self.window_ns < window_ns {
            return false;
        }
        (self.window_ns, self.best_ns) = (0, None);
        if best_ns.saturating_sub(self.steady_ns).saturating_abs() <= STEADY_NS {
            self.steady_windows += 1;
        } else {
            (self.steady_ns, self.steady_windows) = (best_ns, 1);
        }
        self.steady_windows >= STEADY_WINDOWS
    }
}

/// A number so much nearer to zero.
fn toward_zero(value: i64, by: i64) -> i64 {
    if value > 0 { value.saturating_sub(by).max(0) } else { value.saturating_add(by).min(0) }
}
