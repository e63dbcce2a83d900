//! The ring's protocol under a model checker (tests/proof/models.sh), over its real memory.

use super::tests::{info, publish, query, seqs};
use super::*;
use crate::sync::model::{explore, thread};

/// Frames of one page, so that there are no more slots than asked for.
fn ring(cache_size: u32, lease_slots: u32, max_orphans: u32) -> Arc<Ring> {
    let frame_bytes = rustix::param::page_size();
    let size = RingSize { frame_bytes, cache_size, lease_slots, max_orphans, max_bytes: 1 << 30 };
    Arc::new(Ring::new(size, Arc::default(), 0, 1).expect("no ring"))
}

/// Fails unless every byte of a lease tells the number of its frame.
fn check(lease: &Block) {
    for (index, seq) in seqs(lease).into_iter().enumerate() {
        let frame = lease.frame(index).expect("an info without a frame");
        assert!(frame.iter().all(|byte| u64::from(*byte) == seq), "frame {seq} tells {}", frame[0]);
    }
}

fn latest(ring: &Ring, count: u32) -> Option<Block> {
    ring.take_block(&query(Order::Latest, count, 0), 1)
}

#[test]
fn a_slot_is_written_or_read_and_what_was_written_is_seen() {
    explore(|| {
        let layout = Layout::new(rustix::param::page_size(), 1).expect("no layout");
        let mapping = Mapping::new(layout).expect("no memory");
        let writer = thread::spawn({
            let mapping = Arc::clone(&mapping);
            move || {
                if let Some(mut slot) = mapping.write(0) {
                    slot.fill(1);
                    slot.finish();
                }
            }
        });
        let read = || mapping.read(0, 1).map(|window| window.bytes().iter().map(|byte| u32::from(*byte)).sum::<u32>());
        let (first, second) = (read(), read());
        writer.join().expect("panicked");
        let whole = layout.frame_bytes as u32;
        assert!([first, second].into_iter().flatten().all(|sum| sum == 0 || sum == whole), "a torn frame");
        assert!(!(first == Some(whole) && second == Some(0)), "an older frame after a newer one");
    });
}

#[test]
fn a_reader_sees_whole_frames_and_costs_no_freshness() {
    explore(|| {
        let ring = ring(1, 0, 1);
        let reader = thread::spawn({
            let ring = Arc::clone(&ring);
            move || {
                if let Some(lease) = latest(&ring, 1) {
                    check(&lease);
                }
            }
        });
        for seq in 1..=3 {
            assert_eq!(publish(&ring, 1), Ok(seq));
        }
        reader.join().expect("panicked");
        check(&latest(&ring, 1).expect("nothing"));
        assert_eq!(ring.status().orphans, 0);
    });
}

#[test]
fn a_slot_given_back_by_another_thread_is_written_again() {
    explore(|| {
        let ring = ring(1, 0, 0);
        publish(&ring, 1).expect("refused");
        let lease = latest(&ring, 1).expect("nothing");
        let releaser = thread::spawn(move || {
            check(&lease);
            drop(lease);
        });
        // Without spare memory the writer is refused for as long as the slot is out, and never after.
        publish(&ring, 1).expect("the other slot is free");
        let early = publish(&ring, 1);
        releaser.join().expect("panicked");
        match early {
            Ok(seq) => assert_eq!(seq, 3),
            Err(refusal) => {
                assert_eq!(refusal, Refusal::Leased);
                assert_eq!(publish(&ring, 1), Ok(3));
            }
        }
        check(&latest(&ring, 1).expect("nothing"));
    });
}

#[test]
fn a_held_lease_does_not_change_while_the_writer_moves_off_it() {
    explore(|| {
        let ring = ring(1, 0, 1);
        publish(&ring, 1).expect("refused");
        let lease = latest(&ring, 1).expect("nothing");
        let writer = thread::spawn({
            let ring = Arc::clone(&ring);
            move || (2..=3).for_each(|seq| assert_eq!(publish(&ring, 1), Ok(seq)))
        });
        check(&lease);
        if let Some(newer) = latest(&ring, 1) {
            check(&newer);
        }
        writer.join().expect("panicked");
        check(&lease);
        assert_eq!((seqs(&lease), ring.status().orphans), (vec![1], 1));
    });
}

