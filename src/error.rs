//! What can go wrong: one table of statuses, one of phases, and the error that carries both.

use std::fmt;

/// Declares an enum with a number, a name and a sentence for each value, so that the three cannot drift apart.
macro_rules! numbered {
    ($(#[$meta:meta])* $enum:ident { $($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(i32)]
        pub enum $enum { $(#[doc = $text] $(#[$doc])* $variant = $code,)* }

        impl $enum {
            /// Every value, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The value of a number, if the number is one of the table.
            pub fn from_code(code: i32) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// The number that stands for this value in C.
            pub fn code(self) -> i32 {
                self as i32
            }

            /// The name without prefix, as in the C constant.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One sentence in plain words; NUL-terminated for C by [`Self::c_text`].
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The same sentence as a C string.
            pub fn c_text(self) -> &'static std::ffi::CStr {
                match self {
                    $(Self::$variant => {
                        const TEXT: &std::ffi::CStr = match std::ffi::CStr::from_bytes_with_nul(concat!($text, "\0").as_bytes()) {
                            Ok(text) => text,
                            Err(_) => c"",
                        };
                        TEXT
                    })*
                }
            }
        }
    };
}
pub(crate) use numbered;

numbered! {
    /// How a call ended. The numbers leave gaps between the groups; a retired number is never used again.
    Status {
        Ok = 0, "OK", "success";

        InvalidArgument = -1, "INVALID_ARGUMENT", "an argument is not valid";
        UnknownParameter = -2, "UNKNOWN_PARAMETER", "no parameter has this name";
        BufferTooSmall = -3, "BUFFER_TOO_SMALL", "the buffer is too small";

        BadState = -20, "BAD_STATE", "the call does not fit the client's state";
        Busy = -21, "BUSY", "another life-cycle call is in progress";
        Forked = -22, "FORKED", "the client was made before fork and cannot be used in the child";

        Timeout = -40, "TIMEOUT", "the time allowed for the call ran out";
        Stale = -41, "STALE", "the newest frame is older than allowed";
        Stopped = -42, "STOPPED", "the stream is not started";
        Ended = -43, "ENDED", "the stream has ended";
        Interrupted = -44, "INTERRUPTED", "the client is interrupted";
        Cancelled = -45, "CANCELLED", "the cancel token was triggered";
        NoFrame = -46, "NO_FRAME", "the frame is not in the ring";
        NoEvent = -47, "NO_EVENT", "no event is waiting";

        Failed = -60, "FAILED", "the stream has failed";
        ResolveFailed = -61, "RESOLVE_FAILED", "the host name could not be resolved";
        Refused = -62, "REFUSED", "the server refused the connection";
        Unreachable = -63, "UNREACHABLE", "the server cannot be reached";
        Unauthorized = -64, "UNAUTHORIZED", "the server wants other credentials";
        NotFound = -65, "NOT_FOUND", "the server or file system has no such stream";
        ServerGone = -66, "SERVER_GONE", "the server closed or lost the connection";
        Stalled = -67, "STALLED", "no packet of the video came within the stall timeout";
        NoVideo = -68, "NO_VIDEO", "the source has no video stream";
        Unsupported = -69, "UNSUPPORTED", "the protocol, format or codec is not supported";
        BadData = -70, "BAD_DATA", "the data could not be understood";
        Untrusted = -72, "UNTRUSTED", "the server's certificate cannot be verified";
        IoError = -71, "IO", "reading failed";

        OutOfMemory = -80, "OUT_OF_MEMORY", "memory could not be had";
        System = -81, "SYSTEM", "the operating system refused a resource";
        Internal = -90, "INTERNAL", "a defect in the library was caught";
    }
}

numbered! {
    /// The step of a stream's life in which a failure happened.
    Phase {
        None = 0, "NONE", "none";
        Resolve = 1, "RESOLVE", "resolving the host name";
        Connect = 2, "CONNECT", "connecting";
        Auth = 3, "AUTH", "authenticating";
        Setup = 4, "SETUP", "setting up the session";
        Probe = 5, "PROBE", "probing the stream";
        Read = 6, "READ", "reading";
        Decode = 7, "DECODE", "decoding";
        Convert = 8, "CONVERT", "converting";
    }
}

/// A failure, with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure it is.
    pub status: Status,
    /// Where in the stream's life it happened; `None` for failures of a call itself.
    pub phase: Phase,
    /// The text for a person. It holds no credentials.
    pub message: String,
    /// The code that libav returned, 0 if libav was not involved.
    pub av_code: i32,
    /// The RTSP or HTTP status the server answered, 0 if none is known.
    pub protocol_status: i32,
    /// Whether trying the same again can help.
    pub retryable: bool,
}

impl Error {
    /// A failure of the given kind; the message is cleared of credentials here, so that no path can forget it.
    pub fn new(status: Status, message: impl AsRef<str>) -> Self {
        Self {
            status,
            phase: Phase::None,
            message: crate::redact::redact(message.as_ref()),
            av_code: 0,
            protocol_status: 0,
            retryable: false,
        }
    }

    /// An argument that cannot be taken: its name, its value and what was expected.
    pub fn argument(name: &str, value: impl fmt::Display, expected: &str) -> Self {
        Self::new(Status::InvalidArgument, format!("{name} is {value}, expected {expected}"))
    }

    /// Says in which phase it happened.
    #[must_use]
    pub fn in_phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
        self
    }

    /// Says whether the same attempt may succeed later.
    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.phase {
            _ if self.message.is_empty() => f.write_str(self.status.text()),
            // The status says it already.
            Phase::None | Phase::Resolve => write!(f, "{}: {}", self.status.text(), self.message),
            phase => write!(f, "{} while {}: {}", self.status.text(), phase.text(), self.message),
        }
    }
}

