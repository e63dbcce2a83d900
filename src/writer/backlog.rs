//! What a live stream has sent since its last key frame, kept while the stream is connected but not started.

use crate::source::Unit;
use std::collections::VecDeque;

/// Beyond this, the units are given up and the next key frame is waited for.
const MAX_BYTES: usize = 32 << 20;
const MAX_UNITS: usize = 2_000;

/// Units up to the present, from the last key frame on; before the first one from the beginning on, of which a decoder
/// may make something.
#[derive(Default)]
pub(super) struct Backlog {
    units: VecDeque<Unit>,
    bytes: usize,
}

impl Backlog {
    pub(super) fn push(&mut self, unit: Unit) {
        let is_full = self.bytes + unit.packet.size() > MAX_BYTES || self.units.len() >= MAX_UNITS;
        if unit.meta.is_random_access || is_full {
            self.units.clear();
            self.bytes = 0;
        }
        self.bytes += unit.packet.size();
        self.units.push_back(unit);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// The oldest unit.
    pub(super) fn pop(&mut self) -> Option<Unit> {
        let unit = self.units.pop_front()?;
        self.bytes -= unit.packet.size();
        Some(unit)
    }
}
