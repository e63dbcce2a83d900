use super::*;
use crate::clock::Moment;
use crate::frame::Flags;
use proptest::prelude::*;
use std::collections::BTreeSet;

const FRAME: usize = 64;

fn ring(cache_size: u32, lease_slots: u32, max_orphans: u32) -> Ring {
    let size = RingSize { frame_bytes: FRAME, cache_size, lease_slots, max_orphans, max_bytes: 1 << 30 };
    Ring::new(size, Arc::default(), 0, 1).expect("no ring")
}

pub(super) fn info(generation: u64) -> FrameInfo {
    FrameInfo {
        seq: 0,
        generation,
        pts_ns: None,
        capture: None,
        arrival: Moment { monotonic_ns: 0, wall_ns: 0 },
        decoded_ns: 0,
        published_ns: 0,
        flags: Flags::default(),
        source_width: 8,
        to_source: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        source_height: 8,
    }
}

/// Publishes one frame whose every byte tells its number.
pub(super) fn publish(ring: &Ring, generation: u64) -> std::result::Result<u64, Refusal> {
    let mut slot = ring.reserve(1)?;
    slot.fill(((ring.newest_seq() + 1) % 251) as u8);
    Ok(ring.publish(slot, info(generation)).expect("superseded"))
}

pub(super) fn query(order: Order, count: u32, after_seq: u64) -> Query {
    Query { order, count, after_seq, mix_generations: false }
}

pub(super) fn seqs<P>(lent: &Lent<P>) -> Vec<u64> {
    lent.infos.iter().map(|info| info.seq).collect()
}

/// The numbers that the pixels of a block tell; every byte of a frame must tell the same.
fn pixels(block: &Block) -> Vec<u64> {
    numbers(|index| block.frame(index))
}

fn numbers<'a>(frame: impl Fn(usize) -> Option<&'a [u8]>) -> Vec<u64> {
    (0..)
        .map_while(frame)
        .map(|frame| {
            assert!(frame.iter().all(|byte| *byte == frame[0]), "a torn frame");
            u64::from(frame[0])
        })
        .collect()
}

#[test]
fn an_empty_ring_has_nothing_to_give() {
    let ring = ring(4, 2, 1);
    assert!(ring.take_block(&query(Order::Latest, 1, 0), 1).is_none());
    assert_eq!(ring.status().newest_seq, 0);
    assert!(ring.info(1).is_none());
}

#[test]
fn count_may_equal_cache_size() {
    let ring = ring(4, 0, 0);
    for _ in 0..9 {
        publish(&ring, 1).expect("refused");
    }
    let lease = ring.take_block(&query(Order::Latest, 4, 0), 4).expect("nothing");
    assert_eq!(seqs(&lease), [6, 7, 8, 9]);
    assert_eq!(pixels(&lease), [6, 7, 8, 9]);
}

#[test]
fn fewer_frames_come_only_when_fewer_are_accepted() {
    let ring = ring(4, 0, 0);
    publish(&ring, 1).expect("refused");
    publish(&ring, 1).expect("refused");
    assert!(ring.take_block(&query(Order::Latest, 3, 0), 3).is_none());
    assert_eq!(seqs(&ring.take_block(&query(Order::Latest, 3, 0), 1).expect("nothing")), [1, 2]);
    assert!(ring.take_block(&query(Order::Latest, 3, 2), 1).is_none());
}

#[test]
fn next_gives_the_oldest_after_a_number() {
    let ring = ring(8, 0, 0);
    for _ in 0..6 {
        publish(&ring, 1).expect("refused");
    }
    assert_eq!(seqs(&ring.take_block(&query(Order::Next, 2, 3), 2).expect("nothing")), [4, 5]);
}

