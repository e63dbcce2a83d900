//! What libavformat is told for a source and for all that it leads to.

use crate::av::{
    Demuxer, Dictionary, Nested, checks_host_names, finds_system_certificates, format_has_option, names_tls,
    without_tls,
};
use crate::config::Config;
use crate::error::{Error, Phase, Result, Status};
use crate::redact::redact_with;
use std::ffi::CString;
use std::path::Path;

/// Why a TLS connection is not made.
pub(super) const UNVERIFIABLE: &str = "it leads to a TLS connection that this FFmpeg opens without verifying the \
                                       certificate and the host's name; tls_verify = off connects without";

/// What libavformat is told unless the user says otherwise.
pub(super) fn own_options(config: &Config, scheme: &str) -> Dictionary {
    let mut options = Dictionary::new();
    // The frame rate is measured later; to wait for more frames to guess it would only delay the first picture.
    options.set("fpsprobesize", "0");
    // On a connection that HLS keeps for its next request, nothing tells one segment from the next.
    options.set("http_persistent", "0");
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

/// Keeps from libavformat what the libraries below it are not safe with: librist reads the process's standard input where
/// an address has a path.
pub(super) fn check_address(config: &Config, scheme: &str) -> Result<()> {
    let is_fine = |rest: &str| rest.starts_with("//") && !rest[2..].split('?').next().unwrap_or_default().contains('/');
    match config.url.split_once(':') {
        Some((_, rest)) if scheme == "rist" && !is_fine(rest) => {
            let url = redact_with(&config.url, &config.secrets);
            Err(Error::argument("url", url, "rist://host:port?options, without a path").in_phase(Phase::Connect))
        }
        _ => Ok(()),
    }
}

/// How the source and what it leads to make TLS connections. Adds what the source's own context needs to `own`.
pub(super) fn tls_options(config: &Config, scheme: &str, demuxer: Demuxer, own: &mut Dictionary) -> Result<Nested> {
    let whitelist = protocol_whitelist(config, scheme);
    if !config.tls_verify {
        // From version 9 on FFmpeg verifies unless it is set otherwise.
        let options = vec![("tls_verify", "0".to_owned())];
        if has_tls_options(scheme) {
            own.set("tls_verify", "0");
        }
        own.set("protocol_whitelist", &whitelist);
        return Ok(Nested { options, tls_whitelist: None });
    }
    let mut options = vec![("tls_verify", "1".to_owned())];
    options.extend(trusted_certificates(config).map(|file| ("ca_file", file)));
    if scheme != "rtsps" {
        if names_tls(&config.url) && demuxer.opens_by_itself(&config.url) {
            return Err(Error::new(Status::Unsupported, UNVERIFIABLE).in_phase(Phase::Connect));
        }
        own.set("protocol_whitelist", &without_tls(&whitelist));
        let tls_whitelist = CString::new(whitelist).ok().filter(|_| checks_host_names());
        return Ok(Nested { options, tls_whitelist });
    }
    if !has_tls_options(scheme) || !checks_host_names() {
        let text = "this FFmpeg cannot verify the certificate of an rtsps server; tls_verify = off connects without";
        return Err(Error::new(Status::Unsupported, text).in_phase(Phase::Connect));
    }
    options.iter().for_each(|(key, value)| own.set(key, value));
    own.set("protocol_whitelist", &whitelist);
    Ok(Nested { options, tls_whitelist: None })
}

/// Whether the demuxer for this scheme opens its TLS connection by itself, with options of its own.
fn has_tls_options(scheme: &str) -> bool {
    scheme == "rtsps" && format_has_option("rtsp", c"tls_verify")
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
