//! Sources opened by libavformat: every protocol and container it knows.

use super::address::{is_live_scheme, scheme, with_credentials};
use super::repeats::{Repeat, RepeatFinder};
use super::{End, Engine, Next, SourceInfo, Unit, UnitMeta, stalled, to_ns};
use crate::av::{
    AvError, Complaints, Dictionary, Input, Nested, Packet, Remarks, VideoStream, finds_system_certificates,
    format_has_option,
};
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
use std::path::Path;
use std::time::{Duration, Instant};

/// Media time that probing may read, in microseconds. libavformat's own 5 s keep RTMP and HLS waiting for nothing.
const PROBE_US: i64 = 1_000_000;

/// How long a source that shows its streams one by one may take to show video.
const LATE_VIDEO: Duration = Duration::from_secs(5);

/// HLS comes a segment at a time, and three segments late it is lost. Not knowing their length, the one that RFC 8216's
/// authors recommend, 6 s, is assumed until a longer silence has been seen.
const HLS_SEGMENT_MS: i64 = 6_000;
const HLS_SEGMENTS: i64 = 3;

/// How long to wait when libavformat says that there is nothing right now.
const AGAIN_PAUSE: Duration = Duration::from_millis(5);

/// A source that libavformat has open.
pub(crate) struct LibavSource {
    input: Input,
    info: SourceInfo,
    time_base: (i32, i32),
    stall_timeout_ms: i64,
    /// The longest silence that turned out to be none of a lost stream, for sources that come in segments.
    longest_silence_ms: Option<i64>,
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
        let complaints = Complaints::collect();
        let failed = |code: AvError, phase: Phase| explain(code, phase, &complaints.take(), watch, config);
        let url = with_credentials(&config.url, &config.username, &config.password);
        let mut own = own_options(config, &scheme);
        for (key, value) in &config.av {
            own.set(key, value);
        }
        let nested = nested_options(config, &scheme)?;
        let mut input = Input::open(&url, &config.input_format, &mut own, nested, Arc::clone(watch))
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
            longest_silence_ms: (container == "hls").then_some(HLS_SEGMENT_MS),
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
            is_told_early: format.is_some() && matches!(container.as_str(), "rtsp" | "sdp" | "rtp"),
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
        let segments_ms = self.longest_silence_ms.map_or(0, |silence| silence.saturating_mul(HLS_SEGMENTS));
        self.stall_timeout_ms.max(segments_ms)
    }

    fn note_silence(&mut self, begin: Moment, arrival: Moment) {
        if let Some(longest) = &mut self.longest_silence_ms {
            *longest = (*longest).max((arrival.monotonic_ns - begin.monotonic_ns) / 1_000_000);
        }
    }

    /// When a packet's picture was captured, as far as libavformat tells. Its parser gives a unit the time of the one whose
    /// beginning made it hand that unit on: the next.
    fn told_capture_ns(&mut self, packet: &Packet) -> Option<i64> {
        let told_ns = packet.capture_time_ns();
        if self.is_told_early { std::mem::replace(&mut self.told_ns, told_ns) } else { told_ns }
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
        let pts_ns = packet.timestamp().and_then(|time| to_ns(time, self.time_base));
        let pts_ns = pts_ns.or(begins_at_0.then_some(0));
        let remarks = Remarks::take();
        let is_damaged = packet.is_corrupt() || remarks.is_corrupt || remarks.missed > 0;
        let was_damaged = std::mem::replace(&mut self.was_damaged, is_damaged);
        let told_ns = self.told_capture_ns(&packet);
        let is_refresh = packet.is_key() && self.is_refreshed_in_parts(&packet);
        let meta = UnitMeta {
            pts_ns,
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
        input.probe(PROBE_US)?;
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

/// What libavformat is told unless the user says otherwise.
fn own_options(config: &Config, scheme: &str) -> Dictionary {
    let mut options = Dictionary::new();
    // The frame rate is measured later; to wait for more frames to guess it would only delay the first picture.
    options.set("fpsprobesize", "0");
    options.set("protocol_whitelist", &protocol_whitelist(config, scheme));
    match scheme {
        "rtsp" | "rtsps" => {
            // Audio would have to be set up and carried for nothing.
            options.set("allowed_media_types", "video");
            match config.transport.as_str() {
                "auto" => options.set("rtsp_flags", "prefer_tcp"),
                transport => options.set("rtsp_transport", transport),
            }
        }
        // A reader that is late must not end the stream: the newest is wanted.
        "udp" => options.set("overrun_nonfatal", "1"),
        _ => {}
    }
    options
}

/// What every connection that the source leads to is told: to verify certificates. libavformat would otherwise accept
/// any, and hands the option on to some connections only.
fn nested_options(config: &Config, scheme: &str) -> Result<Nested> {
    if !config.tls_verify {
        return Ok(Nested::new());
    }
    if scheme == "rtsps" && !format_has_option("rtsp", c"tls_verify") {
        let text = "this FFmpeg cannot verify the certificate of an rtsps server; \
                    the parameter tls_verify = off connects without";
        return Err(Error::new(Status::Unsupported, text).in_phase(Phase::Connect));
    }
    let mut options = vec![("tls_verify", "1".to_owned())];
    options.extend(trusted_certificates(config).map(|file| ("ca_file", file)));
    Ok(options)
}

/// The file of certificates to trust; `None` leaves that to FFmpeg.
fn trusted_certificates(config: &Config) -> Option<String> {
    // Where systems keep those that they trust: Debian and Alpine, Fedora, SUSE, others.
    const SYSTEM: [&str; 4] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];
    if !config.ca_file.is_empty() {
        return Some(config.ca_file.clone());
    }
    let named = || SYSTEM.into_iter().find(|file| Path::new(file).exists()).map(str::to_owned);
    if finds_system_certificates() { None } else { named() }
}

/// The protocols that a source may lead to. What comes from the network may not name local files.
fn protocol_whitelist(config: &Config, scheme: &str) -> String {
    const NETWORK: &str = "http,https,httpproxy,tls,tcp,udp,rtp,srtp,rtsp,rtmp,rtmps,rtmpt,rtmpts,srt,crypto,data";
    const LOCAL: &str = "file,crypto,data,subfile,concat,cache";
    match scheme {
        _ if !config.protocol_whitelist.is_empty() => config.protocol_whitelist.clone(),
        // A session description exists to name the addresses that its streams come to.
        "" | "file" if config.url.ends_with(".sdp") => format!("{LOCAL},rtp,srtp,udp"),
        "" | "file" | "subfile" | "concat" | "cache" => LOCAL.to_owned(),
        _ if NETWORK.split(',').any(|known| known == scheme) => NETWORK.to_owned(),
        // Its own choice, and what it rests on.
        other => format!("{other},{NETWORK}"),
    }
}

/// Whether packets come over a network that may bring one twice.
fn may_repeat(config: &Config, container: &str) -> bool {
    matches!(container, "rtp" | "sdp") || (container == "rtsp" && config.transport != "tcp")
}

/// Whether a source goes on for ever: by its protocol, or because nothing tells where it would end.
fn is_live(input: &Input, scheme: &str, container: &str) -> bool {
    match scheme {
        "" | "file" | "data" | "concat" | "subfile" | "cache" => false,
        _ if is_live_scheme(scheme) => true,
        _ if container == "hls" => input.duration_ns().is_none(),
        _ => input.size_bytes().is_none(),
    }
}

/// Turns a failure to open into words: the watch first, then what the server said, then libav's code.
fn explain(code: AvError, phase: Phase, complaints: &str, watch: &Watch, config: &Config) -> Error {
    let answered = status_in(complaints).unwrap_or_else(|| code.protocol_status());
    let unresolved = complaints.contains("Failed to resolve hostname");
    // MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, for which libav has no words.
    let untrusted = complaints.contains("certificate") || complaints.contains("handshake returned -0x2700");
    let (status, phase, retryable) = match (watch.expiry(), code) {
        (Some(Expiry::Stopped), _) => (Status::Stopped, phase, false),
        (Some(Expiry::Deadline), _) => (Status::Timeout, phase, true),
        _ if unresolved => (Status::ResolveFailed, Phase::Resolve, true),
        _ if untrusted => (Status::Untrusted, Phase::Connect, true),
        // Only video was asked for, and there was none to set up.
        _ if answered == 454 && complaints.contains("PLAY") => (Status::NoVideo, Phase::Probe, false),
        _ if matches!(answered, 401 | 403) => (Status::Unauthorized, Phase::Auth, true),
        _ if matches!(answered, 404 | 410 | 454) => (Status::NotFound, Phase::Setup, true),
        _ if answered >= 400 => (Status::ServerGone, Phase::Setup, true),
        (_, AvError::REFUSED) => (Status::Refused, phase, true),
        (_, AvError::TIMED_OUT) => (Status::Timeout, phase, true),
        (_, AvError::HOST_UNREACHABLE | AvError::NET_UNREACHABLE) => (Status::Unreachable, phase, true),
        (_, AvError::RESET | AvError::BROKEN_PIPE | AvError::END) => (Status::ServerGone, phase, true),
        (_, AvError::NO_STREAM) => (Status::NoVideo, Phase::Probe, false),
        (_, AvError::NO_ENTRY) => (Status::NotFound, phase, false),
        (_, AvError::NO_PROTOCOL | AvError::NO_DEMUXER | AvError::NO_DECODER | AvError::PROTOCOL_UNSUPPORTED) => {
            (Status::Unsupported, phase, false)
        }
        (_, AvError::INVALID_DATA) => (Status::BadData, phase, true),
        (_, AvError::NO_MEMORY) => (Status::OutOfMemory, phase, true),
        (_, AvError::IO) => (Status::IoError, phase, true),
        _ => (Status::IoError, phase, true),
    };
    let what = match watch.expiry() {
        Some(Expiry::Stopped) => "asked to stop".to_owned(),
        Some(Expiry::Deadline) => "no answer in time".to_owned(),
        None => code.text(),
    };
    let detail = if complaints.is_empty() { what } else { format!("{what} ({complaints})") };
    let text = redact_with(&format!("{}: {detail}", config.url), &config.secrets);
    let mut error = Error::new(status, text).in_phase(phase).retryable(retryable);
    error.av_code = code.0;
    error.protocol_status = answered;
    error
}

/// The status in a line such as `method DESCRIBE failed: 404 Not Found` or `HTTP error 503 Service Unavailable`.
fn status_in(complaints: &str) -> Option<i32> {
    let after = ["failed: ", "HTTP error "].iter().find_map(|mark| complaints.split_once(mark))?.1;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|status| (400..600).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_status_is_found_in_libavs_words() {
        assert_eq!(status_in("[rtsp @ 0x1] method DESCRIBE failed: 404 Not Found"), Some(404));
        assert_eq!(status_in("[http @ 0x1] HTTP error 503 Service Unavailable"), Some(503));
        assert_eq!(status_in("Connection to tcp://h failed: Connection refused"), None);
        assert_eq!(status_in(""), None);
    }
}