#[test]
fn a_lease_outlives_the_ring() {
    explore(|| {
        let ring = ring(1, 0, 0);
        publish(&ring, 1).expect("refused");
        let lease = latest(&ring, 1).expect("nothing");
        let reader = thread::spawn(move || check(&lease));
        publish(&ring, 1).expect("the other slot is free");
        drop(ring);
        reader.join().expect("panicked");
    });
}

#[test]
fn a_writer_left_behind_spoils_nothing() {
    explore(|| {
        let ring = ring(2, 0, 1);
        let late = thread::spawn({
            let ring = Arc::clone(&ring);
            move || {
                let mut slot = ring.reserve(1).ok()?;
                slot.fill(1);
                ring.publish(slot, info(1))
            }
        });
        ring.set_epoch(2);
        let before = ring.newest_seq();
        let mut slot = ring.reserve(2).expect("held up by a writer that was left behind");
        slot.fill(before as u8 + 1);
        let published = ring.publish(slot, info(2));
        assert_eq!(published, Some(before + 1));
        assert_eq!(late.join().expect("panicked"), (before == 1).then_some(1));
        let lease =
            ring.take_block(&Query { mix_generations: true, ..query(Order::Latest, 2, 0) }, 1).expect("nothing");
        check(&lease);
        assert_eq!(lease.infos.len() as u64, before + 1);
    });
}

#[test]
fn a_writer_left_behind_while_it_moves_spoils_nothing() {
    explore(|| {
        let ring = ring(1, 0, 2);
        publish(&ring, 1).expect("refused");
        let lease = latest(&ring, 1).expect("nothing");
        publish(&ring, 1).expect("refused");
        // The next slot is the one that is out.
        let late = thread::spawn({
            let ring = Arc::clone(&ring);
            move || drop(ring.reserve(1))
        });
        ring.set_epoch(2);
        let mut slot = ring.reserve(2).expect("held up by a writer that was left behind");
        slot.fill(3);
        assert_eq!(ring.publish(slot, info(2)), Some(3));
        late.join().expect("panicked");
        check(&lease);
        check(&latest(&ring, 1).expect("nothing"));
    });
}

/// The writer goes on in other memory, and one of the frames before that is wanted with those after it.
#[test]
fn frames_of_two_memories_are_one_block_for_each_reader() {
    explore(|| {
        let ring = ring(2, 0, 1);
        (1..=2).for_each(|_| assert!(publish(&ring, 1).is_ok()));
        let held = ring.take_block(&query(Order::Next, 1, 0), 1).expect("nothing");
        publish(&ring, 1).expect("refused");
        // The slot of frame 4 is that of frame 1.
        let writer = thread::spawn({
            let ring = Arc::clone(&ring);
            move || assert_eq!(publish(&ring, 1), Ok(4))
        });
        let reader = thread::spawn({
            let ring = Arc::clone(&ring);
            move || check(&latest(&ring, 2).expect("nothing"))
        });
        let newest = latest(&ring, 2).expect("nothing");
        check(&newest);
        writer.join().expect("panicked");
        reader.join().expect("panicked");
        check(&newest);
        check(&held);
        check(&latest(&ring, 2).expect("nothing"));
        drop((held, newest));
        assert_eq!((latest(&ring, 2).map(|lease| seqs(&lease)), ring.status().orphans), (Some(vec![3, 4]), 0));
    });
}

/// The writer comes to the slots that a reader copies to, and may not wait for it.
#[test]
fn a_reader_that_gathers_frames_costs_no_freshness() {
    explore(|| {
        let ring = ring(2, 0, 3);
        (1..=2).for_each(|_| assert!(publish(&ring, 1).is_ok()));
        let held = ring.take_block(&query(Order::Next, 1, 0), 1).expect("nothing");
        (3..=4).for_each(|seq| assert_eq!(publish(&ring, 1), Ok(seq)));
        let reader = thread::spawn({
            let ring = Arc::clone(&ring);
            move || check(&latest(&ring, 2).expect("nothing"))
        });
        (5..=6).for_each(|seq| assert_eq!(publish(&ring, 1), Ok(seq)));
        reader.join().expect("panicked");
        check(&held);
        check(&latest(&ring, 2).expect("nothing"));
    });
}

