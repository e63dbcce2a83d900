//! Where access units come from: libavformat, or for rtsp:// an engine of our own. Whoever uses them sees no difference.

mod address;
mod libav;
mod names;
#[cfg(feature = "rtsp-native")]
mod native;
mod repeats;
mod segments;

use crate::av::{CodecParameters, Dictionary, Packet};
use crate::cancel::Watch;
use crate::capture::CaptureTimes;
use crate::clock::{Moment, SECOND};
use crate::config::{Config, Rational, RtspEngine};
use crate::error::{Error, Phase, Result, Status};
use crate::frame::CaptureClock;
use crate::geometry::Display;
use crate::sync::Arc;
use libav::LibavSource;
#[cfg(feature = "rtsp-native")]
use native::NativeSource;

/// How often, and how long each time, a server is waited for that is busy with the session before.
#[cfg(feature = "rtsp-native")]
const BUSY_ATTEMPTS: u32 = 4;
#[cfg(feature = "rtsp-native")]
const BUSY_PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

/// What reads a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Libav,
    #[cfg(feature = "rtsp-native")]
    Native,
}

impl Engine {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Libav => "libav",
            #[cfg(feature = "rtsp-native")]
            Self::Native => "native",
        }
    }
}

/// One complete access unit.
pub(crate) struct Unit {
    pub(crate) packet: Packet,
    pub(crate) meta: UnitMeta,
}

/// What is known of a unit besides its data; it goes with the unit's frame through the decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnitMeta {
    /// Presentation time. That of a decoded frame is the best that is known of it.
    pub(crate) pts_ns: Option<i64>,
    /// Decoding time, where the source gives one.
    pub(crate) dts_ns: Option<i64>,
    pub(crate) arrival: Moment,
    pub(crate) capture: Option<(i64, CaptureClock)>,
    /// Decoding may begin here, with a whole picture.
    pub(crate) is_random_access: bool,
    /// Decoding may begin here, with a picture that is refreshed in parts.
    pub(crate) is_refresh: bool,
    /// It is damaged, or builds on what is, as far as the source can tell.
    pub(crate) is_damaged: bool,
    /// That shows only as far as the encoder has not kept its promise: all of the picture was refreshed since.
    pub(crate) is_promised: bool,
    /// Something of the unit itself is missing, and the source knows it.
    pub(crate) is_incomplete: bool,
    /// It is encrypted, and there is no key.
    pub(crate) is_encrypted: bool,
    /// Packets of the network that were lost since the unit before, as far as the source can tell.
    pub(crate) lost: u64,
}

/// What a source has to say next.
pub(crate) enum Next {
    Unit(Unit),
    /// The video goes on as another stream of the source, of which the info is by now.
    Moved,
    End(End),
}

/// How a source came to its end.
#[derive(Debug)]
pub(crate) enum End {
    /// It was asked to stop.
    Stopped,
    /// A file was read to its end.
    Finished,
    /// A file was read to an end that comes too early.
    Truncated(Error),
    /// The stream was lost.
    Lost(Error),
}

/// What is known of a source once it is open.
pub(crate) struct SourceInfo {
    pub(crate) engine: Engine,
    pub(crate) stream_index: u32,
    pub(crate) codec: CodecParameters,
    pub(crate) frame_rate: Option<Rational>,
    pub(crate) container: String,
    pub(crate) duration_ns: Option<i64>,
    /// A live stream does not end but is lost, and cannot be paused.
    pub(crate) is_live: bool,
    /// After a failure it can be opened again: it is live, or what it is read from may go on, as a FIFO does.
    pub(crate) may_return: bool,
    /// It comes in bursts, or as fast as it is read: whoever wants it in time must wait by its timestamps.
    pub(crate) is_bursty: bool,
    /// How its pictures are to be shown, where it says so itself and not only in its pictures.
    pub(crate) display: Display,
    /// Its units say exactly which pictures are damaged, the decoder need not be asked.
    pub(crate) knows_damage: bool,
}

/// An open source.
pub(crate) enum Source {
    Libav(Box<LibavSource>),
    #[cfg(feature = "rtsp-native")]
    Native(Box<NativeSource>),
}

/// Why a source was not opened.
#[cfg(feature = "rtsp-native")]
struct Refusal {
    error: Error,
    /// The other engine may do better: it knows more of what servers do.
    is_for_other: bool,
}

/// Does the same with whichever engine it is.
macro_rules! each {
    ($source:expr, $engine:ident => $what:expr) => {
        match $source {
            Source::Libav($engine) => $what,
            #[cfg(feature = "rtsp-native")]
            Source::Native($engine) => $what,
        }
    };
}

