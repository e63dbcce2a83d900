//! The values of the parameters as the rest of the crate uses them: checked and typed.

use std::collections::BTreeMap;

/// A fraction of two positive numbers, or zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rational {
    /// Above the line.
    pub num: u32,
    /// Below the line, never 0.
    pub den: u32,
}

impl Rational {
    /// The largest frame rate that is taken.
    const MAX: u64 = 1_000;

    /// Nanoseconds from one to the next at this rate, rounded down; not known for the rate 0.
    pub(crate) fn interval_ns(self) -> i64 {
        i64::from(self.den) * crate::clock::SECOND / i64::from(self.num.max(1))
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (num, den) = text.split_once('/').unwrap_or((text, "1"));
        let (num, den) = (num.parse::<u32>().ok()?, den.parse::<u32>().ok()?);
        (den > 0 && u64::from(num) <= Self::MAX * u64::from(den)).then_some(Self { num, den })
    }
}

/// The order of a frame's channels, 8 bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(i32)]
pub enum PixelFormat {
    /// Red, green, blue.
    #[default]
    Rgb24 = 0,
    /// Blue, green, red, as OpenCV has it.
    Bgr24 = 1,
    /// Red, green, blue, opacity.
    Rgba = 2,
    /// Brightness (luma) alone.
    Gray8 = 3,
}

impl PixelFormat {
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "bgr24" => Self::Bgr24,
            "rgba" => Self::Rgba,
            "gray8" => Self::Gray8,
            _ => Self::Rgb24,
        }
    }

    /// Bytes, and so channels, of a pixel.
    pub fn channels(self) -> u32 {
        match self {
            Self::Rgb24 | Self::Bgr24 => 3,
            Self::Rgba => 4,
            Self::Gray8 => 1,
        }
    }
}

/// What becomes of damaged pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CorruptPolicy {
    /// They are published and marked.
    #[default]
    Mark,
    /// They are left out.
    Drop,
    /// They are published as if nothing were.
    Keep,
}

impl CorruptPolicy {
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "drop" => Self::Drop,
            "keep" => Self::Keep,
            _ => Self::Mark,
        }
    }
}

/// How pictures are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filter {
    /// Area for shrinking, else bicubic.
    #[default]
    Auto,
    Area,
    Bilinear,
    Bicubic,
    Lanczos,
    Nearest,
}

impl Filter {
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "area" => Self::Area,
            "bilinear" => Self::Bilinear,
            "bicubic" => Self::Bicubic,
            "lanczos" => Self::Lanczos,
            "nearest" => Self::Nearest,
            _ => Self::Auto,
        }
    }
}

/// The matrix between colours and brightness, by the numbers of ITU-T H.273, table 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Matrix {
    /// ITU-R BT.709.
    Bt709 = 1,
    /// ITU-R BT.601 with 625 lines; that with 525 has the same coefficients.
    Bt601 = 5,
    /// ITU-R BT.2020, non-constant luminance.
    Bt2020 = 9,
}

/// How a picture comes into a frame of another shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fit {
    /// All of it, stretched.
    #[default]
    Stretch,
    /// All of it in its own shape, with bars at two sides.
    Letterbox,
    /// As much of its middle as has the frame's shape.
    Crop,
}

impl Fit {
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "letterbox" => Self::Letterbox,
            "crop" => Self::Crop,
            _ => Self::Stretch,
        }
    }
}

/// How pictures become frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Conversion {
    /// How they are scaled.
    pub filter: Filter,
    /// Their matrix, if the stream's word does not count.
    pub matrix: Option<Matrix>,
    /// Their range, if the stream's word does not count.
    pub is_full_range: Option<bool>,
    /// How they come into a frame of another shape.
    pub fit: Fit,
    /// Red, green and blue of the bars beside them.
    pub pad_color: [u8; 3],
    /// Width of a pixel over its height, if the stream's word does not count.
    pub sample_aspect: Option<Rational>,
    /// How often they are turned by 90 degrees clockwise, if the stream's word does not count.
    pub quarter_turns: Option<u8>,
}

/// Which of a source's video streams is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StreamChoice {
    /// The one that libavformat holds for the best.
    #[default]
    Best,
    /// The one with this index within the source.
    Index(u32),
    /// The first of the program with this number.
    Program(u32),
}

/// Which pictures are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decode {
    /// All.
    #[default]
    All,
    /// Those that others build on.
    NonRef,
    /// Those that build on none.
    Keyframes,
}

impl Decode {
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "nonref" => Self::NonRef,
            "keyframes" => Self::Keyframes,
            _ => Self::All,
        }
    }
}

/// What reads rtsp:// sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RtspEngine {
    /// Whichever serves best.
    #[default]
    Auto,
    /// libavformat.
    Libav,
    /// The engine of this library.
    Native,
}

impl RtspEngine {
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "libav" => Self::Libav,
            "native" => Self::Native,
            _ => Self::Auto,
        }
    }
}

/// All parameters of one setup, checked and typed.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address; that of a file whose name is not UTF-8 is only to be shown.
    pub url: String,
    /// The bytes of such a name.
    pub file: Option<Vec<u8>>,
    pub width: u32,
    pub height: u32,
    pub frame_rate: Option<Rational>,
    /// The parameter `rate_mode` is `cfr`.
    pub is_constant_rate: bool,
    pub cache_size: u32,
    /// The parameter `overflow` is `block`.
    pub blocks: bool,
    pub lease_slots: u32,
    pub max_orphans: u32,
    /// The parameter `max_ring_size`, in bytes.
    pub max_ring_bytes: usize,
    pub threads: u32,
    pub pixel_format: PixelFormat,
    pub conversion: Conversion,
    pub stream: StreamChoice,
    pub decode: Decode,
    pub transport: String,
    pub rtsp_engine: RtspEngine,
    /// The texts that no message may show.
    pub secrets: Vec<String>,
    pub username: String,
    pub password: String,
    pub tls_verify: bool,
    pub ca_file: String,
    pub protocol_whitelist: String,
    /// The parameter `max_picture_size`, in pixels.
    pub max_pixels: i64,
    pub corrupt: CorruptPolicy,
    pub input_format: String,
    /// `None`: as the kind of source suggests.
    pub realtime: Option<bool>,
    pub setup_timeout_ms: i64,
    pub first_frame_timeout_ms: i64,
    pub stall_timeout_ms: i64,
    pub reconnect: bool,
    pub reconnect_delay_min_ms: u64,
    pub reconnect_delay_max_ms: u64,
    pub reconnect_max_attempts: u32,
    pub av: BTreeMap<String, String>,
}

impl Config {
    /// The same for the address of another server, which is not to get the credentials of this one.
    pub(crate) fn redirected_to(&self, url: &str) -> Self {
        let mut secrets = self.secrets.clone();
        secrets.extend(crate::redact::secrets_of(url));
        Self { url: url.to_owned(), username: String::new(), password: String::new(), secrets, ..self.clone() }
    }
}
