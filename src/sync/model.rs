//! The locks and atomics of a model checker, with the face of those that they stand in for.
//!
//! loom runs a model in every order that its threads can take, and lets atomics show every value that their orderings
//! allow: for two or three threads with a few steps. shuttle takes one order after the other by chance, its atomics in
//! one order for all: for models that are too large for that. Time stands still in both: a deadline that is to come
//! never comes.

#[cfg(loom)]
use loom as checker;
#[cfg(shuttle)]
use shuttle as checker;

pub(crate) use checker::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64};
pub(crate) use checker::thread;

use super::Arc;
use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

#[derive(Default)]
pub(crate) struct Mutex<T>(checker::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(checker::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok().map(|guard| MutexGuard(Some(guard)))
    }

    pub(crate) fn try_lock_for(&self, _: Duration) -> Option<MutexGuard<'_, T>> {
        Some(self.lock())
    }
}

/// Empty for the time of a wait alone.
pub(crate) struct MutexGuard<'a, T>(Option<checker::sync::MutexGuard<'a, T>>);

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("used during a wait")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("used during a wait")
    }
}

#[derive(Default)]
pub(crate) struct Condvar(checker::sync::Condvar);

pub(crate) struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    pub(crate) fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.0.take().expect("used during a wait");
        guard.0 = Some(self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, deadline: Instant) -> WaitTimeoutResult {
        let is_over = deadline <= Instant::now();
        if !is_over {
            self.wait(guard);
        }
        WaitTimeoutResult(is_over)
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Has loom see accesses to memory that is not its own: two that nothing orders fail the model. In shuttle's models all
/// is ordered; there, what lies in the memory tells.
#[derive(Default)]
pub(crate) struct Witness(#[cfg(loom)] WitnessCell);

#[cfg(loom)]
struct WitnessCell(loom::cell::UnsafeCell<()>);

#[cfg(loom)]
impl Default for WitnessCell {
    fn default() -> Self {
        Self(loom::cell::UnsafeCell::new(()))
    }
}

impl Witness {
    pub(crate) fn reads(&self) {
        #[cfg(loom)]
        self.0.0.with(|_| ());
    }

    pub(crate) fn writes(&self) {
        #[cfg(loom)]
        self.0.0.with_mut(|_| ());
    }
}

/// Runs a model as often as the checker needs, and tells how often that was.
pub(crate) fn explore(model: impl Fn() + Send + Sync + 'static) {
    let runs = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = Arc::clone(&runs);
    run(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        model();
    });
    println!("explored {} orders", runs.load(std::sync::atomic::Ordering::Relaxed));
}

/// All orders; with LOOM_MAX_PREEMPTIONS, those in which threads are interrupted no more often than that.
#[cfg(loom)]
fn run(model: impl Fn() + Send + Sync + 'static) {
    loom::model::Builder::new().check(model);
}

/// Half of SHUTTLE_ORDERS at every step by chance, half by priorities that change by chance a few times only (PCT),
/// which finds what needs one thread to be very late.
#[cfg(shuttle)]
fn run(model: impl Fn() + Send + Sync + 'static) {
    use shuttle::scheduler::{PctScheduler, RandomScheduler};
    let orders: usize = std::env::var("SHUTTLE_ORDERS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000);
    let mut config = shuttle::Config::new();
    config.stack_size = 1 << 20;
    let model = Arc::new(model);
    let again = Arc::clone(&model);
    shuttle::Runner::new(RandomScheduler::new(orders / 2), config.clone()).run(move || model());
    shuttle::Runner::new(PctScheduler::new(3, orders - orders / 2), config).run(move || again());
}