impl Source {
    /// Opens the configured URL within the watch's deadline, with the other engine than the one to avoid if there is a
    /// choice. Options of the user's that no engine took stay in the dictionary.
    pub(crate) fn open(
        config: &Config,
        options: &mut Dictionary,
        watch: &Arc<Watch>,
        avoided: Option<Engine>,
    ) -> Result<Self> {
        names::resolve(config, watch)?;
        #[cfg(feature = "rtsp-native")]
        if native_is_wanted(config, avoided) {
            match NativeSource::open(config, options, watch) {
                Ok(source) => return Ok(Self::Native(Box::new(source))),
                Err(refusal) if refusal.is_for_other && config.rtsp_engine == RtspEngine::Auto => {
                    let text = format!("left to libavformat: {}", refusal.error);
                    crate::log::line(crate::log::Level::Info, &text);
                    return open_next(config, options, watch);
                }
                Err(refusal) => return Err(refusal.error),
            }
        }
        #[cfg(not(feature = "rtsp-native"))]
        let _ = avoided;
        if config.rtsp_engine == RtspEngine::Native
            && ["rtsp", "rtsps"].contains(&address::scheme(&config.url).as_str())
        {
            return Err(no_native_engine(config));
        }
        LibavSource::open(config, options, watch).map(|source| Self::Libav(Box::new(source)))
    }

    pub(crate) fn info(&self) -> &SourceInfo {
        each!(self, source => source.info())
    }

    /// Waits for the next unit of the video stream, for the stall timeout at most. What has come by then is handed on
    /// first.
    pub(crate) fn next(&mut self) -> Next {
        each!(self, source => source.next())
    }

    /// What is known of the sender's clock.
    pub(crate) fn capture_times(&self) -> &CaptureTimes {
        each!(self, source => source.capture_times())
    }

    /// Units that were handed on have been given up: what builds on them cannot be trusted.
    pub(crate) fn doubt(&mut self) {
        match self {
            // It would not know what to trust again.
            Self::Libav(_) => {}
            #[cfg(feature = "rtsp-native")]
            Self::Native(source) => source.doubt(),
        }
    }

    /// Whether more units may have come before now: true where only reading shows it.
    #[cfg_attr(not(feature = "rtsp-native"), expect(unused_variables, reason = "libavformat cannot be asked"))]
    pub(crate) fn may_have_stored(&mut self, wait_ms: i64) -> bool {
        match self {
            Self::Libav(_) => true,
            #[cfg(feature = "rtsp-native")]
            Self::Native(source) => source.has_stored(wait_ms),
        }
    }

    /// Whether some of the packets that probing left in store are damaged.
    pub(crate) fn is_store_damaged(&self) -> bool {
        match self {
            Self::Libav(source) => source.is_store_damaged(),
            #[cfg(feature = "rtsp-native")]
            Self::Native(_) => false,
        }
    }
}

/// Opens a source by libavformat that a server has just been asked for. It may be busy with that for a moment.
#[cfg(feature = "rtsp-native")]
fn open_next(config: &Config, options: &mut Dictionary, watch: &Arc<Watch>) -> Result<Source> {
    for _ in 0..BUSY_ATTEMPTS {
        match LibavSource::open(config, options, watch) {
            Err(error) if error.protocol_status >= 500 && watch.expiry().is_none() => std::thread::sleep(BUSY_PAUSE),
            other => return other.map(|source| Source::Libav(Box::new(source))),
        }
    }
    LibavSource::open(config, options, watch).map(|source| Source::Libav(Box::new(source)))
}

/// Whether the native engine is to try first: where it was asked for, or where it may and nothing was asked for that only
/// libavformat knows.
#[cfg(feature = "rtsp-native")]
fn native_is_wanted(config: &Config, avoided: Option<Engine>) -> bool {
    let is_plain = config.av.is_empty()
        && config.stream == crate::config::StreamChoice::Best
        && config.input_format.is_empty()
        && config.protocol_whitelist.is_empty()
        && config.transport != "udp";
    address::scheme(&config.url) == "rtsp"
        && match config.rtsp_engine {
            RtspEngine::Native => true,
            RtspEngine::Libav => false,
            RtspEngine::Auto => is_plain && avoided != Some(Engine::Native),
        }
}

fn no_native_engine(config: &Config) -> Error {
    let what = match address::scheme(&config.url).as_str() {
        "rtsps" => "the native RTSP engine knows no TLS",
        _ => "this library was built without its native RTSP engine",
    };
    let text = format!("{what}; rtsp_engine = auto or libav leaves it to libavformat");
    Error::new(Status::Unsupported, text).in_phase(Phase::Connect)
}

/// Timestamps in nanoseconds, exactly; `None` beyond what 64 bits hold.
fn to_ns(time: i64, (num, den): (i32, i32)) -> Option<i64> {
    if den <= 0 {
        return None;
    }
    let ns = i128::from(time) * i128::from(num) * i128::from(SECOND) / i128::from(den);
    i64::try_from(ns).ok()
}

/// A stream of which nothing comes any more; and what comes instead, if anything does.
fn stalled(patience_ms: i64, instead: &str) -> Error {
    let nothing = format!("no packet of the video came for {patience_ms} ms");
    let text = if instead.is_empty() { nothing } else { format!("{nothing}, but {instead}") };
    Error::new(Status::Stalled, text).in_phase(Phase::Read).retryable(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_become_nanoseconds_exactly() {
        assert_eq!(to_ns(3_600, (1, 90_000)), Some(40_000_000));
        assert_eq!(to_ns(i64::MAX, (1, 90_000)), None);
        assert_eq!(to_ns(-90_000, (1, 90_000)), Some(-SECOND));
        assert_eq!(to_ns(1, (1, 0)), None);
    }
}
