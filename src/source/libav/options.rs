//! What libavformat is told for a source and for all that it leads to.

use crate::av::{Dictionary, Nested, finds_system_certificates, format_has_option};
use crate::config::Config;
use crate::error::{Error, Phase, Result, Status};
use std::path::Path;

/// What libavformat is told unless the user says otherwise.
pub(super) fn own_options(config: &Config, scheme: &str) -> Dictionary {
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
pub(super) fn nested_options(config: &Config, scheme: &str) -> Result<Nested> {
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
