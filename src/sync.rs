//! The locks and atomics of the crate, in one place so that a model checker's can stand in for them.
//!
//! The locks are std's, not parking_lot's. parking_lot keeps one table of all waiting threads of the process. After fork
//! the child's copy of it still lists the parent's waiting threads, whose stacks the child reuses, and the first wait of
//! the child's own in the same bucket follows pointers into them. Any wait of the parent's does that, so no lock that can
//! be waited for is safe. std's locks are futexes: a lock's state lies in the lock alone.

mod lock;
#[cfg(any(loom, shuttle))]
pub(crate) mod model;
pub(crate) mod process;

pub(crate) use lock::{Condvar, Mutex, TimedMutex, TimedMutexGuard};
#[cfg(any(loom, shuttle))]
pub(crate) use model::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Witness};
pub(crate) use std::sync::atomic::Ordering;
#[cfg(not(any(loom, shuttle)))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64};
pub(crate) use std::sync::{Arc, Weak};

use std::sync::OnceLock;
use std::time::Instant;

/// Sees who touches memory that a model checker does not watch. Where there is no checker, it is nothing.
#[cfg(not(any(loom, shuttle)))]
#[derive(Default)]
pub(crate) struct Witness;

#[cfg(not(any(loom, shuttle)))]
impl Witness {
    /// The memory is being read.
    pub(crate) fn reads(&self) {}

    /// The memory is being written.
    pub(crate) fn writes(&self) {}
}

/// A condition that grows by one at every change, so that a waiter can tell whether it missed any.
///
/// Read [`Signal::now`] first, then look at whatever may have changed, then wait for a change after that reading:
/// no wake-up can be lost between the look and the wait.
#[derive(Default)]
pub(crate) struct Signal {
    inner: Mutex<SignalInner>,
    changed: Condvar,
    hook: OnceLock<Hook>,
}

/// Called after every change, with no lock of the signal's held.
type Hook = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct SignalInner {
    changes: u64,
    followers: Vec<Weak<Signal>>,
}

impl Signal {
    /// How many changes there have been.
    pub(crate) fn now(&self) -> u64 {
        self.inner.lock().changes
    }

    /// Tells every waiter, and every follower's waiters, that something changed.
    pub(crate) fn notify(&self) {
        let followers: Vec<_> = {
            let mut inner = self.inner.lock();
            inner.changes += 1;
            inner.followers.iter().filter_map(Weak::upgrade).collect()
        };
        self.changed.notify_all();
        if let Some(hook) = self.hook.get() {
            hook();
        }
        // Without the lock: a follower has one of its own.
        for follower in followers {
            follower.notify();
        }
    }

    /// Has a function called after every change from now on. Only the first one is kept.
    pub(crate) fn set_hook(&self, hook: Hook) {
        let _ = self.hook.set(hook);
    }

    /// Has this signal change with every change of the other one, for as long as the result lives.
    pub(crate) fn follow<'a>(self: &Arc<Self>, other: &'a Self) -> Following<'a> {
        let follower = Arc::downgrade(self);
        other.inner.lock().followers.push(follower.clone());
        Following { leader: other, follower }
    }

    /// Waits until there was a change after `seen`, or until the deadline (`None`: for as long as it takes).
    /// Returns whether there was one.
    pub(crate) fn wait_after(&self, seen: u64, deadline: Option<Instant>) -> bool {
        let mut inner = self.inner.lock();
        while inner.changes == seen {
            let is_over;
            (inner, is_over) = self.changed.wait_until(inner, deadline);
            if is_over {
                return inner.changes != seen;
            }
        }
        true
    }
}

/// Keeps one signal changing with another.
pub(crate) struct Following<'a> {
    leader: &'a Signal,
    follower: Weak<Signal>,
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        let followers = &mut self.leader.inner.lock().followers;
        if let Some(index) = followers.iter().position(|other| Weak::ptr_eq(other, &self.follower)) {
            followers.swap_remove(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_change_between_reading_and_waiting_is_not_lost() {
        let signal = Signal::default();
        let seen = signal.now();
        signal.notify();
        assert!(signal.wait_after(seen, Some(Instant::now())));
    }

    #[test]
    fn a_wait_without_change_ends_at_its_deadline() {
        let signal = Signal::default();
        let begin = Instant::now();
        assert!(!signal.wait_after(signal.now(), Some(begin + Duration::from_millis(20))));
        assert!(begin.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn a_follower_changes_with_its_leader_until_it_stops_following() {
        let (leader, follower) = (Signal::default(), Arc::new(Signal::default()));
        let following = follower.follow(&leader);
        leader.notify();
        assert_eq!(follower.now(), 1);
        drop(following);
        leader.notify();
        assert_eq!(follower.now(), 1);
    }

    #[test]
    fn every_waiter_wakes() {
        let signal = Arc::new(Signal::default());
        let seen = signal.now();
        let waiters: Vec<_> = (0..4)
            .map(|_| {
                let signal = Arc::clone(&signal);
                std::thread::spawn(move || signal.wait_after(seen, Some(Instant::now() + Duration::from_secs(20))))
            })
            .collect();
        signal.notify();
        assert!(waiters.into_iter().all(|w| w.join().expect("a waiter panicked")));
    }
}
