//! Sources opened by libavformat: every protocol and container it knows.

mod failure;
mod options;

use super::address::{
    has_credentials, innermost_scheme, is_live_scheme, is_same_origin, scheme, with_credentials, with_plain_zone,
};
use super::repeats::{Repeat, RepeatFinder};
use super::segments::SegmentClock;
use super::{End, Engine, Next, SourceInfo, Unit, UnitMeta, stalled, to_ns};
use crate::av::{
    AvError, Complaints, Demuxer, Dictionary, Input, OriginGuard, Packet, Pipe, Remarks, VideoStream, check_log,
    is_log_received, side_data_comes_early,
};
use crate::cancel::{Expiry, Watch};
use crate::capture::CaptureTimes;
use crate::clock::{Moment, SECOND};
use crate::config::{Config, Rational, StreamChoice};
use crate::error::{Error, Phase, Result, Status};
use crate::geometry::{Display, Orientation};
use crate::log::{self, Level};
use crate::nal::{Contents, Entry, Format};
use crate::redact::redact_with;
use crate::sync::Arc;
use failure::{explain, explain_unheard};
use options::{check_address, own_options, tls_options};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Media time of a live stream that probing may read, in microseconds. libavformat's own 5 s keep RTMP and HLS waiting
/// for nothing. Files are left to it: how it computes their times depends on what it has seen of them.
const PROBE_US: i64 = 1_000_000;

/// How long a source that shows its streams one by one may take to show video.
const LATE_VIDEO: Duration = Duration::from_secs(5);

/// So many packets of a new video stream without one of the chosen stream mean that the video goes on there.
const SUCCESSOR_PACKETS: usize = 5;

/// A longer step between two timestamps is a jump.
const LONGEST_STEP_NS: i64 = 10 * SECOND;

/// Where segments are missing, timestamps jump by at least this.
const GAP_NS: i64 = SECOND / 2;

/// How often it is looked at whether libav's log comes here.
const LOG_CHECK_NS: i64 = SECOND;

/// How long to wait when libavformat says that there is nothing right now.
const AGAIN_PAUSE: Duration = Duration::from_millis(5);

/// Redirections from one server to another that are followed; libavformat's own limit for HTTP.
const MAX_REDIRECTIONS: usize = 8;

/// A source that libavformat has open.
pub(crate) struct LibavSource {
    input: Input,
    info: SourceInfo,
    time_base: (i32, i32),
    stall_timeout_ms: i64,
    /// For sources that come in segments.
    segments: Option<SegmentClock>,
    secrets: Vec<String>,
    /// Packets were lost while the last unit was read; what is missing may belong to the next.
    was_damaged: bool,
    /// Whole pictures are missing somewhere before the next key frame.
    has_gap: bool,
    last_pts_ns: Option<i64>,
    /// For packets that the network may bring twice.
    repeats: Option<RepeatFinder>,
    /// Of units with start codes it is looked at what they are.
    format: Option<Format>,
    /// Packets are taken as they are, for as long as each is one whole unit of this codec.
    unparsed: Option<Format>,
    /// No unit has come yet.
    is_first: bool,
    /// The stall timeout is over, and only what had come before is handed on.
    is_overdue: bool,
    /// Some of the packets that probing left in store are damaged.
    is_store_damaged: bool,
    /// Packets that were read ahead, and when: the one that showed the stream, or those of the stream that followed.
    read_ahead: VecDeque<(Packet, Moment)>,
    /// A stream that may be the one that the video goes on in.
    successor: Option<Successor>,
    choice: StreamChoice,
    /// Streams that the container declares in front.
    known_streams: usize,
    /// The longest step between two timestamps of the video.
    longest_step_ns: i64,
    /// Those that the video was in before.
    former: Vec<usize>,
    /// Packets of other streams since the last unit, and where the source was read up to by then.
    other_packets: u64,
    unit_at: i64,
    is_truncated: bool,
    /// Where the files of a `concat:` address meet, as far as their sizes are known.
    seams: Vec<i64>,
    /// Another initialization segment than the first is in use.
    has_other_init: bool,
    /// When it was last looked at whether libav's log comes here.
    log_checked_ns: i64,
    capture_times: CaptureTimes,
    /// Times of capture come with the unit before theirs, the last of which is this.
    is_told_early: bool,
    told_ns: Option<i64>,
}

