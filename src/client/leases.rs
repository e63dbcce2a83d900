//! Which leases are out: how many, and since when. A forgotten one shows here before its memory is missed.

use crate::clock::monotonic_ns;
use crate::sync::{Arc, Mutex};
use std::collections::BTreeMap;

/// The leases of a client that have not been given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeaseStatus {
    /// How many there are.
    pub count: u64,
    /// Nanoseconds since the oldest of them was taken, 0 if there is none.
    pub oldest_age_ns: i64,
}

/// The list of a client's leases. They outlive the client, and so may the list.
#[derive(Default)]
pub(super) struct LeaseBook {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next_number: u64,
    /// When each was taken, monotonic nanoseconds; numbered in that order, so that the first is the oldest.
    taken_ns: BTreeMap<u64, i64>,
}

impl LeaseBook {
    /// Enters a lease for as long as the result lives.
    pub(super) fn enter(self: &Arc<Self>) -> Entry {
        let mut inner = self.inner.lock();
        let number = inner.next_number;
        inner.next_number += 1;
        inner.taken_ns.insert(number, monotonic_ns());
        Entry { book: Arc::clone(self), number }
    }

    pub(super) fn status(&self) -> LeaseStatus {
        let inner = self.inner.lock();
        let oldest = inner.taken_ns.first_key_value();
        LeaseStatus {
            count: inner.taken_ns.len() as u64,
            oldest_age_ns: oldest.map_or(0, |(_, taken_ns)| monotonic_ns().saturating_sub(*taken_ns)),
        }
    }
}

/// One lease in the list.
pub(super) struct Entry {
    book: Arc<LeaseBook>,
    number: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.book.inner.lock().taken_ns.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_oldest_lease_tells_its_age_whatever_the_order_they_go_in() {
        let book = Arc::new(LeaseBook::default());
        assert_eq!(book.status(), LeaseStatus::default());
        let pause = Duration::from_millis(20);
        let first = book.enter();
        std::thread::sleep(pause);
        let (second, third) = (book.enter(), book.enter());
        drop(second);
        let both = book.status();
        assert!(both.count == 2 && both.oldest_age_ns >= pause.as_nanos() as i64, "{both:?}");
        drop(first);
        let last = book.status();
        assert!(last.count == 1 && last.oldest_age_ns < both.oldest_age_ns, "{last:?}");
        drop(third);
        assert_eq!(book.status(), LeaseStatus::default());
    }
}
