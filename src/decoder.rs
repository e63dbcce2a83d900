//! Packets to frames: the gate that waits for a picture to begin with, and the marks of damage.

mod alpha;

use crate::av::{AvError, CodecContext, Dictionary, Frame};
use crate::clock::{SECOND, monotonic_ns};
use crate::config::{Config, Rational};
use crate::error::{Error, Phase, Result, Status};
use crate::presentation::PresentationTimes;
use crate::source::{SourceInfo, Unit, UnitMeta};
use alpha::AlphaDecoder;
use std::collections::VecDeque;

/// Units whose frames have not come out after so many others never will.
const MAX_PENDING: usize = 256;

/// A stream that shows no key frame for so long may never do so: what there is, is then shown, marked as damaged. The
/// same time without new damage heals a stream that has no key frames.
pub(crate) const KEYLESS_NS: i64 = 10 * SECOND;

/// The longest plausible time from one unit to the next.
const LARGEST_STEP_NS: i64 = SECOND;

/// A decoder with what is known of the units inside it.
pub(crate) struct Decoder {
    context: CodecContext,
    alpha: Option<AlphaDecoder>,
    codec_name: String,
    gate: Gate,
    damage: Damage,
    /// The units say which pictures are damaged.
    is_damage_known: bool,
    /// It takes pictures in parts: H.264's, where damage is known.
    takes_parts: bool,
    /// The last unit was damaged, or built on damage. Once one is good, decoding begins anew with it.
    is_upset: bool,
    silence: Silence,
    /// Units that went in, by the number that stands in for their timestamps: that one neither lacks nor repeats.
    pending: VecDeque<(i64, UnitMeta)>,
    presentation: PresentationTimes,
    next_number: i64,
}

/// A frame with the unit it came from.
pub(crate) struct Decoded {
    pub(crate) frame: Frame,
    pub(crate) meta: UnitMeta,
    pub(crate) decoded_ns: i64,
    pub(crate) is_corrupt: bool,
    /// It is so only as far as the encoder has not kept its promise: it looks right.
    pub(crate) is_promised: bool,
}

/// Keeps a decoder from beginning in the middle.
struct Gate {
    /// H.264's decoder itself waits for a key frame or a recovery point, if only it is given all packets.
    is_left_to_decoder: bool,
    state: GateState,
    since_ns: i64,
    /// The latest time of the units so far.
    last_time_ns: Option<i64>,
    /// How much of the stream has passed by.
    stream_ns: i64,
    keyless_ns: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum GateState {
    Waiting,
    /// The picture is made anew in parts: it is not shown before all of it was.
    Refreshing,
    Open,
    /// Opened because nothing better came.
    Forced,
}

impl Gate {
    /// Whether the decoder is to be given this unit.
    fn admits(&mut self, meta: &UnitMeta) -> bool {
        if meta.is_random_access {
            self.state = GateState::Open;
        } else if meta.is_refresh && self.state == GateState::Waiting {
            self.state = GateState::Refreshing;
        }
        self.state != GateState::Waiting || self.is_left_to_decoder
    }

    /// Whether there is no picture to show yet.
    fn is_shut(&self) -> bool {
        matches!(self.state, GateState::Waiting | GateState::Refreshing)
    }

    /// Whether no key frame came for too long, by the clock or, for what is read faster than that, by the stream.
    fn is_overdue(&mut self, meta: &UnitMeta) -> bool {
        if let Some(time_ns) = meta.dts_ns.or(meta.pts_ns) {
            match self.last_time_ns.map(|last| time_ns.saturating_sub(last)) {
                // Shown before the unit ahead of it.
                Some(step_ns) if (-LARGEST_STEP_NS..0).contains(&step_ns) => {}
                step_ns => {
                    self.last_time_ns = Some(time_ns);
                    // Any other step is a jump of the stream's clock.
                    self.stream_ns += step_ns.filter(|step| (0..=LARGEST_STEP_NS).contains(step)).unwrap_or(0);
                }
            }
        }
        let by_clock_ns = meta.arrival.monotonic_ns.saturating_sub(self.since_ns);
        self.is_shut() && by_clock_ns.max(self.stream_ns) >= self.keyless_ns
    }
}

/// Remembers damage: libav marks the picture that lost something, but not those that build on it.
struct Damage {
    since_ns: Option<i64>,
    keyless_ns: i64,
}

impl Damage {
    fn note(&mut self, now_ns: i64) {
        self.since_ns = Some(now_ns);
    }

