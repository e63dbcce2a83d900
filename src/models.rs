//! The leaves that threads share, under a model checker (tests/proof/models.sh).

use crate::board::{Board, StreamInfo};
use crate::cancel::CancelToken;
use crate::error::{Error, Status};
use crate::event::Bell;
use crate::state::State;
use crate::sync::model::{explore, thread};
use crate::sync::{Arc, AtomicBool, Ordering, Signal};
use std::time::Instant;

/// Waits as every caller of the crate does: read the signal, look, wait for a change after the reading.
fn wait_until(signal: &Signal, is_so: impl Fn() -> bool) {
    loop {
        let seen = signal.now();
        if is_so() {
            return;
        }
        signal.wait_after(seen, None);
    }
}

#[test]
fn no_change_between_look_and_wait_is_lost() {
    explore(|| {
        let shared = Arc::new((Signal::default(), AtomicBool::new(false)));
        let changer = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                // The signal orders it.
                shared.1.store(true, Ordering::Relaxed);
                shared.0.notify();
            }
        });
        wait_until(&shared.0, || shared.1.load(Ordering::Relaxed));
        changer.join().expect("panicked");
    });
}

#[test]
fn a_change_wakes_every_waiter() {
    explore(|| {
        let signal = Arc::new(Signal::default());
        let seen = signal.now();
        let waiters = [(); 2].map(|()| {
            let signal = Arc::clone(&signal);
            thread::spawn(move || assert!(signal.wait_after(seen, None)))
        });
        signal.notify();
        waiters.into_iter().for_each(|waiter| waiter.join().expect("panicked"));
    });
}

#[test]
fn a_wait_whose_time_is_over_says_whether_there_was_a_change() {
    explore(|| {
        let signal = Arc::new(Signal::default());
        let seen = signal.now();
        let changer = thread::spawn({
            let signal = Arc::clone(&signal);
            move || signal.notify()
        });
        if signal.wait_after(seen, Some(Instant::now())) {
            assert_eq!(signal.now(), seen + 1);
        }
        changer.join().expect("panicked");
        assert!(signal.wait_after(seen, Some(Instant::now())));
    });
}

#[test]
fn a_trigger_ends_a_wait_that_follows_the_token() {
    explore(|| {
        let token = Arc::new(CancelToken::new());
        let triggering = thread::spawn({
            let token = Arc::clone(&token);
            move || token.trigger()
        });
        let signal = Arc::new(Signal::default());
        let following = signal.follow(&token.signal);
        wait_until(&signal, || token.is_triggered());
        drop(following);
        triggering.join().expect("panicked");
    });
}

#[test]
fn a_bell_shows_the_condition_whoever_settles_it_last() {
    explore(|| {
        let is_due = Arc::new(AtomicBool::new(false));
        let bell = Bell::new({
            let is_due = Arc::clone(&is_due);
            move || is_due.load(Ordering::SeqCst)
        })
        .expect("no descriptor");
        let other = thread::spawn({
            let (is_due, bell) = (Arc::clone(&is_due), Arc::clone(&bell));
            move || {
                is_due.store(true, Ordering::SeqCst);
                bell.settle();
            }
        });
        is_due.store(false, Ordering::SeqCst);
        bell.settle();
        other.join().expect("panicked");
        assert_eq!(bell.is_readable(), is_due.load(Ordering::SeqCst));
    });
}

#[test]
fn a_writer_left_behind_changes_nothing() {
    explore(|| {
        let board = Arc::new(Board::default());
        let old = board.begin_epoch(State::Connecting, true);
        let late = thread::spawn({
            let board = Arc::clone(&board);
            move || {
                let generation = board.connected(old, StreamInfo::default(), None, false);
                board.set_state(old, State::Running);
                generation
            }
        });
        let new = board.begin_epoch(State::Connecting, true);
        assert_eq!(board.state(), State::Connecting);
        let before = late.join().expect("panicked");
        assert_eq!(board.state(), State::Connecting);
        assert_eq!(board.connected(new, StreamInfo::default(), None, false), before + 1);
    });
}

#[test]
fn who_waits_learns_of_the_end_and_of_an_interruption() {
    explore(|| {
        let board = Arc::new(Board::default());
        let epoch = board.begin_epoch(State::Running, true);
        let writer = thread::spawn({
            let board = Arc::clone(&board);
            move || board.set_state(epoch, State::Ended)
        });
        let interrupter = thread::spawn({
            let board = Arc::clone(&board);
            move || board.set_interrupted(true)
        });
        wait_until(&board.signal, || board.standstill() == Some(Status::Ended));
        wait_until(&board.signal, || board.is_interrupted());
        writer.join().expect("panicked");
        interrupter.join().expect("panicked");
    });
}

/// A caught panic marks a client failed from any thread; what its writer finds out meanwhile does not change that.
#[test]
fn no_packet_and_no_silence_undoes_a_failure() {
    explore(|| {
        let board = Arc::new(Board::default());
        let epoch = board.begin_epoch(State::Connecting, true);
        board.connected(epoch, StreamInfo::default(), Some(-1), false);
        board.set_state(epoch, State::Running);
        let writer = thread::spawn({
            let board = Arc::clone(&board);
            move || {
                // The limit is below zero: any time without a packet is too long, and no packet is too old.
                board.check_stall(epoch);
                board.packet_arrived(epoch, 1, i64::MAX);
            }
        });
        board.fail(&Error::new(Status::Internal, ""));
        writer.join().expect("panicked");
        assert_eq!(board.state(), State::Failed);
    });
}
