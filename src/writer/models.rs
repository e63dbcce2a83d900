//! What passes between a client and its writer thread, under a model checker (tests/proof/models.sh).

use super::control::{Control, Goal};
use crate::sync::model::{explore, thread};
use crate::sync::process::AtomicU64;
use crate::sync::{Arc, AtomicBool, Ordering, Signal};
use std::time::{Duration, Instant};

#[test]
fn a_parked_thread_goes_on_when_told_to_run_or_to_stop() {
    for stops in [false, true] {
        explore(move || {
            let control = Arc::new(Control::new(Goal::Hold));
            let parked = thread::spawn({
                let control = Arc::clone(&control);
                move || control.park()
            });
            if stops {
                control.stop()
            } else {
                control.set_goal(Goal::Run)
            }
            parked.join().expect("panicked");
        });
    }
}

#[test]
fn a_thread_that_was_seen_to_hold_goes_no_further_until_it_is_to_run() {
    explore(|| {
        let shared = Arc::new((Control::new(Goal::Hold), AtomicBool::new(false)));
        let writer = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let (control, is_held) = &*shared;
                for _ in 0..2 {
                    control.park();
                    assert!(!is_held.load(Ordering::SeqCst), "it went on while it was held");
                }
                // It may have met the goal to run both times, and is at its end when it is to hold.
                control.finish(&AtomicU64::new(0));
            }
        });
        let (control, is_held) = &*shared;
        // Started and held again, as by two calls in a row.
        control.set_goal(Goal::Run);
        control.set_goal(Goal::Hold);
        assert!(control.wait_parked(Instant::now() + Duration::from_secs(60)));
        is_held.store(true, Ordering::SeqCst);
        is_held.store(false, Ordering::SeqCst);
        control.set_goal(Goal::Run);
        writer.join().expect("panicked");
    });
}

#[test]
fn a_thread_left_behind_is_counted_until_it_ends() {
    explore(|| {
        let (control, abandoned) = (Arc::new(Control::new(Goal::Run)), Arc::new(AtomicU64::new(0)));
        let writer = thread::spawn({
            let (control, abandoned) = (Arc::clone(&control), Arc::clone(&abandoned));
            move || control.finish(&abandoned)
        });
        // Its time is over at once: it is left behind unless it was quicker.
        let is_done = control.wait_done_or_abandon(Instant::now(), &abandoned);
        assert!(!is_done || control.is_done());
        writer.join().expect("panicked");
        assert_eq!(abandoned.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a_wait_for_readers_ends_with_what_they_do_or_with_the_goal() {
    for holds in [false, true] {
        explore(move || {
            let control = Arc::new(Control::new(Goal::Run));
            let shared = Arc::new((Signal::default(), AtomicBool::new(false)));
            let writer = thread::spawn({
                let (control, shared) = (Arc::clone(&control), Arc::clone(&shared));
                move || control.wait_while_running(&shared.0, || shared.1.load(Ordering::SeqCst))
            });
            if holds {
                control.set_goal(Goal::Hold);
            } else {
                shared.1.store(true, Ordering::SeqCst);
                shared.0.notify();
            }
            assert_eq!(writer.join().expect("panicked"), !holds);
        });
    }
}