/// A video stream that appeared while the chosen one was read, and its packets since the last of that.
struct Successor {
    index: usize,
    count: usize,
    /// The timestamp of the first.
    since: Option<i64>,
    /// From the last key frame on.
    packets: VecDeque<(Packet, Moment)>,
}

impl Successor {
    fn push(&mut self, packet: Packet) {
        self.count += 1;
        if packet.is_key() {
            self.packets.clear();
        }
        self.packets.push_back((packet, Moment::now()));
    }
}

impl LibavSource {
    /// Opens the configured URL within the watch's deadline. Options of the user's that libavformat did not take stay
    /// in the dictionary.
    pub(crate) fn open(config: &Config, options: &mut Dictionary, watch: &Arc<Watch>) -> Result<Self> {
        let mut redirected: Option<Config> = None;
        for _ in 0..MAX_REDIRECTIONS {
            let mut target = None;
            let opened = Self::open_at(redirected.as_ref().unwrap_or(config), options, watch, &mut target);
            let Some(target) = target else { return opened };
            log::line(
                Level::Info,
                &format!("redirected to {target}, another server, which does not get the credentials"),
            );
            redirected = Some(redirected.as_ref().unwrap_or(config).redirected_to(&target));
        }
        Err(Error::new(Status::BadData, "too many redirections").in_phase(Phase::Setup).retryable(true))
    }

    /// The same, up to a redirection to another server, whose address goes to `target`.
    fn open_at(
        config: &Config,
        options: &mut Dictionary,
        watch: &Arc<Watch>,
        target: &mut Option<String>,
    ) -> Result<Self> {
        let scheme = scheme(&config.url);
        check_address(config, &scheme)?;
        let complaints = Complaints::collect();
        let url = with_plain_zone(&with_credentials(&config.url, &config.username, &config.password));
        let mut own = own_options(config, &scheme);
        for (key, value) in &config.av {
            own.set(key, value);
        }
        check_filter_graph(config)?;
        let demuxer = Demuxer::find(&config.input_format).map_err(|text| unsupported(&text))?;
        let nested = tls_options(config, &scheme, demuxer, &mut own)?;
        let failed = |code: AvError, phase: Phase| {
            let heard = complaints.take();
            let error = explain(code, phase, &heard, watch, config);
            let is_unheard = heard.is_empty() && watch.expiry().is_none() && !is_log_received();
            if is_unheard { explain_unheard(error, config, &nested, watch) } else { error }
        };
        let is_rtsp = matches!(scheme.as_str(), "rtsp" | "rtsps") && has_credentials(&url);
        let guard = is_rtsp.then(|| Arc::new(OriginGuard::new(&url, is_same_origin)));
        let input = Input::open(
            config.file.as_deref().unwrap_or(url.as_bytes()),
            demuxer,
            &mut own,
            nested.clone(),
            Arc::clone(watch),
            guard.clone(),
        );
        *target = guard.as_ref().and_then(|guard| guard.left()).map(str::to_owned);
        let mut input = input.map_err(|code| failed(code, Phase::Connect))?;
        for key in own.keys() {
            if let Some(value) = config.av.get(&key) {
                options.set(&key, value);
            }
        }
        let container = input.format_name();
        let is_live = is_live(&input, &config.url, &container);
        let known_streams = input.stream_count();
        // A parser hands a unit on once it has seen the next one begin: a live stream would always be one frame late.
        let is_unparsed = is_live && container == "mpegts";
        input.set_parsing(!is_unparsed);
        let (video, first_packet) = find_video(&mut input, config.stream, is_live).map_err(|code| {
            if let Some(codec) = unknown_codec(&input, config.stream, &container, code) {
                return unsupported(&format!("this FFmpeg does not read {codec}")).in_phase(Phase::Probe);
            }
            let named = named_stream(&input, config.stream).filter(|_| code == AvError::NO_STREAM);
            named.map_or_else(|| failed(code, Phase::Probe), |text| no_video(&text))
        })?;
        if video.is_cover {
            return Err(no_video("the only picture is a cover image"));
        }
        check_decodable(&video)?;
        // Video that shows while it is read may be what this one goes on as.
        let videos = input.video_indices();
        let is_late = |index: &usize| *index >= known_streams && videos.contains(index);
        input.discard((0..input.stream_count()).filter(|index| *index != video.index && !is_late(index)));
        let display = display_of(&video);
        let format = Format::from_name(&video.codec.codec_name());
        input.set_parsing(!is_unparsed || format.is_none());
        // What was remarked while probing is of packets that are still to come, nobody knows which.
        let probed = Remarks::take();
        Ok(Self {
            time_base: video.time_base,
            stall_timeout_ms: config.stall_timeout_ms,
            segments: is_segmented(&container).then(SegmentClock::default),
            secrets: config.secrets.clone(),
            was_damaged: false,
            has_gap: probed.has_gap,
            last_pts_ns: None,
            repeats: format.filter(|_| may_repeat(config, &container)).map(RepeatFinder::new),
            format,
            unparsed: format.filter(|_| is_unparsed),
            is_first: true,
            is_overdue: false,
            is_store_damaged: probed.is_corrupt || probed.is_damaged,
            read_ahead: first_packet.into_iter().map(|packet| (packet, Moment::now())).collect(),
            successor: None,
            choice: config.stream,
            known_streams,
            longest_step_ns: 0,
            former: Vec::new(),
            other_packets: 0,
            unit_at: input.position(),
            is_truncated: probed.is_truncated,
            seams: seams(&config.url),
            has_other_init: false,
            log_checked_ns: 0,
            capture_times: CaptureTimes::default(),
            is_told_early: format.is_some()
                && matches!(container.as_str(), "rtsp" | "sdp" | "rtp")
                && side_data_comes_early(),
            told_ns: None,
            info: SourceInfo {
                engine: Engine::Libav,
                stream_index: u32::try_from(video.index).unwrap_or(u32::MAX),
                codec: video.codec,
                frame_rate: video.frame_rate.map(|(num, den)| Rational { num, den }),
                is_bursty: !is_live || is_segmented(&container),
                may_return: is_live || Pipe::is_for(config.file.as_deref().unwrap_or(config.url.as_bytes())),
                container,
                duration_ns: input.duration_ns(),
                is_live,
                display,
                knows_damage: false,
            },
            input,
        })
    }

