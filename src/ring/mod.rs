//! The circular buffer of the newest frames: one writer, any number of readers, nobody waits for anybody.
//!
//! A short lock guards numbers and infos, never pixels. What a reader holds is not written to: should the writer reach
//! it, it goes on in fresh memory. The frames that are readable by then stay where they are, until newer ones push them
//! out; a reader who wants frames of both memories as one block copies those of the older one over.

mod memory;
#[cfg(any(loom, shuttle))]
mod models;

use crate::allocation::room;
use crate::error::{Error, Result, Status};
use crate::frame::{CaptureClock, FrameInfo};
use crate::sync::{Arc, Mutex, Signal, Weak};
use memory::{Layout, Mapping, SlotWriter, Window};
use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut, RangeInclusive};

/// Which frames of those that fit are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The newest.
    #[default]
    Latest,
    /// The oldest.
    Next,
}

/// What a reader asks a ring for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query {
    pub(crate) order: Order,
    pub(crate) count: u32,
    /// Only frames with a greater number.
    pub(crate) after_seq: u64,
    pub(crate) mix_generations: bool,
}

/// Sizes of a ring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RingSize {
    pub(crate) frame_bytes: usize,
    /// Frames kept readable.
    pub(crate) cache_size: u32,
    /// Frames that readers may hold before the writer must move.
    pub(crate) lease_slots: u32,
    /// Rings that readers may keep the writer from.
    pub(crate) max_orphans: u32,
    /// The most that the ring may take, in bytes.
    pub(crate) max_bytes: usize,
}

/// How full a ring is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RingStatus {
    /// Slots; frame `seq` lies in slot `seq % capacity`. 0 while there is no ring.
    pub capacity: u32,
    /// The newest frame's number, 0 if there never was one.
    pub newest_seq: u64,
    /// The oldest readable frame's number, 0 if there is none.
    pub oldest_seq: u64,
    /// Earlier memory of the ring that readers hold, or that readable frames still lie in.
    pub orphans: u64,
}

pub(crate) struct Ring {
    // -- immutable
    size: RingSize,
    layout: Layout,
    signal: Arc<Signal>,
    inner: Mutex<Inner>,
    /// Held while a reader copies frames from earlier memory; taken before `inner`.
    gathering: Mutex<()>,
}

/// What the lock guards.
struct Inner {
    /// The memory that is written to.
    mapping: Arc<Mapping>,
    /// The readable frames, oldest first; their numbers are consecutive.
    frames: VecDeque<Readable>,
    newest_seq: u64,
    /// Frames up to this number have been read by whoever reads without loss.
    acknowledged_seq: u64,
    /// The writer that may write. One that was left behind has an older number.
    epoch: u64,
    orphans: Vec<Weak<Mapping>>,
}

/// A frame, and the memory that it lies in.
struct Readable {
    info: FrameInfo,
    mapping: Arc<Mapping>,
}

/// Why a frame cannot be written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another writer has taken over.
    Superseded,
    /// Readers hold all the memory that they may.
    Leased,
    /// There is no memory.
    Failed(Error),
}

impl Ring {
    /// A ring whose first frame will have the number after `last_seq`.
    pub(crate) fn new(size: RingSize, signal: Arc<Signal>, last_seq: u64, epoch: u64) -> Result<Self> {
        // The slot being written is never one that may be read, nor one that a reader may be about to release.
        let slots = size.cache_size as usize + 1 + size.lease_slots as usize;
        let layout = Layout::new(size.frame_bytes, slots).filter(|layout| layout.bytes() <= size.max_bytes);
        let layout = layout.ok_or_else(|| {
            let wanted = size.frame_bytes as f64 * slots as f64 / f64::from(1 << 20);
            let expected = format!("at most max_ring_size, which is {} MiB", size.max_bytes >> 20);
            Error::argument("the ring of cache_size + 1 + lease_slots frames", format!("{wanted:.0} MiB"), &expected)
        })?;
        let inner = Inner {
            mapping: Mapping::new(layout)?,
            frames: room(size.cache_size as usize + 1)?.into(),
            newest_seq: last_seq,
            acknowledged_seq: last_seq,
            epoch,
            orphans: Vec::new(),
        };
        Ok(Self { size, layout, signal, inner: Mutex::new(inner), gathering: Mutex::new(()) })
    }

    /// Lets the writer of this epoch write, and none before it. Who says an older one than another did is late.
    pub(crate) fn set_epoch(&self, epoch: u64) {
        let mut inner = self.inner.lock();
        inner.epoch = inner.epoch.max(epoch);
    }

