//! One connection, from its first packet to its loss.

use super::Assignment;
use super::backlog::Backlog;
use super::control::{Control, Goal};
use super::doubt::{DamagedKeys, Doubt, Finding};
use crate::av::{Dictionary, Remarks, Tags};
use crate::board::StreamInfo;
use crate::clock::{SECOND, monotonic_ns};
use crate::config::{CorruptPolicy, Rational};
use crate::decoder::{Decoded, Decoder, KEYLESS_NS};
use crate::error::{Error, Phase, Result, Status};
use crate::event::EventKind;
use crate::geometry::{self, Display};
use crate::log::{self, Level};
use crate::playout::Playout;
use crate::source::{End, Engine, Next, Source, Unit, UnitMeta};
use crate::state::State;
use crate::stats::RateMeter;
use crate::sync::Arc;
use crate::view::{Fate, ViewWriter};
use std::time::Duration;

/// A packet that comes sooner than this was there already.
const IN_STORE_MS: i64 = 3;

/// A stream whose packets come without a pause for so long is simply fast.
const LONGEST_SETTLING_NS: i64 = SECOND / 2;

/// An engine that fails at a stream so soon after its beginning does not understand it.
const MISREAD_NS: i64 = 10 * SECOND;

/// Packets in a row that a good stream's decoder does not refuse.
const MAX_REFUSED: u32 = 25;

/// How long key frames may be damaged before the stream is opened again: at first, and after many times in vain.
const KEY_PATIENCE_NS: i64 = 2 * SECOND;
const LONGEST_KEY_PATIENCE_NS: i64 = 600 * SECOND;

/// A source with its decoder, and what is remembered between two packets.
pub(super) struct Connection<'a> {
    assignment: &'a Assignment,
    control: &'a Control,
    source: Source,
    decoder: Decoder,
    generation: u64,
    backlog: Backlog,
    /// For sources that do not come at their own pace.
    playout: Option<Playout>,
    meter: RateMeter,
    /// Size, format and colours of the last picture of this connection, and how it is to be shown.
    shown: Option<(u32, u32, i32, Tags, Display)>,
    is_running: bool,
    /// When a unit was last taken by the decoder, or the stream was last started; monotonic.
    last_good_ns: i64,
    /// Packets that the decoder refused since its last picture.
    refused_in_row: u32,
    /// The size of pictures that are too large.
    refused_size: Option<String>,
    /// What the decoder complained of last.
    last_complaint: Option<String>,
    /// Units that were decoded, and whether decoding could begin with one of them.
    units: u64,
    has_key: bool,
    damaged_keys: DamagedKeys,
    knows_capture_times: bool,
    /// Timestamps decide about the frame rate, and not arrival.
    follows_timestamps: bool,
    /// When the last picture arrived, of those up to it; monotonic.
    last_arrival_ns: i64,
    doubt: Doubt,
    opened_ns: i64,
    last_pts_ns: Option<i64>,
    /// From one picture to the next, last time.
    last_step_ns: Option<i64>,
    /// A stream that was looked at before it was connected has packets from that time, which are the past.
    is_settling: bool,
}

/// Where frames go, and what of the stream is remembered from one connection to the next.
pub(super) struct Outlet {
    pub(super) view: ViewWriter,
    pub(super) has_connected: bool,
    /// Size, format and codec of the last picture.
    picture: Option<(u32, u32, String, String)>,
    /// When the last key frame came, and how long after the one before; monotonic nanoseconds.
    last_key_ns: Option<i64>,
    key_distance_ns: i64,
    /// What made nothing of the stream last time.
    avoided: Option<Engine>,
    /// How long key frames may be damaged before the stream is opened again.
    key_patience_ns: i64,
}

impl Outlet {
    pub(super) fn new(view: ViewWriter) -> Self {
        Self {
            view,
            has_connected: false,
            picture: None,
            last_key_ns: None,
            key_distance_ns: 0,
            avoided: None,
            key_patience_ns: KEY_PATIENCE_NS,
        }
    }

    /// How long a stream may show no key frame before it counts as one that has none.
    fn keyless_ns(&self) -> i64 {
        KEYLESS_NS.max(self.key_distance_ns.saturating_mul(2))
    }

    fn note_unit(&mut self, meta: &UnitMeta) {
        if meta.is_random_access {
            let now_ns = meta.arrival.monotonic_ns;
            let distance_ns = self.last_key_ns.replace(now_ns).map(|last| now_ns.saturating_sub(last));
            self.key_distance_ns = distance_ns.unwrap_or(self.key_distance_ns);
        }
    }
}

