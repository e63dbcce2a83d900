//! One output of the stream: frame rate, conversion and ring for one shape.

use crate::av::Frame;
use crate::clock::SECOND;
use crate::config::{Config, Rational};
use crate::converter::{Appearance, Converter};
use crate::decoder::Decoded;
use crate::error::Result;
use crate::frame::{CaptureClock, Flags, FrameInfo, Shape};
use crate::geometry::{Display, Orientation, Source};
use crate::pacer::{Kept, Pacer};
use crate::ring::{Frames, Order, Query, Refusal, Ring, RingSize, Slot};
use crate::source::UnitMeta;
use crate::stats::Stats;
use crate::sync::{Arc, AtomicU64, Ordering, Signal, Weak};
use crate::timeline::Timeline;
use std::mem::MaybeUninit;
use std::sync::OnceLock;

/// A longer time without a frame is a stall, which is not filled: that would only hide it.
const LONGEST_FILL_NS: i64 = 2 * SECOND;

/// What readers see of an output. Its shape is fixed by the parameters, or by the first frame.
pub(crate) struct View {
    config: Arc<Config>,
    signal: Arc<Signal>,
    last_seq: u64,
    epoch: AtomicU64,
    ring: OnceLock<(Shape, Ring)>,
}

impl View {
    /// An output whose first frame will have the number after `last_seq`.
    pub(crate) fn new(config: Arc<Config>, signal: Arc<Signal>, last_seq: u64) -> Result<Self> {
        let view = Self { config, signal, last_seq, epoch: AtomicU64::new(0), ring: OnceLock::new() };
        if view.config.width > 0 && view.config.height > 0 {
            view.settle((view.config.width, view.config.height))?;
        }
        Ok(view)
    }

    /// The shape, once it is known.
    pub(crate) fn shape(&self) -> Option<Shape> {
        self.ring.get().map(|(shape, _)| *shape)
    }

    pub(crate) fn ring(&self) -> Option<&Ring> {
        self.ring.get().map(|(_, ring)| ring)
    }

    pub(crate) fn newest_seq(&self) -> u64 {
        self.ring().map_or(self.last_seq, Ring::newest_seq)
    }

    pub(crate) fn cache_size(&self) -> u32 {
        self.config.cache_size
    }

    /// Whether the writer waits for readers rather than lose a frame.
    pub(crate) fn blocks(&self) -> bool {
        self.config.blocks
    }

    /// Lends frames to a reader, in one of the ways that a ring has.
    pub(crate) fn take<L>(&self, take: impl FnOnce(&Ring) -> Option<L>) -> Option<Taken<L>> {
        let lease = take(self.ring()?)?;
        let waiting = self.blocks().then(|| Arc::downgrade(&self.signal));
        Some(Taken { lease, _release: Release(waiting) })
    }

    /// Lets the writer of this epoch write, and none before it.
    pub(crate) fn set_epoch(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::SeqCst);
        if let Some(ring) = self.ring() {
            ring.set_epoch(epoch);
        }
    }

    /// Fixes the shape to one of this size, unless it is fixed already.
    fn settle(&self, (width, height): (u32, u32)) -> Result<&(Shape, Ring)> {
        if let Some(settled) = self.ring.get() {
            return Ok(settled);
        }
        let shape = Shape { height, width, pixel_format: self.config.pixel_format };
        let size = RingSize {
            frame_bytes: shape.frame_bytes(),
            cache_size: self.config.cache_size,
            lease_slots: self.config.lease_slots,
            max_orphans: self.config.max_orphans,
            max_bytes: self.config.max_ring_bytes,
        };
        let epoch = self.epoch.load(Ordering::SeqCst);
        let ring = Ring::new(size, Arc::clone(&self.signal), self.last_seq, epoch)?;
        let settled = self.ring.get_or_init(|| (shape, ring));
        // The epoch may have moved on while the ring was made.
        settled.1.set_epoch(self.epoch.load(Ordering::SeqCst));
        self.signal.notify();
        Ok(settled)
    }
}

/// Frames lent to a reader. A writer that may lose nothing, and so waits for their memory, is woken once they are given
/// back, whether they were kept, copied, or only looked at.
pub(crate) struct Taken<L> {
    pub(crate) lease: L,
    /// Dropped after the lease: whoever is woken finds the memory free.
    _release: Release,
}

impl Taken<Frames> {
    /// Copies the frames one after the other and gives them back. `buffer` has room for them.
    pub(crate) fn copy_into(self, buffer: &mut [MaybeUninit<u8>]) -> Vec<FrameInfo> {
        let Self { lease, _release } = self;
        lease.copy_into(buffer)
    }
}

struct Release(Option<Weak<Signal>>);

impl Drop for Release {
    fn drop(&mut self) {
        if let Some(waiting) = self.0.as_ref().and_then(Weak::upgrade) {
            waiting.notify();
        }
    }
}

