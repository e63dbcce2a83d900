//! Which of several clients with new frames `wait_any` returns: the one it returned least recently.
//!
//! Each set of clients takes turns of its own. Otherwise a client that a second caller waits for, with other clients, would
//! always have been returned more recently than those that only the first caller waits for, and the first caller would
//! never get it.

use super::Client;
use crate::sync::process::AtomicU64;
use crate::sync::{Mutex, Ordering};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Sets that a client keeps its turn for. Beyond them, the last turn in any set decides.
const MAX_SETS: usize = 16;

/// Counts the turns of all clients.
static NEXT_TURN: AtomicU64 = AtomicU64::new(1);

/// A set of clients, in whatever order the caller passes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientSet(u64);

impl ClientSet {
    pub(super) fn of<'a>(clients: impl Iterator<Item = &'a Client>) -> Self {
        let hash = |client| {
            let mut hasher = DefaultHasher::new();
            std::ptr::from_ref::<Client>(client).hash(&mut hasher);
            hasher.finish()
        };
        Self(clients.map(hash).fold(0, u64::wrapping_add))
    }
}

/// When a client had its last turns; 0 where it never had one.
#[derive(Default)]
pub(super) struct Turns(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    last: u64,
    /// The last turn in each set, most recent set first.
    by_set: VecDeque<(ClientSet, u64)>,
}

impl Turns {
    /// The last turn in this set, then the last one in any: of several clients, the one with the least is next.
    pub(super) fn last(&self, set: ClientSet) -> (u64, u64) {
        let inner = self.0.lock();
        // A turn that was forgotten was before all that are remembered.
        let forgotten = inner.by_set.get(MAX_SETS - 1).map_or(0, |(_, turn)| *turn);
        let in_set = inner.by_set.iter().find(|(known, _)| *known == set).map_or(forgotten, |(_, turn)| *turn);
        (in_set, inner.last)
    }