    /// Whether a picture is damaged, or builds on one that is.
    fn judge(&mut self, is_damaged: bool, meta: &UnitMeta) -> bool {
        let now_ns = meta.arrival.monotonic_ns;
        if is_damaged {
            self.note(now_ns);
        } else if meta.is_random_access
            || self.since_ns.is_some_and(|since| now_ns.saturating_sub(since) >= self.keyless_ns)
        {
            self.since_ns = None;
        }
        self.since_ns.is_some()
    }
}

/// A decoder that takes pictures in parts refuses nothing: that it makes nothing of a stream shows by its silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silence {
    None,
    /// A key frame went in, and no picture has come out since.
    SinceKey,
    /// Not even after the key frame that followed.
    Long,
}

impl Silence {
    /// Whether it has been silent for too long, with this unit, which it took.
    fn is_told_by(&mut self, meta: &UnitMeta, takes_parts: bool) -> bool {
        *self = match *self {
            Self::None if takes_parts && (meta.is_random_access || meta.is_refresh) => Self::SinceKey,
            Self::SinceKey if meta.is_random_access || meta.is_refresh => Self::Long,
            same => same,
        };
        *self == Self::Long
    }
}

impl Decoder {
    /// Opens the decoder for a stream. Options that it takes leave the dictionary. A picture without a key frame is
    /// waited for so long at most.
    pub(crate) fn open(
        source: &SourceInfo,
        config: &Config,
        keyless_ns: i64,
        options: &mut Dictionary,
    ) -> Result<Self> {
        let parameters = &source.codec;
        let failed = |code: AvError| {
            let text = format!("the {} decoder could not be opened: {}", parameters.codec_name(), code.text());
            let status = if code == AvError::NO_MEMORY { Status::OutOfMemory } else { Status::Unsupported };
            Error::new(status, text).in_phase(Phase::Decode).retryable(code == AvError::NO_MEMORY)
        };
        let (width, height) = parameters.size();
        let pixels = i64::from(width).saturating_mul(i64::from(height));
        if pixels > config.max_pixels {
            let most = config.max_pixels >> 20;
            let text = format!("pictures are {width}x{height}, which is more than max_picture_size, {most}");
            return Err(Error::new(Status::Unsupported, text).in_phase(Phase::Decode));
        }
        let takes_parts = source.knows_damage && parameters.codec_name() == "h264";
        if takes_parts {
            take_pictures_in_parts(options);
        }
        Ok(Self {
            context: CodecContext::open(parameters, config, options).map_err(failed)?,
            alpha: AlphaDecoder::is_for(&parameters.codec_name()).then(AlphaDecoder::default),
            codec_name: parameters.codec_name(),
            gate: Gate {
                is_left_to_decoder: parameters.codec_name() == "h264",
                state: GateState::Waiting,
                since_ns: monotonic_ns(),
                last_time_ns: None,
                stream_ns: 0,
                keyless_ns,
            },
            damage: Damage { since_ns: None, keyless_ns },
            is_damage_known: source.knows_damage,
            takes_parts,
            is_upset: false,
            silence: Silence::None,
            pending: VecDeque::new(),
            presentation: PresentationTimes::new(source.is_live),
            next_number: 0,
        })
    }

    /// Whether it shows pictures only because no better ones came.
    pub(crate) fn is_forced(&self) -> bool {
        self.gate.state == GateState::Forced
    }

    pub(crate) fn codec_name(&self) -> &str {
        &self.codec_name
    }

    /// Frames a second by the stream's own account, as far as a picture has told.
    pub(crate) fn frame_rate(&self) -> Option<Rational> {
        self.context.frame_rate()
    }

    /// Gives the decoder a unit. Returns whether it took it without complaint; complaints do not count while there was no
    /// picture to begin with.
    pub(crate) fn send(&mut self, unit: Unit) -> bool {
        let Unit { mut packet, mut meta } = unit;
        if self.gate.is_overdue(&meta) {
            self.gate.state = GateState::Forced;
            self.context.show_damaged();
        }
        if !self.gate.admits(&meta) {
            return true;
        }
        if self.is_damage_known && !self.bears(&meta) {
            return true;
        }
        let number = self.next_number;
        packet.set_number(number);
        if let Some(alpha) = &mut self.alpha {
            meta.is_damaged |= alpha.send(&packet, number, &self.context).is_err();
        }
        self.pending.push_back((number, meta));
        self.next_number += 1;
        if self.pending.len() > MAX_PENDING {
            self.pending.pop_front();
        }
        let is_taken = self.context.send(Some(&packet)).is_ok() && !self.silence.is_told_by(&meta, self.takes_parts);
        if !is_taken && self.gate.state == GateState::Open {
            self.damage.note(meta.arrival.monotonic_ns);
        }
        is_taken || self.gate.state != GateState::Open
    }

