//! What retina's errors mean. It gives the status that a server answered, and text for all else.

use super::Refusal;
use crate::config::Config;
use crate::error::{Error, Phase, Status};
use crate::redact::{redact_failure, redact_with};
use std::io::ErrorKind;

/// A step of opening a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Describe,
    Setup,
    Play,
}

/// Where it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// There was no connection.
    Unconnected,
    /// The connection broke.
    Broken,
    /// The server answered so.
    Answered(u16),
    /// What came was not understood.
    Nonsense,
}

/// An error of retina's, taken apart.
pub(super) struct Failure {
    kind: Kind,
    /// The operating system's reason.
    cause: Option<ErrorKind>,
    text: String,
}

impl Failure {
    pub(super) fn of(error: &retina::Error) -> Self {
        Self::parse(error.status_code(), &error.to_string())
    }

    fn parse(status: Option<u16>, text: &str) -> Self {
        // What follows tells where in the connection's bytes it was.
        let text = text.split("\n\n").next().unwrap_or("").replace(char::is_control, " ");
        let kind = match status {
            Some(status) => Kind::Answered(status),
            None if text.starts_with("Unable to connect") => Kind::Unconnected,
            // It was in the middle of a packet.
            None if text.contains("Incomplete RTSP message at EOF") => Kind::Broken,
            None if text.starts_with("Error reading") || text.starts_with("Error writing") => Kind::Broken,
            None => Kind::Nonsense,
        };
        let number = text.rsplit_once("(os error ").and_then(|(_, rest)| rest.split_once(')'));
        let number = number.and_then(|(number, _)| number.parse().ok());
        let cause = number.map(|number| std::io::Error::from_raw_os_error(number).kind());
        Self { kind, cause, text }
    }

    /// Why a session could not be opened.
    pub(super) fn while_opening(&self, step: Step, config: &Config) -> Refusal {
        let (status, phase) = match (self.kind, self.cause) {
            (Kind::Answered(401 | 403), _) => (Status::Unauthorized, Phase::Auth),
            (Kind::Answered(404 | 410 | 454), _) => (Status::NotFound, Phase::Setup),
            (Kind::Answered(400..), _) => (Status::ServerGone, Phase::Setup),
            (Kind::Answered(_) | Kind::Nonsense, _) => (Status::BadData, Phase::Probe),
            (Kind::Unconnected, _) if self.text.contains("lookup address") => (Status::ResolveFailed, Phase::Resolve),
            (Kind::Unconnected, Some(ErrorKind::ConnectionRefused)) => (Status::Refused, Phase::Connect),
            (Kind::Unconnected, Some(ErrorKind::TimedOut)) => (Status::Timeout, Phase::Connect),
            (Kind::Unconnected, Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable)) => {
                (Status::Unreachable, Phase::Connect)
            }
            (Kind::Unconnected, Some(ErrorKind::ConnectionReset)) => (Status::ServerGone, Phase::Connect),
            (Kind::Unconnected, _) => (Status::IoError, Phase::Connect),
            (Kind::Broken, _) => (Status::ServerGone, Phase::Connect),
        };
        let text = redact_failure(&config.url, &self.text, &config.secrets);
        let mut error = Error::new(status, text).in_phase(phase).retryable(true);
        error.protocol_status = match self.kind {
            Kind::Answered(status @ 400..) => i32::from(status),
            _ => 0,
        };
        Refusal { error, is_for_other: self.is_for_other(step) }
    }

    /// Whether the server may get on better with libavformat: it follows redirections, knows other transports and codecs,
    /// and reads what is not quite as the standards want it.
    fn is_for_other(&self, step: Step) -> bool {
        match self.kind {
            Kind::Unconnected | Kind::Answered(401 | 403 | 404 | 410 | 453 | 454 | 500..) => false,
            Kind::Nonsense | Kind::Answered(_) => true,
            // Some servers hang up on what they do not know.
            Kind::Broken => step != Step::Describe,
        }
    }

    /// Why a session that played has ended.
    pub(super) fn while_reading(&self, secrets: &[String]) -> Error {
        let (status, phase) = match self.kind {
            // A server that is gone is noticed earlier, as one from which nothing comes: this one only does not answer.
            _ if self.text.contains("respond to keepalive") => (Status::BadData, Phase::Setup),
            Kind::Broken | Kind::Unconnected => (Status::ServerGone, Phase::Read),
            Kind::Answered(_) | Kind::Nonsense => (Status::BadData, Phase::Read),
        };
        let text = if self.text.contains("EOF") { "the connection was closed" } else { &self.text };
        Error::new(status, redact_with(text, secrets)).in_phase(phase).retryable(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Parameters;

    fn told(status: Option<u16>, text: &str) -> (Status, Phase, bool) {
        let config = Parameters::default().config().expect("valid");
        let refusal = Failure::parse(status, text).while_opening(Step::Describe, &config);
        (refusal.error.status, refusal.error.phase, refusal.is_for_other)
    }

    #[test]
    fn errors_of_retinas_are_told_apart() {
        let refused = "Unable to connect to RTSP server: Connection refused (os error 111)";
        for (status, text, expected) in [
            (None, refused, (Status::Refused, Phase::Connect, false)),
            (
                None,
                "Unable to connect to RTSP server: failed to lookup address information: x",
                (Status::ResolveFailed, Phase::Resolve, false),
            ),
            (None, "Unable to connect to RTSP server: odd", (Status::IoError, Phase::Connect, false)),
            (None, "Error reading from RTSP peer: EOF\n\nconn: x", (Status::ServerGone, Phase::Connect, false)),
            (None, "RTSP framing error: Incomplete RTSP message at EOF", (Status::ServerGone, Phase::Connect, false)),
            (None, "RTSP framing error: x", (Status::BadData, Phase::Probe, true)),
            (Some(401), "", (Status::Unauthorized, Phase::Auth, false)),
            (Some(404), "", (Status::NotFound, Phase::Setup, false)),
            (Some(461), "", (Status::ServerGone, Phase::Setup, true)),
            (Some(503), "", (Status::ServerGone, Phase::Setup, false)),
            (Some(302), "", (Status::BadData, Phase::Probe, true)),
            (Some(200), "", (Status::BadData, Phase::Probe, true)),
        ] {
            assert_eq!(told(status, text), expected, "{status:?} {text}");
        }
    }

    #[test]
    fn only_the_first_part_of_the_text_is_told() {
        let error = Failure::parse(None, "Error writing to RTSP peer: gone\n\nconn: secret\nmsg: 1").while_reading(&[]);
        assert_eq!((error.status, error.message.as_str()), (Status::ServerGone, "Error writing to RTSP peer: gone"));
        let text = "Error reading from RTSP peer: Server failed to respond to keepalive 7 within 30s";
        assert_eq!(Failure::parse(None, text).while_reading(&[]).phase, Phase::Setup);
    }
}