    /// Lends the slot of the next frame to the writer.
    pub(crate) fn reserve(&self, epoch: u64) -> std::result::Result<Slot, Refusal> {
        {
            let mut inner = self.inner.lock();
            if inner.epoch != epoch {
                return Err(Refusal::Superseded);
            }
            if let Some(writer) = inner.mapping.write(inner.next_slot()) {
                return Ok(Slot { writer, epoch });
            }
            inner.forget_released();
            if inner.orphans.len() >= self.size.max_orphans as usize {
                return Err(Refusal::Leased);
            }
        }
        // Without the lock: the system may take its time.
        let fresh = Mapping::new(self.layout).map_err(Refusal::Failed)?;
        let mut inner = self.inner.lock();
        if inner.epoch != epoch {
            return Err(Refusal::Superseded);
        }
        let old = std::mem::replace(&mut inner.mapping, fresh);
        inner.orphans.push(Arc::downgrade(&old));
        let writer = inner.mapping.write(inner.next_slot()).ok_or(Refusal::Leased);
        drop(inner);
        // Outside of the lock: it may have been the last to hold that memory.
        drop(old);
        Ok(Slot { writer: writer?, epoch })
    }

    /// Makes a written slot readable. The number and the time of publication are set here. Returns the number, or
    /// `None` if another writer has taken over.
    pub(crate) fn publish(&self, slot: Slot, mut info: FrameInfo) -> Option<u64> {
        let mut inner = self.inner.lock();
        let seq = inner.newest_seq + 1;
        let is_next = Arc::ptr_eq(slot.writer.mapping(), &inner.mapping) && slot.writer.slot() == inner.next_slot();
        if inner.epoch != slot.epoch || !is_next {
            return None;
        }
        slot.writer.finish();
        info.seq = seq;
        info.published_ns = crate::clock::monotonic_ns();
        inner.newest_seq = seq;
        let mapping = Arc::clone(&inner.mapping);
        inner.frames.push_back(Readable { info, mapping });
        let is_full = inner.frames.len() > self.size.cache_size as usize;
        let pushed_out = if is_full { inner.frames.pop_front() } else { None };
        drop(inner);
        self.signal.notify();
        // Outside of the lock: it may have been the last to hold its memory.
        drop(pushed_out);
        Some(seq)
    }

    /// Lends frames to a reader: `query.count` of them, or at least `at_least`. `None` if there are fewer, unless it is
    /// certain that waiting would not bring more.
    ///
    /// Who asks in the order NEXT has read what it asks to come after.
    pub(crate) fn take(&self, query: &Query, at_least: u32) -> Option<Frames> {
        self.acknowledge(query);
        self.inner.lock().take(query, at_least)
    }

    /// Lends frames as [`take`](Self::take) does, as one block.
    pub(crate) fn take_block(&self, query: &Query, at_least: u32) -> Option<Block> {
        let frames = self.take(query, at_least)?;
        frames.into_block().or_else(|| self.gather(query, at_least))
    }

    /// Lends frames of several memories as one block, for which those that do not lie in the newest are copied to it. The
    /// writer takes the slots that are copied to for leased ones.
    fn gather(&self, query: &Query, at_least: u32) -> Option<Block> {
        // The next reader finds what this one has copied.
        let _turn = self.gathering.lock();
        let (frames, mapping, missing) = {
            let inner = self.inner.lock();
            let frames = inner.take(query, at_least)?;
            let missing = inner.reserve_missing(&frames.infos)?;
            (frames, Arc::clone(&inner.mapping), missing)
        };
        let held: Vec<_> = missing.into_iter().map(|(seq, slot)| (seq, frames.copy_to(seq, slot))).collect();
        let mut inner = self.inner.lock();
        for (seq, _) in held.iter().filter(|(_, window)| window.is_some()) {
            if let Some(readable) = inner.readable_mut(*seq) {
                readable.mapping = Arc::clone(&mapping);
            }
        }
        drop(inner);
        // None of them can be written to, as `frames` and `held` have them.
        let pixels = mapping.read(mapping.layout.slot_of(frames.infos.first()?.seq), frames.infos.len())?;
        let infos = frames.release();
        // A writer may wait for the memory that nothing lies in any more.
        self.signal.notify();
        Some(Block { pixels, infos })
    }

    fn acknowledge(&self, query: &Query) {
        let mut inner = self.inner.lock();
        let read_seq = query.after_seq.min(inner.newest_seq);
        if query.order == Order::Next && read_seq > inner.acknowledged_seq {
            inner.acknowledged_seq = read_seq;
            drop(inner);
            self.signal.notify();
        }
    }

