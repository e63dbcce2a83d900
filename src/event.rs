//! What happened to a stream, to be asked for: a short queue, and a descriptor that tells when to ask.

use crate::clock::monotonic_ns;
use crate::error::{Error, Result, Status, numbered};
use crate::state::State;
use crate::sync::{Arc, Mutex};
use rustix::event::{EventfdFlags, eventfd};
use std::collections::VecDeque;
use std::os::fd::{AsRawFd, OwnedFd};

numbered! {
    /// What kind of thing happened.
    EventKind {
        StateChanged = 1, "STATE_CHANGED", "the state changed";
        FormatChanged = 2, "FORMAT_CHANGED", "the source's pictures changed";
        Reconnected = 3, "RECONNECTED", "a lost stream is connected again";
        FramesDropped = 4, "FRAMES_DROPPED", "frames were dropped because readers hold the memory";
        QueueOverflow = 5, "QUEUE_OVERFLOW", "events were lost because nobody asked for them";
        NoKeyFrame = 6, "NO_KEY_FRAME", "there is no key frame, and pictures are marked that look right";
        ClockUnreliable = 7, "CLOCK_UNRELIABLE", "timestamps do not keep pace with arrival, or do so again";
    }
}

/// Events that wait at most; the oldest go first.
const CAPACITY: usize = 64;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What kind of thing.
    pub kind: EventKind,
    /// When, monotonic nanoseconds.
    pub monotonic_ns: i64,
    /// The client's state after it.
    pub state: State,
    /// The connection at the time, 0 before the first.
    pub generation: u64,
    /// The state before, for a change of state; the number of frames or events lost, for a loss; 1 where timestamps
    /// became unreliable, and 0 where they are reliable again.
    pub value: i64,
    /// What there is to say of it, without credentials; may be empty.
    pub text: String,
}

/// The events that nobody has asked for yet.
#[derive(Debug, Default)]
pub(crate) struct EventQueue {
    events: VecDeque<Event>,
    lost: i64,
}

impl EventQueue {
    pub(crate) fn push(&mut self, event: Event) {
        if let Some(last) = self.events.back_mut()
            && event.kind == EventKind::FramesDropped
            && last.kind == event.kind
        {
            last.value = last.value.saturating_add(event.value);
            return;
        }
        if self.events.len() >= CAPACITY {
            self.events.pop_front();
            self.lost += 1;
        }
        self.events.push_back(event);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The oldest event; a loss comes before what was kept.
    pub(crate) fn pop(&mut self) -> Option<Event> {
        let lost = std::mem::take(&mut self.lost);
        if lost == 0 {
            return self.events.pop_front();
        }
        let next = self.events.front()?;
        let (state, generation) = (next.state, next.generation);
        Some(Event {
            kind: EventKind::QueueOverflow,
            monotonic_ns: monotonic_ns(),
            state,
            generation,
            value: lost,
            text: String::new(),
        })
    }
}

/// A descriptor that can be polled: readable while its condition holds.
pub(crate) struct Bell {
    descriptor: OwnedFd,
    condition: Box<dyn Fn() -> bool + Send + Sync>,
    is_raised: Mutex<bool>,
}

impl Bell {
    pub(crate) fn new(condition: impl Fn() -> bool + Send + Sync + 'static) -> Result<Arc<Self>> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let descriptor =
            eventfd(0, flags).map_err(|error| Error::new(Status::System, format!("an event descriptor: {error}")))?;
        Ok(Arc::new(Self { descriptor, condition: Box::new(condition), is_raised: Mutex::new(false) }))
    }

    /// Makes the descriptor readable or not, as the condition is now. To be called after whatever may change it.
    pub(crate) fn settle(&self) {
        // The condition is looked at under the lock: who changes it later comes here later.
        let mut is_raised = self.is_raised.lock();
        let is_due = (self.condition)();
        if is_due != *is_raised {
            // Neither can block, nor fail for another reason: the counter goes from 0 to 1 and back.
            let _ = if is_due {
                rustix::io::write(&self.descriptor, &1_u64.to_ne_bytes())
            } else {
                rustix::io::read(&self.descriptor, &mut [0; 8])
            };
            *is_raised = is_due;
        }
    }

    pub(crate) fn descriptor(&self) -> i32 {
        self.descriptor.as_raw_fd()
    }

    #[cfg(test)]
    pub(crate) fn is_readable(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, poll};
        poll(&mut [PollFd::new(&self.descriptor, PollFlags::IN)], Some(&rustix::time::Timespec::default())) == Ok(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{AtomicBool, Ordering};

    fn event(kind: EventKind, value: i64) -> Event {
        Event { kind, monotonic_ns: 0, state: State::Running, generation: 1, value, text: String::new() }
    }

    #[test]
    fn a_full_queue_keeps_the_newest_and_says_what_is_missing() {
        let mut queue = EventQueue::default();
        for value in 0..100 {
            queue.push(event(EventKind::StateChanged, value));
        }
        let first = queue.pop().expect("empty");
        assert_eq!((first.kind, first.value), (EventKind::QueueOverflow, 36));
        let rest: Vec<i64> = std::iter::from_fn(|| queue.pop()).map(|event| event.value).collect();
        assert_eq!(rest, (36..100).collect::<Vec<_>>());
    }

    #[test]
    fn drops_in_a_row_are_one_event() {
        let mut queue = EventQueue::default();
        queue.push(event(EventKind::FramesDropped, 1));
        queue.push(event(EventKind::FramesDropped, 2));
        assert_eq!(queue.pop().map(|event| event.value), Some(3));
        assert!(queue.is_empty());
    }

    #[test]
    fn a_bell_is_readable_while_its_condition_holds() {
        let is_due = Arc::new(AtomicBool::new(false));
        let bell = Bell::new({
            let is_due = Arc::clone(&is_due);
            move || is_due.load(Ordering::SeqCst)
        })
        .expect("no descriptor");
        for due in [false, true, true, false, true] {
            is_due.store(due, Ordering::SeqCst);
            bell.settle();
            assert_eq!(bell.is_readable(), due);
        }
    }
}
