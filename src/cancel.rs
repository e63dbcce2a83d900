//! Ending a blocking call from elsewhere: a token for one call, and the watch that libav polls while it blocks.

use crate::clock::{SECOND, monotonic_ns};
use crate::sync::{AtomicBool, AtomicI64, Mutex, Ordering, Signal};
use std::sync::OnceLock;
use std::task::Waker;
use std::time::Duration;

/// A token that ends the blocking calls it is given to.
///
/// It is a level, not a pulse: once triggered, every call that takes it returns `CANCELLED` at once, until it is reset.
#[derive(Default)]
pub struct CancelToken {
    triggered: AtomicBool,
    /// What the calls that have this token follow.
    pub(crate) signal: Signal,
}

impl CancelToken {
    /// A token that is not triggered.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends every call that waits with this token, now and until [`Self::reset`].
    pub fn trigger(&self) {
        self.triggered.store(true, Ordering::SeqCst);
        self.signal.notify();
    }

    /// Makes the token usable again.
    pub fn reset(&self) {
        self.triggered.store(false, Ordering::SeqCst);
    }

    /// Whether the token is triggered.
    pub fn is_triggered(&self) -> bool {
        self.triggered.load(Ordering::SeqCst)
    }
}

/// Why a watch ended a blocking libav call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// Somebody asked for the stop.
    Stopped,
    /// The time allowed ran out.
    Deadline,
}

/// A thread that did not look at its watch for so long did not run: its process was stopped (SIGSTOP, a paused container,
/// a suspended machine), or starved. Whatever waits looks several times a second.
const LONGEST_GAP_NS: i64 = SECOND;

/// After such a gap a stream has so long to hand over what came meanwhile, before its silence counts.
const GRACE_NS: i64 = SECOND;

/// What libav's interrupt callback reads: a flag and a deadline, both atomic, no lock.
pub(crate) struct Watch {
    stopped: AtomicBool,
    /// When it was last looked at.
    seen_ns: AtomicI64,
    /// Until then no silence counts.
    grace_ns: AtomicI64,
    /// What waits where nobody polls.
    waiter: Mutex<Option<Waker>>,
    deadline_ns: AtomicI64,
    was_polled: AtomicBool,
    on_poll: OnceLock<OnPoll>,
}

/// Called every time that libav asks while it waits, which is several times a second.
type OnPoll = Box<dyn Fn() + Send + Sync>;

impl Default for Watch {
    fn default() -> Self {
        Self {
            stopped: AtomicBool::new(false),
            seen_ns: AtomicI64::new(i64::MAX),
            grace_ns: AtomicI64::new(i64::MIN),
            waiter: Mutex::default(),
            deadline_ns: AtomicI64::new(i64::MAX),
            was_polled: AtomicBool::new(false),
            on_poll: OnceLock::new(),
        }
    }
}

