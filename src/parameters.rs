//! The one table of parameters: name, kind, default, range and help. Setting, getting, listing and the checks all
//! follow from it, and so do the README's table and the keyword arguments of the bindings.

use crate::config::{
    Config, Conversion, CorruptPolicy, Decode, Filter, Fit, Matrix, PixelFormat, Rational, RtspEngine, StreamChoice,
};
use crate::error::{Error, Result, Status};
use crate::redact::{HIDDEN, is_harmless_option, redact_address, redact_with, secrets_of, secrets_of_option};
use std::collections::BTreeMap;

/// Names that begin so go to libav's own dictionary of options.
const AV_PREFIX: &str = "av.";

/// Options of libav's that a parameter sets, and which one. Given past it, they would undo what protects the user.
const AV_WITH_PARAMETER: &[(&str, &str)] = &[
    ("ca_file", "ca_file"),
    ("cafile", "ca_file"),
    ("protocol_whitelist", "protocol_whitelist"),
    ("tls_verify", "tls_verify"),
    ("verify", "tls_verify"),
];

/// The parameter that holds the address.
const URL: &str = "url";

/// Picture sides beyond this are refused; libav's own limit is near it.
const MAX_SIDE: i64 = 16_384;

/// Streams of a source; libavformat's own limit, `max_streams`.
const MAX_STREAMS: i64 = 1_000;

/// Program numbers have 16 bits: ISO/IEC 13818-1, section 2.4.4.5.
const MAX_PROGRAM: i64 = 65_535;

/// Frames a ring may hold at most.
const MAX_FRAMES: i64 = 4_096;

/// The longest time a parameter may name: a day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// What values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// Text that no message ever shows.
    Secret,
    /// A whole number within the range, both ends included.
    Integer(i64, i64),
    /// A fraction such as `30000/1001`, or a whole number; not negative.
    Rational,
    /// Red, green and blue as six hexadecimal digits.
    Color,
    /// One of the words.
    Choice(&'static [&'static str]),
}

/// When a changed value begins to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// At the next setup.
    Setup,
    /// At the next call that uses it.
    Now,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// The name, as callers write it.
    pub key: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Its value while nobody sets one.
    pub default: &'static str,
    /// When a change counts.
    pub scope: Scope,
    /// One sentence for a person.
    pub help: &'static str,
}

macro_rules! table {
    ($($key:literal, $kind:expr, $default:literal, $scope:ident, $help:literal;)*) => {
        /// Every parameter there is, apart from libav's own behind the prefix `av.`.
        pub const TABLE: &[Parameter] = &[$(Parameter {
            key: $key, kind: $kind, default: $default, scope: Scope::$scope, help: $help,
        },)*];
    };
}

const SWITCH: Kind = Kind::Choice(&["on", "off"]);

