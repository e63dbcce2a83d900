//! The RTSP engine of this library: retina's session layer, and units made of its packets here.
//!
//! It hands a picture on when its last packet is there, not when the next picture begins, and it knows exactly what was
//! lost. What it does not know (TLS, multicast, other codecs, servers with ideas of their own) is left to libavformat.

mod failure;
mod session;

use super::{End, Engine, Next, Refusal, SourceInfo, Unit, UnitMeta, stalled, to_ns};
use crate::av::{CodecParameters, Dictionary, Packet};
use crate::cancel::{Expiry, Watch};
use crate::capture::CaptureTimes;
use crate::clock::{Moment, SECOND};
use crate::config::Config;
use crate::error::{Error, Phase, Status};
use crate::geometry::Display;
use crate::nal::Entry;
use crate::rtp::{AccessUnit, Codec, Depacketizer, Integrity, RtpPacket, Trust, Worth, sdp};
use crate::sync::Arc;
use failure::Failure;
use retina::rtp::ReceivedPacket;
use session::{Interruption, Item, PANICKED, Session, Stop, Stream};
use std::collections::VecDeque;

/// Seconds from the beginning of NTP's time to that of Unix: RFC 3550, section 4, and RFC 868.
const NTP_TO_UNIX_S: i64 = 2_208_988_800;

/// A session that plays.
pub(crate) struct NativeSource {
    session: Session,
    info: SourceInfo,
    /// Seconds of one unit of the timestamps, as a fraction.
    time_base: (i32, i32),
    payload_type: u8,
    watch: Arc<Watch>,
    stall_timeout_ms: i64,
    secrets: Vec<String>,
    depacketizer: Depacketizer,
    trust: Trust,
    /// Units that are complete, the oldest first.
    units: VecDeque<AccessUnit>,
    /// Why no packet follows, if `has_stored` found out.
    stop: Option<Stop>,
    /// The newest sender report: what its clock showed, in nanoseconds since 1970, and what the stream's did.
    report: Option<(i64, i64)>,
    capture_times: CaptureTimes,
    /// What came and was of no use since the last unit.
    ignored: Ignored,
}

/// Packets that came without becoming a part of a unit.
#[derive(Default)]
struct Ignored {
    /// Of other payload types, and which was the last.
    other_types: Option<(u64, u8)>,
    /// Of the stream's own payload type.
    own: u64,
}

impl NativeSource {
    /// Opens the configured URL within the watch's deadline.
    pub(super) fn open(
        config: &Config,
        options: &mut Dictionary,
        watch: &Arc<Watch>,
    ) -> std::result::Result<Self, Refusal> {
        let session = Session::open(config, watch)?;
        let stream = session.stream();
        let (codec, parameters) = understand(stream).map_err(|text| Refusal {
            error: Error::new(Status::Unsupported, text).in_phase(Phase::Probe),
            is_for_other: true,
        })?;
        // Whoever asked for this engine has options for the decoder only.
        for (key, value) in &config.av {
            options.set(key, value);
        }
        Ok(Self {
            info: SourceInfo {
                display: Display::default(),
                engine: Engine::Native,
                stream_index: u32::try_from(stream.index).unwrap_or(u32::MAX),
                codec: parameters,
                frame_rate: None,
                container: "rtsp".to_owned(),
                duration_ns: None,
                is_live: true,
                may_return: true,
                is_bursty: false,
                knows_damage: true,
            },
            time_base: (1, i32::try_from(stream.clock_rate).unwrap_or(0)),
            payload_type: stream.payload_type,
            watch: Arc::clone(watch),
            stall_timeout_ms: config.stall_timeout_ms,
            secrets: config.secrets.clone(),
            depacketizer: Depacketizer::new(codec),
            trust: Trust::new(),
            units: VecDeque::new(),
            stop: None,
            report: None,
            capture_times: CaptureTimes::default(),
            ignored: Ignored::default(),
            session,
        })
    }

    pub(crate) fn info(&self) -> &SourceInfo {
        &self.info
    }

    pub(crate) fn capture_times(&self) -> &CaptureTimes {
        &self.capture_times
    }

    pub(crate) fn doubt(&mut self) {
        self.trust.doubt();
    }

    /// Waits for the next unit, for the stall timeout at most.
    pub(crate) fn next(&mut self) -> Next {
        self.watch.allow_ms(self.stall_timeout_ms);
        if let Err(stop) = self.stop.take().map_or_else(|| self.receive_unit(), Err) {
            return Next::End(self.end(stop));
        }
        match self.units.pop_front().map(|unit| self.unit(&unit)) {
            Some(Ok(unit)) => Next::Unit(unit),
            _ => Next::End(End::Lost(Error::new(Status::OutOfMemory, "no memory for a packet"))),
        }
    }

    /// Whether the next unit is there already, or comes within `wait_ms`.
    pub(crate) fn has_stored(&mut self, wait_ms: i64) -> bool {
        self.watch.allow_ms(wait_ms);
        match self.receive_unit() {
            Ok(()) => true,
            Err(Stop::Interrupted(Interruption::Expired(Expiry::Deadline))) => false,
            Err(stop) => {
                self.stop = Some(stop);
                false
            }
        }
    }

    /// Receives packets until a unit is complete.
    fn receive_unit(&mut self) -> std::result::Result<(), Stop> {
        while self.units.is_empty() {
            match self.session.next(&self.watch)? {
                Item::Packet(packet) => self.take(&packet),
                Item::Report { ntp, timestamp } => self.note_report(ntp, timestamp),
            }
        }
        Ok(())
    }