    pub(crate) fn info(&self) -> &SourceInfo {
        &self.info
    }

    /// Whether some of the packets that probing left in store are damaged.
    pub(crate) fn is_store_damaged(&self) -> bool {
        self.is_store_damaged
    }

    /// What is known of the sender's clock.
    pub(crate) fn capture_times(&self) -> &CaptureTimes {
        &self.capture_times
    }

    /// Waits for the next unit of the video stream, for the stall timeout at most. What has come by then is handed on
    /// first.
    pub(crate) fn next(&mut self) -> Next {
        let mut packet = match Packet::new() {
            Ok(packet) => packet,
            Err(_) => {
                return Next::End(End::Lost(Error::new(Status::OutOfMemory, "no memory for a packet")));
            }
        };
        if self.is_overdue {
            return Next::End(self.stalled());
        }
        if let Some((packet, arrival)) = self.read_ahead.pop_front() {
            return Next::Unit(self.inspected(packet, arrival));
        }
        let begin = Moment::now();
        self.input.watch().allow_ms(self.patience_ms());
        loop {
            let outcome = self.input.read(&mut packet);
            // When the time is over, libavformat may first hand out what its parser held back: that came before.
            self.is_overdue = self.input.watch().expiry() == Some(Expiry::Deadline);
            match outcome {
                Ok(()) if packet.stream_index() == self.info.stream_index as usize => {
                    if let Err(error) = self.adopt_init(&mut packet) {
                        return Next::End(End::Lost(error));
                    }
                    let arrival = if self.is_overdue { begin } else { Moment::now() };
                    self.note_silence(begin, arrival);
                    self.note_progress();
                    let repeat = self.repeats.as_mut().and_then(|repeats| repeats.look_at(packet.data()));
                    if repeat != Some(Repeat::Whole) {
                        let mut unit = self.inspected(packet, arrival);
                        unit.meta.is_damaged |= repeat.is_some();
                        return Next::Unit(unit);
                    }
                }
                Ok(()) => match self.pass_over(&mut packet) {
                    Ok(false) => {}
                    Ok(true) => return Next::Moved,
                    Err(error) => return Next::End(End::Lost(error)),
                },
                Err(AvError::AGAIN) => std::thread::sleep(AGAIN_PAUSE),
                Err(code) => return Next::End(self.end(code)),
            }
            if self.input.watch().expiry().is_some() {
                return Next::End(self.end(AvError::EXIT));
            }
        }
    }