    /// The client has its turn now.
    pub(super) fn take(&self, set: ClientSet) {
        let turn = NEXT_TURN.fetch_add(1, Ordering::Relaxed);
        let mut inner = self.0.lock();
        inner.last = turn;
        inner.by_set.retain(|(known, _)| *known != set);
        inner.by_set.push_front((set, turn));
        inner.by_set.truncate(MAX_SETS);
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::{publish, running};
    use super::super::wait_any;
    use super::*;
    use crate::sync::Arc;

    /// Clients that have one frame each.
    fn ready(count: usize) -> Vec<Arc<Client>> {
        let client = |_| {
            let (client, epoch) = running(&[]);
            publish(&client, epoch).expect("refused");
            client
        };
        (0..count).map(client).collect()
    }

    /// What `wait_any` returns for these clients, whose frames were not seen yet.
    fn next(clients: &[&Client]) -> usize {
        let unseen: Vec<(&Client, u64)> = clients.iter().map(|client| (*client, 0)).collect();
        wait_any(&unseen, 0, None).expect("no frame")
    }

    #[test]
    fn clients_that_always_have_a_frame_are_returned_in_turn() {
        for count in [1, 2, 3, 16] {
            let clients = ready(count);
            let set: Vec<&Client> = clients.iter().map(|client| &**client).collect();
            let returned: Vec<usize> = (0..5 * count).map(|_| next(&set)).collect();
            assert_eq!(returned, (0..5).flat_map(|_| 0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_client_whose_turn_is_not_yet_is_returned_at_once_where_no_other_has_a_frame() {
        let clients = ready(3);
        let (a, b, c) = (&*clients[0], &*clients[1], &*clients[2]);
        assert_eq!((next(&[a, b, c]), wait_any(&[(a, 0), (b, 1), (c, 1)], 0, None)), (0, Ok(0)));
        assert_eq!((next(&[a, b, c]), next(&[a, b, c]), next(&[a, b, c])), (1, 2, 0));
    }

    #[test]
    fn the_order_in_which_a_set_is_passed_decides_nothing() {
        let clients = ready(3);
        let mut set: Vec<&Client> = clients.iter().map(|client| &**client).collect();
        let mut counts = [0; 3];
        for _ in 0..30 {
            // The one that was returned goes to the front, where the next search begins.
            let index = next(&set);
            counts[clients.iter().position(|client| std::ptr::eq(&**client, set[index])).expect("a stranger")] += 1;
            set[..=index].rotate_right(1);
        }
        assert_eq!(counts, [10; 3]);
    }

    #[test]
    fn sets_that_overlap_do_not_take_turns_from_each_other() {
        let clients = ready(3);
        let (a, b, c) = (&*clients[0], &*clients[1], &*clients[2]);
        let sets = [[a, b], [b, c], [c, a]];
        let mut counts = [[0; 2]; 3];
        for _ in 0..20 {
            for (set, counts) in sets.iter().zip(&mut counts) {
                counts[next(set)] += 1;
            }
            // Somebody who waits for one of them alone, and more often.
            (0..5).for_each(|_| assert_eq!(next(&[a]), 0));
        }
        assert_eq!(counts, [[10; 2]; 3]);
    }

    #[test]
    fn callers_in_several_threads_get_all_of_their_clients() {
        let clients = ready(16);
        let shared = &*clients[0];
        std::thread::scope(|scope| {
            for own in clients[1..].chunks(5) {
                scope.spawn(move || {
                    let set: Vec<&Client> = own.iter().map(|client| &**client).chain([shared]).collect();
                    let mut counts = vec![0; set.len()];
                    (0..100 * set.len()).for_each(|_| counts[next(&set)] += 1);
                    assert_eq!(counts, vec![100; set.len()]);
                });
            }
        });
    }

    #[test]
    fn more_sets_than_are_remembered_starve_no_client() {
        const SETS: usize = 2 * MAX_SETS;
        let clients = ready(SETS + 1);
        let mut counts = [[0; 2]; SETS];
        for _ in 0..40 {
            for (other, counts) in clients[1..].iter().zip(&mut counts) {
                counts[next(&[&clients[0], other])] += 1;
            }
        }
        assert!(counts.as_flattened().iter().all(|count| *count >= 10), "{counts:?}");
    }

    #[test]
    fn of_one_client_twice_the_entry_that_is_farther_behind_comes_first() {
        let (client, epoch) = running(&[]);
        (0..3).for_each(|_| assert!(publish(&client, epoch).is_some()));
        assert_eq!(wait_any(&[(&client, 2), (&client, 1)], 0, None), Ok(1));
    }

    #[test]
    fn a_set_is_the_same_in_any_order() {
        let [a, b, c] = [(); 3].map(|()| Client::new());
        let set = |clients: [&Client; 2]| ClientSet::of(clients.into_iter());
        assert_eq!(set([&a, &b]), set([&b, &a]));
        assert_ne!(set([&a, &b]), set([&a, &c]));
        assert_ne!(set([&a, &a]), set([&a, &b]));
    }

    #[test]
    fn turns_are_kept_by_set_and_for_a_bounded_number_of_sets() {
        let (turns, other) = (Turns::default(), Turns::default());
        assert_eq!(turns.last(ClientSet(0)), (0, 0));
        turns.take(ClientSet(0));
        other.take(ClientSet(1));
        turns.take(ClientSet(2));
        let (first, last) = turns.last(ClientSet(0));
        assert!(0 < first && first < other.last(ClientSet(1)).0 && last == turns.last(ClientSet(2)).0);
        for set in 3..3 + MAX_SETS as u64 {
            turns.take(ClientSet(set));
        }
        assert_eq!(turns.last(ClientSet(0)).0, turns.last(ClientSet(3)).0, "forgotten: the oldest that is remembered");
        assert_eq!(turns.0.lock().by_set.len(), MAX_SETS);
    }
}