impl Watch {
    /// Ends the present and every later call, for good.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        if let Some(waiter) = self.waiter.lock().take() {
            waiter.wake();
        }
    }

    /// Has [`Self::stop`] wake a task, which asks whether it was called after this.
    pub(crate) fn wake_on_stop(&self, waiter: &Waker) {
        let mut known = self.waiter.lock();
        if !known.as_ref().is_some_and(|known| known.will_wake(waiter)) {
            *known = Some(waiter.clone());
        }
    }

    /// Whether [`Self::stop`] was called.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Allows the calls that follow this long from now.
    pub(crate) fn allow_ms(&self, milliseconds: i64) {
        let (nanoseconds, now_ns) = (milliseconds.saturating_mul(1_000_000), monotonic_ns());
        self.note_gap(now_ns);
        self.deadline_ns.store(now_ns.saturating_add(nanoseconds), Ordering::SeqCst);
    }

    /// Sees whether the thread has not run for a while.
    fn note_gap(&self, now_ns: i64) {
        let seen_ns = self.seen_ns.swap(now_ns, Ordering::SeqCst);
        if now_ns.saturating_sub(seen_ns) > LONGEST_GAP_NS {
            self.grace_ns.store(now_ns.saturating_add(GRACE_NS), Ordering::SeqCst);
        }
    }

    /// Has a function called while libav waits. Only the first one is kept.
    pub(crate) fn set_on_poll(&self, on_poll: OnPoll) {
        let _ = self.on_poll.set(on_poll);
    }

    /// libav asks whether to go on.
    pub(crate) fn poll(&self) -> Option<Expiry> {
        self.was_polled.store(true, Ordering::Relaxed);
        let expiry = self.look();
        if let Some(on_poll) = self.on_poll.get().filter(|_| !self.is_in_grace(monotonic_ns())) {
            on_poll();
        }
        expiry
    }

    /// [`Self::expiry`] for whoever looks several times a second.
    pub(crate) fn look(&self) -> Option<Expiry> {
        self.note_gap(monotonic_ns());
        self.expiry()
    }

    /// Whether libav ever asked. It does so in whatever it waits for, but not while it looks a name up.
    pub(crate) fn was_polled(&self) -> bool {
        self.was_polled.load(Ordering::Relaxed)
    }

    /// How long the present call may still take.
    pub(crate) fn remaining(&self) -> Duration {
        let end_ns = self.deadline_ns.load(Ordering::SeqCst).max(self.grace_ns.load(Ordering::SeqCst));
        let nanoseconds = end_ns.saturating_sub(monotonic_ns());
        Duration::from_nanos(nanoseconds.max(0).unsigned_abs())
    }

    /// Why a call must end now; `None` while it may go on.
    pub(crate) fn expiry(&self) -> Option<Expiry> {
        if self.is_stopped() {
            return Some(Expiry::Stopped);
        }
        let now_ns = monotonic_ns();
        let is_over = now_ns >= self.deadline_ns.load(Ordering::SeqCst) && !self.is_in_grace(now_ns);
        is_over.then_some(Expiry::Deadline)
    }

    fn is_in_grace(&self, now_ns: i64) -> bool {
        now_ns < self.grace_ns.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::Arc;
    use proptest::prelude::*;

    proptest! {
        /// An hour is longer than the test takes.
        #[test]
        fn any_allowance_is_over_at_once_or_not_within_an_hour(
            milliseconds in prop_oneof![any::<i64>(), -5_i64..=0, Just(i64::MIN), Just(i64::MAX)], before in any::<i64>(),
        ) {
            prop_assume!(milliseconds <= 0 || milliseconds > 3_600_000);
            let watch = Watch::default();
            watch.allow_ms(before);
            watch.allow_ms(milliseconds);
            prop_assert_eq!(watch.expiry(), (milliseconds <= 0).then_some(Expiry::Deadline));
            watch.stop();
            prop_assert_eq!(watch.poll(), Some(Expiry::Stopped));
        }
    }

    #[test]
    fn a_watch_expires_by_stop_before_deadline() {
        let watch = Watch::default();
        assert_eq!(watch.expiry(), None);
        watch.allow_ms(0);
        assert_eq!(watch.expiry(), Some(Expiry::Deadline));
        watch.allow_ms(60_000);
        assert_eq!(watch.expiry(), None);
        watch.stop();
        watch.allow_ms(60_000);
        assert_eq!(watch.expiry(), Some(Expiry::Stopped));
    }

    #[test]
    fn a_deadline_that_passed_while_the_process_was_stopped_leaves_time_for_what_waits() {
        let watch = Watch::default();
        let polled = Arc::new(AtomicI64::new(0));
        watch.set_on_poll(Box::new({
            let polled = Arc::clone(&polled);
            move || {
                polled.fetch_add(1, Ordering::SeqCst);
            }
        }));
        watch.allow_ms(60_000);
        assert_eq!((watch.poll(), polled.load(Ordering::SeqCst)), (None, 1));
        // As if the last look were 9 s ago, and the deadline over since.
        watch.seen_ns.store(monotonic_ns() - 9 * SECOND, Ordering::SeqCst);
        watch.deadline_ns.store(monotonic_ns() - SECOND, Ordering::SeqCst);
        assert_eq!((watch.poll(), polled.load(Ordering::SeqCst)), (None, 1), "nothing was looked at yet");
        assert!(watch.remaining() <= Duration::from_nanos(GRACE_NS.unsigned_abs()) && !watch.remaining().is_zero());
        // And as if what waits had been looked at since.
        watch.grace_ns.store(monotonic_ns(), Ordering::SeqCst);
        assert_eq!((watch.poll(), polled.load(Ordering::SeqCst)), (Some(Expiry::Deadline), 2));
    }

    #[test]
    fn an_allowance_beyond_the_clock_is_no_overflow() {
        let watch = Watch::default();
        watch.allow_ms(i64::MAX);
        assert_eq!(watch.expiry(), None);
        assert!(watch.remaining() > Duration::from_secs(1 << 32));
        watch.allow_ms(i64::MIN);
        assert_eq!(watch.remaining(), Duration::ZERO);
    }

    #[test]
    fn a_stop_wakes_the_task_that_waits() {
        struct Woken(AtomicBool);
        impl std::task::Wake for Woken {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let (watch, woken) = (Watch::default(), Arc::new(Woken(AtomicBool::new(false))));
        watch.wake_on_stop(&Arc::clone(&woken).into());
        assert!(!woken.0.load(Ordering::SeqCst));
        watch.stop();
        assert!(woken.0.load(Ordering::SeqCst));
    }

    #[test]
    fn a_trigger_wakes_those_who_follow() {
        let token = CancelToken::new();
        let signal = Arc::new(Signal::default());
        let following = signal.follow(&token.signal);
        token.trigger();
        assert!(token.is_triggered() && signal.now() == 1);
        drop(following);
        token.reset();
        assert!(!token.is_triggered());
    }
}