#[test]
fn generations_are_not_mixed_unless_asked() {
    let ring = ring(8, 0, 0);
    for generation in [1, 1, 1, 2, 2] {
        publish(&ring, generation).expect("refused");
    }
    assert!(
        ring.take_block(&query(Order::Latest, 4, 0), 4).is_none(),
        "two frames of the newest generation are not four"
    );
    assert_eq!(seqs(&ring.take_block(&query(Order::Latest, 4, 0), 1).expect("nothing")), [4, 5]);
    // Nothing will follow in generation 1, so that there is no use in waiting.
    assert_eq!(seqs(&ring.take_block(&query(Order::Next, 4, 0), 4).expect("nothing")), [1, 2, 3]);
    let mixed = Query { mix_generations: true, ..query(Order::Latest, 4, 0) };
    assert_eq!(seqs(&ring.take_block(&mixed, 4).expect("nothing")), [2, 3, 4, 5]);
}

#[test]
fn a_held_lease_never_changes_and_costs_no_freshness() {
    let ring = ring(3, 1, 1);
    for _ in 0..5 {
        publish(&ring, 1).expect("refused");
    }
    let lease = ring.take_block(&query(Order::Latest, 3, 0), 3).expect("nothing");
    for _ in 0..500 {
        publish(&ring, 1).expect("a lease held the writer up");
        assert_eq!(pixels(&lease), [3, 4, 5]);
    }
    assert_eq!(ring.status().orphans, 1);
    let newest = ring.take_block(&query(Order::Latest, 3, 0), 3).expect("nothing");
    assert_eq!(seqs(&newest), [503, 504, 505]);
    assert_eq!(pixels(&newest), [503 % 251, 504 % 251, 505 % 251]);
    drop((lease, newest));
    assert_eq!(ring.status().orphans, 0);
}

#[test]
fn where_nothing_may_be_lost_the_writer_waits_for_the_memory_too() {
    let ring = ring(2, 0, 1);
    let take_next = |after| ring.take_block(&query(Order::Next, 1, after), 1).expect("nothing");
    let mut leases = Vec::new();
    let mut seq = 0;
    while ring.has_room() {
        seq = publish(&ring, 1).expect("room, yet refused");
        leases.push(take_next(seq - 1));
        ring.take_block(&query(Order::Next, 1, seq), 1); // has read it
    }
    assert!(seq > ring.status().capacity.into(), "the one spare ring is used before it waits");
    assert_eq!(publish(&ring, 1), Err(Refusal::Leased));
    drop(leases.drain(..seq as usize - 1));
    assert!(ring.has_room());
    assert_eq!(pixels(&leases[0]), [seq]);
}

/// A ring of 4 frames whose writer had to go on in other memory, the lease that made it, and the newest frame's number.
fn moved_ring() -> (Ring, Block, u64) {
    let ring = ring(4, 0, 1);
    for _ in 0..4 {
        publish(&ring, 1).expect("refused");
    }
    let lease = ring.take_block(&query(Order::Latest, 4, 0), 4).expect("nothing");
    let capacity = u64::from(ring.status().capacity);
    let newest = (5..=capacity + 1).map(|_| publish(&ring, 1).expect("refused")).last();
    assert_eq!(ring.status().orphans, 1);
    (ring, lease, newest.expect("no frame"))
}

#[test]
fn a_writer_that_must_find_other_memory_copies_no_frame() {
    let (ring, lease, newest) = moved_ring();
    let held = lease.pixels().as_ptr_range();
    let after = ring.take(&query(Order::Latest, 4, 0), 4).expect("nothing");
    assert_eq!(seqs(&after), (newest - 3..=newest).collect::<Vec<_>>());
    // Those that were readable before the move are still in the memory that the writer left.
    let capacity = ring.status().capacity as usize;
    let before = held.start..held.start.wrapping_add(2 * capacity * lease.frame_stride());
    let stayed = (0..4).map(|index| before.contains(&after.frame(index).expect("no frame").as_ptr()));
    assert_eq!(stayed.collect::<Vec<_>>(), [true, true, true, false]);
}

