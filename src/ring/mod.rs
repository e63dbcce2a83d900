//! The circular buffer of the newest frames: one writer, any number of readers, nobody waits for anybody.
//!
//! A short lock guards numbers and infos, never pixels. What a reader holds is not written to: should the writer reach
//! it, it moves to fresh memory with the frames that are still readable and leaves the old to whoever holds it.

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
    /// Earlier memory of the ring that readers still hold.
    pub orphans: u64,
}

pub(crate) struct Ring {
    // -- immutable
    size: RingSize,
    layout: Layout,
    signal: Arc<Signal>,
    inner: Mutex<Inner>,
}

/// What the lock guards.
struct Inner {
    mapping: Arc<Mapping>,
    /// The infos of the readable frames, oldest first; their numbers are consecutive.
    infos: VecDeque<FrameInfo>,
    newest_seq: u64,
    /// Frames up to this number have been read by whoever reads without loss.
    acknowledged_seq: u64,
    /// The writer that may write. One that was left behind has an older number.
    epoch: u64,
    orphans: Vec<Weak<Mapping>>,
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
            infos: room(size.cache_size as usize + 1)?.into(),
            newest_seq: last_seq,
            acknowledged_seq: last_seq,
            epoch,
            orphans: Vec::new(),
        };
        Ok(Self { size, layout, signal, inner: Mutex::new(inner) })
    }

    /// Lets the writer of this epoch write, and none before it. Who says an older one than another did is late.
    pub(crate) fn set_epoch(&self, epoch: u64) {
        let mut inner = self.inner.lock();
        inner.epoch = inner.epoch.max(epoch);
    }

    /// Lends the slot of the next frame to the writer.
    pub(crate) fn reserve(&self, epoch: u64) -> std::result::Result<Slot, Refusal> {
        let old = {
            let mut inner = self.inner.lock();
            if inner.epoch != epoch {
                return Err(Refusal::Superseded);
            }
            if let Some(writer) = inner.mapping.write(self.slot_of(inner.newest_seq + 1)) {
                return Ok(Slot { writer, epoch });
            }
            inner.forget_released();
            if inner.orphans.len() >= self.size.max_orphans as usize {
                return Err(Refusal::Leased);
            }
            Arc::clone(&inner.mapping)
        };
        // Copied without the lock: only this writer could change what is copied.
        let fresh = self.move_from(&old).map_err(Refusal::Failed)?;
        let mut inner = self.inner.lock();
        if inner.epoch != epoch {
            return Err(Refusal::Superseded);
        }
        inner.orphans.push(Arc::downgrade(&old));
        inner.mapping = fresh;
        let writer = inner.mapping.write(self.slot_of(inner.newest_seq + 1)).ok_or(Refusal::Leased)?;
        Ok(Slot { writer, epoch })
    }

    /// New memory with the readable frames in their slots.
    fn move_from(&self, old: &Arc<Mapping>) -> Result<Arc<Mapping>> {
        let fresh = Mapping::new(self.layout)?;
        let seqs: Vec<u64> = self.inner.lock().infos.iter().map(|info| info.seq).collect();
        for slot in seqs.into_iter().map(|seq| self.slot_of(seq)) {
            let Some(window) = old.read(slot, 1) else {
                continue;
            };
            if let (Some(mut to), Some(from)) = (fresh.write(slot), window.frame(0)) {
                to.copy_from_slice(from);
                to.finish();
            }
        }
        Ok(fresh)
    }

    /// Makes a written slot readable. The number and the time of publication are set here. Returns the number, or
    /// `None` if another writer has taken over.
    pub(crate) fn publish(&self, slot: Slot, mut info: FrameInfo) -> Option<u64> {
        let mut inner = self.inner.lock();
        let seq = inner.newest_seq + 1;
        let is_next = Arc::ptr_eq(slot.writer.mapping(), &inner.mapping) && slot.writer.slot() == self.slot_of(seq);
        if inner.epoch != slot.epoch || !is_next {
            return None;
        }
        slot.writer.finish();
        info.seq = seq;
        info.published_ns = crate::clock::monotonic_ns();
        inner.newest_seq = seq;
        inner.infos.push_back(info);
        if inner.infos.len() > self.size.cache_size as usize {
            inner.infos.pop_front();
        }
        drop(inner);
        self.signal.notify();
        Some(seq)
    }

    /// Lends frames to a reader: `query.count` of them, or at least `at_least`. `None` if there are fewer, unless it is
    /// certain that waiting would not bring more.
    ///
    /// Who asks in the order NEXT has read what it asks to come after.
    pub(crate) fn take(&self, query: &Query, at_least: u32) -> Option<Lease> {
        let mut inner = self.inner.lock();
        let read_seq = query.after_seq.min(inner.newest_seq);
        if query.order == Order::Next && read_seq > inner.acknowledged_seq {
            inner.acknowledged_seq = read_seq;
            drop(inner);
            self.signal.notify();
            inner = self.inner.lock();
        }
        let (seqs, may_grow) = inner.select(query)?;
        let count = (seqs.end() - seqs.start() + 1) as usize;
        if may_grow && count < at_least as usize {
            return None;
        }
        let oldest = inner.infos.front()?.seq;
        let from = (seqs.start() - oldest) as usize;
        let infos = inner.infos.iter().skip(from).take(count).copied().collect();
        // Readable slots are never being written, so that this cannot be refused.
        let window = inner.mapping.read(self.slot_of(*seqs.start()), count)?;
        Some(Lease { window, infos })
    }

    /// What is known of a frame that is readable.
    pub(crate) fn info(&self, seq: u64) -> Option<FrameInfo> {
        let inner = self.inner.lock();
        let oldest = inner.infos.front()?.seq;
        let index = usize::try_from(seq.checked_sub(oldest)?).ok()?;
        inner.infos.get(index).copied()
    }

    /// Whether one more frame would push out none that is still to be read, and finds memory.
    pub(crate) fn has_room(&self) -> bool {
        let mut inner = self.inner.lock();
        inner.forget_released();
        let pushes_none_out = inner.newest_seq - inner.acknowledged_seq < u64::from(self.size.cache_size);
        let may_move = inner.orphans.len() < self.size.max_orphans as usize;
        pushes_none_out && (may_move || inner.mapping.is_free(self.slot_of(inner.newest_seq + 1)))
    }

    /// Adds what has become known of frames that are still readable. What was known before does not change.
    pub(crate) fn amend(&self, learn: impl Fn(&FrameInfo) -> Option<(i64, CaptureClock)>) {
        for info in self.inner.lock().infos.iter_mut().filter(|info| info.capture.is_none()) {
            info.capture = learn(info);
        }
    }

    /// The number of the last frame that was published, by this ring or one before it.
    pub(crate) fn newest_seq(&self) -> u64 {
        self.inner.lock().newest_seq
    }

    /// The number of the newest frame that can be read; 0 if there is none.
    pub(crate) fn newest_readable(&self) -> u64 {
        self.inner.lock().infos.back().map_or(0, |info| info.seq)
    }

    pub(crate) fn status(&self) -> RingStatus {
        let mut inner = self.inner.lock();
        inner.forget_released();
        RingStatus {
            capacity: u32::try_from(self.layout.slots).unwrap_or(u32::MAX),
            newest_seq: inner.newest_seq,
            oldest_seq: inner.infos.front().map_or(0, |info| info.seq),
            orphans: inner.orphans.len() as u64,
        }
    }

    fn slot_of(&self, seq: u64) -> usize {
        (seq % self.layout.slots as u64) as usize
    }
}