    /// Looks for another initialization segment in front of a packet, such as behind a discontinuity of HLS. libavformat
    /// goes on with the first.
    fn adopt_init(&mut self, packet: &mut Packet) -> Result<()> {
        if self.has_other_init {
            // The edit list that libavformat goes by is that of the first.
            packet.keep();
        }
        let Some((before, init)) = self.input.take_new_init() else { return Ok(()) };
        self.has_other_init = true;
        packet.keep();
        log::line(Level::Info, "another initialization segment came");
        if self.info.is_live && !init.is_like(&before) {
            let text = "another initialization segment came, which only a new connection reads";
            return Err(Error::new(Status::BadData, text).in_phase(Phase::Read).retryable(true));
        }
        let no_memory = |_| Error::new(Status::OutOfMemory, "no memory for a packet");
        packet.set_configuration(&init.configuration).map_err(no_memory)
    }

    /// Takes note of a packet of another stream. Returns whether the video goes on there, as in a transport stream whose
    /// program map names another PID for it.
    fn pass_over(&mut self, packet: &mut Packet) -> Result<bool> {
        self.other_packets += 1;
        let index = packet.stream_index();
        if !self.may_follow(index) {
            return Ok(false);
        }
        let new = Packet::new().map_err(|_| Error::new(Status::OutOfMemory, "no memory for a packet"))?;
        let candidate = self.successor.take().filter(|candidate| candidate.index == index);
        let mut candidate =
            candidate.unwrap_or(Successor { index, count: 0, since: packet.dts(), packets: VecDeque::new() });
        candidate.push(std::mem::replace(packet, new));
        if candidate.count < SUCCESSOR_PACKETS || !self.has_fallen_silent(&candidate) {
            self.successor = Some(candidate);
            return Ok(false);
        }
        self.follow(candidate)
    }

    /// Whether the candidate alone came for longer than the video is silent between two pictures.
    fn has_fallen_silent(&self, candidate: &Successor) -> bool {
        let ns = |packet: &Packet| to_ns(packet.dts()?, self.time_base);
        let last_ns = candidate.packets.back().and_then(|(packet, _)| ns(packet));
        let span_ns =
            last_ns.zip(candidate.since).map(|(last_ns, since)| Some(last_ns - to_ns(since, self.time_base)?));
        span_ns.flatten().is_none_or(|span_ns| span_ns > self.longest_step_ns.saturating_mul(2))
    }

    fn may_follow(&self, index: usize) -> bool {
        let is_allowed = match self.choice {
            StreamChoice::Best => true,
            StreamChoice::Index(_) => false,
            StreamChoice::Program(number) => self.input.has_stream_in_program(index, number),
        };
        is_allowed
            && (index >= self.known_streams || self.former.contains(&index))
            && self.input.video_indices().contains(&index)
    }

    /// Takes another stream for the video. Returns whether that could be done.
    fn follow(&mut self, successor: Successor) -> Result<bool> {
        let choice = StreamChoice::Index(u32::try_from(successor.index).unwrap_or(u32::MAX));
        let Ok(video) = self.input.video(choice) else { return Ok(false) };
        if !video.codec.is_known() {
            return Ok(false);
        }
        check_decodable(&video)?;
        self.former.push(self.info.stream_index as usize);
        self.former.retain(|former| *former != video.index);
        let format = Format::from_name(&video.codec.codec_name());
        self.format = format;
        self.unparsed = self.unparsed.and(format);
        self.input.set_parsing(self.unparsed.is_none());
        self.repeats = self.repeats.take().and(format.map(RepeatFinder::new));
        self.time_base = video.time_base;
        (self.was_damaged, self.has_gap, self.last_pts_ns) = (false, false, None);
        self.read_ahead = successor.packets;
        self.info.display = display_of(&video);
        self.info.stream_index = u32::try_from(video.index).unwrap_or(u32::MAX);
        self.info.codec = video.codec;
        Ok(true)
    }