impl<'a> Connection<'a> {
    /// Connects and opens the decoder, within the deadline that the control's watch has.
    pub(super) fn open(assignment: &'a Assignment, control: &'a Arc<Control>, outlet: &Outlet) -> Result<Self> {
        let Assignment { config, board, epoch, .. } = assignment;
        let mut options = Dictionary::new();
        let source = Source::open(config, &mut options, control.watch(), outlet.avoided)?;
        let info = source.info();
        let decoder = Decoder::open(info, config, outlet.keyless_ns(), &mut options)?;
        if let Some(unknown) = options.keys().first() {
            let expected = "an option of libav's for this source or its decoder";
            return Err(Error::argument(&format!("av.{unknown}"), "not known to libav here", expected));
        }
        let (width, height) = info.codec.size();
        let turns = config.conversion.quarter_turns;
        let shown = geometry::Source::new(width, height, info.display, &config.conversion);
        let stream = StreamInfo {
            index: info.stream_index,
            width,
            height,
            frame_rate: info.frame_rate,
            is_live: info.is_live,
            duration_ns: info.duration_ns,
            codec: info.codec.codec_name(),
            container: info.container.clone(),
            engine: info.engine.name().to_owned(),
            // What the container says of orientation is no more than a default for the pictures.
            rotation: turns.map(|turns| 90 * u32::from(turns)),
            is_mirrored: turns.map(|_| false),
            sample_aspect_ratio: shown.sample_aspect().map(|(num, den)| Rational { num, den }),
            ..StreamInfo::default()
        };
        let what = format!("{} in {}, read by {}", stream.codec, stream.container, stream.engine);
        log::line(Level::Info, &format!("connected to {}: {what}", config.url));
        // What waits for its reader does not wait for the clock.
        let is_paced = config.realtime.unwrap_or(info.is_bursty && !config.blocks);
        // A paced source is silent between two bursts, and a file while it is held.
        let stalled_after_ns =
            (info.is_live && !is_paced && !config.blocks).then_some(config.stall_timeout_ms * 1_000_000 / 2);
        board.stats.connects.add(1);
        Ok(Self {
            generation: board.connected(*epoch, stream, stalled_after_ns, outlet.has_connected),
            assignment,
            control,
            decoder,
            backlog: Backlog::default(),
            playout: is_paced.then(Playout::default),
            meter: RateMeter::default(),
            shown: None,
            is_running: false,
            last_good_ns: monotonic_ns(),
            refused_in_row: 0,
            refused_size: None,
            last_complaint: None,
            units: 0,
            has_key: false,
            damaged_keys: DamagedKeys::default(),
            knows_capture_times: false,
            follows_timestamps: true,
            last_arrival_ns: 0,
            doubt: Doubt::default(),
            opened_ns: monotonic_ns(),
            last_pts_ns: None,
            last_step_ns: None,
            is_settling: info.is_live && !is_paced && !config.blocks,
            source,
        })
    }

    pub(super) fn is_live(&self) -> bool {
        self.source.info().is_live
    }

    /// Whether it is worth to be opened again after a failure.
    pub(super) fn may_return(&self) -> bool {
        self.source.info().may_return
    }

    /// Does what the client wants until the stream ends.
    pub(super) fn serve(&mut self, outlet: &mut Outlet) -> End {
        let info = self.source.info();
        outlet.view.connect(info.display, info.is_live && !self.assignment.config.blocks);
        let end = self.serve_on(outlet);
        // Connected again, the stream is looked at by the other engine, if there is one for it.
        if matches!(&end, End::Lost(error) if self.is_misread(error)) {
            outlet.avoided = Some(self.source.info().engine);
        }
        end
    }

    /// Whether the engine makes nothing of the stream, or fails at it soon. What is damaged on its way now and then is
    /// not the engine's fault.
    fn is_misread(&self, error: &Error) -> bool {
        let is_soon = self.shown.is_none() || monotonic_ns() - self.opened_ns < MISREAD_NS;
        error.status == Status::BadData && (is_soon || error.phase != Phase::Read)
    }

