//! The atomics of a model checker, which stand in for std's as its locks do in `lock`.
//!
//! loom runs a model in every order that its threads can take, and lets atomics show every value that their orderings
//! allow: for two or three threads with a few steps. shuttle takes one order after the other by chance, its atomics in
//! one order for all: for models that are too large for that.

#[cfg(loom)]
use loom as checker;
#[cfg(shuttle)]
use shuttle as checker;

pub(crate) use checker::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64};
pub(crate) use checker::thread;

use super::Arc;

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