    fn take(&mut self, packet: &ReceivedPacket) {
        // Some cameras send other things between, with other numbers.
        let payload_type = packet.header().payload_type();
        if payload_type != self.payload_type {
            let (count, _) = self.ignored.other_types.unwrap_or_default();
            self.ignored.other_types = Some((count + 1, payload_type));
            return;
        }
        self.ignored.own += 1;
        let packet = RtpPacket {
            timestamp: packet.timestamp().elapsed(),
            is_marked: packet.mark(),
            lost: u64::from(packet.loss()),
            payload: packet.payload(),
        };
        self.depacketizer.push(&packet, &mut self.units);
    }

    fn unit(&mut self, unit: &AccessUnit) -> Result<Unit, crate::av::AvError> {
        self.ignored = Ignored::default();
        let arrival = Moment::now();
        let pts_ns = to_ns(unit.timestamp, self.time_base);
        let told_ns = self.report.zip(pts_ns).map(|((clock_ns, at_ns), pts_ns)| {
            let since_ns = pts_ns.saturating_sub(at_ns);
            clock_ns.saturating_add(since_ns)
        });
        let is_whole = unit.integrity != Integrity::Damaged;
        let worth = self.trust.judge(unit);
        let meta = UnitMeta {
            pts_ns,
            dts_ns: None,
            arrival,
            capture: self.capture_times.resolve(told_ns, pts_ns, arrival.wall_ns),
            is_random_access: is_whole && unit.entry.is_key(),
            is_refresh: is_whole && matches!(unit.entry, Entry::Gradual(_)),
            is_damaged: worth != Worth::Exact,
            is_promised: worth == Worth::Promised,
            is_incomplete: !is_whole,
            is_encrypted: false,
            lost: unit.lost,
        };
        Ok(Unit { packet: Packet::from_bytes(&unit.data)?, meta })
    }

    /// Notes what the sender's clock showed at a timestamp of the stream.
    fn note_report(&mut self, ntp: u64, timestamp: i64) {
        // A sender without a clock says 0.
        if let Some(at_ns) = to_ns(timestamp, self.time_base).filter(|_| ntp != 0) {
            self.report = Some((ntp_to_unix_ns(ntp), at_ns));
        }
    }

    /// What came in place of a picture; empty if nothing did.
    fn ignored_text(&self) -> String {
        let mut texts = Vec::new();
        if let Some((count, payload_type)) = self.ignored.other_types {
            let own = self.payload_type;
            texts.push(format!("{count} RTP packets of payload type {payload_type} instead of {own}"));
        }
        if self.ignored.own > 0 {
            let reason = self.depacketizer.refusal().map(|reason| format!(": {reason}")).unwrap_or_default();
            texts.push(format!("{} RTP packets that make no picture{reason}", self.ignored.own));
        }
        texts.join(" and ")
    }

    fn end(&self, stop: Stop) -> End {
        match stop {
            Stop::Interrupted(Interruption::Expired(Expiry::Stopped)) => End::Stopped,
            Stop::Interrupted(Interruption::Expired(Expiry::Deadline)) => {
                End::Lost(stalled(self.stall_timeout_ms, &self.ignored_text()))
            }
            // Not in the phase of reading: the other engine is to try.
            Stop::Interrupted(Interruption::Panicked) => {
                End::Lost(Error::new(Status::BadData, PANICKED).in_phase(Phase::Setup).retryable(true))
            }
            Stop::Closed => {
                let error = Error::new(Status::ServerGone, "the connection was closed");
                End::Lost(error.in_phase(Phase::Read).retryable(true))
            }
            Stop::Failed(error) => End::Lost(Failure::of(&error).while_reading(&self.secrets)),
        }
    }
}

/// The codec of a stream and what its decoder is to know beforehand, or why the stream is not for this engine.
fn understand(stream: &Stream) -> Result<(Codec, CodecParameters), String> {
    let name = &stream.encoding_name;
    let codec =
        Codec::from_encoding_name(name).ok_or_else(|| format!("the native RTSP engine does not know {name}"))?;
    let is_set = |key| sdp::parameter(&stream.parameters, key).is_some_and(|value| value.trim() != "0");
    let is_reordered = match codec {
        Codec::H264 => sdp::parameter(&stream.parameters, "packetization-mode").is_some_and(|mode| mode.trim() == "2"),
        Codec::H265 => is_set("sprop-max-don-diff"),
        Codec::Jpeg => false,
    };
    if is_reordered || stream.clock_rate == 0 {
        return Err(format!("the native RTSP engine does not know this way of sending {name}"));
    }
    let sets = sdp::parameter_sets(&stream.parameters);
    let parameters = CodecParameters::video(codec.av_name(), &sets).map_err(|code| code.text())?;
    if !parameters.is_decodable() {
        return Err(format!("this build of FFmpeg has no decoder for {}", codec.av_name()));
    }
    Ok((codec, parameters))
}

/// An NTP time, in units of 2^-32 s, as nanoseconds since 1970.
fn ntp_to_unix_ns(ntp: u64) -> i64 {
    let seconds = i64::from((ntp >> 32) as u32) - NTP_TO_UNIX_S;
    let fraction_ns = ((ntp & 0xffff_ffff) * SECOND as u64) >> 32;
    seconds * SECOND + fraction_ns as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_times_are_counted_from_1970() {
        assert_eq!(ntp_to_unix_ns(2_208_988_800 << 32), 0);
        assert_eq!(ntp_to_unix_ns((2_208_988_801 << 32) + (1 << 31)), 1_500_000_000);
        assert_eq!(ntp_to_unix_ns(1 << 32), -2_208_988_799 * SECOND);
        assert_eq!(ntp_to_unix_ns(u64::MAX) / SECOND, i64::from(u32::MAX) - NTP_TO_UNIX_S);
    }
}