    /// The newest frame that answers a query by now.
    pub(crate) fn newest_of(&self, query: &Query) -> Option<FrameInfo> {
        let seqs = self.inner.lock().select(query)?.0;
        self.info(*seqs.end())
    }

    /// What is known of a frame that is readable.
    pub(crate) fn info(&self, seq: u64) -> Option<FrameInfo> {
        self.inner.lock().readable_mut(seq).map(|readable| readable.info)
    }

    /// Whether one more frame would push out none that is still to be read, and finds memory.
    pub(crate) fn has_room(&self) -> bool {
        let mut inner = self.inner.lock();
        inner.forget_released();
        let pushes_none_out = inner.newest_seq - inner.acknowledged_seq < u64::from(self.size.cache_size);
        let may_move = inner.orphans.len() < self.size.max_orphans as usize;
        pushes_none_out && (may_move || inner.mapping.is_free(inner.next_slot()))
    }

    /// Adds what has become known of frames that are still readable. What was known before does not change.
    pub(crate) fn amend(&self, learn: impl Fn(&FrameInfo) -> Option<(i64, CaptureClock)>) {
        for Readable { info, .. } in &mut self.inner.lock().frames {
            info.capture = info.capture.or_else(|| learn(info));
        }
    }

    /// The number of the last frame that was published, by this ring or one before it.
    pub(crate) fn newest_seq(&self) -> u64 {
        self.inner.lock().newest_seq
    }

    /// The number of the newest frame that can be read; 0 if there is none.
    pub(crate) fn newest_readable(&self) -> u64 {
        self.inner.lock().frames.back().map_or(0, Readable::seq)
    }

    pub(crate) fn status(&self) -> RingStatus {
        let mut inner = self.inner.lock();
        inner.forget_released();
        RingStatus {
            capacity: u32::try_from(self.layout.slots).unwrap_or(u32::MAX),
            newest_seq: inner.newest_seq,
            oldest_seq: inner.frames.front().map_or(0, Readable::seq),
            orphans: inner.orphans.len() as u64,
        }
    }
}

impl Readable {
    fn seq(&self) -> u64 {
        self.info.seq
    }
}

impl Inner {
    /// The slot of the next frame.
    fn next_slot(&self) -> usize {
        self.mapping.layout.slot_of(self.newest_seq + 1)
    }

    fn readable_mut(&mut self, seq: u64) -> Option<&mut Readable> {
        let index = usize::try_from(seq.checked_sub(self.frames.front()?.seq())?).ok()?;
        self.frames.get_mut(index)
    }

    /// The frames that answer a query, wherever they lie.
    fn take(&self, query: &Query, at_least: u32) -> Option<Frames> {
        let (seqs, may_grow) = self.select(query)?;
        let count = (seqs.end() - seqs.start() + 1) as usize;
        if may_grow && count < at_least as usize {
            return None;
        }
        let from = (seqs.start() - self.frames.front()?.seq()) as usize;
        let mut pixels: Vec<Window> = Vec::new();
        let mut infos = Vec::with_capacity(count);
        for Readable { info, mapping } in self.frames.range(from..from + count) {
            // Readable slots are never being written, so that this cannot be refused.
            let is_more = pixels.last_mut().is_some_and(|window| window.is_of(mapping) && window.extend());
            if !is_more {
                pixels.push(mapping.read(mapping.layout.slot_of(info.seq), 1)?);
            }
            infos.push(*info);
        }
        Some(Frames { pixels, infos })
    }

    /// The slots of those of some readable frames that do not lie in the newest memory. They are free, as the writer has
    /// not come to them: that would have pushed their frames out.
    fn reserve_missing(&self, infos: &[FrameInfo]) -> Option<Vec<(u64, SlotWriter)>> {
        let from = (infos.first()?.seq - self.frames.front()?.seq()) as usize;
        let missing =
            self.frames.range(from..from + infos.len()).filter(|one| !Arc::ptr_eq(&one.mapping, &self.mapping));
        missing.map(|one| Some((one.seq(), self.mapping.write(self.mapping.layout.slot_of(one.seq()))?))).collect()
    }

