//! Reading: every way to wait for frames and to take them.

use super::Client;
use super::leases::Entry;
use crate::cancel::CancelToken;
use crate::clock::{deadline_in, monotonic_ns};
use crate::error::{Error, Result, Status};
use crate::frame::{FrameInfo, Shape};
use crate::ring::{Block, Lent, Order, Query, Ring};
use crate::sync::Arc;
use crate::view::{Taken, View};
use std::mem::MaybeUninit;

/// What to read.
#[derive(Clone, Copy, Default)]
pub struct ReadOptions<'a> {
    /// Which frames of those that fit.
    pub order: Order,
    /// How many; `None`: the parameter `read_size`.
    pub count: Option<u32>,
    /// Only frames with a greater number.
    pub after_seq: u64,
    /// Milliseconds to wait for them; 0: not at all; below 0: without limit.
    pub timeout_ms: i64,
    /// The age in milliseconds that the newest may have.
    pub max_age_ms: Option<i64>,
    /// Frames of several connections may be mixed.
    pub mix_generations: bool,
    /// Ends the wait.
    pub cancel: Option<&'a CancelToken>,
}

/// Frames that were read: what they are, in the order they lie in the caller's buffer.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The shape of each frame.
    pub shape: Shape,
    /// One for each frame, oldest first.
    pub infos: Vec<FrameInfo>,
}

/// Frames lent without copying. They do not change while it lives, whatever becomes of the client.
pub struct FrameLease {
    shape: Shape,
    taken: Taken<Block>,
    /// Dropped after the lease: a lease that is no longer counted holds no memory.
    _entry: Entry,
}

impl FrameLease {
    /// The shape of each frame.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// One for each frame, oldest first.
    pub fn infos(&self) -> &[FrameInfo] {
        &self.taken.lease.infos
    }

    /// The pixels of a frame, row by row; `None` beyond the last.
    pub fn frame(&self, index: usize) -> Option<&[u8]> {
        self.taken.lease.frame(index)
    }

    /// The pixels of all frames as one block, oldest frame first, each [`frame_stride`](Self::frame_stride) bytes after
    /// the one before.
    pub fn pixels(&self) -> &[u8] {
        self.taken.lease.pixels()
    }

    /// Bytes from one frame to the next: those of a frame, but for odd shapes, whose frames the ring pads to whole pages.
    pub fn frame_stride(&self) -> usize {
        self.taken.lease.frame_stride()
    }
}

impl Client {
    /// The shape of the frames, once it is known.
    ///
    /// # Errors
    /// As `mpegclient_output_shape` in the C header.
    pub fn output_shape(&self, timeout_ms: i64, cancel: Option<&CancelToken>) -> Result<Shape> {
        let view = self.view()?;
        self.wait_for(deadline_in(timeout_ms), cancel, |is_last| {
            let standstill = self.standstill(&view);
            match view.shape() {
                Some(shape) => Some(Ok(shape)),
                None if is_last || standstill.is_some() => Some(Err(self.absence(standstill))),
                None => None,
            }
        })
    }

    /// Waits for a frame newer than this one. Returns the newest frame's number.
    ///
    /// # Errors
    /// As `mpegclient_wait` in the C header.
    pub fn wait(&self, after_seq: u64, timeout_ms: i64, cancel: Option<&CancelToken>) -> Result<u64> {
        let view = self.view()?;
        self.wait_for(deadline_in(timeout_ms), cancel, |is_last| {
            let standstill = self.standstill(&view);
            match view.ring().map_or(0, Ring::newest_readable) {
                newest if newest > after_seq => Some(Ok(newest)),
                _ if is_last || standstill.is_some() => Some(Err(self.absence(standstill))),
                _ => None,
            }
        })
    }

