//! What a live stream has sent since its last key frame, kept while the stream is connected but not started.

use crate::source::Unit;
use std::collections::VecDeque;

/// Beyond this, the units are given up and the next key frame is waited for.
const MAX_BYTES: usize = 32 << 20;
const MAX_UNITS: usize = 2_000;

/// Beyond this, those of a stream that is refreshed in parts are given up where a refresh begins.
const MAX_REFRESHED_UNITS: usize = 250;

/// Units up to the present, from the last key frame on; before the first one from the beginning on, of which a decoder
/// may make something.
#[derive(Default)]
pub(super) struct Backlog {
    units: VecDeque<Unit>,
    bytes: usize,
}

impl Backlog {
    /// Keeps a unit. Returns whether there is room; if not, units are given up that it and others may build on.
    pub(super) fn push(&mut self, mut unit: Unit) -> bool {
        let has_room = self.has_room_for(&unit);
        unit.meta.is_damaged |= !has_room;
        unit.meta.is_promised &= has_room;
        if unit.meta.is_random_access || !has_room {
            self.units.clear();
            self.bytes = 0;
        }
        self.bytes += unit.packet.size();
        self.units.push_back(unit);
        has_room
    }

    fn has_room_for(&self, unit: &Unit) -> bool {
        let most = if unit.meta.is_refresh { MAX_REFRESHED_UNITS } else { MAX_UNITS };
        unit.meta.is_random_access || (self.bytes + unit.packet.size() <= MAX_BYTES && self.units.len() < most)
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
