//! How long to wait before connecting again.

use crate::config::Config;
use crate::error::{Error, Status};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Part of the delay by which it varies, so that many clients of one server do not come back at once.
const JITTER: f64 = 0.2;

/// Delays that double from attempt to attempt, up to a limit.
pub(super) struct Backoff {
    min_ms: u64,
    max_ms: u64,
    /// 0: without end.
    max_attempts: u32,
    attempts: u32,
}

impl Backoff {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            min_ms: config.reconnect_delay_min_ms,
            max_ms: config.reconnect_delay_max_ms,
            max_attempts: config.reconnect_max_attempts,
            attempts: 0,
        }
    }

    /// A good connection: the next failure is the first again.
    pub(super) fn reset(&mut self) {
        self.attempts = 0;
    }

    /// The delay after this failure; `None` after as many as there may be. A relay says that it has no such stream until
    /// its publisher is back: that counts only for a stream that was never seen.
    pub(super) fn next(&mut self, error: &Error, was_seen: bool) -> Option<Duration> {
        if self.max_attempts > 0 && self.attempts >= self.max_attempts {
            return None;
        }
        let doubled = self.min_ms.saturating_mul(1_u64.checked_shl(self.attempts).unwrap_or(u64::MAX));
        self.attempts = self.attempts.saturating_add(1);
        let milliseconds = match error.status {
            // Cameras lock an account that is tried too often.
            Status::Unauthorized => self.max_ms,
            Status::NotFound if !was_seen => self.max_ms,
            _ => doubled.min(self.max_ms),
        };
        Some(Duration::from_millis(milliseconds).mul_f64(1.0 - JITTER + 2.0 * JITTER * random()))
    }
}

/// A number from 0 to 1, from the seed that std makes for each of its hash tables.
fn random() -> f64 {
    RandomState::new().hash_one(0) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(status: Status, max_attempts: u32) -> Vec<f64> {
        let mut backoff = Backoff { min_ms: 500, max_ms: 30_000, max_attempts, attempts: 0 };
        let error = Error::new(status, "");
        std::iter::from_fn(|| backoff.next(&error, true)).take(70).map(|delay| delay.as_secs_f64()).collect()
    }

    #[test]
    fn delays_double_up_to_the_limit_and_vary_by_a_fifth() {
        let expected = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0];
        for (delay, middle) in delays(Status::ServerGone, 0).iter().zip(expected) {
            assert!((middle * 0.8..=middle * 1.2).contains(delay), "{delay} for {middle}");
        }
        assert!(delays(Status::ServerGone, 0).iter().all(|delay| *delay <= 36.0));
    }

    #[test]
    fn refused_credentials_wait_longest_at_once() {
        assert!(delays(Status::Unauthorized, 0)[0] >= 24.0);
    }

    #[test]
    fn attempts_may_be_limited() {
        assert_eq!(delays(Status::ServerGone, 3).len(), 3);
    }
}