#[test]
fn frames_of_two_memories_are_copied_in_order() {
    let (ring, _lease, newest) = moved_ring();
    for count in 1..=4 {
        let frames = ring.take(&query(Order::Latest, count, 0), count).expect("nothing");
        let wanted: Vec<u64> = (newest + 1 - u64::from(count)..=newest).collect();
        assert_eq!(numbers(|index| frames.frame(index)), wanted);
        let copied = frames.runs().collect::<Vec<_>>().concat();
        assert_eq!(copied, wanted.iter().flat_map(|seq| [*seq as u8; FRAME]).collect::<Vec<_>>());
        let mut buffer = [MaybeUninit::new(0); 4 * FRAME];
        assert_eq!(frames.copy_into(&mut buffer).len(), count as usize);
    }
}

#[test]
fn frames_that_a_reader_brought_together_are_found_together() {
    let (ring, lease, newest) = moved_ring();
    let block = |count| ring.take_block(&query(Order::Latest, count, 0), count).expect("nothing");
    let first = block(3);
    assert_eq!(pixels(&first), [newest - 2, newest - 1, newest]);
    assert_eq!(block(3).pixels().as_ptr(), first.pixels().as_ptr(), "copied again");
    assert_eq!(pixels(&block(4)), (newest - 3..=newest).collect::<Vec<_>>());
    assert_eq!(pixels(&lease), [1, 2, 3, 4]);
    // Nothing readable lies in the earlier memory now.
    drop(lease);
    assert_eq!(ring.status().orphans, 0);
}

#[test]
fn earlier_memory_goes_with_its_last_frame() {
    let (ring, lease, _) = moved_ring();
    drop(lease);
    let mut orphans = Vec::new();
    for _ in 0..4 {
        orphans.push(ring.status().orphans);
        publish(&ring, 1).expect("refused");
    }
    assert_eq!((orphans, ring.status().orphans), (vec![1, 1, 1, 0], 0));
}

#[test]
fn frames_survive_the_move_to_fresh_memory() {
    let ring = ring(4, 0, 1);
    for _ in 0..4 {
        publish(&ring, 1).expect("refused");
    }
    let lease = ring.take_block(&query(Order::Latest, 4, 0), 4).expect("nothing");
    while ring.status().orphans == 0 {
        publish(&ring, 1).expect("refused");
    }
    let newest = ring.newest_seq();
    let moved = ring.take_block(&query(Order::Latest, 4, 0), 4).expect("nothing");
    assert_eq!(pixels(&moved), (newest - 3..=newest).collect::<Vec<_>>());
    assert_eq!(pixels(&lease), [1, 2, 3, 4]);
}

#[test]
fn when_leases_hold_all_they_may_frames_are_refused_and_come_again_after() {
    let ring = ring(2, 0, 0);
    publish(&ring, 1).expect("refused");
    let lease = ring.take_block(&query(Order::Latest, 1, 0), 1).expect("nothing");
    let refused = (0..100).find_map(|_| publish(&ring, 1).err());
    assert_eq!(refused, Some(Refusal::Leased));
    drop(lease);
    publish(&ring, 1).expect("still refused");
}

#[test]
fn room_comes_with_what_a_reader_in_order_has_read() {
    let ring = ring(3, 0, 0);
    for _ in 0..3 {
        assert!(ring.has_room());
        publish(&ring, 1).expect("refused");
    }
    assert!(!ring.has_room());
    assert_eq!(seqs(&ring.take_block(&query(Order::Next, 2, 0), 2).expect("nothing")), [1, 2]);
    assert!(!ring.has_room(), "given is not yet read");
    assert!(ring.take_block(&query(Order::Latest, 1, 2), 1).is_some());
    assert!(!ring.has_room(), "who reads the newest reads none of the others");
    assert_eq!(seqs(&ring.take_block(&query(Order::Next, 2, 2), 1).expect("nothing")), [3]);
    assert!(ring.has_room());
}

