//! Sources opened by libavformat: every protocol and container it knows.

mod failure;
mod options;

use super::address::{is_live_scheme, scheme, with_credentials};
use super::repeats::{Repeat, RepeatFinder};
use super::segments::SegmentClock;
use super::{End, Engine, Next, SourceInfo, Unit, UnitMeta, stalled, to_ns};
use crate::av::{AvError, Complaints, Demuxer, Dictionary, Input, Packet, Remarks, VideoStream, side_data_comes_early};
use crate::cancel::{Expiry, Watch};
use crate::capture::CaptureTimes;
use crate::clock::Moment;
use crate::config::{Config, Rational, StreamChoice};
use crate::error::{Error, Phase, Result, Status};
use crate::geometry::{Display, Orientation};
use crate::log::{self, Level};
use crate::nal::{Contents, Entry, Format};
use crate::redact::redact_with;
use crate::sync::Arc;
use failure::explain;
use options::{check_address, own_options, tls_options};
use std::time::{Duration, Instant};

/// Media time of a live stream that probing may read, in microseconds. libavformat's own 5 s keep RTMP and HLS waiting
/// for nothing. Files are left to it: how it computes their times depends on what it has seen of them.
const PROBE_US: i64 = 1_000_000;

/// How long a source that shows its streams one by one may take to show video.
const LATE_VIDEO: Duration = Duration::from_secs(5);

/// How long to wait when libavformat says that there is nothing right now.
const AGAIN_PAUSE: Duration = Duration::from_millis(5);

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
    /// The packet that showed the stream.
    first_packet: Option<Packet>,
    capture_times: CaptureTimes,
    /// Times of capture come with the unit before theirs, the last of which is this.
    is_told_early: bool,
    told_ns: Option<i64>,
}