    /// How long the source may be silent.
    fn patience_ms(&self) -> i64 {
        self.stall_timeout_ms.max(self.segments.as_ref().map_or(0, SegmentClock::patience_ms))
    }

    fn note_silence(&mut self, begin: Moment, arrival: Moment) {
        if let Some(segments) = &mut self.segments {
            segments.note_silence((arrival.monotonic_ns - begin.monotonic_ns) / 1_000_000);
        }
    }

    /// Whether a new file or segment was begun since the last packet.
    fn has_passed_seam(&mut self) -> bool {
        let position = self.input.position();
        let before = self.seams.len();
        self.seams.retain(|seam| *seam >= position);
        self.input.take_edge() || self.seams.len() < before
    }

    /// Notes that a packet of the video came.
    fn note_progress(&mut self) {
        self.successor = None;
        self.other_packets = 0;
        self.unit_at = self.input.position();
    }

    /// What came in place of the video's packets; empty if nothing did.
    fn ignored_text(&self) -> String {
        let bytes = self.input.position().saturating_sub(self.unit_at);
        match self.other_packets {
            0 if bytes <= 0 => String::new(),
            0 => format!("{bytes} bytes without any of it"),
            packets => format!("{packets} packets of other streams"),
        }
    }

    /// When a packet's picture was captured, as far as libavformat reports it. Its parser attaches the time of the packet
    /// that ends a unit, which is the next one's: before FFmpeg 8.1 always, since then to the first unit with a time.
    fn told_capture_ns(&mut self, packet: &Packet) -> Option<i64> {
        let told_ns = packet.capture_time_ns();
        let last_ns = std::mem::replace(&mut self.told_ns, told_ns);
        if self.is_told_early { last_ns } else { last_ns.and(told_ns) }
    }

    /// A unit of a packet; one that no parser has seen is looked at here.
    fn inspected(&mut self, packet: Packet, arrival: Moment) -> Unit {
        let contents = self.unparsed.map(|format| Contents::of(format, packet.data()));
        let mut unit = self.unit(packet, arrival);
        if let Some(contents) = contents {
            unit.meta.is_random_access |= contents.entry.is_key();
            unit.meta.is_damaged |= !contents.is_one_unit;
            if !contents.is_one_unit {
                log::line(Level::Debug, "packets are not whole pictures: each is handed on once the next has begun");
                self.unparsed = None;
                self.input.set_parsing(true);
            }
        }
        unit
    }

    fn unit(&mut self, packet: Packet, arrival: Moment) -> Unit {
        let is_first = std::mem::replace(&mut self.is_first, false);
        // libavformat counts RTP time from the first packet, whose own time its parser then loses.
        let begins_at_0 = is_first && matches!(self.info.container.as_str(), "rtsp" | "sdp" | "rtp");
        let [pts_ns, dts_ns] = [packet.pts(), packet.dts()].map(|time| to_ns(time?, self.time_base));
        let pts_ns = pts_ns.or((begins_at_0 && dts_ns.is_none()).then_some(0));
        let remarks = Remarks::take();
        if arrival.monotonic_ns.saturating_sub(self.log_checked_ns) >= LOG_CHECK_NS {
            self.log_checked_ns = arrival.monotonic_ns;
            check_log();
        }
        // Segments count their packets each from anywhere: RFC 8216, section 4.3.2.3, and so do files in a row.
        let is_corrupt = (packet.is_corrupt() || remarks.is_corrupt) && !self.has_passed_seam();
        let is_damaged = is_corrupt || remarks.is_damaged;
        // Transport streams mark what they lost, other containers a packet that the file ends in.
        self.is_truncated |=
            remarks.is_truncated || (packet.is_corrupt() && !self.info.is_live && !self.is_transport());
        let was_damaged = std::mem::replace(&mut self.was_damaged, is_damaged);
        let told_ns = self.told_capture_ns(&packet);
        let is_refresh = packet.is_key() && self.is_refreshed_in_parts(&packet);
        let is_random_access = packet.is_key() && !is_refresh;
        let is_after_gap = self.is_after_gap(remarks.has_gap, is_random_access, pts_ns);
        let meta = UnitMeta {
            pts_ns,
            dts_ns,
            arrival,
            capture: self.capture_times.resolve(told_ns, pts_ns, arrival.wall_ns),
            is_random_access,
            is_refresh,
            is_damaged: is_damaged || was_damaged || is_after_gap,
            is_promised: false,
            is_incomplete: false,
            is_encrypted: packet.is_encrypted(),
            lost: remarks.lost,
        };
        Unit { packet, meta }
    }