#[test]
fn a_writer_left_behind_changes_nothing() {
    let ring = ring(4, 1, 1);
    publish(&ring, 1).expect("refused");
    let mut late = ring.reserve(1).expect("refused");
    ring.set_epoch(2);
    late.fill(99);
    let mut slot = ring.reserve(2).expect("the new writer is held up by the old one's slot");
    slot.fill(2);
    assert_eq!(ring.publish(slot, info(2)), Some(2));
    assert_eq!(ring.publish(late, info(1)), None);
    assert_eq!(ring.reserve(1).err(), Some(Refusal::Superseded));
    ring.set_epoch(1);
    assert_eq!(ring.reserve(1).err(), Some(Refusal::Superseded), "its late word counts");
    let lease = ring.take_block(&Query { mix_generations: true, ..query(Order::Latest, 2, 0) }, 2).expect("nothing");
    assert_eq!(pixels(&lease), [1, 2]);
}

#[test]
fn numbers_go_on_where_the_ring_before_ended() {
    let size = RingSize { frame_bytes: FRAME, cache_size: 2, lease_slots: 0, max_orphans: 0, max_bytes: 1 << 30 };
    let ring = Ring::new(size, Arc::default(), 41, 1).expect("no ring");
    assert_eq!(publish(&ring, 1), Ok(42));
}

#[test]
fn a_ring_beyond_its_limit_is_an_error_that_says_so() {
    let size = RingSize { frame_bytes: 1 << 20, cache_size: 8, lease_slots: 0, max_orphans: 0, max_bytes: 1 << 22 };
    let error = Ring::new(size, Arc::default(), 0, 1).err().expect("taken");
    assert!(error.message.contains("max_ring_size"), "{error}");
}

#[test]
fn readers_and_writer_at_full_speed_see_whole_frames() {
    let frames = if cfg!(miri) { 50 } else { 20_000 };
    let ring = Arc::new(ring(5, 2, 4));
    let readers: Vec<_> = (1..=3)
        .map(|count| {
            let ring = Arc::clone(&ring);
            std::thread::spawn(move || {
                let mut after = 0;
                while after < frames {
                    let query = query(Order::Latest, count, after);
                    let expected = |seqs: Vec<u64>| seqs.iter().map(|seq| seq % 251).collect::<Vec<_>>();
                    if let Some(block) = ring.take_block(&query, 1) {
                        assert_eq!(pixels(&block), expected(seqs(&block)));
                        after = block.infos.last().expect("an empty lease").seq;
                    }
                    if let Some(frames) = ring.take(&query, 1) {
                        assert_eq!(numbers(|index| frames.frame(index)), expected(seqs(&frames)));
                    }
                }
            })
        })
        .collect();
    for _ in 0..frames {
        while publish(&ring, 1).is_err() {}
    }
    for reader in readers {
        reader.join().expect("a reader saw a torn frame");
    }
}

proptest! {
    /// Against the obvious model: a list of all frames ever published.
    #[test]
    fn reads_are_those_of_a_list(
        cache_size in 1u32..9,
        generations in prop::collection::vec(prop::bool::weighted(0.2), 1..40),
        count in 1u32..10,
        after in 0u64..45,
        next in any::<bool>(),
    ) {
        let ring = ring(cache_size, 1, 1);
        let mut model: Vec<(u64, u64)> = Vec::new();
        let mut generation = 1;
        for grows in generations {
            generation += u64::from(grows);
            let seq = publish(&ring, generation).expect("refused");
            model.push((seq, generation));
        }
        let readable = &model[model.len().saturating_sub(cache_size as usize)..];
        let mut fits: Vec<(u64, u64)> = readable.iter().copied().filter(|(seq, _)| *seq > after).collect();
        let count = count as usize;
        if next {
            fits.truncate(count);
            if let Some((_, first)) = fits.first().copied() { fits.retain(|(_, g)| *g == first); }
        } else {
            fits.drain(..fits.len().saturating_sub(count));
            if let Some((_, last)) = fits.last().copied() { fits.retain(|(_, g)| *g == last); }
        }
        let order = if next { Order::Next } else { Order::Latest };
        let lease = ring.take_block(&query(order, count as u32, after), 1);
        let got = lease.map(|lease| seqs(&lease)).unwrap_or_default();
        prop_assert_eq!(got, fits.iter().map(|(seq, _)| *seq).collect::<Vec<_>>());
    }
}

