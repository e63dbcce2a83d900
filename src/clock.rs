//! The two clocks that frames are stamped with, and deadlines.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A time that is not known. The same number as libav's `AV_NOPTS_VALUE` and C's `INT64_MIN`.
pub const UNKNOWN_TIME: i64 = i64::MIN;

/// Nanoseconds in a second.
pub const SECOND: i64 = 1_000_000_000;

/// One moment on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub monotonic_ns: i64,
    /// Nanoseconds since 1970-01-01 UTC, as the local clock shows it.
    pub wall_ns: i64,
}

impl Moment {
    /// The present moment.
    pub fn now() -> Self {
        Self { monotonic_ns: monotonic_ns(), wall_ns: wall_ns() }
    }
}

/// Nanoseconds of the system's monotonic clock, comparable across the processes and languages of a machine
/// (which is why it is not std's `Instant`: that one hides its number).
pub fn monotonic_ns() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec.saturating_mul(SECOND).saturating_add(time.tv_nsec)
}

/// Nanoseconds since 1970-01-01 UTC.
pub fn wall_ns() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
    }
}

/// The moment `timeout_ms` from now; `None` for a negative timeout, which means no limit.
///
/// A timeout beyond what the clock can hold is no limit either.
pub fn deadline_in(timeout_ms: i64) -> Option<Instant> {
    let milliseconds = u64::try_from(timeout_ms).ok()?;
    Instant::now().checked_add(Duration::from_millis(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_deadline_lies_as_far_away_as_asked_or_nowhere(timeout_ms in prop_oneof![any::<i64>(), -5_i64..5]) {
            let before = Instant::now();
            let deadline = deadline_in(timeout_ms);
            let after = Instant::now();
            match u64::try_from(timeout_ms).map(Duration::from_millis) {
                Err(_) => prop_assert_eq!(deadline, None, "a negative timeout is no limit"),
                Ok(timeout) => match deadline {
                    Some(deadline) => prop_assert!(before + timeout <= deadline && deadline <= after + timeout),
                    None => prop_assert!(after.checked_add(timeout).is_none()),
                },
            }
        }
    }
}