    /// Looks after a decoder that does not look for damage itself. Returns whether it is to be given this unit: one that
    /// takes pictures in parts would take what is incomplete for a part, and wait for the rest for ever.
    fn bears(&mut self, meta: &UnitMeta) -> bool {
        if meta.lost > 0 {
            self.doubt_last();
        }
        if meta.is_damaged {
            self.is_upset = true;
        } else if std::mem::take(&mut self.is_upset) && meta.is_random_access {
            self.context.flush();
        }
        !(self.takes_parts && meta.is_incomplete)
    }

    /// What was lost may have been the end of the picture before: where senders mark an end too early, or none, nothing
    /// tells. One that has come out of the decoder was complete.
    fn doubt_last(&mut self) {
        let last_pts_ns = self.pending.back().and_then(|(_, meta)| meta.pts_ns);
        let last = self.pending.iter_mut().rev().take_while(|(_, meta)| meta.pts_ns == last_pts_ns);
        last.for_each(|(_, meta)| meta.is_damaged = true);
    }

    /// Tells the decoder that no more units come, so that it hands out what it holds back.
    pub(crate) fn finish(&mut self) {
        // Fails only if it was told already.
        let _ = self.context.send(None);
        if let Some(alpha) = &mut self.alpha {
            alpha.finish();
        }
    }

    /// The next frame; `None` until more units are sent.
    pub(crate) fn receive(&mut self) -> Result<Option<Decoded>> {
        let mut frame = Frame::new().map_err(|_| Error::new(Status::OutOfMemory, "no memory for a frame"))?;
        match self.context.receive(&mut frame) {
            Ok(()) => {}
            Err(AvError::AGAIN | AvError::END) => return Ok(None),
            // Without a picture to begin with, complaints do not count.
            Err(_) if self.gate.state != GateState::Open => return Ok(None),
            Err(code) => {
                let mut error = Error::new(Status::BadData, code.text()).in_phase(Phase::Decode).retryable(true);
                error.av_code = code.0;
                return Err(error);
            }
        }
        self.silence = Silence::None;
        if let Some(alpha) = &mut self.alpha {
            alpha.apply(&mut frame);
        }
        let mut meta = self.claim(frame.number());
        let dts_ns = self.unit(frame.returning_number()).and_then(|unit| unit.dts_ns);
        meta.pts_ns = self.presentation.choose(meta.pts_ns, dts_ns);
        let is_damaged = match self.is_damage_known {
            true => frame.is_marked(),
            false => frame.is_damaged() || meta.is_damaged,
        };
        if self.gate.is_shut() && !is_damaged {
            if self.gate.state == GateState::Refreshing && meta.is_damaged && !meta.is_promised {
                return self.receive();
            }
            // Or the decoder has found a picture to begin with by itself.
            self.gate.state = GateState::Open;
        }
        // H.264's decoder marks what it was made to show; the others do not.
        let is_guess = self.gate.state == GateState::Forced && !self.gate.is_left_to_decoder;
        let is_hurt = self.damage.judge(is_damaged, &meta) || is_guess;
        Ok(Some(Decoded {
            frame,
            decoded_ns: monotonic_ns(),
            is_corrupt: is_hurt || meta.is_damaged,
            is_promised: !is_hurt && meta.is_promised,
            meta,
        }))
    }

    fn unit(&self, number: i64) -> Option<&UnitMeta> {
        self.pending.iter().find(|(pending, _)| *pending == number).map(|(_, meta)| meta)
    }

    /// What is known of the unit with this number. One that is not found has a frame without timestamp.
    fn claim(&mut self, number: i64) -> UnitMeta {
        match self.unit(number) {
            Some(meta) => *meta,
            None => {
                let arrival = self.pending.back().map_or_else(crate::clock::Moment::now, |(_, meta)| meta.arrival);
                UnitMeta {
                    pts_ns: None,
                    dts_ns: None,
                    arrival,
                    capture: None,
                    is_random_access: false,
                    is_refresh: false,
                    is_damaged: false,
                    is_promised: false,
                    is_incomplete: false,
                    is_encrypted: false,
                    lost: 0,
                }
            }
        }
    }
}