table! {
    "url", Kind::Text, "", Setup, "Address of the stream, used when setup is given none; setup keeps the one it is given here.";
    "width", Kind::Integer(0, MAX_SIDE), "0", Setup, "Width of the frames in pixels; 0: from the height and the shape of the picture as it is shown, or its own size.";
    "height", Kind::Integer(0, MAX_SIDE), "0", Setup, "Height of the frames in pixels; 0: from the width and the shape of the picture as it is shown, or its own size.";
    "frame_rate", Kind::Rational, "0/1", Setup, "Frames a second to keep, such as 5/1; slower sources are not filled up; 0/1: every frame.";
    "rate_mode", Kind::Choice(&["drop", "cfr"]), "drop", Setup, "How frame_rate is kept: drop leaves frames out and never invents one; cfr also repeats the frame before, marked, where the source gives none for up to 2 s.";
    "read_size", Kind::Integer(1, MAX_FRAMES), "1", Now, "Frames a read gives when it names no count; at most cache_size.";
    "cache_size", Kind::Integer(1, MAX_FRAMES), "8", Setup, "Newest frames that are kept readable; the ring has more slots, for what is written and lent.";
    "overflow", Kind::Choice(&["drop", "block"]), "drop", Setup, "When the ring is full: drop the oldest frame, or wait until one reader of order NEXT has read it; block is for files, of which it loses nothing, as fast as they are read.";
    "lease_slots", Kind::Integer(-1, MAX_FRAMES), "-1", Setup, "Frames that readers may hold before the writer must find other memory; -1: as many as read_size.";
    "max_orphans", Kind::Integer(0, 64), "2", Setup, "Whole rings that forgotten leases may keep in memory before frames are dropped.";
    "max_ring_size", Kind::Integer(1, 1 << 20), "2048", Setup, "Memory that the ring may take, in MiB.";
    "threads", Kind::Integer(0, 64), "0", Setup, "Decoder threads, each on a slice of the picture so that none adds delay; 0: one.";
    "pixel_format", Kind::Choice(&["rgb24", "bgr24", "rgba", "gray8"]), "rgb24", Setup, "Order of the channels, 8 bits each.";
    "scale_filter", Kind::Choice(&["auto", "area", "bilinear", "bicubic", "lanczos", "nearest"]), "auto", Setup, "How pictures are scaled; all but nearest average when they shrink, so that nothing aliases; auto: area for shrinking, else bicubic, and bilinear for colours that the stream holds at a lower resolution than the frames show.";
    "color_matrix", Kind::Choice(&["auto", "bt601", "bt709", "bt2020"]), "auto", Setup, "Matrix between the stream's colours and RGB; auto: as the stream says, else BT.709 from 720 lines up and BT.601 below.";
    "color_range", Kind::Choice(&["auto", "limited", "full"]), "auto", Setup, "Whether brightness 0 to 255 stands for black to white, or 16 to 235 does; auto: as the stream says, else limited but for JPEG and gray; RGB is always full.";
    "fit", Kind::Choice(&["stretch", "letterbox", "crop"]), "stretch", Setup, "How pictures come into frames of another shape: stretched, whole with bars of pad_color, or cut to their middle.";
    "pad_color", Kind::Color, "727272", Setup, "Colour of the bars beside pictures, where fit is letterbox; the default is the gray that detectors of the YOLO family are trained with.";
    "sample_aspect_ratio", Kind::Rational, "0/1", Setup, "Width of a stored pixel over its height, by which pictures are stretched to their shape; 0/1: as the stream says, else 1.";
    "rotation", Kind::Choice(&["auto", "0", "90", "180", "270"]), "auto", Setup, "Degrees clockwise to turn pictures by; auto: as the stream says, mirrored if it says so.";
    "stream_index", Kind::Integer(-1, MAX_STREAMS), "-1", Setup, "Index of the video stream within the source; -1: the best one.";
    "program", Kind::Integer(0, MAX_PROGRAM), "0", Setup, "Number of the program whose video to take, for transport streams with several; 0: any.";
    "decode", Kind::Choice(&["all", "nonref", "keyframes"]), "all", Setup, "Which pictures to decode: all, those that others build on, or key frames only; less costs less.";
    "transport", Kind::Choice(&["auto", "tcp", "udp"]), "auto", Setup, "How RTSP carries the packets; auto: TCP, then UDP where the server refuses TCP.";
    "rtsp_engine", Kind::Choice(&["auto", "libav", "native"]), "auto", Setup, "What reads rtsp://: libavformat, or the native engine, which hands on each picture at once and knows every loss; auto: native for H.264, H.265 and JPEG over TCP where no av. option is set, libavformat for all else.";
    "username", Kind::Secret, "", Setup, "User name for the server, as it is: it is encoded for the URL here.";
    "password", Kind::Secret, "", Setup, "Password for the server, as it is: it is encoded for the URL here.";
    "tls_verify", SWITCH, "on", Setup, "Verify the certificates of servers, those that playlists lead to included.";
    "ca_file", Kind::Text, "", Setup, "File of the certificates to trust, in PEM; empty: the system's.";
    "protocol_whitelist", Kind::Text, "", Setup, "Protocols, separated by commas, that a source may lead to; empty: network protocols for what comes from the network, local ones for files.";
    "max_picture_size", Kind::Integer(1, 1 << 20), "64", Setup, "Pixels that a picture may have, in units of 1024 x 1024; larger ones are refused.";
    "corrupt", Kind::Choice(&["mark", "drop", "keep"]), "mark", Setup, "What to do with pictures that are damaged or build on damaged ones: publish them marked, leave them out, or publish them as if nothing were. Those that only an encoder's promise calls right are published marked by drop too.";
    "input_format", Kind::Text, "", Setup, "FFmpeg's name of the container, such as mpegts, or of a device, such as v4l2; empty: found out.";
    "realtime", Kind::Choice(&["auto", "on", "off"]), "auto", Setup, "Publish frames at the pace of their timestamps; auto: files and HLS only.";
    "setup_timeout", Kind::Integer(1, DAY_MS), "10000", Setup, "Milliseconds for one connection from name lookup to the first packets.";
    "first_frame_timeout", Kind::Integer(1, DAY_MS), "15000", Setup, "Milliseconds from connection or start to the first packet that can be decoded.";
    "stall_timeout", Kind::Integer(1, DAY_MS), "5000", Setup, "Milliseconds without a packet after which the stream counts as lost.";
    "read_timeout", Kind::Integer(0, DAY_MS), "3000", Now, "Milliseconds the language bindings wait for frames when the caller names no time.";
    "reconnect", SWITCH, "on", Setup, "Connect a lost live stream again.";
    "reconnect_delay_min", Kind::Integer(1, DAY_MS), "500", Setup, "Milliseconds before the first attempt to connect again; doubles with each.";
    "reconnect_delay_max", Kind::Integer(1, DAY_MS), "30000", Setup, "Milliseconds between attempts at most.";
    "reconnect_max_attempts", Kind::Integer(0, i32::MAX as i64), "0", Setup, "Attempts in a row before the stream counts as failed; 0: without end.";
}