    /// Copies frames into a buffer, tightly packed, oldest first. `needed` becomes the bytes that the count asked for
    /// takes, as soon as that is known.
    ///
    /// # Errors
    /// As `mpegclient_extract_frames` in the C header.
    pub fn extract(
        &self,
        options: &ReadOptions<'_>,
        buffer: &mut [MaybeUninit<u8>],
        needed: &mut Option<u64>,
    ) -> Result<Batch> {
        let view = self.view()?;
        let count = self.count(options, &view)?;
        let mut check_room = |shape: Shape| {
            let bytes = shape.frame_bytes() as u64 * u64::from(count);
            *needed = Some(bytes);
            if (buffer.len() as u64) < bytes {
                let text = format!("buffer_size is {}, expected {bytes} for {count} frames", buffer.len());
                return Err(Error::new(Status::BufferTooSmall, text));
            }
            Ok(())
        };
        // Before the wait, if it can be known: a caller should not wait in vain.
        view.shape().map_or(Ok(()), &mut check_room)?;
        let (shape, taken) = self.take(&view, count, options, Ring::take)?;
        check_room(shape)?;
        let infos = taken.copy_into(buffer);
        Ok(Batch { shape, infos })
    }

    /// Lends frames without copying them.
    ///
    /// # Errors
    /// As `mpegclient_acquire_frames` in the C header.
    pub fn acquire(&self, options: &ReadOptions<'_>) -> Result<FrameLease> {
        let view = self.view()?;
        let count = self.count(options, &view)?;
        let (shape, taken) = self.take(&view, count, options, Ring::take_block)?;
        Ok(FrameLease { shape, taken, _entry: self.leases.enter() })
    }

    fn count(&self, options: &ReadOptions<'_>, view: &View) -> Result<u32> {
        let (name, count) = match options.count {
            Some(count) => ("count", count),
            None => ("read_size", self.parameters.lock().read_size()),
        };
        let most = view.cache_size();
        if !(1..=most).contains(&count) {
            return Err(Error::argument(name, count, &format!("1 to cache_size, which is {most}")));
        }
        Ok(count)
    }

    /// Waits for frames and takes them, in one of the ways that a ring has.
    fn take<P>(
        &self,
        view: &Arc<View>,
        count: u32,
        options: &ReadOptions<'_>,
        take: impl Fn(&Ring, &Query, u32) -> Option<Lent<P>>,
    ) -> Result<(Shape, Taken<Lent<P>>)> {
        let query = Query {
            order: options.order,
            count,
            after_seq: options.after_seq,
            mix_generations: options.mix_generations,
        };
        let taken = self.wait_for(deadline_in(options.timeout_ms), options.cancel, |is_last| {
            // Asked before the ring: what is published before a standstill is seen then.
            let standstill = self.standstill(view);
            let is_last = is_last || standstill.is_some();
            let at_least = if is_last { 1 } else { count };
            // Frames that are too old are not taken: to give them back would end this very wait.
            if !self.is_fresh(view.ring().and_then(|ring| ring.newest_of(&query)), options.max_age_ms) {
                return is_last.then(|| Err(stale(options.max_age_ms)));
            }
            match view.take(|ring| take(ring, &query, at_least)) {
                None if is_last => Some(Err(self.absence(standstill))),
                taken => taken.map(Ok),
            }
        })?;
        self.board.stats.reads.add(1);
        self.board.stats.frames_read.add(taken.lease.infos.len() as u64);
        // There is a frame, so there is a shape.
        let shape = view.shape().ok_or_else(|| Error::new(Status::Internal, "frames without a shape"))?;
        Ok((shape, taken))
    }

    fn is_fresh(&self, newest: Option<FrameInfo>, max_age_ms: Option<i64>) -> bool {
        max_age_ms.zip(newest).is_none_or(|(limit, info)| self.age_ns(&info) <= limit.saturating_mul(1_000_000))
    }

    /// Nanoseconds since a frame's packet arrived.
    pub fn age_ns(&self, info: &FrameInfo) -> i64 {
        monotonic_ns().saturating_sub(info.arrival.monotonic_ns)
    }

    /// What is known by now of a frame.
    ///
    /// # Errors
    /// `BAD_STATE` before setup; `NO_FRAME`.
    pub fn frame_info(&self, seq: u64) -> Result<FrameInfo> {
        let view = self.view()?;
        view.ring().and_then(|ring| ring.info(seq)).ok_or_else(|| {
            let status = view.ring().map(Ring::status).unwrap_or_default();
            let text = format!("seq is {seq}, in the ring are {} to {}", status.oldest_seq, status.newest_seq);
            Error::new(Status::NoFrame, text)
        })
    }
}

fn stale(max_age_ms: Option<i64>) -> Error {
    Error::new(Status::Stale, format!("no frame is younger than {} ms", max_age_ms.unwrap_or(0))).retryable(true)
}
