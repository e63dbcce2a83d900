//! NAL units of H.264 and H.265 to access units: what both have in common.

use super::{AccessUnit, Integrity, MAX_UNIT, RtpPacket, h264, h265};
use crate::nal::{Entry, Format, Kind, Lead, Recovery, Slice, entry_of};
use std::collections::VecDeque;

const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// A parameter set is smaller than this.
const MAX_SETS: usize = 4096;

/// What a packet holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Payload<'a> {
    Empty,
    /// One NAL unit.
    Whole(&'a [u8]),
    /// Several, each behind its length in two bytes.
    Several(&'a [u8]),
    /// A piece of one; its header comes in parts.
    Piece {
        header: [u8; 2],
        header_size: usize,
        is_first: bool,
        is_last: bool,
        data: &'a [u8],
    },
    /// Nothing that is understood here.
    Unknown,
}

fn parse(format: Format, payload: &[u8]) -> Payload<'_> {
    match format {
        Format::H264 => h264::parse(payload),
        Format::H265 => h265::parse(payload),
    }
}

/// Whether a unit can be taken to end with its marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    /// The first unit will show.
    Unproven,
    Trusted,
    /// It came in the middle of pictures: they end where the next begins.
    Ignored,
}

/// Makes access units of packets.
pub(crate) struct NalAssembler {
    format: Format,
    marker: Marker,
    unit: Unit,
    /// Packets lost since the last unit that was handed out.
    lost: u64,
    /// Something is missing before the next unit. Nobody knows what came before the first.
    has_gap: bool,
    /// What is missing may be the next unit's beginning.
    may_lack_start: bool,
    /// Whether key frames bring their parameter sets along, once that is known.
    brings_sets: Option<bool>,
    last_timestamp: Option<i64>,
}

/// The unit at work.
#[derive(Default)]
struct Unit {
    is_begun: bool,
    timestamp: i64,
    data: Vec<u8>,
    /// Where in the data the NAL unit begins of which pieces are still to come.
    open_at: Option<usize>,
    follows_gap: bool,
    may_lack_start: bool,
    is_damaged: bool,
    was_marked: bool,
    first: Option<Kind>,
    /// Its first slice.
    slice: Option<Slice>,
    /// One of its slices builds on other pictures.
    is_inter: bool,
    recovery: Option<Recovery>,
}

impl NalAssembler {
    pub(crate) fn new(format: Format) -> Self {
        let marker = match format {
            // Its decoder can be given a picture in parts: a marker that comes too early does no harm.
            Format::H264 => Marker::Trusted,
            Format::H265 => Marker::Unproven,
        };
        Self {
            format,
            marker,
            unit: Unit::default(),
            lost: 0,
            has_gap: true,
            may_lack_start: true,
            brings_sets: None,
            last_timestamp: None,
        }
    }

    pub(crate) fn push(&mut self, packet: &RtpPacket<'_>, units: &mut VecDeque<AccessUnit>) {
        let is_next = self.unit.is_begun && packet.timestamp != self.unit.timestamp;
        if packet.lost > 0 {
            self.note_loss(packet.lost, is_next);
        }
        if is_next && self.unit.has_picture() {
            units.extend(self.finish());
        }
        self.begin(packet.timestamp);
        self.take(packet.payload);
        if packet.is_marked && self.unit.slice.is_some() && self.unit.open_at.is_none() {
            match self.marker {
                Marker::Trusted => units.extend(self.finish()),
                Marker::Unproven => self.unit.was_marked = true,
                Marker::Ignored => {}
            }
        }
    }

    /// What is missing may be the end of the unit at work, the beginning of the next, or all between them.
    fn note_loss(&mut self, lost: u64, is_next: bool) {
        self.lost = self.lost.saturating_add(lost);
        self.may_lack_start |= is_next || !self.unit.is_begun;
        self.has_gap |= self.may_lack_start;
        self.unit.is_damaged |= self.unit.is_begun;
        self.unit.abandon_open();
    }

    /// Begins a unit, or goes on with the one at work. What has no slice yet belongs to the picture that follows, which
    /// some senders give another time.
    fn begin(&mut self, timestamp: i64) {
        if !self.unit.is_begun {
            self.unit.is_begun = true;
            self.unit.follows_gap = std::mem::take(&mut self.has_gap);
            self.unit.may_lack_start = std::mem::take(&mut self.may_lack_start);
        }
        self.unit.timestamp = timestamp;
    }

    fn take(&mut self, payload: &[u8]) {
        // A start code takes twice the two bytes at most that a packet has in its place.
        let is_without_memory = self.unit.data.try_reserve(2 * payload.len() + 2 * START_CODE.len()).is_err();
        if is_without_memory || self.unit.data.len() + payload.len() > MAX_UNIT {
            self.unit.data.clear();
            self.unit.open_at = None;
            self.unit.is_damaged = true;
        }
        if is_without_memory {
            return;
        }
        match parse(self.format, payload) {
            Payload::Empty => {}
            Payload::Whole(nal) => self.add(&[nal]),
            Payload::Several(nals) => self.add_several(nals),
            Payload::Piece { header, header_size, is_first, is_last, data } => {
                if is_first {
                    self.open(&[&header[..header_size], data]);
                } else if self.unit.open_at.is_some() {
                    self.unit.data.extend_from_slice(data);
                } else {
                    self.unit.is_damaged = true;
                }
                if is_last {
                    self.close();
                }
            }
            Payload::Unknown => self.unit.is_damaged = true,
        }
    }

