//! Locks without poisoning: a panic is caught where it happens, and what a lock guards is whole between two statements.

#[cfg(loom)]
use loom::sync as base;
#[cfg(shuttle)]
use shuttle::sync as base;
#[cfg(not(any(loom, shuttle)))]
use std::sync as base;

use super::Signal;
pub(crate) use base::MutexGuard;
use std::ops::{Deref, DerefMut};
use std::sync::{PoisonError, TryLockError};
use std::time::Instant;

#[derive(Default)]
pub(crate) struct Mutex<T>(base::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(base::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

#[derive(Default)]
pub(crate) struct Condvar(base::Condvar);

impl Condvar {
    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is notified or the deadline has passed (`None`: there is none). Returns whether the latter is why.
    pub(crate) fn wait_until<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: Option<Instant>,
    ) -> (MutexGuard<'a, T>, bool) {
        let Some(deadline) = deadline else {
            return (self.wait(guard), false);
        };
        let remaining = deadline.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return (guard, true);
        }
        // In a model time stands still: a deadline that is to come never comes.
        #[cfg(any(loom, shuttle))]
        return (self.wait(guard), false);
        #[cfg(not(any(loom, shuttle)))]
        {
            let (guard, result) = self.0.wait_timeout(guard, remaining).unwrap_or_else(PoisonError::into_inner);
            (guard, result.timed_out())
        }
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// A lock that can be waited for up to a deadline, which std's cannot.
pub(crate) struct TimedMutex<T> {
    value: Mutex<T>,
    released: Signal,
}

impl<T> TimedMutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Mutex::new(value), released: Signal::default() }
    }

    pub(crate) fn try_lock(&self) -> Option<TimedMutexGuard<'_, T>> {
        self.value.try_lock().map(|guard| TimedMutexGuard { guard, _release: Release(&self.released) })
    }

    /// Waits for the lock until the deadline (`None`: there is none).
    pub(crate) fn lock_until(&self, deadline: Option<Instant>) -> Option<TimedMutexGuard<'_, T>> {
        loop {
            let seen = self.released.now();
            if let Some(guard) = self.try_lock() {
                return Some(guard);
            }
            if !self.released.wait_after(seen, deadline) {
                return self.try_lock();
            }
        }
    }
}

pub(crate) struct TimedMutexGuard<'a, T> {
    guard: MutexGuard<'a, T>,
    /// Dropped after the guard: whoever is woken finds the lock free.
    _release: Release<'a>,
}

impl<T> Deref for TimedMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for TimedMutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

struct Release<'a>(&'a Signal);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.notify();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn a_lock_that_is_held_is_waited_for_until_the_deadline() {
        let mutex = TimedMutex::new(1);
        let held = mutex.try_lock().expect("free, yet not given");
        assert!(mutex.try_lock().is_none());
        let begin = Instant::now();
        assert!(mutex.lock_until(Some(begin + Duration::from_millis(20))).is_none());
        assert!(begin.elapsed() >= Duration::from_millis(20));
        drop(held);
        assert_eq!(mutex.lock_until(Some(begin)).as_deref(), Some(&1));
    }

    #[test]
    fn a_release_wakes_who_waits() {
        let mutex = TimedMutex::new(1);
        std::thread::scope(|scope| {
            let (ready, is_ready) = mpsc::channel();
            let held = mutex.try_lock().expect("free, yet not given");
            let mutex = &mutex;
            let waiter = scope.spawn(move || {
                ready.send(()).expect("the test is over");
                mutex.lock_until(None).map(|guard| *guard)
            });
            is_ready.recv().expect("the thread is over");
            drop(held);
            assert_eq!(waiter.join().expect("panicked"), Some(1));
        });
    }
}