/// The writer's side of an output.
pub(crate) struct ViewWriter {
    view: Arc<View>,
    epoch: u64,
    pacer: Pacer,
    /// The time of one connection, and which connection that is.
    timeline: Timeline,
    generation: u64,
    /// Where the last frame that was published lies in the pacer's time.
    last_elapsed_ns: i64,
    converter: Option<Converter>,
    /// What the connection says of how its pictures are to be shown.
    display: Display,
    /// Frames were left out since the last one that was published.
    has_gap: bool,
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Published,
    /// Not wanted at this frame rate, or no memory for it.
    Dropped,
    /// Another writer has taken over.
    Superseded,
}

impl ViewWriter {
    pub(crate) fn new(view: Arc<View>, epoch: u64) -> Self {
        let pacer = Pacer::new(view.config.frame_rate);
        let (timeline, display) = (Timeline::default(), Display::default());
        Self {
            view,
            epoch,
            pacer,
            timeline,
            generation: 0,
            last_elapsed_ns: 0,
            converter: None,
            display,
            has_gap: false,
        }
    }

    /// Tells the frames of a connection that came before the sender's clock was known when they were captured.
    pub(crate) fn amend_capture_times(&self, generation: u64, offset_ns: i64) {
        let Some(ring) = self.view.ring().filter(|_| self.timeline.is_true()) else { return };
        ring.amend(|info| {
            let pts_ns = info.pts_ns.filter(|_| info.generation == generation)?;
            Some((pts_ns.checked_add(offset_ns)?, CaptureClock::Rtcp))
        });
    }

    /// Begins with a connection: what it says of how its pictures are to be shown, of which each may say otherwise, and
    /// whether its timestamps are to keep pace with arrival.
    pub(crate) fn connect(&mut self, display: Display, checks_clock: bool) {
        self.display = display;
        self.pacer.connect(checks_clock);
    }

    /// How a picture is to be shown.
    pub(crate) fn display_of(&self, frame: &Frame) -> Display {
        let orientation = frame.display_matrix().map(|matrix| Orientation::from_display_matrix(&matrix));
        // Containers know the shape of pixels better: it is corrected there.
        let sample_aspect = self.display.sample_aspect.or(frame.sample_aspect());
        Display { sample_aspect, orientation: orientation.or(self.display.orientation) }
    }

    /// What pictures like this one are, as they are converted.
    pub(crate) fn appearance_of(&self, frame: &Frame) -> Appearance {
        Appearance::of(frame, self.display_of(frame), &self.view.config.conversion)
    }

    /// Whether the next frame may be written by now; always, unless nothing may be lost.
    pub(crate) fn has_room(&self) -> bool {
        !self.view.blocks() || self.view.ring().is_none_or(Ring::has_room)
    }

    /// Says that frames were lost before the next one.
    pub(crate) fn mark_gap(&mut self) {
        self.has_gap = true;
    }

    /// Whether a frame that is there at this moment is wanted at this output's rate; asked once for each frame.
    pub(crate) fn wants(&mut self, decoded: &Decoded, now_ns: i64, stats: &Stats) -> Option<Kept> {
        let kept = self.pacer.keep(decoded.meta.pts_ns, now_ns);
        stats.dropped_by_rate.add(u64::from(kept.is_none()));
        kept
    }

    /// Whether timestamps decide about the rate, and not arrival.
    pub(crate) fn follows_timestamps(&self) -> bool {
        self.pacer.follows_timestamps()
    }

    /// By how many seconds the timestamps have advanced in a second of arrival, where that is looked at.
    pub(crate) fn clock_speed(&self) -> Option<f64> {
        self.pacer.clock_speed()
    }

    /// The time of the frame to be published: so long before that of the last one that the pacer was asked about.
    fn place(&mut self, pts_ns: Option<i64>, earlier_ns: i64) -> Option<i64> {
        let elapsed_ns = self.pacer.elapsed_ns().saturating_sub(earlier_ns);
        let before_ns = std::mem::replace(&mut self.last_elapsed_ns, elapsed_ns);
        pts_ns.map(|pts_ns| match self.pacer.follows_timestamps() {
            true => self.timeline.place(pts_ns.saturating_sub(earlier_ns)),
            false => self.timeline.follow(elapsed_ns.saturating_sub(before_ns).max(0)),
        })
    }

    /// How many times the frame before is to be repeated before this one, for a constant rate.
    pub(crate) fn repeats(&mut self, kept: Kept) -> u32 {
        let interval_ns = self.repeat_interval_ns();
        if interval_ns == 0 || kept.missed == 0 {
            return 0;
        }
        let is_stall = interval_ns.saturating_mul(i64::from(kept.missed)) > LONGEST_FILL_NS;
        self.has_gap |= is_stall;
        if is_stall { 0 } else { kept.missed }
    }

    /// The time from one frame to the next at a constant rate; 0 where none is wanted.
    fn repeat_interval_ns(&self) -> i64 {
        let config = &self.view.config;
        config.frame_rate.filter(|_| config.is_constant_rate).map_or(0, Rational::interval_ns)
    }