/// Has H.264's decoder hand a picture out once all of it is there, however many units it came in. It marks all pictures
/// then; and what it makes up in place of what is missing is of no use where that is known.
fn take_pictures_in_parts(options: &mut Dictionary) {
    for (key, value) in [("flags2", "+chunks"), ("ec", "0")] {
        if !options.keys().iter().any(|set| set == key) {
            options.set(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;

    fn unit(seconds: i64, is_random_access: bool) -> UnitMeta {
        let arrival = Moment { monotonic_ns: seconds * SECOND, wall_ns: 0 };
        UnitMeta {
            pts_ns: None,
            dts_ns: None,
            arrival,
            capture: None,
            is_random_access,
            is_refresh: false,
            is_damaged: false,
            is_promised: false,
            is_incomplete: false,
            is_encrypted: false,
            lost: 0,
        }
    }

    #[test]
    fn a_second_key_frame_without_a_picture_tells_of_silence() {
        let (key, plain) = (unit(0, true), unit(0, false));
        let mut silence = Silence::None;
        let told = [plain, key, plain, plain, key, plain].map(|meta| silence.is_told_by(&meta, true));
        assert_eq!(told, [false, false, false, false, true, true]);
        let mut other = Silence::None;
        assert!(![key, key, key].iter().any(|meta| other.is_told_by(meta, false)));
    }

    #[test]
    fn damage_lasts_until_a_key_frame_or_long_enough() {
        let mut damage = Damage { since_ns: None, keyless_ns: KEYLESS_NS };
        assert!(!damage.judge(false, &unit(0, false)));
        assert!(damage.judge(true, &unit(1, false)));
        assert!(damage.judge(false, &unit(2, false)), "builds on a damaged one");
        assert!(!damage.judge(false, &unit(3, true)));
        assert!(damage.judge(true, &unit(4, true)), "a key frame may itself be damaged");
        assert!(damage.judge(false, &unit(13, false)));
        assert!(!damage.judge(false, &unit(14, false)), "a stream without key frames heals");
    }

    #[test]
    fn the_gate_waits_for_a_key_frame_but_not_for_ever() {
        let mut gate = shut_gate();
        assert!(!gate.admits(&unit(1, false)));
        assert!(!gate.is_overdue(&unit(9, false)) && gate.is_overdue(&unit(10, false)));
        assert!(gate.admits(&unit(2, true)) && gate.admits(&unit(3, false)));
        assert!(!gate.is_overdue(&unit(100, false)));
    }

    fn shut_gate() -> Gate {
        Gate {
            is_left_to_decoder: false,
            state: GateState::Waiting,
            since_ns: 0,
            last_time_ns: None,
            stream_ns: 0,
            keyless_ns: KEYLESS_NS,
        }
    }

    /// The first of 400 units, 40 ms apart by their own times, before which the gate did not wait any longer. All arrive
    /// within 0.4 s.
    fn forced_at(time_ns: impl Fn(i64) -> Option<i64>) -> Option<i64> {
        let mut gate = shut_gate();
        (0..400).find(|n| {
            let arrival = Moment { monotonic_ns: n * 1_000_000, wall_ns: 0 };
            gate.is_overdue(&UnitMeta { pts_ns: time_ns(*n), arrival, ..unit(0, false) })
        })
    }

    #[test]
    fn the_gate_waits_as_long_by_the_stream_where_it_is_read_fast() {
        assert_eq!(forced_at(|n| Some(n * 40_000_000)), Some(250));
        let out_of_order = |n: i64| (n / 3 * 3 + [2, 0, 1][n as usize % 3]) * 40_000_000;
        assert!((248..=253).contains(&forced_at(|n| Some(out_of_order(n))).unwrap_or_default()));
    }

    #[test]
    fn the_gate_is_not_forced_by_a_time_that_is_missing_or_a_clock_that_jumps() {
        let stamp = |n: i64| 95_000 * SECOND + n * 40_000_000;
        assert_eq!(forced_at(|n| (n > 0).then(|| stamp(n))), Some(251), "the first has no time");
        assert_eq!(forced_at(|n| Some(stamp(n) + if n < 100 { 0 } else { 3_600 * SECOND })), Some(251), "ahead");
        assert_eq!(forced_at(|n| Some(stamp(n) - if n < 100 { 0 } else { 3_600 * SECOND })), Some(251), "back");
        assert_eq!(forced_at(|n| Some(stamp(0) * (1 + n % 2))), None, "to and fro");
        assert_eq!(forced_at(|n| Some([i64::MIN, i64::MAX][n as usize % 2])), None);
        assert_eq!(forced_at(|_| None), None);
    }
}
