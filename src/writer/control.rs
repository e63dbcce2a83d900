//! What passes between a client and its writer thread: the goal, the stop, and whether the thread is done.

use crate::cancel::Watch;
use crate::sync::process::AtomicU64;
use crate::sync::{Arc, AtomicU32, Mutex, Ordering, Signal};
use std::time::{Duration, Instant};

/// What a writer does once it is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Keep the stream ready without decoding it.
    Hold,
    /// Decode and publish.
    Run,
}

/// Where the thread stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Running,
    Done,
    /// Still in a system call; nobody waits for it any more.
    Abandoned,
}

/// What the thread is to do, and for holding whether it does: one value, so that no pair of it can be out of date. Only
/// the thread itself sets `PARKED`, and only in place of `HOLD`; every goal that the client sets undoes it but holding.
const RUN: u32 = 0;
const HOLD: u32 = 1;
const PARKED: u32 = 2;

pub(crate) struct Control {
    watch: Arc<Watch>,
    course: AtomicU32,
    life: Mutex<Life>,
    changed: Arc<Signal>,
}

impl Control {
    pub(crate) fn new(goal: Goal) -> Self {
        Self {
            watch: Arc::default(),
            course: AtomicU32::new(if goal == Goal::Run { RUN } else { HOLD }),
            life: Mutex::new(Life::Running),
            changed: Arc::default(),
        }
    }

    pub(crate) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    // ---- for the client ----

    pub(crate) fn set_goal(&self, goal: Goal) {
        match goal {
            // A swap, so that loom too orders it after what it replaces.
            Goal::Run => drop(self.course.swap(RUN, Ordering::SeqCst)),
            // A thread that is parked stays so.
            Goal::Hold => drop(self.course.compare_exchange(RUN, HOLD, Ordering::SeqCst, Ordering::SeqCst)),
        }
        self.changed.notify();
    }

    pub(crate) fn stop(&self) {
        self.watch.stop();
        self.changed.notify();
    }

    pub(crate) fn is_done(&self) -> bool {
        *self.life.lock() == Life::Done
    }

    pub(crate) fn wait_parked(&self, deadline: Instant) -> bool {
        self.wait_until(deadline, || self.course.load(Ordering::SeqCst) == PARKED || self.is_done())
    }

    /// Waits until the thread is done. If it is not in time, it is counted as abandoned until it is.
    pub(crate) fn wait_done_or_abandon(&self, deadline: Instant, abandoned: &AtomicU64) -> bool {
        self.wait_until(deadline, || self.is_done());
        let mut life = self.life.lock();
        if *life == Life::Running {
            *life = Life::Abandoned;
            abandoned.fetch_add(1, Ordering::SeqCst);
        }
        *life == Life::Done
    }

    // ---- for the thread ----

    pub(crate) fn goal(&self) -> Goal {
        if self.course.load(Ordering::SeqCst) == RUN { Goal::Run } else { Goal::Hold }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.watch.is_stopped()
    }

    /// Holds still until the goal is to run, or the thread is to stop.
    pub(crate) fn park(&self) {
        loop {
            let seen = self.changed.now();
            if self.is_stopped() {
                return;
            }
            match self.course.compare_exchange(HOLD, PARKED, Ordering::SeqCst, Ordering::SeqCst) {
                Err(RUN) => return,
                // Looked at once more, now that whoever waits for it is told.
                Ok(_) => self.changed.notify(),
                Err(_) => drop(self.changed.wait_after(seen, None)),
            }
        }
    }

    pub(crate) fn sleep_unless_stopped(&self, duration: Duration) {
        self.wait_until(Instant::now() + duration, || self.is_stopped());
    }

    /// Sleeps while the goal is to run. Returns whether the whole time passed.
    pub(crate) fn sleep_while_running(&self, duration: Duration) -> bool {
        !self.wait_until(Instant::now() + duration, || self.is_stopped() || self.goal() == Goal::Hold)
    }

    /// Waits for a condition that changes with the signal, while the goal is to run. Returns whether it came true.
    pub(crate) fn wait_while_running(&self, signal: &Signal, is_so: impl Fn() -> bool) -> bool {
        let _following = self.changed.follow(signal);
        loop {
            let seen = self.changed.now();
            if is_so() || self.is_stopped() || self.goal() == Goal::Hold {
                return is_so();
            }
            self.changed.wait_after(seen, None);
        }
    }

    /// The thread's last word.
    pub(crate) fn finish(&self, abandoned: &AtomicU64) {
        let before = std::mem::replace(&mut *self.life.lock(), Life::Done);
        if before == Life::Abandoned {
            abandoned.fetch_sub(1, Ordering::SeqCst);
        }
        self.changed.notify();
    }

    fn wait_until(&self, deadline: Instant, is_so: impl Fn() -> bool) -> bool {
        loop {
            let seen = self.changed.now();
            if is_so() {
                return true;
            }
            if !self.changed.wait_after(seen, Some(deadline)) {
                return is_so();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_ends_late_is_counted_until_it_does() {
        let (control, abandoned) = (Control::new(Goal::Run), AtomicU64::new(0));
        assert!(!control.wait_done_or_abandon(Instant::now(), &abandoned));
        assert_eq!(abandoned.load(Ordering::SeqCst), 1);
        control.finish(&abandoned);
        assert_eq!(abandoned.load(Ordering::SeqCst), 0);
        assert!(control.is_done());
    }

    #[test]
    fn a_parked_thread_goes_on_when_told() {
        let control = Arc::new(Control::new(Goal::Hold));
        let thread = std::thread::spawn({
            let control = Arc::clone(&control);
            move || control.park()
        });
        assert!(control.wait_parked(Instant::now() + Duration::from_secs(20)));
        control.set_goal(Goal::Run);
        thread.join().expect("panicked");
    }

    #[test]
    fn a_sleep_ends_when_the_thread_is_to_hold() {
        let control = Control::new(Goal::Run);
        assert!(control.sleep_while_running(Duration::from_millis(1)));
        control.set_goal(Goal::Hold);
        assert!(!control.sleep_while_running(Duration::from_secs(60)));
    }
}
