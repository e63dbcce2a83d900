//! One output of the stream: frame rate, conversion and ring for one shape.

use crate::config::Config;
use crate::converter::Converter;
use crate::decoder::Decoded;
use crate::error::Result;
use crate::frame::{CaptureClock, Flags, FrameInfo, Shape};
use crate::pacer::Pacer;
use crate::ring::{Refusal, Ring, RingSize};
use crate::stats::Stats;
use crate::sync::{Arc, AtomicU64, Ordering, Signal};
use std::sync::OnceLock;

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
            view.settle(view.config.width, view.config.height)?;
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

    /// Lets the writer of this epoch write, and none before it.
    pub(crate) fn set_epoch(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::SeqCst);
        if let Some(ring) = self.ring() {
            ring.set_epoch(epoch);
        }
    }

    /// Fixes the shape for a source of this size, unless it is fixed already.
    fn settle(&self, source_width: u32, source_height: u32) -> Result<&(Shape, Ring)> {
        if let Some(settled) = self.ring.get() {
            return Ok(settled);
        }
        let (width, height) = output_size(&self.config, source_width, source_height);
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

/// The size of the output; a side that is not given follows from the other and the source's shape.
fn output_size(config: &Config, source_width: u32, source_height: u32) -> (u32, u32) {
    let scaled = |side: u32, by: u32, of: u32| {
        let rounded = (u64::from(side) * u64::from(by) + u64::from(of) / 2) / u64::from(of.max(1));
        u32::try_from(rounded.max(1)).unwrap_or(u32::MAX)
    };
    match (config.width, config.height) {
        (0, 0) => (source_width, source_height),
        (width, 0) => (width, scaled(width, source_height, source_width)),
        (0, height) => (scaled(height, source_width, source_height), height),
        sides => sides,
    }
}

/// The writer's side of an output.
pub(crate) struct ViewWriter {
    view: Arc<View>,
    epoch: u64,
    pacer: Pacer,
    converter: Option<Converter>,
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
        Self { view, epoch, pacer, converter: None, has_gap: false }
    }

    /// Tells the frames of a connection that came before the sender's clock was known when they were captured.
    pub(crate) fn amend_capture_times(&self, generation: u64, offset_ns: i64) {
        let Some(ring) = self.view.ring() else { return };
        ring.amend(|info| {
            let pts_ns = info.pts_ns.filter(|_| info.generation == generation)?;
            Some((pts_ns.checked_add(offset_ns)?, CaptureClock::Rtcp))
        });
    }

    /// Whether the next frame may be written by now; always, unless nothing may be lost.
    pub(crate) fn has_room(&self) -> bool {
        !self.view.blocks() || self.view.ring().is_none_or(Ring::has_room)
    }

    /// Says that frames were lost before the next one.
    pub(crate) fn mark_gap(&mut self) {
        self.has_gap = true;
    }

    /// Whether a frame is wanted at this output's rate; asked once for each frame.
    pub(crate) fn wants(&mut self, decoded: &Decoded, stats: &Stats) -> bool {
        let wanted = self.pacer.keep(decoded.meta.pts_ns, decoded.meta.arrival.monotonic_ns);
        if !wanted {
            stats.dropped_by_rate.add(1);
        }
        wanted
    }

    /// Converts a frame into the ring and publishes it.
    pub(crate) fn write(&mut self, decoded: &Decoded, generation: u64, stats: &Stats) -> Result<Fate> {
        let view = Arc::clone(&self.view);
        let (shape, ring) = view.settle(decoded.frame.width(), decoded.frame.height())?;
        let mut slot = match ring.reserve(self.epoch) {
            Ok(slot) => slot,
            Err(Refusal::Superseded) => return Ok(Fate::Superseded),
            Err(Refusal::Leased) => {
                stats.dropped_by_lease.add(1);
                self.has_gap = true;
                return Ok(Fate::Dropped);
            }
            Err(Refusal::Failed(error)) => return Err(error),
        };
        self.converter
            .get_or_insert_with(|| Converter::new(*shape, view.config.conversion))
            .convert(&decoded.frame, &mut slot)?;
        let flags = Flags::default()
            .with(Flags::KEY, decoded.meta.is_random_access)
            .with(Flags::CORRUPT, decoded.is_corrupt)
            .with(Flags::GAP_BEFORE, self.has_gap);
        let info = FrameInfo {
            // Number and time of publication are the ring's to give.
            seq: 0,
            published_ns: 0,
            generation,
            pts_ns: decoded.meta.pts_ns,
            capture: decoded.meta.capture,
            arrival: decoded.meta.arrival,
            decoded_ns: decoded.decoded_ns,
            flags,
            source_width: decoded.frame.width(),
            source_height: decoded.frame.height(),
        };
        if ring.publish(slot, info).is_none() {
            return Ok(Fate::Superseded);
        }
        self.has_gap = false;
        stats.corrupt.add(u64::from(decoded.is_corrupt));
        Ok(Fate::Published)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Parameters;

    #[test]
    fn a_side_that_is_not_given_keeps_the_shape() {
        let size = |width: &str, height: &str| {
            let mut parameters = Parameters::default();
            parameters.set("width", width).expect("refused");
            parameters.set("height", height).expect("refused");
            output_size(&parameters.config().expect("refused"), 1920, 1080)
        };
        assert_eq!(size("0", "0"), (1920, 1080));
        assert_eq!(size("640", "0"), (640, 360));
        assert_eq!(size("0", "360"), (640, 360));
        assert_eq!(size("480", "360"), (480, 360));
        assert_eq!(size("1", "0"), (1, 1));
    }
}