/// What happens to a ring, for the model below.
#[derive(Debug, Clone)]
enum Step {
    /// A frame comes, perhaps of the next connection.
    Publish { is_reconnected: bool },
    /// A reader takes frames, perhaps as one block, and keeps them.
    Take { query: Query, at_least: u32, as_block: bool },
    /// A reader gives back one of the leases that are out.
    Release(prop::sample::Index),
}

fn any_step() -> impl Strategy<Value = Step> {
    let order = prop_oneof![Just(Order::Latest), Just(Order::Next)];
    let take = (order, 0_u32..8, 0_u64..40, any::<bool>(), 0_u32..8, any::<bool>()).prop_map(
        |(order, count, after_seq, mix_generations, at_least, as_block)| Step::Take {
            query: Query { order, count, after_seq, mix_generations },
            at_least,
            as_block,
        },
    );
    prop_oneof![
        4 => prop::bool::weighted(0.2).prop_map(|is_reconnected| Step::Publish { is_reconnected }),
        3 => take,
        2 => any::<prop::sample::Index>().prop_map(Step::Release),
    ]
}

/// The obvious ring: a queue of frames, and a list of who holds which slots of which memory.
#[derive(Default)]
struct Model {
    slots: u64,
    cache_size: usize,
    max_orphans: usize,
    frames: VecDeque<ModelFrame>,
    newest_seq: u64,
    read_seq: u64,
    generation: u64,
    /// The memory that is written to; every move makes another.
    memory: u32,
    /// The frames of each lease that is out.
    leases: Vec<Vec<ModelFrame>>,
}

#[derive(Debug, Clone, Copy)]
struct ModelFrame {
    seq: u64,
    generation: u64,
    memory: u32,
}

/// Frames that a reader has.
enum Held {
    Frames(Frames),
    Block(Block),
}

impl Held {
    fn seqs(&self) -> Vec<u64> {
        match self {
            Self::Frames(frames) => seqs(frames),
            Self::Block(block) => seqs(block),
        }
    }

    fn pixels(&self) -> Vec<u64> {
        match self {
            Self::Frames(frames) => numbers(|index| frames.frame(index)),
            Self::Block(block) => pixels(block),
        }
    }
}

impl Model {
    fn orphans(&self) -> usize {
        let held = self.leases.iter().flatten().chain(&self.frames).map(|frame| frame.memory);
        held.filter(|memory| *memory != self.memory).collect::<BTreeSet<_>>().len()
    }

    fn is_next_slot_held(&self) -> bool {
        let slot = (self.newest_seq + 1) % self.slots;
        self.leases.iter().flatten().any(|frame| frame.memory == self.memory && frame.seq % self.slots == slot)
    }

    fn publish(&mut self, is_reconnected: bool) -> std::result::Result<u64, Refusal> {
        self.generation += u64::from(is_reconnected);
        if self.is_next_slot_held() {
            if self.orphans() >= self.max_orphans {
                return Err(Refusal::Leased);
            }
            self.memory += 1;
        }
        self.newest_seq += 1;
        self.frames.push_back(ModelFrame { seq: self.newest_seq, generation: self.generation, memory: self.memory });
        if self.frames.len() > self.cache_size {
            self.frames.pop_front();
        }
        Ok(self.newest_seq)
    }

