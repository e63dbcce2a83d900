//! Counters of one client, written by the writer thread and read by anybody.

use crate::clock::SECOND;
use crate::sync::{AtomicI64, AtomicU64, Mutex, Ordering};
use std::collections::VecDeque;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counters that only grow during a client's life.
        #[derive(Default)]
        pub(crate) struct Stats {
            $(pub(crate) $name: Counter,)*
            /// When the last packet came, monotonic nanoseconds; 0 before the first.
            pub(crate) last_packet_ns: AtomicI64,
            pub(crate) sender_clock: Mutex<Option<SenderClock>>,
        }

        /// The counters at one moment.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct StatsSnapshot {
            $($(#[$doc])* pub $name: u64,)*
            /// How the sender's clock lies to the local one, once it has told the time.
            pub sender_clock: Option<SenderClock>,
        }

        impl Stats {
            pub(crate) fn snapshot(&self) -> StatsSnapshot {
                StatsSnapshot { $($name: self.$name.get(),)* sender_clock: *self.sender_clock.lock() }
            }
        }
    };
}

counters! {
    /// Packets of the chosen video stream.
    packets,
    /// Bytes of those packets.
    bytes,
    /// Packets of the network that were lost, as far as the source can tell.
    lost_packets,
    /// Frames that came out of the decoder.
    decoded,
    /// Packets or frames that the decoder refused or reported as damaged.
    decode_errors,
    /// Published frames marked corrupt.
    corrupt,
    /// Frames left out to keep the frame rate asked for.
    dropped_by_rate,
    /// Frames published once more to keep a constant rate.
    repeated,
    /// Frames left out because leases held all the memory they may.
    dropped_by_lease,
    /// Frames left out because they are damaged, where the parameter `corrupt` wants it so.
    dropped_corrupt,
    /// Frames decoded before a picture could begin, or passed over to catch up after a start.
    dropped_at_start,
    /// Connections that were made.
    connects,
    /// Attempts to connect, made or not.
    connect_attempts,
    /// Batches handed out.
    reads,
    /// Frames handed out.
    frames_read,
    /// Times that a stream's timestamps were found not to keep pace with their arrival.
    clock_faults,
    /// Writer threads that hung in a system call and were left behind.
    abandoned_threads,
}

/// The sender's clock as seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderClock {
    /// From the last capture by the sender's clock to its arrival by the local one: the clocks' difference and the way.
    pub offset_ns: i64,
    /// How much that varies from frame to frame, smoothed as in RFC 3550, section 6.4.1.
    pub jitter_ns: i64,
}

/// A number that only grows.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Frames over which a rate is measured.
const METER_FRAMES: usize = 64;

/// A greater step between two frames is a jump.
const LARGEST_STEP_NS: i64 = 10 * SECOND;

/// Measures frames a second by their times.
#[derive(Debug, Default)]
pub(crate) struct RateMeter {
    times_ns: VecDeque<i64>,
    frames: u64,
}

impl RateMeter {
    /// Takes the time of the next frame. Returns the rate, every few frames once it is known.
    pub(crate) fn add(&mut self, time_ns: i64) -> Option<f64> {
        // After a jump the old times say nothing any more.
        let is_step = |last: &i64| time_ns.checked_sub(*last).is_some_and(|step| (0..=LARGEST_STEP_NS).contains(&step));
        if !self.times_ns.back().is_none_or(is_step) {
            self.times_ns.clear();
        }
        self.times_ns.push_back(time_ns);
        if self.times_ns.len() > METER_FRAMES {
            self.times_ns.pop_front();
        }
        self.frames += 1;
        let steps = self.times_ns.len() - 1;
        let span_ns = time_ns - self.times_ns.front()?;
        let is_time = self.frames.is_multiple_of(METER_FRAMES as u64 / 8);
        (is_time && span_ns > 0).then(|| steps as f64 * SECOND as f64 / span_ns as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_measured_and_survives_a_jump() {
        let mut meter = RateMeter::default();
        let rates: Vec<f64> = (0..100).filter_map(|n| meter.add(n * 40_000_000)).collect();
        assert!(rates.len() > 10 && rates.iter().all(|rate| (rate - 25.0).abs() < 1e-9), "{rates:?}");
        assert_eq!(meter.add(i64::MAX), None);
        assert_eq!(meter.add(i64::MIN), None);
        assert!(meter.add(i64::MIN + 40_000_000).is_none());
    }
}