impl Parameter {
    /// The values it takes, in words.
    pub fn range(&self) -> String {
        match self.kind {
            Kind::Text | Kind::Secret => "any text".to_owned(),
            Kind::Integer(min, max) => format!("{min} to {max}"),
            Kind::Rational => "a fraction n/d or a whole number, 0/1 to 1000/1".to_owned(),
            Kind::Color => "RRGGBB in hexadecimal digits".to_owned(),
            Kind::Choice(words) => words.join(" | "),
        }
    }

    fn check(&self, value: &str) -> Result<()> {
        let fits = match self.kind {
            Kind::Text | Kind::Secret => true,
            Kind::Integer(min, max) => value.parse::<i64>().is_ok_and(|n| (min..=max).contains(&n)),
            Kind::Rational => Rational::parse(value).is_some(),
            Kind::Color => color(value).is_some(),
            Kind::Choice(words) => words.contains(&value),
        };
        if fits {
            return Ok(());
        }
        Err(Error::argument(self.key, format!("{value:?}"), &self.range()))
    }
}

fn color(text: &str) -> Option<[u8; 3]> {
    let is_hex = text.len() == 6 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let [_, red, green, blue] = u32::from_str_radix(text, 16).ok().filter(|_| is_hex)?.to_be_bytes();
    Some([red, green, blue])
}

fn find(key: &str) -> Result<&'static Parameter> {
    TABLE.iter().find(|p| p.key == key).ok_or_else(|| {
        let names: Vec<&str> = TABLE.iter().map(|p| p.key).collect();
        Error::new(Status::UnknownParameter, format!("{key:?}; there are {} and av.NAME", names.join(", ")))
    })
}

/// The values of all parameters of one client.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    set: BTreeMap<&'static str, String>,
    av: BTreeMap<String, String>,
    /// The address as bytes, where they are not UTF-8: names of files may be any.
    file: Option<Vec<u8>>,
}