    /// Whether a unit follows missing pictures that it may build on. libavformat reports a gap before it has handed out all
    /// units in front of it, and some gaps that it fills at a second try: the timestamps show where one is.
    fn is_after_gap(&mut self, is_reported: bool, is_random_access: bool, pts_ns: Option<i64>) -> bool {
        let last_pts_ns = self.last_pts_ns;
        self.last_pts_ns = pts_ns.or(last_pts_ns);
        self.has_gap = (self.has_gap || is_reported) && !is_random_access;
        let step_ns = pts_ns.zip(last_pts_ns).map_or(0, |(pts_ns, last_ns)| pts_ns.saturating_sub(last_ns));
        let step_ns = step_ns.saturating_abs();
        if step_ns < LONGEST_STEP_NS {
            self.longest_step_ns = self.longest_step_ns.max(step_ns);
        }
        let is_here = self.has_gap && step_ns >= GAP_NS;
        self.has_gap &= !is_here;
        is_here
    }

    /// Whether a packet is a key frame for libavformat alone, which takes the beginning of a refresh for one.
    fn is_refreshed_in_parts(&self, packet: &Packet) -> bool {
        let entry = self.format.map(|format| Contents::of(format, packet.data()).entry);
        matches!(entry, Some(Entry::Gradual(1..)))
    }

    fn is_transport(&self) -> bool {
        matches!(self.info.container.as_str(), "mpegts" | "hls")
    }

    fn stalled(&self) -> End {
        let mut error = stalled(self.patience_ms(), &self.ignored_text());
        error.av_code = AvError::EXIT.0;
        End::Lost(error)
    }

    fn lost(&self, status: Status, text: String, code: AvError) -> End {
        let text = redact_with(&text, &self.secrets);
        let mut error = Error::new(status, text).in_phase(Phase::Read).retryable(true);
        error.av_code = code.0;
        End::Lost(error)
    }

    /// What libavformat does not implement, a new connection does not bring.
    fn unsupported(&self, code: AvError) -> End {
        match self.lost(Status::Unsupported, code.text(), code) {
            End::Lost(error) => End::Lost(error.retryable(false)),
            end => end,
        }
    }

    /// What an error while reading means. The watch knows better than libav's code, which lies in many states.
    fn end(&mut self, code: AvError) -> End {
        self.is_truncated |= Remarks::take().is_truncated;
        let is_truncated = self.is_truncated || self.input.is_cut_short(self.info.stream_index as usize);
        match (self.input.watch().expiry(), code) {
            (Some(Expiry::Stopped), _) => End::Stopped,
            (Some(Expiry::Deadline), _) => self.stalled(),
            (None, AvError::END | AvError::INVALID_DATA) if !self.info.is_live && is_truncated => {
                let text = "the file is truncated: it is shorter than its container declares";
                End::Truncated(Error::new(Status::BadData, text).in_phase(Phase::Read))
            }
            (None, AvError::END) if !self.info.is_live => End::Finished,
            (None, AvError::END | AvError::RESET | AvError::BROKEN_PIPE) => {
                self.lost(Status::ServerGone, "the connection was closed".to_owned(), code)
            }
            // A connection that breaks is told as this by some protocols; a disk that does is rare.
            (None, AvError::IO) if self.info.is_live => {
                self.lost(Status::ServerGone, "the connection was lost".to_owned(), code)
            }
            (None, AvError::INVALID_DATA) => self.lost(Status::BadData, code.text(), code),
            (None, AvError::NOT_IMPLEMENTED) => self.unsupported(code),
            (None, AvError::TIMED_OUT) => self.lost(Status::Stalled, code.text(), code),
            (None, _) => self.lost(Status::IoError, code.text(), code),
        }
    }
}