    /// Publishes the frame before once more, as the one so many intervals before the next. `None` where there is none to
    /// repeat: at the beginning of a connection.
    pub(crate) fn repeat(
        &mut self,
        next: &UnitMeta,
        intervals: u32,
        generation: u64,
        stats: &Stats,
    ) -> Result<Option<Fate>> {
        let view = Arc::clone(&self.view);
        let newest = Query { order: Order::Latest, count: 1, after_seq: 0, mix_generations: false };
        let Some((ring, lease)) = view.ring().and_then(|ring| Some((ring, ring.take(&newest, 1)?))) else {
            return Ok(None);
        };
        let Some((before, pixels)) = lease.infos.first().zip(lease.frame(0)) else {
            return Ok(None);
        };
        if before.generation != generation {
            return Ok(None);
        }
        let mut slot = match self.reserve(ring, stats)? {
            Ok(slot) => slot,
            Err(fate) => return Ok(Some(fate)),
        };
        slot.copy_from_slice(pixels);
        let earlier_ns = self.repeat_interval_ns().saturating_mul(i64::from(intervals));
        let pts_ns = self.place(next.pts_ns, earlier_ns);
        let flags = Flags::REPEATED.with(Flags::CORRUPT, before.flags.contains(Flags::CORRUPT));
        stats.repeated.add(1);
        Ok(Some(self.publish(ring, slot, FrameInfo { pts_ns, flags, ..*before })))
    }

    /// The slot of the next frame, or what becomes of the frame without one.
    fn reserve(&mut self, ring: &Ring, stats: &Stats) -> Result<std::result::Result<Slot, Fate>> {
        match ring.reserve(self.epoch) {
            Ok(slot) => Ok(Ok(slot)),
            Err(Refusal::Superseded) => Ok(Err(Fate::Superseded)),
            Err(Refusal::Leased) => {
                stats.dropped_by_lease.add(1);
                self.has_gap = true;
                Ok(Err(Fate::Dropped))
            }
            Err(Refusal::Failed(error)) => Err(error),
        }
    }

    fn publish(&mut self, ring: &Ring, slot: Slot, mut info: FrameInfo) -> Fate {
        info.flags = info.flags.with(Flags::GAP_BEFORE, self.has_gap);
        if ring.publish(slot, info).is_none() {
            return Fate::Superseded;
        }
        self.has_gap = false;
        Fate::Published
    }

    /// Converts a frame into the ring and publishes it.
    pub(crate) fn write(&mut self, decoded: &Decoded, generation: u64, stats: &Stats) -> Result<Fate> {
        let view = Arc::clone(&self.view);
        let display = self.display_of(&decoded.frame);
        let (width, height) = (decoded.frame.width(), decoded.frame.height());
        let source = Source::new(width, height, display, &view.config.conversion);
        let (shape, ring) = view.settle(source.output_size(view.config.width, view.config.height))?;
        let mut slot = match self.reserve(ring, stats)? {
            Ok(slot) => slot,
            Err(fate) => return Ok(fate),
        };
        let to_source = self.converter.get_or_insert_with(|| Converter::new(*shape, view.config.conversion)).convert(
            &decoded.frame,
            display,
            &mut slot,
        )?;
        let flags =
            Flags::default().with(Flags::KEY, decoded.meta.is_random_access).with(Flags::CORRUPT, decoded.is_corrupt);
        if std::mem::replace(&mut self.generation, generation) != generation {
            self.timeline = Timeline::default();
        }
        let info = FrameInfo {
            // Number and time of publication are the ring's to give.
            seq: 0,
            published_ns: 0,
            generation,
            pts_ns: self.place(decoded.meta.pts_ns, 0),
            // It follows from the timestamp.
            capture: decoded.meta.capture.filter(|_| self.pacer.follows_timestamps()),
            arrival: decoded.meta.arrival,
            decoded_ns: decoded.decoded_ns,
            flags,
            source_width: width,
            source_height: height,
            to_source,
        };
        stats.corrupt.add(u64::from(decoded.is_corrupt));
        Ok(self.publish(ring, slot, info))
    }
}

#[cfg(shuttle)]
mod models {
    use super::*;
    use crate::parameters::Parameters;
    use crate::sync::model::{explore, thread};

    #[test]
    fn a_ring_made_while_another_writer_takes_over_is_the_others() {
        explore(|| {
            let config = Parameters::default().config().expect("refused");
            let view = Arc::new(View::new(Arc::new(config), Arc::default(), 0).expect("no view"));
            view.set_epoch(1);
            let late = thread::spawn({
                let view = Arc::clone(&view);
                move || view.settle((64, 64)).map(drop)
            });
            view.set_epoch(2);
            late.join().expect("panicked").expect("no ring");
            let ring = view.ring().expect("no ring");
            assert_eq!(ring.reserve(1).err(), Some(Refusal::Superseded));
            assert!(ring.reserve(2).is_ok());
        });
    }
}