    /// The numbers of the frames that answer a query, and whether waiting could bring more of them.
    fn select(&self, query: &Query) -> Option<(RangeInclusive<u64>, bool)> {
        let first = self.frames.front()?.seq().max(query.after_seq.saturating_add(1));
        if query.count == 0 || first > self.newest_seq {
            return None;
        }
        let wanted = u64::from(query.count - 1);
        let (start, end) = match query.order {
            Order::Latest => (first.max(self.newest_seq.saturating_sub(wanted)), self.newest_seq),
            Order::Next => (first, self.newest_seq.min(first.saturating_add(wanted))),
        };
        if query.mix_generations {
            return Some((start..=end, true));
        }
        let oldest = self.frames.front()?.seq();
        let generation = |seq: u64| self.frames.get((seq - oldest) as usize).map(|one| one.info.generation);
        match query.order {
            // The newest frame's generation decides, and more of it may come.
            Order::Latest => {
                let start = (start..=end).rev().take_while(|seq| generation(*seq) == generation(end)).last()?;
                Some((start..=end, true))
            }
            // The oldest frame's generation decides; once a newer one has begun, no more of it will come.
            Order::Next => {
                let end = (start..=end).take_while(|seq| generation(*seq) == generation(start)).last()?;
                Some((start..=end, end == self.newest_seq))
            }
        }
    }

    fn forget_released(&mut self) {
        self.orphans.retain(|orphan| orphan.strong_count() > 0);
    }
}

/// The slot of the next frame, lent to the writer. Dropped without being published, it is simply free again.
pub(crate) struct Slot {
    writer: SlotWriter,
    epoch: u64,
}

impl Deref for Slot {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.writer
    }
}

impl DerefMut for Slot {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.writer
    }
}

/// Consecutive frames lent to a reader, who may keep them for as long as it likes.
pub(crate) struct Lent<P> {
    pixels: P,
    /// The frames' infos, oldest first.
    pub(crate) infos: Vec<FrameInfo>,
}

/// Frames that may lie in several places, each of which is one block.
pub(crate) type Frames = Lent<Vec<Window>>;

/// Frames that are one block.
pub(crate) type Block = Lent<Window>;

impl Frames {
    /// The pixels of a frame; `None` beyond the last.
    pub(crate) fn frame(&self, mut index: usize) -> Option<&[u8]> {
        for window in &self.pixels {
            match index.checked_sub(window.len()) {
                Some(beyond) => index = beyond,
                None => return window.frame(index),
            }
        }
        None
    }

    /// Copies the frames one after the other and gives them back. `buffer` has room for them.
    pub(crate) fn copy_into(self, mut buffer: &mut [MaybeUninit<u8>]) -> Vec<FrameInfo> {
        for run in self.runs() {
            let Some((part, rest)) = std::mem::take(&mut buffer).split_at_mut_checked(run.len()) else { break };
            part.write_copy_of_slice(run);
            buffer = rest;
        }
        self.infos
    }

    /// The pixels of all frames without what lies between them. Frames with nothing in between are one run: one long copy
    /// is faster than several.
    fn runs(&self) -> impl Iterator<Item = &[u8]> {
        self.pixels.iter().flat_map(|window| {
            let (frame, stride, pixels) = (window.frame_bytes(), window.stride(), window.bytes());
            let (run, step) = if frame == stride { (pixels.len(), pixels.len()) } else { (frame, stride) };
            pixels.chunks(step).map(move |chunk| &chunk[..run])
        })
    }

    fn release(self) -> Vec<FrameInfo> {
        self.infos
    }

    /// Copies one of the frames to a slot, which is held from then on.
    fn copy_to(&self, seq: u64, mut slot: SlotWriter) -> Option<Window> {
        slot.copy_from_slice(self.frame((seq - self.infos.first()?.seq) as usize)?);
        Some(slot.finish_and_read())
    }

    /// The frames as one block, if they are one.
    fn into_block(self) -> Option<Block> {
        let [pixels] = <[Window; 1]>::try_from(self.pixels).ok()?;
        Some(Block { pixels, infos: self.infos })
    }
}

impl Block {
    /// The pixels of a frame; `None` beyond the last.
    pub(crate) fn frame(&self, index: usize) -> Option<&[u8]> {
        self.pixels.frame(index)
    }

    /// All frames as one block, each [`frame_stride`](Self::frame_stride) bytes after the one before.
    pub(crate) fn pixels(&self) -> &[u8] {
        self.pixels.bytes()
    }

    /// Bytes from one frame to the next, more than a frame has where the ring's slots are padded.
    pub(crate) fn frame_stride(&self) -> usize {
        self.pixels.stride()
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Failed(error) => error,
            Refusal::Superseded => Self::new(Status::Stopped, "another writer has taken over"),
            Refusal::Leased => Self::new(Status::OutOfMemory, "readers hold all the memory that they may"),
        }
    }
}

#[cfg(test)]
mod tests;
