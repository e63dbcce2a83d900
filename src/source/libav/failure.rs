//! What a failure of libavformat to open a source means.

use super::super::address::{scheme, tls_address};
use super::options::UNVERIFIABLE;
use crate::av::{AvError, Nested, can_shake_hands, check_log};
use crate::cancel::{Expiry, Watch};
use crate::config::Config;
use crate::error::{Error, Phase, Status};
use crate::redact::redact_failure;
use std::path::Path;

/// Turns a failure to open into words: the watch first, then what the server said, then libav's code.
pub(super) fn explain(code: AvError, phase: Phase, complaints: &str, watch: &Watch, config: &Config) -> Error {
    let answered = status_in(complaints).unwrap_or_else(|| code.protocol_status());
    let unresolved = complaints.contains("Failed to resolve hostname");
    // MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, for which libav has no words.
    let untrusted = complaints.contains("certificate") || complaints.contains("handshake returned -0x2700");
    let is_unverifiable = config.tls_verify && complaints.contains("'tls' not on whitelist");
    let (status, phase, retryable) = match (watch.expiry(), code) {
        (Some(Expiry::Stopped), _) => (Status::Stopped, phase, false),
        // Live DASH tries again until its time is over.
        _ if is_unverifiable => (Status::Unsupported, Phase::Connect, false),
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
        // A device may be plugged in again.
        (_, AvError::NO_ENTRY) => (Status::NotFound, phase, config.url.starts_with("/dev/")),
        (
            _,
            AvError::NO_PROTOCOL
            | AvError::NO_DEMUXER
            | AvError::NO_DECODER
            | AvError::NOT_IMPLEMENTED
            | AvError::PROTOCOL_UNSUPPORTED,
        ) => (Status::Unsupported, phase, false),
        (_, AvError::INVALID_DATA) => (Status::BadData, phase, true),
        (_, AvError::NO_MEMORY) => (Status::OutOfMemory, phase, true),
        (_, AvError::IO) => (Status::IoError, phase, true),
        _ => (Status::IoError, phase, true),
    };
    let what = match watch.expiry() {
        Some(Expiry::Stopped) => "asked to stop".to_owned(),
        _ if is_unverifiable => UNVERIFIABLE.to_owned(),
        Some(Expiry::Deadline) => "no answer in time".to_owned(),
        None => code.text(),
    };
    let detail = if complaints.is_empty() || is_unverifiable { what } else { format!("{what} ({complaints})") };
    let detail = if may_be_file(&config.url, code) {
        format!("{detail}; a file of this name is written ./{}", config.url)
    } else {
        detail
    };
    let text = redact_failure(&config.url, &detail, &config.secrets);
    let mut error = Error::new(status, text).in_phase(phase).retryable(retryable);
    error.av_code = code.0;
    error.protocol_status = answered;
    error
}

/// Finds out what libav only logs, where its log goes to another library's callback.
pub(super) fn explain_unheard(mut error: Error, config: &Config, nested: &Nested, watch: &Watch) -> Error {
    check_log();
    let unverified = [("tls_verify", "0".to_owned())];
    let is_untrusted = error.status == Status::IoError
        && config.tls_verify
        && tls_address(&config.url).is_some_and(|address| {
            !can_shake_hands(&address, &nested.options, watch) && can_shake_hands(&address, &unverified, watch)
        });
    if is_untrusted {
        (error.status, error.phase) = (Status::Untrusted, Phase::Connect);
        error.message.push_str(" (the certificate is not trusted)");
    } else {
        error.message.push_str(" (libav's own reasons went to another library's log callback)");
    }
    error
}

/// Whether what libavformat takes for a scheme may be the beginning of a file's name, as in `2024-01-01T12:00:00.mp4`.
fn may_be_file(url: &str, code: AvError) -> bool {
    let names_scheme = !scheme(url).is_empty() && !url.contains("://") && !url.starts_with("file:");
    names_scheme && (code == AvError::NO_PROTOCOL || Path::new(url).exists())
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