impl Inner {
    /// The numbers of the frames that answer a query, and whether waiting could bring more of them.
    fn select(&self, query: &Query) -> Option<(RangeInclusive<u64>, bool)> {
        let first = self.infos.front()?.seq.max(query.after_seq.saturating_add(1));
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
        let oldest = self.infos.front()?.seq;
        let generation = |seq: u64| self.infos.get((seq - oldest) as usize).map(|info| info.generation);
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
pub(crate) struct Lease {
    window: Window,
    /// The frames' infos, oldest first.
    pub(crate) infos: Vec<FrameInfo>,
}

impl Lease {
    /// The pixels of a frame; `None` beyond the last.
    pub(crate) fn frame(&self, index: usize) -> Option<&[u8]> {
        self.window.frame(index)
    }

    /// All frames as one block, each [`frame_stride`](Self::frame_stride) bytes after the one before.
    pub(crate) fn pixels(&self) -> &[u8] {
        self.window.bytes()
    }

    /// Bytes from one frame to the next, more than a frame has where the ring's slots are padded.
    pub(crate) fn frame_stride(&self) -> usize {
        self.window.stride()
    }

    /// Copies the frames one after the other and gives them back. `buffer` has room for them.
    pub(crate) fn copy_into(self, buffer: &mut [MaybeUninit<u8>]) -> Vec<FrameInfo> {
        let pixels = self.pixels();
        // Frames with nothing in between are one run: one long copy is faster than several.
        let (run, step) = match (self.window.frame_bytes(), self.frame_stride()) {
            (frame, stride) if frame == stride => (pixels.len(), pixels.len()),
            padded => padded,
        };
        for (to, from) in buffer.chunks_exact_mut(run).zip(pixels.chunks(step)) {
            to.write_copy_of_slice(&from[..run]);
        }
        self.infos
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