/// The video stream, after as much probing as it takes and no more; and its first packet, if that had to be waited for.
fn find_video(
    input: &mut Input,
    choice: StreamChoice,
    is_live: bool,
) -> std::result::Result<(VideoStream, Option<Packet>), AvError> {
    let known = |input: &Input| input.video(choice).ok().filter(|video| video.codec.is_known());
    // To know the codec is enough: the decoder finds out the rest. Probing would wait for what nobody asked for, such as
    // a track of sound that never comes, and be a key frame late.
    if is_live && let Some(video) = known(input) {
        return Ok((video, None));
    }
    if !(is_live && input.may_show_more_streams()) {
        input.probe(is_live.then_some(PROBE_US))?;
        if let Some(video) = known(input) {
            return Ok((video, None));
        }
    }
    if input.watch().expiry().is_some() {
        return Err(AvError::EXIT);
    }
    // Some sources show a stream only with its first packet. They are read on, not probed again, which libavformat does
    // not bear.
    let deadline = Instant::now() + LATE_VIDEO;
    let mut packet = Packet::new()?;
    while input.may_show_more_streams() && Instant::now() < deadline {
        match input.read(&mut packet) {
            Ok(()) => {}
            Err(AvError::AGAIN) => std::thread::sleep(AGAIN_PAUSE),
            Err(AvError::END) => break,
            Err(code) => return Err(code),
        }
        match input.video(choice) {
            Ok(video) if video.index != packet.stream_index() => {}
            Ok(video) if video.codec.is_known() => return Ok((video, Some(packet))),
            Ok(video) if video.codec.tag() != 0 => return Err(AvError::NO_DECODER),
            Ok(_) | Err(_) => {}
        }
    }
    Err(AvError::NO_STREAM)
}

/// The codec of a video stream that libavformat shows but does not know; `None` if there is no such stream.
fn unknown_codec(input: &Input, choice: StreamChoice, container: &str, code: AvError) -> Option<String> {
    if !matches!(code, AvError::NO_DECODER | AvError::NO_STREAM | AvError::NOT_IMPLEMENTED) {
        return None;
    }
    if container == "flv" && code == AvError::NOT_IMPLEMENTED {
        return Some(format!("{} in enhanced FLV", codec_in_enhanced_flv(&input.buffered()).unwrap_or("this video")));
    }
    let tag = input.video(choice).ok().filter(|video| !video.codec.is_known())?.codec.tag();
    match (container, tag) {
        // Numbers that vendors use beside those of the FLV specification, Annex E.4.3.1.
        ("flv", 12) => Some("H.265 in FLV (codec id 12)".to_owned()),
        ("flv", 13) => Some("AV1 in FLV (codec id 13)".to_owned()),
        (_, 0) => None,
        (container, tag) => {
            let letters = tag.to_le_bytes();
            let is_text = letters.iter().all(|letter| letter.is_ascii_graphic() || *letter == b' ');
            let tag = if is_text { String::from_utf8_lossy(&letters).into_owned() } else { format!("{tag:#x}") };
            Some(format!("the video codec {tag} in {container}"))
        }
    }
}

/// The codec of a video tag of Enhanced RTMP, which names it by a FourCC behind a first byte with the highest bit set.
fn codec_in_enhanced_flv(data: &[u8]) -> Option<&'static str> {
    const CODECS: [(&[u8], &str); 5] =
        [(b"hvc1", "H.265"), (b"av01", "AV1"), (b"vp09", "VP9"), (b"avc1", "H.264"), (b"vvc1", "H.266")];
    let tags = data.windows(5).filter(|tag| tag[0] >= 0x80);
    let mut found = tags.filter_map(|tag| CODECS.into_iter().find(|(four, _)| tag[1..] == **four));
    found.next().map(|(_, name)| name)
}

