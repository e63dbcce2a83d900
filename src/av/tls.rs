//! Which TLS connections of libavformat can be verified.
//!
//! The options for verification reach a connection only by the dictionary of the call that opens it. Most demuxers pass
//! that on to `io_open`, where [`super::Input`] puts them in. Others open connections by themselves (DASH before FFmpeg 7,
//! concat lists, RTSP through HTTPS), and some protocols open others without any option (`concat:`, `rtmpts:`, `gophers:`).
//! So the context's own list of protocols names no TLS, which stops all of them, and only `io_open` has the full one. Demuxers
//! that do not even ask for a list (image sequences) are kept from addresses over TLS.

use super::ffi;
use std::ffi::CStr;

/// The protocols of TLS itself. All others that use it, such as `https`, open one of these.
const TLS: [&str; 2] = ["tls", "dtls"];

/// Protocols that pass their options on to the TLS connections that they open.
const PASSES_OPTIONS: [&str; 4] = ["http", "https", "rtmps", "tls"];

/// The first libavformat whose OpenSSL backend compares the certificate with the host's name and its address.
const OPENSSL_CHECKS_HOST: u32 = 63;

/// A list of protocols without those of TLS.
pub(crate) fn without_tls(protocols: &str) -> String {
    protocols.split(',').filter(|protocol| !TLS.contains(protocol)).collect::<Vec<_>>().join(",")
}

/// Whether what is opened under this address verifies its TLS connections, given the options for it.
pub(super) fn is_verified(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once(':') else { return false };
    match scheme {
        // `crypto:https://host` and `crypto+https://host` both open the rest with the options they were given.
        "crypto" => is_verified(rest),
        _ if scheme.starts_with("crypto+") => is_verified(&url["crypto+".len()..]),
        // Its query sets options, too, and has the last word.
        "tls" => !["verify", "cafile", "ca_file"].iter().any(|option| rest.contains(option)),
        _ => PASSES_OPTIONS.contains(&scheme),
    }
}

/// Whether an address names a protocol over TLS, be it inside of another's.
pub(crate) fn names_tls(url: &str) -> bool {
    let url = url.to_ascii_lowercase();
    ["https:", "tls:", "rtmps:", "rtmpts:", "gophers:"].iter().any(|scheme| url.contains(scheme))
}

/// Whether the TLS library of this FFmpeg compares certificates with the host that was asked for.
pub(crate) fn checks_host_names() -> bool {
    // SAFETY: it takes nothing and returns a number.
    let libavformat = unsafe { ffi::avformat_version() } >> 16;
    checks_hosts(&configuration(), libavformat)
}

fn checks_hosts(configuration: &str, libavformat: u32) -> bool {
    // librtmp has a TLS of its own, which verifies nothing.
    let is_capable = library_in(configuration) != "OpenSSL" || libavformat >= OPENSSL_CHECKS_HOST;
    is_capable && !configuration.contains("--enable-librtmp")
}

/// Whether FFmpeg finds the certificates that the system trusts by itself. It does with GnuTLS alone.
pub(crate) fn finds_system_certificates() -> bool {
    library() == "GnuTLS"
}

/// Which library FFmpeg was configured to do TLS with.
pub(crate) fn library() -> &'static str {
    library_in(&configuration())
}

fn configuration() -> String {
    // SAFETY: it takes nothing and returns a string that lives as long as the library.
    unsafe { CStr::from_ptr(ffi::avformat_configuration()) }.to_string_lossy().into_owned()
}

fn library_in(configuration: &str) -> &'static str {
    let known = [("gnutls", "GnuTLS"), ("openssl", "OpenSSL"), ("mbedtls", "Mbed TLS"), ("libtls", "LibreSSL")];
    let chosen = known.iter().find(|(option, _)| configuration.contains(&format!("--enable-{option}")));
    chosen.map_or("none", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_protocols_that_pass_their_options_on_are_verified() {
        for url in ["https://h/", "http://h/", "tls://h:1", "rtmps://h/a", "crypto:https://h/", "crypto+https://h/"] {
            assert!(is_verified(url), "{url}");
        }
        for url in [
            "concat:https://h/|https://h/",
            "crypto:concat:https://h/",
            "crypto+concat:https://h/",
            "concatf:list",
            "rtmpts://h/a",
            "gophers://h/",
            "hls+https://h/",
            "ipfs:x",
            "cache:https://h/",
            "tls://h:1?verify=0",
            "tls://h:1?tls_verify=0",
            "tls://h:1?verifyhost=other",
            "tls://h:1?cafile=mine.pem",
            "/a/path",
            "",
        ] {
            assert!(!is_verified(url), "{url}");
        }
    }

    #[test]
    fn a_list_without_tls_has_the_rest() {
        assert_eq!(without_tls("http,https,tls,tcp,dtls"), "http,https,tcp");
        assert_eq!(without_tls("tls"), "");
    }

    #[test]
    fn openssl_is_trusted_from_the_version_that_checks_hosts() {
        assert!(!checks_hosts("--enable-gpl --enable-openssl", 62));
        assert!(checks_hosts("--enable-gpl --enable-openssl", 63));
        assert!(checks_hosts("--enable-gnutls", 59) && checks_hosts("--enable-mbedtls", 59));
        assert!(!checks_hosts("--enable-gnutls --enable-librtmp", 60));
    }
}