impl Parameters {
    /// Gives a parameter a value. An empty value takes an `av.` option away again.
    ///
    /// # Errors
    /// `UNKNOWN_PARAMETER`, or `INVALID_ARGUMENT` with the range; nothing changes then.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        if let Some(name) = key.strip_prefix(AV_PREFIX) {
            return self.set_av(name, value);
        }
        let parameter = find(key)?;
        parameter.check(value)?;
        self.set.insert(parameter.key, value.to_owned());
        if parameter.key == URL {
            self.file = None;
        }
        Ok(())
    }

    /// The same from bytes, which have to be UTF-8 but for the address.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn set_bytes(&mut self, key: &str, value: &[u8]) -> Result<()> {
        match std::str::from_utf8(value) {
            Ok(text) => self.set(key, text),
            Err(_) if key == URL => {
                self.set(key, &String::from_utf8_lossy(value))?;
                self.file = Some(value.to_owned());
                Ok(())
            }
            // The value is not shown: it may be a password.
            Err(error) => {
                Err(Error::argument("value", format!("not valid from byte {} on", error.valid_up_to()), "UTF-8"))
            }
        }
    }

    fn set_av(&mut self, name: &str, value: &str) -> Result<()> {
        if name.is_empty() {
            return Err(Error::new(Status::UnknownParameter, "\"av.\" lacks the name of the libav option"));
        }
        if let Some((_, parameter)) = AV_WITH_PARAMETER.iter().find(|(option, _)| *option == name) {
            let expected = format!("the parameter {parameter}, which reaches every connection of a source");
            return Err(Error::argument(&format!("{AV_PREFIX}{name}"), "not passed on", &expected));
        }
        if value.is_empty() {
            self.av.remove(name);
        } else {
            self.av.insert(name.to_owned(), value.to_owned());
        }
        Ok(())
    }

    /// The value of a parameter, its default if none was set.
    ///
    /// # Errors
    /// `UNKNOWN_PARAMETER`.
    pub fn get(&self, key: &str) -> Result<&str> {
        if let Some(value) = key.strip_prefix(AV_PREFIX).and_then(|name| self.av.get(name)) {
            return Ok(value);
        }
        let parameter = find(key)?;
        Ok(self.value(parameter))
    }

    /// The value of a parameter as the bytes that were set.
    ///
    /// # Errors
    /// `UNKNOWN_PARAMETER`.
    pub fn get_bytes(&self, key: &str) -> Result<&[u8]> {
        let text = self.get(key)?.as_bytes();
        Ok(self.file.as_deref().filter(|_| key == URL).unwrap_or(text))
    }

    fn value(&self, parameter: &'static Parameter) -> &str {
        self.set.get(parameter.key).map_or(parameter.default, String::as_str)
    }

    /// The frames a read gives when it names no count.
    pub fn read_size(&self) -> u32 {
        self.number("read_size")
    }

    /// The parameters that were set, with their values, secrets hidden, one to a line.
    pub fn describe(&self) -> String {
        let secrets = self.secrets();
        let shown = |is_secret: bool, value: &str| match value {
            "" => String::new(),
            _ if is_secret => HIDDEN.to_owned(),
            value => redact_with(value, &secrets),
        };
        let mut text = String::new();
        // In the order of the table, which is one of subjects.
        for parameter in TABLE.iter().filter(|parameter| self.set.contains_key(parameter.key)) {
            let value = match parameter.key {
                "url" => redact_address(self.value(parameter), &secrets),
                _ => shown(parameter.kind == Kind::Secret, self.value(parameter)),
            };
            text.push_str(&format!("  {} = {value}\n", parameter.key));
        }
        for (name, value) in &self.av {
            let value = shown(!is_harmless_option(name), value);
            text.push_str(&format!("  {AV_PREFIX}{name} = {value}\n"));
        }
        text
    }

    /// The texts that no message may show.
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = secrets_of(self.or_default("url"));
        let hidden = TABLE.iter().filter(|parameter| parameter.kind == Kind::Secret);
        secrets.extend(hidden.map(|parameter| self.value(parameter).to_owned()));
        let hidden = self.av.iter().filter(|(name, _)| !is_harmless_option(name));
        secrets.extend(hidden.flat_map(|(_, value)| secrets_of_option(value)));
        // One may hold another, which would leave the rest of it.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
    }

    /// The values as the rest of the crate uses them.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` where values that are valid alone do not go together.
    pub fn config(&self) -> Result<Config> {
        let config = Config {
            url: self.text(URL),
            file: self.file.clone(),
            width: self.number("width"),
            height: self.number("height"),
            frame_rate: Rational::parse(self.or_default("frame_rate")).filter(|rate| rate.num > 0),
            is_constant_rate: self.or_default("rate_mode") == "cfr",
            cache_size: self.number("cache_size"),
            blocks: self.or_default("overflow") == "block",
            lease_slots: self.or_default("lease_slots").parse().unwrap_or_else(|_| self.read_size()),
            max_orphans: self.number("max_orphans"),
            max_ring_bytes: self.number::<usize>("max_ring_size") << 20,
            threads: self.number("threads"),
            pixel_format: PixelFormat::from_name(self.or_default("pixel_format")),
            conversion: Conversion {
                filter: Filter::from_name(self.or_default("scale_filter")),
                matrix: match self.or_default("color_matrix") {
                    "bt601" => Some(Matrix::Bt601),
                    "bt709" => Some(Matrix::Bt709),
                    "bt2020" => Some(Matrix::Bt2020),
                    _ => None,
                },
                is_full_range: match self.or_default("color_range") {
                    "limited" => Some(false),
                    "full" => Some(true),
                    _ => None,
                },
                fit: Fit::from_name(self.or_default("fit")),
                pad_color: color(self.or_default("pad_color")).unwrap_or_default(),
                sample_aspect: Rational::parse(self.or_default("sample_aspect_ratio")).filter(|aspect| aspect.num > 0),
                quarter_turns: self.or_default("rotation").parse::<u32>().ok().map(|degrees| (degrees / 90 % 4) as u8),
            },
            stream: match (self.number::<i64>("stream_index"), self.number("program")) {
                (index @ 0.., _) => StreamChoice::Index(u32::try_from(index).unwrap_or(u32::MAX)),
                (_, 0) => StreamChoice::Best,
                (_, program) => StreamChoice::Program(program),
            },
            decode: Decode::from_name(self.or_default("decode")),
            transport: self.text("transport"),
            rtsp_engine: RtspEngine::from_name(self.or_default("rtsp_engine")),
            secrets: self.secrets(),
            username: self.text("username"),
            password: self.text("password"),
            tls_verify: self.or_default("tls_verify") == "on",
            ca_file: self.text("ca_file"),
            protocol_whitelist: self.text("protocol_whitelist"),
            max_pixels: self.number::<i64>("max_picture_size") << 20,
            corrupt: CorruptPolicy::from_name(self.or_default("corrupt")),
            input_format: self.text("input_format"),
            realtime: match self.or_default("realtime") {
                "on" => Some(true),
                "off" => Some(false),
                _ => None,
            },
            setup_timeout_ms: self.number("setup_timeout"),
            first_frame_timeout_ms: self.number("first_frame_timeout"),
            stall_timeout_ms: self.number("stall_timeout"),
            reconnect: self.or_default("reconnect") == "on",
            reconnect_delay_min_ms: self.number("reconnect_delay_min"),
            reconnect_delay_max_ms: self.number("reconnect_delay_max"),
            reconnect_max_attempts: self.number("reconnect_max_attempts"),
            av: self.av.clone(),
        };
        if self.read_size() > config.cache_size {
            let expected = format!("at most cache_size, which is {}", config.cache_size);
            return Err(Error::argument("read_size", self.read_size(), &expected));
        }
        if let (StreamChoice::Index(_), program @ 1..) = (config.stream, self.number::<u32>("program")) {
            return Err(Error::argument("program", program, "0 while stream_index names the stream"));
        }
        if config.rtsp_engine == RtspEngine::Native && config.stream != StreamChoice::Best {
            let expected = "auto or libav where stream_index or program names the stream";
            return Err(Error::argument("rtsp_engine", "native", expected));
        }
        if config.is_constant_rate && config.frame_rate.is_none() {
            return Err(Error::argument("rate_mode", "cfr", "drop while frame_rate is 0"));
        }
        if config.reconnect_delay_min_ms > config.reconnect_delay_max_ms {
            let expected = format!("at most reconnect_delay_max, which is {}", config.reconnect_delay_max_ms);
            return Err(Error::argument("reconnect_delay_min", config.reconnect_delay_min_ms, &expected));
        }
        Ok(config)
    }

    fn or_default(&self, key: &str) -> &str {
        self.get(key).unwrap_or_default()
    }

    fn text(&self, key: &str) -> String {
        self.or_default(key).to_owned()
    }

    /// A number of the table; its range was checked when it was set, so that it fits every type asked for here.
    fn number<T: TryFrom<i64> + Default>(&self, key: &str) -> T {
        self.or_default(key).parse::<i64>().ok().and_then(|n| T::try_from(n).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_default_is_valid_and_every_row_says_what_it_is() {
        for parameter in TABLE {
            assert!(parameter.check(parameter.default).is_ok(), "{}", parameter.key);
            assert!(parameter.help.ends_with('.') && !parameter.range().is_empty(), "{}", parameter.key);
        }
        assert!(Parameters::default().config().is_ok());
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        let error = Parameters::default().set("widht", "480").expect_err("taken");
        assert_eq!(error.status, Status::UnknownParameter);
        assert!(error.message.contains("widht") && error.message.contains("width"), "{error}");
    }

    #[test]
    fn a_bad_value_names_itself_and_the_range_and_changes_nothing() {
        let mut parameters = Parameters::default();
        parameters.set("width", "480").expect("refused");
        for (key, value) in [("width", "-1"), ("width", "16385"), ("frame_rate", "5/0"), ("pixel_format", "yuv")] {
            let error = parameters.set(key, value).expect_err("taken");
            assert_eq!(error.status, Status::InvalidArgument);
            assert!(error.message.contains(key) && error.message.contains(value), "{error}");
        }
        assert_eq!(parameters.get("width"), Ok("480"));
    }

    #[test]
    fn values_that_contradict_each_other_are_refused_at_setup() {
        for (set, named, expected) in [
            (&[("read_size", "9")][..], "read_size is 9", "cache_size, which is 8"),
            (&[("stream_index", "1"), ("program", "2")], "program is 2", "0 while stream_index"),
            (&[("rtsp_engine", "native"), ("program", "2")], "rtsp_engine is native", "auto or libav"),
            (&[("rate_mode", "cfr")], "rate_mode is cfr", "drop while frame_rate is 0"),
            (&[("reconnect_delay_max", "100")], "reconnect_delay_min is 500", "reconnect_delay_max, which is 100"),
        ] {
            let mut parameters = Parameters::default();
            for (key, value) in set {
                parameters.set(key, value).expect("refused");
            }
            let error = parameters.config().expect_err("taken");
            assert!(error.message.contains(named) && error.message.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_name_of_a_file_may_be_any_bytes_and_no_other_value() {
        let mut parameters = Parameters::default();
        parameters.set_bytes("url", b"caf\xe9.mp4").expect("refused");
        assert_eq!(parameters.get_bytes("url"), Ok(&b"caf\xe9.mp4"[..]));
        assert_eq!(parameters.get("url"), Ok("caf\u{fffd}.mp4"));
        let error = parameters.set_bytes("password", b"s3cret\xff").expect_err("taken");
        assert!(
            error.message.contains("value") && error.message.contains("byte 6") && !error.message.contains("s3cret")
        );
        parameters.set("url", "clip.mp4").expect("refused");
        assert_eq!(parameters.get_bytes("url"), Ok(&b"clip.mp4"[..]));
        assert_eq!(parameters.config().expect("valid").file, None);
    }

    #[test]
    fn an_av_option_comes_and_goes() {
        let mut parameters = Parameters::default();
        parameters.set("av.probesize", "32").expect("refused");
        assert_eq!(parameters.get("av.probesize"), Ok("32"));
        parameters.set("av.probesize", "").expect("refused");
        assert!(parameters.get("av.probesize").is_err());
        assert!(parameters.set("av.", "1").is_err());
    }

    #[test]
    fn a_description_hides_secrets() {
        let mut parameters = Parameters::default();
        parameters.set("password", "s3cret").expect("refused");
        parameters.set("url", "rtsp://bob:hunter2@cam/1").expect("refused");
        let text = parameters.describe();
        assert_eq!(text.lines().count(), 2, "those that were not set are left out: {text}");
        assert!(!text.contains("s3cret") && !text.contains("hunter2"), "{text}");
    }

    /// A value that a parameter takes. Text holds nothing that would have to be hidden.
    fn good_value(kind: Kind) -> BoxedStrategy<String> {
        match kind {
            Kind::Text | Kind::Secret => "[a-z0-9:/._-]{0,20}".boxed(),
            Kind::Integer(min, max) => (min..=max).prop_map(|n| n.to_string()).boxed(),
            Kind::Rational => (0..=1_000_u32, 1..=1_000_u32).prop_map(|(num, den)| format!("{num}/{den}")).boxed(),
            Kind::Color => "[0-9a-fA-F]{6}".boxed(),
            Kind::Choice(words) => prop::sample::select(words).prop_map(str::to_owned).boxed(),
        }
    }

    /// A value that a parameter does not take: near what it takes, or anything. `None` where it takes all.
    fn bad_value(kind: Kind) -> Option<BoxedStrategy<String>> {
        let near = match kind {
            Kind::Text | Kind::Secret => return None,
            Kind::Integer(min, max) => {
                prop_oneof![(i64::MIN..min), (max + 1..=i64::MAX)].prop_map(|n| n.to_string()).boxed()
            }
            Kind::Rational => {
                prop_oneof![Just("5/0".to_owned()), "-[1-9]/1", "[1-9][0-9]{6}", "[0-9]/", "[0-9]\\.5"].boxed()
            }
            Kind::Color => prop_oneof!["[0-9a-f]{0,5}", "[0-9a-f]{7}", "[+-][0-9a-f]{5}", "#[0-9a-f]{5}"].boxed(),
            Kind::Choice(words) => prop::sample::select(words).prop_map(str::to_uppercase).boxed(),
        };
        let parameter = Parameter { key: "", kind, default: "", scope: Scope::Now, help: "" };
        // Some characters would have the message hide what they stand in, as a secret.
        Some(
            prop_oneof![near, "[^@=%:]{0,20}"]
                .prop_filter("taken", move |value| parameter.check(value).is_err())
                .boxed(),
        )
    }

    #[test]
    fn every_bad_value_of_every_row_is_an_error_that_names_row_value_and_range() {
        // Miri takes a second to look for credentials in a message.
        for parameter in TABLE.iter().step_by(if cfg!(miri) { 7 } else { 1 }) {
            let Some(bad_value) = bad_value(parameter.kind) else { continue };
            let run = proptest::test_runner::TestRunner::default().run(&bad_value, |value| {
                let mut parameters = Parameters::default();
                let error = parameters.set(parameter.key, &value).expect_err("taken");
                let expected = format!("{} is {value:?}, expected {}", parameter.key, parameter.range());
                prop_assert_eq!((error.status, error.message), (Status::InvalidArgument, expected));
                prop_assert_eq!(parameters.get(parameter.key), Ok(parameter.default));
                Ok(())
            });
            assert_eq!(run, Ok(()), "{}", parameter.key);
        }
    }

    proptest! {
        /// The description, read line by line, sets the same configuration again.
        #[test]
        fn the_whole_table_comes_back_from_its_description(
            values in TABLE.iter().map(|parameter| good_value(parameter.kind)).collect::<Vec<_>>(),
        ) {
            let mut parameters = Parameters::default();
            for (parameter, value) in TABLE.iter().zip(&values) {
                if parameter.kind != Kind::Secret {
                    prop_assert_eq!(parameters.set(parameter.key, value), Ok(()));
                }
            }
            let mut again = Parameters::default();
            for line in parameters.describe().lines() {
                let (key, value) = line.trim_start().split_once(" = ").expect("no value");
                prop_assert_eq!(again.set(key, value), Ok(()));
            }
            for (parameter, value) in TABLE.iter().zip(&values) {
                let expected = if parameter.kind == Kind::Secret { "" } else { value };
                prop_assert_eq!(again.get(parameter.key), Ok(expected));
            }
        }

        #[test]
        fn an_unknown_name_is_named(key in "[a-z_ ]{0,12}") {
            prop_assume!(TABLE.iter().all(|parameter| parameter.key != key));
            let error = Parameters::default().set(&key, "1").expect_err("taken");
            prop_assert_eq!(error.status, Status::UnknownParameter);
            prop_assert!(error.message.starts_with(&format!("{key:?}")), "{}", error);
        }

        #[test]
        fn what_is_set_is_what_is_got(row in 0..TABLE.len(), value in ".{0,20}") {
            let mut parameters = Parameters::default();
            let key = TABLE[row].key;
            match parameters.set(key, &value) {
                Ok(()) => prop_assert_eq!(parameters.get(key), Ok(value.as_str())),
                Err(error) => {
                    prop_assert_eq!(error.status, Status::InvalidArgument);
                    prop_assert_eq!(parameters.get(key), Ok(TABLE[row].default));
                }
            }
            // Whatever was taken, a configuration comes out or an error does.
            let _ = parameters.config();
        }

        #[test]
        fn integers_within_their_range_are_taken(row in 0..TABLE.len(), n in any::<i64>()) {
            if let Kind::Integer(min, max) = TABLE[row].kind {
                let taken = Parameters::default().set(TABLE[row].key, &n.to_string()).is_ok();
                prop_assert_eq!(taken, (min..=max).contains(&n));
            }
        }
    }
}