impl std::error::Error for Error {}

/// What fallible functions of this crate return.
pub type Result<T> = std::result::Result<T, Error>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventKind;
    use crate::log::Level;
    use crate::state::State;
    use proptest::prelude::*;
    use std::collections::HashSet;

    /// Fails unless every value of a numbered enum has a number and a name of its own, and a text, and leads back.
    macro_rules! check_table {
        ($enum:ident) => {
            let distinct = |count: usize| assert_eq!(count, $enum::ALL.len(), stringify!($enum));
            distinct($enum::ALL.iter().map(|value| value.code()).collect::<HashSet<_>>().len());
            distinct($enum::ALL.iter().map(|value| value.name()).collect::<HashSet<_>>().len());
            for value in $enum::ALL {
                assert_eq!($enum::from_code(value.code()), Some(*value));
                assert_eq!(value.c_text().to_str(), Ok(value.text()));
                assert!(!value.text().is_empty() && !value.name().is_empty());
            }
        };
    }

    #[test]
    fn every_number_has_one_name_and_one_text_and_leads_back() {
        check_table!(Status);
        check_table!(Phase);
        check_table!(State);
        check_table!(EventKind);
        check_table!(Level);
        assert!(Status::ALL.iter().all(|s| *s == Status::Ok || s.code() < 0));
    }

    proptest! {
        #[test]
        fn a_number_of_no_table_is_nothing(code in prop_oneof![any::<i32>(), -100..100]) {
            prop_assert_eq!(Status::from_code(code), Status::ALL.iter().copied().find(|value| value.code() == code));
            prop_assert_eq!(State::from_code(code), State::ALL.iter().copied().find(|value| value.code() == code));
        }

        /// Whatever went wrong wherever, its text says what, where and why, and no credentials.
        #[test]
        fn an_error_tells_its_status_phase_and_message(
            status in prop::sample::select(Status::ALL), phase in prop::sample::select(Phase::ALL), words in "[a-z ]{0,30}",
        ) {
            let message = format!("{words} rtsp://admin:S3CRET@camera/1");
            let text = Error::new(status, message).in_phase(phase).to_string();
            prop_assert!(text.starts_with(status.text()) && text.contains(&words) && !text.contains("S3CRET"), "{}", text);
            let is_told = text.contains(&format!("while {}", phase.text()));
            prop_assert!(is_told || matches!(phase, Phase::None | Phase::Resolve), "{}", text);
            prop_assert_eq!(Error::new(status, "").in_phase(phase).to_string(), status.text());
        }
    }

    #[test]
    fn a_message_holds_no_credentials() {
        let error = Error::argument("url", "rtsp://admin:secret@camera/1", "a URL");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