    fn add_several(&mut self, mut nals: &[u8]) {
        while let [high, low, rest @ ..] = nals {
            let size = usize::from(u16::from_be_bytes([*high, *low]));
            let Some((nal, rest)) = rest.split_at_checked(size).filter(|_| size > 0) else {
                break;
            };
            self.add(&[nal]);
            nals = rest;
        }
        self.unit.is_damaged |= !nals.is_empty();
    }

    fn add(&mut self, parts: &[&[u8]]) {
        self.open(parts);
        self.close();
    }

    /// Begins a NAL unit. One before it that nobody said the end of ends here: nothing of it is missing.
    fn open(&mut self, parts: &[&[u8]]) {
        self.close();
        self.unit.open_at = Some(self.unit.data.len());
        self.unit.data.extend_from_slice(&START_CODE);
        parts.iter().for_each(|part| self.unit.data.extend_from_slice(part));
    }

    fn close(&mut self) {
        let Some(at) = self.unit.open_at.take() else {
            return;
        };
        let mut nal = &self.unit.data[at + START_CODE.len()..];
        let mut kinds = [Some(self.format.classify(nal)), None, None, None];
        // Some senders take a key frame with its parameter sets for one NAL unit, start codes and all.
        for kind in kinds.iter_mut().skip(1) {
            if self.format.is_slice(nal) {
                break;
            }
            let sets = &nal[..nal.len().min(MAX_SETS)];
            let Some(next) = sets.windows(3).position(|bytes| bytes == [0, 0, 1]) else {
                break;
            };
            nal = &nal[next + 3..];
            *kind = Some(self.format.classify(nal));
        }
        kinds.into_iter().flatten().for_each(|kind| self.note(kind));
    }

    fn note(&mut self, kind: Kind) {
        match kind {
            Kind::Sequence => self.brings_sets = Some(true),
            Kind::Recovery(recovery) => self.unit.recovery = Some(recovery),
            Kind::Slice(slice) => self.note_slice(slice),
            Kind::Delimiter | Kind::Message | Kind::Other => {}
        }
        self.unit.first.get_or_insert(kind);
    }

    /// Notes a slice, and finds out markers that come before a picture's end.
    fn note_slice(&mut self, slice: Slice) {
        let is_cut = self.unit.slice.is_none() && !slice.is_first && self.last_timestamp == Some(self.unit.timestamp);
        if self.format == Format::H265 && (self.unit.was_marked || is_cut) {
            self.marker = Marker::Ignored;
            self.unit.is_damaged |= is_cut;
        }
        self.unit.is_inter |= !slice.is_intra;
        self.unit.slice.get_or_insert(slice);
    }

    /// Hands the unit out; `None` if nothing came of it.
    fn finish(&mut self) -> Option<AccessUnit> {
        self.close();
        let unit = std::mem::take(&mut self.unit);
        if self.marker == Marker::Unproven && unit.was_marked {
            self.marker = Marker::Trusted;
        }
        if unit.data.is_empty() {
            self.has_gap |= unit.is_damaged || unit.follows_gap;
            return None;
        }
        let (starts_picture, entry, is_reference, lead) = unit.picture();
        let is_damaged = unit.is_damaged || (unit.may_lack_start && !self.begins_whole(unit.first, entry));
        self.last_timestamp = Some(unit.timestamp);
        if entry.is_key() && unit.recovery.is_none() && !is_damaged {
            self.brings_sets.get_or_insert(false);
        }
        Some(AccessUnit {
            data: unit.data,
            timestamp: unit.timestamp,
            lost: std::mem::take(&mut self.lost),
            integrity: match (is_damaged, unit.follows_gap) {
                (true, _) => Integrity::Damaged,
                (false, true) => Integrity::AfterGap,
                (false, false) => Integrity::Sound,
            },
            entry,
            starts_picture,
            is_reference,
            lead,
        })
    }

    /// Whether nothing can be missing at the beginning of a unit: it begins as units do, or as key frames do, which may
    /// have messages before their first slice.
    fn begins_whole(&self, first: Option<Kind>, entry: Entry) -> bool {
        match first {
            Some(Kind::Delimiter | Kind::Sequence) => true,
            Some(Kind::Slice(_) | Kind::Message | Kind::Recovery(_)) if entry.is_key() => {
                let is_joined = self.last_timestamp.is_none() && self.lost == 0 && self.brings_sets.is_none();
                is_joined || self.brings_sets == Some(false)
            }
            _ => false,
        }
    }
}

impl Unit {
    /// Whether it has come to a slice, or would have if nothing were missing.
    fn has_picture(&self) -> bool {
        self.slice.is_some() || self.open_at.is_some() || self.is_damaged
    }

    /// Whether a picture starts with it, whether decoding may, whether others build on it, and whether it leads.
    fn picture(&self) -> (bool, Entry, bool, Lead) {
        let Some(slice) = self.slice else {
            return (false, Entry::None, false, Lead::No);
        };
        let entry = if slice.is_first { entry_of(slice, !self.is_inter, self.recovery) } else { Entry::None };
        (slice.is_first, entry, slice.is_reference, slice.lead)
    }

    /// Gives up the NAL unit of which pieces are missing.
    fn abandon_open(&mut self) {
        if let Some(at) = self.open_at.take() {
            self.data.truncate(at);
        }
    }
}
