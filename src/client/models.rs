//! Waiting, reading and giving back through a whole client, under a model checker (tests/proof/models.sh). A thread of
//! the model stands in for the writer, with the writer's own view and control.

use super::stage::{publish, running, show_anew};
use super::*;
use crate::ring::Order;
use crate::sync::model::{explore, thread};
use crate::writer::Control;
use std::mem::MaybeUninit;

fn session(client: &Client) -> Session {
    let config = Arc::new(client.configure(None).expect("refused"));
    Session { config, view: client.view().expect("no view"), writer: None }
}

fn check(lease: &FrameLease) {
    for (index, info) in lease.infos().iter().enumerate() {
        assert!(lease.frame(index).is_some_and(|frame| frame.iter().all(|byte| u64::from(*byte) == info.seq)));
    }
}

/// Reads one frame by copying it.
fn copy(client: &Client, options: &ReadOptions<'_>) -> Result<u64> {
    let mut pixels = [MaybeUninit::new(0); 64 * 64];
    client.extract(options, &mut pixels, &mut None).map(|batch| batch.infos[0].seq)
}

/// What a reader asks for that waits for as long as it takes.
fn patient(order: Order, count: u32, after_seq: u64) -> ReadOptions<'static> {
    ReadOptions { order, count: Some(count), after_seq, timeout_ms: -1, ..ReadOptions::default() }
}

#[test]
fn a_reader_gets_what_it_waits_for() {
    explore(|| {
        let (client, epoch) = running(&[("cache_size", "2")]);
        let writer = thread::spawn({
            let client = Arc::clone(&client);
            move || [publish(&client, epoch), publish(&client, epoch)]
        });
        let lease = client.acquire(&patient(Order::Latest, 2, 0)).expect("nothing");
        check(&lease);
        assert_eq!(lease.infos().len(), 2);
        assert_eq!(writer.join().expect("panicked"), [Some(1), Some(2)]);
    });
}

#[test]
fn a_wait_ends_with_the_token_the_interruption_or_the_stream() {
    let ends: [(Status, fn(&Client, &CancelToken, u64)); 3] = [
        (Status::Cancelled, |_, cancel, _| cancel.trigger()),
        (Status::Interrupted, |client, _, _| client.interrupt(true)),
        (Status::Ended, |client, _, epoch| client.board.set_state(epoch, State::Ended)),
    ];
    for (expected, end) in ends {
        explore(move || {
            let (client, epoch) = running(&[]);
            let cancel = Arc::new(CancelToken::new());
            let other = thread::spawn({
                let (client, cancel) = (Arc::clone(&client), Arc::clone(&cancel));
                move || end(&client, &cancel, epoch)
            });
            let waited = client.wait(0, -1, Some(&*cancel));
            assert_eq!(waited.map_err(|error| error.status), Err(expected));
            other.join().expect("panicked");
        });
    }
}

#[test]
fn terminate_and_clear_end_a_wait() {
    for clears in [false, true] {
        explore(move || {
            let (client, _) = running(&[]);
            *client.session.try_lock().expect("held") = Some(session(&client));
            let waiter = thread::spawn({
                let client = Arc::clone(&client);
                move || client.wait(0, -1, None).map_err(|error| error.status)
            });
            if clears { client.clear() } else { client.terminate() }.expect("busy");
            let waited = waiter.join().expect("panicked");
            let expected = if clears { Status::BadState } else { Status::Stopped };
            assert_eq!(waited, Err(expected));
        });
    }
}

#[test]
fn the_first_of_several_streams_wakes_who_waits_for_any() {
    explore(|| {
        let clients = [running(&[]), running(&[])];
        let writer = thread::spawn({
            let (client, epoch) = (Arc::clone(&clients[1].0), clients[1].1);
            move || publish(&client, epoch)
        });
        let waited = wait_any(&[(&clients[0].0, 0), (&clients[1].0, 0)], -1, None);
        assert_eq!(waited, Ok(1));
        writer.join().expect("panicked");
    });
}