    fn serve_on(&mut self, outlet: &mut Outlet) -> End {
        loop {
            let step = match self.control.goal() {
                _ if self.control.is_stopped() => Err(End::Stopped),
                Goal::Hold => self.hold(),
                Goal::Run if self.is_settling => self.keep_unit(),
                Goal::Run if !self.backlog.is_empty() => self.catch_up(outlet),
                Goal::Run => self.advance(outlet),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Keeps a live stream at the present, or leaves a file where it is.
    fn hold(&mut self) -> std::result::Result<(), End> {
        self.is_running = false;
        if self.is_live() {
            self.keep_unit()?;
            // Whatever the decoder refused is the past once the stream is started.
            self.last_good_ns = monotonic_ns();
        } else {
            self.park();
        }
        Ok(())
    }

    /// Keeps a unit as the past. Those that libavformat has in store come without a wait; after the first that does not,
    /// the present has begun.
    fn keep_unit(&mut self) -> std::result::Result<(), End> {
        let begin_ns = monotonic_ns();
        let mut unit = self.next_unit()?;
        let now_ns = monotonic_ns();
        let was_in_store = now_ns - begin_ns < IN_STORE_MS * 1_000_000 && now_ns - self.opened_ns < LONGEST_SETTLING_NS;
        unit.meta.is_damaged |= self.is_settling && was_in_store && self.source.is_store_damaged();
        if !self.backlog.push(unit) {
            self.source.doubt();
        }
        // A camera with a picture in some seconds would otherwise show its first one only when the second comes.
        self.is_settling = self.is_settling && was_in_store && self.source.may_have_stored(IN_STORE_MS);
        Ok(())
    }

    fn park(&mut self) {
        self.is_running = false;
        self.control.park();
        self.last_good_ns = monotonic_ns();
        if let Some(playout) = &mut self.playout {
            playout.restart();
        }
    }

    /// Decodes what came while the stream was held, and shows only the newest picture of it.
    fn catch_up(&mut self, outlet: &mut Outlet) -> std::result::Result<(), End> {
        let stats = &self.assignment.board.stats;
        let mut newest = None;
        while let Some(unit) = self.backlog.pop() {
            if self.control.is_stopped() {
                return Err(End::Stopped);
            }
            self.decoder.send(unit);
            while let Ok(Some(decoded)) = self.decoder.receive() {
                stats.decoded.add(1);
                let skipped: Option<Decoded> = newest.replace(decoded);
                stats.dropped_at_start.add(u64::from(skipped.is_some()));
            }
        }
        newest.map_or(Ok(()), |decoded| self.show(decoded, outlet))
    }

    /// Reads and decodes one unit.
    fn advance(&mut self, outlet: &mut Outlet) -> std::result::Result<(), End> {
        let unit = match self.next_unit() {
            Err(end @ (End::Finished | End::Truncated(_))) => return self.end_with(end, outlet),
            Ok(unit) if unit.meta.is_encrypted => {
                let text = "the video is encrypted, and there is no key for it";
                let error = Error::new(Status::Unsupported, text).in_phase(Phase::Decode);
                return self.end_with(End::Lost(error), outlet);
            }
            other => other?,
        };
        outlet.note_unit(&unit.meta);
        let meta = unit.meta;
        self.note_unit(&meta);
        if unit.meta.lost > 0 && self.source.info().knows_damage {
            outlet.view.mark_gap();
        }
        if self.decoder.send(unit) {
            self.last_good_ns = monotonic_ns();
        } else {
            self.note_refusal();
            self.damaged_keys.note(&meta, true);
        }
        self.show_decoded(outlet)?;
        self.learn_capture_times(outlet);
        self.check_keys(outlet)?;
        self.check_progress()
    }

    fn note_unit(&mut self, meta: &UnitMeta) {
        self.units += 1;
        self.has_key |= meta.is_random_access || meta.is_refresh;
    }

    /// Hands out what the decoder holds back, and ends.
    fn end_with(&mut self, end: End, outlet: &mut Outlet) -> std::result::Result<(), End> {
        self.decoder.finish();
        self.show_decoded(outlet)?;
        let has_finished = matches!(end, End::Finished | End::Truncated(_));
        Err(if has_finished && self.shown.is_none() { End::Lost(self.no_picture()) } else { end })
    }

    /// Why a source ended of which no picture could be decoded.
    fn no_picture(&mut self) -> Error {
        let complaint = self.last_complaint.take().or_else(Remarks::take_last_error);
        let cause = match (self.units, complaint) {
            (0, _) => "there is no packet of it".to_owned(),
            (units, _) if !self.has_key => format!("there is no key frame in {units} packets"),
            (_, Some(complaint)) => complaint,
            (units, None) => format!("the decoder made nothing of {units} packets"),
        };
        let text = format!("no picture of the video could be decoded: {cause}");
        Error::new(Status::BadData, text).in_phase(Phase::Decode)
    }

    /// Key frames that stay damaged although nothing was lost: the stream's parameters have changed, and a new connection
    /// learns them. A stream that is damaged where it comes from is opened again more and more rarely.
    fn check_keys(&mut self, outlet: &mut Outlet) -> std::result::Result<(), End> {
        if !self.damaged_keys.are_lasting(outlet.key_patience_ns) {
            return Ok(());
        }
        let text = "key frames are damaged although nothing was lost; the stream's parameters may have changed";
        let error = Error::new(Status::BadData, text).in_phase(Phase::Decode).retryable(true);
        outlet.key_patience_ns = outlet.key_patience_ns.saturating_mul(2).min(LONGEST_KEY_PATIENCE_NS);
        if self.is_live() {
            return Err(End::Lost(error));
        }
        log::line(Level::Warning, &error.to_string());
        self.assignment.board.note(self.assignment.epoch, &error);
        Ok(())
    }

    /// Goes on with another stream of the source.
    fn follow(&mut self) -> std::result::Result<(), End> {
        let Assignment { config, board, epoch, .. } = self.assignment;
        let mut options = Dictionary::new();
        for (key, value) in &config.av {
            options.set(key, value);
        }
        let info = self.source.info();
        let (index, codec) = (info.stream_index, info.codec.codec_name());
        log::line(Level::Info, &format!("the video goes on as {codec} in stream {index}"));
        self.decoder = Decoder::open(info, config, KEYLESS_NS, &mut options).map_err(End::Lost)?;
        self.backlog = Backlog::default();
        board.update_stream(*epoch, |stream| (stream.index, stream.codec) = (index, codec.clone()));
        Ok(())
    }

    /// Once the sender has told the time, the frames before that have one, too.
    fn learn_capture_times(&mut self, outlet: &Outlet) {
        let times = self.source.capture_times();
        *self.assignment.board.stats.sender_clock.lock() = times.sender_clock();
        if !self.knows_capture_times
            && let Some(offset_ns) = times.offset_ns()
        {
            self.knows_capture_times = true;
            outlet.view.amend_capture_times(self.generation, offset_ns);
        }
    }

    fn next_unit(&mut self) -> std::result::Result<Unit, End> {
        loop {
            match self.source.next() {
                Next::Unit(unit) => {
                    let Assignment { board, epoch, .. } = self.assignment;
                    board.stats.lost_packets.add(unit.meta.lost);
                    board.packet_arrived(*epoch, unit.packet.size(), unit.meta.arrival.monotonic_ns);
                    return Ok(unit);
                }
                Next::Moved => self.follow()?,
                Next::End(end) => return Err(end),
            }
        }
    }

    fn show_decoded(&mut self, outlet: &mut Outlet) -> std::result::Result<(), End> {
        loop {
            match self.decoder.receive() {
                Ok(Some(decoded)) => {
                    self.assignment.board.stats.decoded.add(1);
                    self.refused_in_row = 0;
                    self.damaged_keys.note(&decoded.meta, decoded.is_corrupt);
                    if decoded.meta.is_random_access && !decoded.is_corrupt {
                        outlet.key_patience_ns = KEY_PATIENCE_NS;
                    }
                    self.show(decoded, outlet)?;
                }
                Ok(None) => return Ok(()),
                Err(error) if error.status == Status::OutOfMemory => return Err(End::Lost(error)),
                // A damaged unit: the next may be good.
                Err(_) => {
                    self.note_refusal();
                    return Ok(());
                }
            }
        }
    }

    /// Publishes a frame once it is due, if the output wants it. All frames are waited for, not only those wanted: what
    /// is read ahead of its time would be old when its time comes.
    fn show(&mut self, mut decoded: Decoded, outlet: &mut Outlet) -> std::result::Result<(), End> {
        let Assignment { board, epoch, config, .. } = self.assignment;
        self.give_time(&mut decoded);
        self.observe(&decoded, outlet);
        self.tell_of_doubt(&decoded, outlet);
        self.wait_until_due(&decoded)?;
        match config.corrupt {
            // What only looks right is better than nothing for ever, and stays marked.
            CorruptPolicy::Drop if decoded.is_corrupt && !decoded.is_promised => {
                board.stats.dropped_corrupt.add(1);
                outlet.view.mark_gap();
                return Ok(());
            }
            CorruptPolicy::Keep => decoded.is_corrupt = false,
            CorruptPolicy::Drop | CorruptPolicy::Mark => {}
        }
        // What waited until it was due is there now, whenever it arrived.
        let now_ns = if self.playout.is_some() { monotonic_ns() } else { decoded.meta.arrival.monotonic_ns };
        let kept = outlet.view.wants(&decoded, now_ns, &board.stats);
        self.tell_of_clock(outlet);
        let Some(kept) = kept else {
            return Ok(());
        };
        for intervals in (1..=outlet.view.repeats(kept)).rev() {
            self.wait_for_room(outlet)?;
            match outlet.view.repeat(&decoded.meta, intervals, self.generation, &board.stats).transpose() {
                Some(fate) => self.settle(fate)?,
                None => break,
            }
        }
        self.wait_for_room(outlet)?;
        // Before the frame is there: who is woken by it finds the stream running.
        if !std::mem::replace(&mut self.is_running, true) {
            board.set_state(*epoch, State::Running);
        }
        let fate = outlet.view.write(&decoded, self.generation, &board.stats);
        self.settle(fate)
    }

    /// Tells what became of a frame.
    fn settle(&self, fate: Result<Fate>) -> std::result::Result<(), End> {
        let Assignment { board, epoch, .. } = self.assignment;
        match fate {
            Ok(Fate::Published) => Ok(()),
            Ok(Fate::Dropped) => {
                board.tell(*epoch, EventKind::FramesDropped, 1, "");
                Ok(())
            }
            Ok(Fate::Superseded) => Err(End::Stopped),
            Err(error) => Err(End::Lost(error)),
        }
    }

    /// Pictures of files that hold no times, such as bare H.264, have those of the declared rate. Where none is declared,
    /// a picture without a time follows as the one before it did.
    fn give_time(&mut self, decoded: &mut Decoded) {
        let info = self.source.info();
        if decoded.meta.pts_ns.is_none() && !info.is_live {
            let declared = info.frame_rate.filter(|rate| rate.num > 0).map(Rational::interval_ns);
            let next = |interval_ns| self.last_pts_ns.map_or(0, |last| last.saturating_add(interval_ns));
            decoded.meta.pts_ns = declared.or(self.last_step_ns).map(next);
        }
        let Some(pts_ns) = decoded.meta.pts_ns else { return };
        if let Some(last) = self.last_pts_ns.replace(pts_ns) {
            self.last_step_ns = pts_ns.checked_sub(last).filter(|step| *step > 0).or(self.last_step_ns);
        }
    }

    fn wait_until_due(&mut self, decoded: &Decoded) -> std::result::Result<(), End> {
        while let Some(playout) = &mut self.playout {
            let now_ns = monotonic_ns();
            let wait_ns = playout.due_ns(decoded.meta.pts_ns, now_ns).saturating_sub(now_ns);
            let is_over = wait_ns <= 0
                || self.control.sleep_while_running(Duration::from_nanos(wait_ns.unsigned_abs()))
                || self.is_live();
            self.stay_held()?;
            if is_over {
                break;
            }
        }
        Ok(())
    }

    /// Waits until a reader has read what the next frame would push out, where nothing may be lost.
    fn wait_for_room(&mut self, outlet: &Outlet) -> std::result::Result<(), End> {
        let signal = &self.assignment.board.signal;
        while !self.control.wait_while_running(signal, || outlet.view.has_room()) {
            self.stay_held()?;
            if self.is_live() {
                break;
            }
        }
        Ok(())
    }

    /// Holds a file still, with a frame in hand that is the first to be shown after, while it is not to run.
    fn stay_held(&mut self) -> std::result::Result<(), End> {
        if self.control.goal() == Goal::Hold && !self.is_live() {
            self.park();
        }
        if self.control.is_stopped() { Err(End::Stopped) } else { Ok(()) }
    }

    /// Learns of the stream from its pictures.
    fn observe(&mut self, decoded: &Decoded, outlet: &mut Outlet) {
        let Assignment { board, epoch, .. } = self.assignment;
        // Pictures that are shown in another order than they were sent do not arrive in their order.
        self.last_arrival_ns = self.last_arrival_ns.max(decoded.meta.arrival.monotonic_ns);
        let time_ns = decoded.meta.pts_ns.filter(|_| self.follows_timestamps).unwrap_or(self.last_arrival_ns);
        if let Some(rate) = self.meter.add(time_ns) {
            board.update_stream(*epoch, |stream| stream.measured_frame_rate = rate);
        }
        let frame = &decoded.frame;
        let shown = Some((frame.width(), frame.height(), frame.format(), frame.tags(), outlet.view.display_of(frame)));
        if self.shown == shown {
            return;
        }
        self.shown = shown;
        let appearance = outlet.view.appearance_of(frame);
        if appearance.is_hdr {
            log::line(Level::Warning, "pictures are of high dynamic range and stay so: no tones are mapped");
        }
        board.update_stream(*epoch, |stream| stream.set_appearance(appearance));
        let codec = self.decoder.codec_name().to_owned();
        let picture = (frame.width(), frame.height(), frame.format_name(), codec);
        let declared_rate = self.decoder.frame_rate();
        board.update_stream(*epoch, |stream| {
            stream.frame_rate = stream.frame_rate.or(declared_rate);
            (stream.width, stream.height, stream.pixel_format, stream.codec) = picture.clone();
        });
        let (width, height, format, codec) = &picture;
        let text = format!("{width}x{height} {format} from {codec}");
        log::line(Level::Info, &format!("pictures are {text}"));
        if outlet.picture.replace(picture.clone()).is_some_and(|before| before != picture) {
            board.tell(*epoch, EventKind::FormatChanged, 0, &text);
        }
    }

    /// Tells when timestamps cease to decide, and when they do so again.
    fn tell_of_clock(&mut self, outlet: &Outlet) {
        let Assignment { board, epoch, .. } = self.assignment;
        let is_followed = outlet.view.follows_timestamps();
        if std::mem::replace(&mut self.follows_timestamps, is_followed) == is_followed {
            return;
        }
        let text = match is_followed {
            true => "timestamps keep pace with arrival again".to_owned(),
            false => {
                board.stats.clock_faults.add(1);
                let speed = outlet.view.clock_speed().unwrap_or_default();
                format!("timestamps advance by {speed:.2} s in a second: frames are paced by their arrival")
            }
        };
        log::line(Level::Warning, &text);
        board.tell(*epoch, EventKind::ClockUnreliable, i64::from(!is_followed), &text);
    }

    /// Tells why pictures are marked, or left out, as far as that may last.
    fn tell_of_doubt(&mut self, decoded: &Decoded, outlet: &Outlet) {
        let Assignment { board, epoch, config, .. } = self.assignment;
        let Decoded { is_corrupt, is_promised, decoded_ns, .. } = *decoded;
        let finding = Finding { is_corrupt, is_promised, is_forced: self.decoder.is_forced() };
        if let Some(text) = self.doubt.note(finding, decoded_ns, outlet.keyless_ns(), config.corrupt) {
            log::line(Level::Warning, text);
            board.tell(*epoch, EventKind::NoKeyFrame, 0, text);
        }
    }

    fn note_refusal(&mut self) {
        self.assignment.board.stats.decode_errors.add(1);
        self.refused_in_row += 1;
        self.refused_size = Remarks::take().refused_size.or(self.refused_size.take());
        self.last_complaint = Remarks::take_last_error().or(self.last_complaint.take());
    }

    /// A stream whose every packet is refused is no better than one that sends none. Some change their codec and say
    /// nothing: connected again, they are looked at anew.
    fn check_progress(&mut self) -> std::result::Result<(), End> {
        let Assignment { board, epoch, config, .. } = self.assignment;
        let refused = |text: String| Error::new(Status::BadData, text).in_phase(Phase::Decode).retryable(true);
        if let Some(size) = &self.refused_size {
            let most = config.max_pixels >> 20;
            let text = format!("pictures are {size}, which is more than max_picture_size, {most}");
            return Err(End::Lost(Error::new(Status::Unsupported, text).in_phase(Phase::Decode)));
        }
        if self.refused_in_row == MAX_REFUSED {
            let codec = self.decoder.codec_name();
            let error = refused(format!("{MAX_REFUSED} packets in a row are not {codec}; its codec may have changed"));
            if self.is_live() {
                return Err(End::Lost(error));
            }
            // A file cannot be connected again where it is; what follows may be good.
            log::line(Level::Warning, &error.to_string());
            board.note(*epoch, &error);
        }
        let limit_ms = config.first_frame_timeout_ms;
        if monotonic_ns().saturating_sub(self.last_good_ns) < limit_ms.saturating_mul(1_000_000) {
            return Ok(());
        }
        Err(End::Lost(refused(format!("no packet could be decoded for {limit_ms} ms"))))
    }
}
