//! State of the whole process that stays usable in a child after fork, whatever another thread did at that moment.
//!
//! A thread of the parent's may hold a lock, or be inside the initializer of a `Once`; the child has a copy of that, but
//! not the thread that would finish. So nothing here is ever held: values are made without a lock (the first one made
//! stays), and state that belongs to threads is made anew in each process. A `static` of `Mutex`, `Once`, `OnceLock` or
//! `LazyLock` has no place in this crate.
//!
//! A model begins anew with every run, so that none of this is part of one.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

use once_cell::race::OnceBox;
use std::ops::Deref;

/// A value made when it is first used. Threads that use it at once may each make one; the first made stays.
pub(crate) struct Lazy<T> {
    value: OnceBox<T>,
    make: fn() -> T,
}

impl<T> Lazy<T> {
    pub(crate) const fn new(make: fn() -> T) -> Self {
        Self { value: OnceBox::new(), make }
    }
}

impl<T> Deref for Lazy<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.get_or_init(|| Box::new((self.make)()))
    }
}

/// A value that each process has of its own. A child after fork leaves its parent's as it was.
pub(crate) struct PerProcess<T> {
    first: OnceBox<Owned<T>>,
    make: fn() -> T,
}

/// The value of one process, and those of the processes forked from it.
struct Owned<T> {
    process: u32,
    value: T,
    of_child: OnceBox<Self>,
}

impl<T> PerProcess<T> {
    pub(crate) const fn new(make: fn() -> T) -> Self {
        Self { first: OnceBox::new(), make }
    }

    /// The value of this process.
    pub(crate) fn get(&self) -> &T {
        &self.of(std::process::id()).value
    }

    fn of(&self, process: u32) -> &Owned<T> {
        let make = || Box::new(Owned { process, value: (self.make)(), of_child: OnceBox::new() });
        let mut owned = self.first.get_or_init(make);
        while owned.process != process {
            owned = owned.of_child.get_or_init(make);
        }
        owned
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn a_lazy_value_is_made_once() {
        static MADE: AtomicU32 = AtomicU32::new(0);
        static LAZY: Lazy<u32> = Lazy::new(|| MADE.fetch_add(1, Ordering::SeqCst));
        assert_eq!((*LAZY, *LAZY), (0, 0));
    }

    #[test]
    fn each_process_has_a_value_of_its_own_and_keeps_it() {
        let state = PerProcess::new(|| AtomicU32::new(0));
        for process in [1, 2, 3, 2] {
            state.of(process).value.fetch_add(1, Ordering::SeqCst);
        }
        let counts = [1, 2, 3].map(|process| state.of(process).value.load(Ordering::SeqCst));
        assert_eq!(counts, [1, 2, 1]);
        assert!(std::ptr::eq(state.get(), state.get()));
    }
}