#[test]
fn who_waits_for_a_frame_gets_it() {
    explore(|| {
        let ring = ring(1, 0, 0);
        let reader = thread::spawn({
            let ring = Arc::clone(&ring);
            move || loop {
                let seen = ring.signal.now();
                match latest(&ring, 1) {
                    Some(lease) => break check(&lease),
                    None => ring.signal.wait_after(seen, None),
                };
            }
        });
        publish(&ring, 1).expect("refused");
        reader.join().expect("panicked");
    });
}

#[test]
fn what_becomes_known_of_a_frame_is_known_or_not_and_never_half() {
    explore(|| {
        let ring = ring(1, 0, 0);
        publish(&ring, 1).expect("refused");
        let teller = thread::spawn({
            let ring = Arc::clone(&ring);
            move || ring.amend(|info| Some((info.seq as i64, CaptureClock::Rtcp)))
        });
        publish(&ring, 1).expect("refused");
        let seen = ring.info(2).expect("pushed out").capture;
        assert!(seen.is_none_or(|(capture_ns, _)| capture_ns == 2));
        teller.join().expect("panicked");
    });
}

/// Larger than what can be explored whole: readers of both orders, leases that go from thread to thread, a writer that
/// must move, and another one that takes over.
#[test]
#[cfg(shuttle)]
fn readers_leases_and_two_writers_at_once() {
    explore(|| {
        let ring = ring(3, 1, 2);
        let (hand_over, handed) = shuttle::sync::mpsc::channel::<Block>();
        let readers = [Order::Latest, Order::Next].map(|order| {
            let (ring, hand_over) = (Arc::clone(&ring), hand_over.clone());
            thread::spawn(move || {
                let mut after = 0;
                for count in 1..=3 {
                    let query = Query { mix_generations: true, ..query(order, count, after) };
                    if let Some(lease) = ring.take_block(&query, 1) {
                        check(&lease);
                        let first = lease.infos[0].seq;
                        assert!(first > after, "frame {first} came after {after}");
                        after = lease.infos.last().expect("empty").seq;
                        hand_over.send(lease).expect("nobody takes it");
                    }
                }
            })
        });
        drop(hand_over);
        let releaser = thread::spawn(move || {
            // Held by twos, and given back in the order in which they came or the other.
            let mut held: Vec<Block> = Vec::new();
            while let Ok(lease) = handed.recv() {
                held.push(lease);
                held.iter().for_each(check);
                if held.len() > 2 {
                    drop(held.remove(0));
                    drop(held.pop());
                }
            }
        });
        let writer = thread::spawn({
            let ring = Arc::clone(&ring);
            move || {
                for _ in 0..6 {
                    write(&ring, 1);
                }
            }
        });
        ring.set_epoch(2);
        for _ in 0..6 {
            write(&ring, 2);
        }
        writer.join().expect("panicked");
        readers.into_iter().for_each(|reader| reader.join().expect("panicked"));
        releaser.join().expect("panicked");
        // All leases were given back, and this one brings the readable frames together.
        let all = Query { mix_generations: true, ..query(Order::Latest, 3, 0) };
        check(&ring.take_block(&all, 1).expect("nothing"));
        assert_eq!(ring.status().orphans, 0);
    });
}

/// Writes one frame as the writer of an epoch, unless it is refused.
#[cfg(shuttle)]
fn write(ring: &Ring, epoch: u64) -> Option<u64> {
    let mut slot = ring.reserve(epoch).ok()?;
    // What the frame will be, as long as no other writer takes over: then it is not published.
    slot.fill(ring.newest_seq() as u8 + 1);
    ring.publish(slot, info(epoch))
}