/// Which stream was asked for, and which there are; `None` where any will do.
fn named_stream(input: &Input, choice: StreamChoice) -> Option<String> {
    match choice {
        StreamChoice::Best => None,
        StreamChoice::Index(index) => {
            let videos = input.video_indices();
            Some(format!("stream_index is {index}, expected the index of a video stream, one of {videos:?}"))
        }
        StreamChoice::Program(number) => {
            let programs = input.programs();
            Some(format!("program is {number}, expected a program with a video stream, one of {programs:?}"))
        }
    }
}

fn no_video(text: &str) -> Error {
    Error::new(Status::NoVideo, text).in_phase(Phase::Probe)
}

fn unsupported(text: &str) -> Error {
    Error::new(Status::Unsupported, text).in_phase(Phase::Connect)
}

/// Refuses a filter graph (the device lavfi) that opens addresses: libavfilter does so without any option of the source's,
/// so that no certificate is verified.
fn check_filter_graph(config: &Config) -> Result<()> {
    if !config.tls_verify || !config.input_format.eq_ignore_ascii_case("lavfi") {
        return Ok(());
    }
    let graph: String = config.url.chars().filter(|character| !"\\'".contains(*character)).collect();
    let is_unknown = config.av.contains_key("graph_file");
    if is_unknown || ["movie", "://"].iter().any(|mark| graph.contains(mark)) {
        let text = "a filter graph may not open files or addresses (movie, amovie, ://, graph_file): FFmpeg would verify \
                    no certificate; the parameter tls_verify = off allows it";
        return Err(unsupported(text));
    }
    Ok(())
}

/// Whether packets come over a network that may bring one twice.
fn may_repeat(config: &Config, container: &str) -> bool {
    matches!(container, "rtp" | "sdp") || (container == "rtsp" && config.transport != "tcp")
}

/// Where the files of a `concat:` address meet; none from the first on whose size is not known.
fn seams(url: &str) -> Vec<i64> {
    let files = url.strip_prefix("concat:").unwrap_or_default().split('|');
    let sizes = files.map_while(|file| std::fs::metadata(file.strip_prefix("file:").unwrap_or(file)).ok());
    let ends = sizes.scan(0_i64, |end, metadata| {
        *end = end.saturating_add(i64::try_from(metadata.len()).unwrap_or(i64::MAX));
        Some(*end)
    });
    ends.collect()
}

fn display_of(video: &VideoStream) -> Display {
    Display {
        sample_aspect: video.sample_aspect,
        orientation: video.display_matrix.map(|matrix| Orientation::from_display_matrix(&matrix)),
    }
}

fn check_decodable(video: &VideoStream) -> Result<()> {
    if video.codec.is_decodable() {
        return Ok(());
    }
    let text = format!("this build of FFmpeg has no decoder for {}", video.codec.codec_name());
    Err(Error::new(Status::Unsupported, text).in_phase(Phase::Probe))
}

/// Whether a stream comes a segment at a time, by a playlist or a manifest.
fn is_segmented(container: &str) -> bool {
    matches!(container, "hls" | "dash")
}

/// Whether a source goes on for ever: by what it is, not by where its description lies.
fn is_live(input: &Input, url: &str, container: &str) -> bool {
    // Of the devices, lavfi alone makes pictures as fast as they are read.
    if input.is_device() {
        return container != "lavfi";
    }
    match (container, innermost_scheme(url).as_str()) {
        // A session description names addresses that packets come to.
        ("rtsp" | "sdp" | "rtp" | "sap", _) => true,
        (_, scheme) if is_live_scheme(scheme) => true,
        // Live playlists have no EXT-X-ENDLIST, live manifests are of type "dynamic". Neither has a length.
        ("hls" | "dash", _) => input.duration_ns().is_none(),
        (_, "" | "file" | "data") => false,
        // Such as HTTP without Content-Length. A recording in a container that has its length in front is none.
        _ => input.size_bytes().is_none() && input.duration_ns().is_none(),
    }
}