/// The writer waits for room, the reader for frames, and a third thread gives the leases back.
#[test]
fn where_nothing_may_be_lost_every_frame_comes_once_and_in_order() {
    const FRAMES: u64 = 6;
    explore(|| {
        let (client, epoch) = running(&[("cache_size", "2"), ("overflow", "block"), ("max_orphans", "0")]);
        let control = Arc::new(Control::new(Goal::Run));
        let writer = thread::spawn({
            let client = Arc::clone(&client);
            move || {
                let view = client.view().expect("no view");
                for seq in 1..=FRAMES {
                    assert!(
                        control.wait_while_running(&client.board.signal, || view.ring().is_none_or(Ring::has_room))
                    );
                    assert_eq!(publish(&client, epoch), Some(seq), "room, yet refused");
                }
                client.board.set_state(epoch, State::Ended);
            }
        });
        let (hand_over, handed) = shuttle::sync::mpsc::channel::<FrameLease>();
        let releaser = thread::spawn(move || {
            while let Ok(lease) = handed.recv() {
                check(&lease);
            }
        });
        let mut read = Vec::new();
        let end = loop {
            match client.acquire(&patient(Order::Next, 1, read.len() as u64)) {
                Ok(lease) => {
                    read.push(lease.infos()[0].seq);
                    hand_over.send(lease).expect("nobody takes it");
                }
                Err(error) => break error.status,
            }
        };
        assert_eq!((read, end), ((1..=FRAMES).collect(), Status::Ended));
        drop(hand_over);
        releaser.join().expect("panicked");
        writer.join().expect("panicked");
        assert_eq!(client.lease_status().count, 0);
    });
}

/// A reader that copies holds memory too, for as long as that takes.
#[test]
fn a_writer_that_waits_for_memory_is_woken_by_readers_that_copy() {
    const FRAMES: u64 = 4;
    explore(|| {
        let (client, epoch) = running(&[("cache_size", "1"), ("overflow", "block"), ("max_orphans", "0")]);
        let control = Arc::new(Control::new(Goal::Run));
        let writer = thread::spawn({
            let client = Arc::clone(&client);
            move || {
                let view = client.view().expect("no view");
                for _ in 0..FRAMES {
                    control.wait_while_running(&client.board.signal, || view.ring().is_none_or(Ring::has_room));
                    publish(&client, epoch).expect("room, yet refused");
                }
                client.board.set_state(epoch, State::Ended);
            }
        });
        // Two that read in turns of their own: one acknowledges a frame that the other still copies.
        let readers = [(); 2].map(|()| {
            let client = Arc::clone(&client);
            thread::spawn(move || {
                let mut read = 0;
                while let Ok(seq) = copy(&client, &patient(Order::Next, 1, read)) {
                    read = seq;
                }
            })
        });
        writer.join().expect("panicked");
        readers.into_iter().for_each(|reader| reader.join().expect("panicked"));
    });
}

#[test]
fn a_client_that_is_set_up_anew_ends_the_waits_for_what_was_before() {
    explore(|| {
        let (client, _) = running(&[]);
        *client.session.try_lock().expect("held") = Some(session(&client));
        let waiter = thread::spawn({
            let client = Arc::clone(&client);
            move || client.wait(0, -1, None).map_err(|error| error.status)
        });
        client.close(&mut client.session.try_lock().expect("held"), stop_deadline());
        show_anew(&client);
        // Frames come to the new view. Whoever looks there by now finds one.
        let epoch = client.begin_epoch(&client.view().expect("no view"), State::Running, true);
        publish(&client, epoch);
        let waited = waiter.join().expect("panicked");
        assert!(matches!(waited, Err(Status::BadState) | Ok(1)), "{waited:?}");
    });
}

#[test]
fn the_descriptor_is_readable_once_a_frame_came() {
    explore(|| {
        let (client, epoch) = running(&[]);
        while client.next_event().is_some() {}
        let writer = thread::spawn({
            let client = Arc::clone(&client);
            move || publish(&client, epoch)
        });
        client.event_fd().expect("no descriptor");
        client.event_arm(0);
        writer.join().expect("panicked");
        let bell = client.bell.lock().clone();
        assert_eq!(bell.map(|bell| bell.is_readable()), Some(true));
    });
}