impl LibavSource {
    /// Opens the configured URL within the watch's deadline. Options of the user's that libavformat did not take stay
    /// in the dictionary.
    pub(crate) fn open(config: &Config, options: &mut Dictionary, watch: &Arc<Watch>) -> Result<Self> {
        let scheme = scheme(&config.url);
        check_address(config, &scheme)?;
        let complaints = Complaints::collect();
        let failed = |code: AvError, phase: Phase| explain(code, phase, &complaints.take(), watch, config);
        let url = with_credentials(&config.url, &config.username, &config.password);
        let mut own = own_options(config, &scheme);
        for (key, value) in &config.av {
            own.set(key, value);
        }
        check_filter_graph(config)?;
        let demuxer = Demuxer::find(&config.input_format).map_err(|text| unsupported(&text))?;
        let nested = tls_options(config, &scheme, demuxer, &mut own)?;
        let mut input = Input::open(&url, demuxer, &mut own, nested, Arc::clone(watch))
            .map_err(|code| failed(code, Phase::Connect))?;
        for key in own.keys() {
            if let Some(value) = config.av.get(&key) {
                options.set(&key, value);
            }
        }
        let container = input.format_name();
        let is_live = is_live(&input, &scheme, &container);
        // A parser hands a unit on once it has seen the next one begin: a live stream would always be one frame late.
        let is_unparsed = is_live && container == "mpegts";
        input.set_parsing(!is_unparsed);
        let (video, first_packet) = find_video(&mut input, config.stream, is_live).map_err(|code| {
            let named = named_stream(&input, config.stream).filter(|_| code == AvError::NO_STREAM);
            named.map_or_else(|| failed(code, Phase::Probe), |text| no_video(&text))
        })?;
        if video.is_cover {
            return Err(no_video("the only picture is a cover image"));
        }
        if !video.codec.is_decodable() {
            let text = format!("this build of FFmpeg has no decoder for {}", video.codec.codec_name());
            return Err(Error::new(Status::Unsupported, text).in_phase(Phase::Probe));
        }
        input.keep_only(video.index);
        let format = Format::from_name(&video.codec.codec_name());
        input.set_parsing(!is_unparsed || format.is_none());
        // What was remarked while probing is of packets that are still to come, nobody knows which.
        let probed = Remarks::take();
        Ok(Self {
            time_base: video.time_base,
            stall_timeout_ms: config.stall_timeout_ms,
            segments: (container == "hls").then(SegmentClock::default),
            secrets: config.secrets.clone(),
            was_damaged: false,
            repeats: format.filter(|_| may_repeat(config, &container)).map(RepeatFinder::new),
            format,
            unparsed: format.filter(|_| is_unparsed),
            is_first: true,
            is_overdue: false,
            is_store_damaged: probed.is_corrupt || probed.missed > 0,
            first_packet,
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
                is_bursty: !is_live || container == "hls",
                container,
                duration_ns: input.duration_ns(),
                is_live,
                display: Display {
                    sample_aspect: video.sample_aspect,
                    orientation: video.display_matrix.map(|matrix| Orientation::from_display_matrix(&matrix)),
                },
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
        if let Some(packet) = self.first_packet.take() {
            return Next::Unit(self.inspected(packet, Moment::now()));
        }
        let begin = Moment::now();
        self.input.watch().allow_ms(self.patience_ms());
        loop {
            let outcome = self.input.read(&mut packet);
            // When the time is over, libavformat may first hand out what its parser held back: that came before.
            self.is_overdue = self.input.watch().expiry() == Some(Expiry::Deadline);
            match outcome {
                Ok(()) if packet.stream_index() == self.info.stream_index as usize => {
                    let arrival = if self.is_overdue { begin } else { Moment::now() };
                    self.note_silence(begin, arrival);
                    let repeat = self.repeats.as_mut().and_then(|repeats| repeats.look_at(packet.data()));
                    if repeat != Some(Repeat::Whole) {
                        let mut unit = self.inspected(packet, arrival);
                        unit.meta.is_damaged |= repeat.is_some();
                        return Next::Unit(unit);
                    }
                }
                Ok(()) => {}
                Err(AvError::AGAIN) => std::thread::sleep(AGAIN_PAUSE),
                Err(code) => return Next::End(self.end(code)),
            }
            if self.input.watch().expiry().is_some() {
                return Next::End(self.end(AvError::EXIT));
            }
        }
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
        let is_damaged = packet.is_corrupt() || remarks.is_corrupt || remarks.missed > 0;
        let was_damaged = std::mem::replace(&mut self.was_damaged, is_damaged);
        let told_ns = self.told_capture_ns(&packet);
        let is_refresh = packet.is_key() && self.is_refreshed_in_parts(&packet);
        let meta = UnitMeta {
            pts_ns,
            dts_ns,
            arrival,
            capture: self.capture_times.resolve(told_ns, pts_ns, arrival.wall_ns),
            is_random_access: packet.is_key() && !is_refresh,
            is_refresh,
            is_damaged: is_damaged || was_damaged,
            is_promised: false,
            is_incomplete: false,
            lost: remarks.missed,
        };
        Unit { packet, meta }
    }

    /// Whether a packet is a key frame for libavformat alone, which takes the beginning of a refresh for one.
    fn is_refreshed_in_parts(&self, packet: &Packet) -> bool {
        let entry = self.format.map(|format| Contents::of(format, packet.data()).entry);
        matches!(entry, Some(Entry::Gradual(1..)))
    }

    fn stalled(&self) -> End {
        let mut error = stalled(self.patience_ms());
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
    fn end(&self, code: AvError) -> End {
        match (self.input.watch().expiry(), code) {
            (Some(Expiry::Stopped), _) => End::Stopped,
            (Some(Expiry::Deadline), _) => self.stalled(),
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
        if let Some(video) = known(input).filter(|video| video.index == packet.stream_index()) {
            return Ok((video, Some(packet)));
        }
    }
    Err(AvError::NO_STREAM)
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

/// Whether a source goes on for ever: by its protocol, or because nothing tells where it would end.
fn is_live(input: &Input, scheme: &str, container: &str) -> bool {
    match scheme {
        // Of the devices, lavfi alone makes pictures as fast as they are read.
        _ if input.is_device() => container != "lavfi",
        "" | "file" | "data" | "concat" | "subfile" | "cache" => false,
        _ if is_live_scheme(scheme) => true,
        _ if container == "hls" => input.duration_ns().is_none(),
        _ => input.size_bytes().is_none(),
    }
}