    fn take(&mut self, query: &Query, at_least: u32, as_block: bool) -> Option<Vec<u64>> {
        let mut fitting: Vec<_> = self.frames.iter().copied().filter(|frame| frame.seq > query.after_seq).collect();
        let count = query.count as usize;
        let mut may_grow = true;
        match query.order {
            Order::Latest => drop(fitting.drain(..fitting.len().saturating_sub(count))),
            Order::Next => {
                self.read_seq = self.read_seq.max(query.after_seq.min(self.newest_seq));
                fitting.truncate(count);
            }
        }
        if !query.mix_generations {
            let decisive = if query.order == Order::Latest { fitting.last() } else { fitting.first() };
            let generation = decisive?.generation;
            fitting.retain(|frame| frame.generation == generation);
            may_grow = query.order == Order::Latest || fitting.last()?.seq == self.newest_seq;
        }
        let seqs: Vec<u64> = fitting.iter().map(|frame| frame.seq).collect();
        if seqs.is_empty() || (may_grow && seqs.len() < at_least as usize) {
            return None;
        }
        if as_block && fitting.iter().any(|frame| frame.memory != fitting[0].memory) {
            let memory = self.memory;
            let readable = self.frames.iter_mut().filter(|frame| seqs.contains(&frame.seq));
            readable.chain(&mut fitting).for_each(|frame| frame.memory = memory);
        }
        self.leases.push(fitting);
        Some(seqs)
    }

    fn has_room(&self) -> bool {
        let pushes_none_out = self.newest_seq - self.read_seq < self.cache_size as u64;
        pushes_none_out && (!self.is_next_slot_held() || self.orphans() < self.max_orphans)
    }

    fn status(&self) -> RingStatus {
        RingStatus {
            capacity: self.slots as u32,
            newest_seq: self.newest_seq,
            oldest_seq: self.frames.front().map_or(0, |frame| frame.seq),
            orphans: self.orphans() as u64,
        }
    }
}

proptest! {
    /// Whatever is published, taken and given back in whatever order: the ring answers as the model does, and what is
    /// held never changes.
    #[test]
    fn a_ring_with_leases_is_a_queue_with_leases(
        (cache_size, lease_slots, max_orphans) in (1_u32..5, 0_u32..3, 0_u32..3),
        steps in prop::collection::vec(any_step(), 1..60),
    ) {
        let ring = ring(cache_size, lease_slots, max_orphans);
        let slots = u64::from(cache_size + 1 + lease_slots);
        let mut model = Model {
            slots, cache_size: cache_size as usize, max_orphans: max_orphans as usize, generation: 1, ..Model::default()
        };
        let mut leases: Vec<Held> = Vec::new();
        for step in steps {
            match step {
                Step::Publish { is_reconnected } => {
                    let expected = model.publish(is_reconnected);
                    prop_assert_eq!(publish(&ring, model.generation), expected);
                }
                Step::Take { query, at_least, as_block } => {
                    let lease = if as_block {
                        ring.take_block(&query, at_least).map(Held::Block)
                    } else {
                        ring.take(&query, at_least).map(Held::Frames)
                    };
                    let expected = model.take(&query, at_least, as_block);
                    prop_assert_eq!(lease.as_ref().map(Held::seqs), expected, "{:?} {}", query, at_least);
                    leases.extend(lease);
                }
                Step::Release(_) if leases.is_empty() => {}
                Step::Release(which) => {
                    let which = which.index(leases.len());
                    drop((leases.remove(which), model.leases.remove(which)));
                }
            }
            for (lease, expected) in leases.iter().zip(&model.leases) {
                prop_assert_eq!(lease.pixels(), expected.iter().map(|frame| frame.seq).collect::<Vec<_>>());
            }
            prop_assert_eq!(ring.status(), model.status());
            prop_assert_eq!(ring.has_room(), model.has_room());
            for seq in 0..=model.newest_seq + 1 {
                let expected = model.frames.iter().find(|frame| frame.seq == seq);
                let expected = expected.map(|frame| (frame.seq, frame.generation));
                prop_assert_eq!(ring.info(seq).map(|info| (info.seq, info.generation)), expected);
            }
        }
    }
}
