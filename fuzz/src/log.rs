//! Everything that the library says during a run, in which no secret may stand.

use mpegclient::{LogLevel, set_log_level, set_log_sink};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One run at a time: the log is the whole process's.
static RUN: Mutex<()> = Mutex::new(());
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Lines kept at most; libav can be very talkative.
const MOST: usize = 4096;

pub struct Log(#[expect(dead_code, reason = "held while the run lasts")] MutexGuard<'static, ()>);

impl Log {
    pub fn begin() -> Self {
        let run = RUN.lock().unwrap_or_else(PoisonError::into_inner);
        lines().clear();
        set_log_level(LogLevel::Debug);
        set_log_sink(Some(Box::new(|_, line| keep(line))));
        Self(run)
    }

    /// Adds what a caller was told.
    pub fn note(&self, text: &str) {
        keep(text);
    }

    pub fn check(&self, secrets: &[&str]) {
        for line in lines().iter() {
            for secret in secrets {
                assert!(!line.contains(secret), "{secret:?} is shown: {line}");
            }
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        set_log_level(LogLevel::Quiet);
        set_log_sink(None);
    }
}

fn keep(line: &str) {
    let mut lines = lines();
    if lines.len() < MOST {
        lines.push(line.to_owned());
    }
}

fn lines() -> MutexGuard<'static, Vec<String>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}
