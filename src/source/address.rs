//! What a URL tells before it is opened.

use crate::redact::percent_encode;

/// Schemes of streams that go on for ever and cannot be paused, whatever else is known of them.
const LIVE_SCHEMES: &[&str] =
    &["rtsp", "rtsps", "rtp", "srtp", "udp", "tcp", "srt", "rtmp", "rtmps", "rtmpt", "rtmpe", "mms"];

/// The scheme in small letters; empty for a path.
pub(super) fn scheme(url: &str) -> String {
    let end = url.find(':').unwrap_or(0);
    let scheme = &url[..end];
    let is_scheme = scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    if is_scheme { scheme.to_ascii_lowercase() } else { String::new() }
}

/// The scheme of what libavformat's protocols around other protocols read from. Of several files, that of the first.
pub(super) fn innermost_scheme(url: &str) -> String {
    let scheme = scheme_of_protocol(url);
    let inner = match scheme.as_str() {
        // "subfile,,start,0,end,0,,:file.ts"
        "subfile" => url.split_once(",,:").map(|(_, inner)| inner),
        "cache" | "concat" | "async" | "crypto" => url.split_once(':').map(|(_, inner)| inner),
        _ => None,
    };
    inner.map_or(scheme, innermost_scheme)
}

/// The scheme without the options that may follow it in front of the colon.
fn scheme_of_protocol(url: &str) -> String {
    match url.split_once(",,") {
        Some((name, _)) if name == "subfile" => name.to_owned(),
        _ => scheme(url),
    }
}

/// Whether a stream of this scheme is live by its nature.
pub(super) fn is_live_scheme(scheme: &str) -> bool {
    LIVE_SCHEMES.contains(&scheme)
}

/// The host as it is written, an address of IPv6 in its brackets; `None` for a path.
pub(super) fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    let end = if address.starts_with('[') { address.find(']').map(|end| end + 1) } else { address.find(':') };
    Some(&address[..end.unwrap_or(address.len())])
}

/// Host and port of a server that is spoken to by TLS; `None` for other schemes.
pub(super) fn tls_address(url: &str) -> Option<String> {
    let default = match scheme(url).as_str() {
        "https" | "rtmps" | "tls" => "443",
        "rtsps" => "322",
        _ => return None,
    };
    let host = host(url)?;
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let port = authority.rsplit_once(host)?.1.strip_prefix(':').filter(|port| !port.is_empty());
    Some(format!("{host}:{}", port.unwrap_or(default)))
}

/// Whether two URLs lead to the same server: RFC 6454, section 5. What has no host is the same as nothing.
pub(super) fn is_same_origin(one: &str, other: &str) -> bool {
    origin(one).is_some_and(|origin_of_one| origin(other) == Some(origin_of_one))
}

/// Scheme, host and port.
fn origin(url: &str) -> Option<(String, String, u16)> {
    let (scheme, host) = (scheme(url), host(url)?.to_ascii_lowercase());
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    let default = match scheme.as_str() {
        "rtsp" => 554,
        "rtsps" => 322,
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let port = match address.get(host.len()..)? {
        "" => default,
        port => port.strip_prefix(':')?.parse().ok()?,
    };
    (!host.is_empty()).then_some((scheme, host, port))
}

/// Whether a URL holds a user name or a password.
pub(super) fn has_credentials(url: &str) -> bool {
    let authority = url.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    authority.is_some_and(|authority| authority.contains('@'))
}

/// The URL with user name and password in it, encoded, in place of those that it may hold.
pub(super) fn with_credentials(url: &str, username: &str, password: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    if username.is_empty() && password.is_empty() {
        return url.to_owned();
    }
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{}:{}@{host}{path}", percent_encode(username), percent_encode(password))
}

/// The URL with the zone of an IPv6 address as the system's functions read it: a URL writes `%25` for the `%` before it
/// (RFC 6874, section 2).
pub(super) fn with_plain_zone(url: &str) -> String {
    match host(url).filter(|host| host.starts_with('[')) {
        Some(host) => url.replacen(host, &host.replacen("%25", "%", 1), 1),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_told_from_paths() {
        for (url, expected) in [
            ("rtsp://cam/1", "rtsp"),
            ("RTSP://cam/1", "rtsp"),
            ("/tmp/a:b.mp4", ""),
            ("clip.mp4", ""),
            ("file:clip.mp4", "file"),
            ("C:/clip.mp4", ""),
            ("", ""),
            (":", ""),
            ("rtmp+x://h", "rtmp+x"),
        ] {
            assert_eq!(scheme(url), expected, "{url}");
        }
        assert!(is_live_scheme("srt") && !is_live_scheme("http") && !is_live_scheme(""));
    }

    #[test]
    fn the_scheme_is_that_of_what_is_read_in_the_end() {
        for (url, expected) in [
            ("rtsp://cam/1", "rtsp"),
            ("cache:http://h/live.ts", "http"),
            ("concat:udp://@:1|udp://@:2", "udp"),
            ("concat:a.ts|b.ts", ""),
            ("cache:concat:file:a.ts", "file"),
            ("subfile,,start,0,end,0,,:http://h/a.ts", "http"),
            ("subfile,,start,153,end,9,,:/tmp/a.ts", ""),
            ("clip.mp4", ""),
        ] {
            assert_eq!(innermost_scheme(url), expected, "{url}");
        }
    }

    #[test]
    fn the_host_is_what_stands_between_credentials_and_port() {
        for (url, expected) in [
            ("rtsp://cam:554/1", Some("cam")),
            ("rtsp://bob:p@ss@cam?x=a://b", Some("cam")),
            ("udp://@239.0.0.1:1234", Some("239.0.0.1")),
            ("srt://:9000?mode=listener", Some("")),
            ("http://[fe80::1%25eth0]:80/a:b", Some("[fe80::1%25eth0]")),
            ("http://[fe80", Some("[fe80")),
            ("clip.mp4", None),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }

    #[test]
    fn servers_of_tls_have_a_host_and_a_port() {
        for (url, expected) in [
            ("https://h/a", Some("h:443")),
            ("https://bob:pw@h:8443/a?b=:1", Some("h:8443")),
            ("rtsps://[::1]/live", Some("[::1]:322")),
            ("rtmps://[::1]:1/live", Some("[::1]:1")),
            ("http://h/a", None),
            ("clip.mp4", None),
        ] {
            assert_eq!(tls_address(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn origins_are_told_apart_by_scheme_host_and_port() {
        for (one, other, expected) in [
            ("rtsp://a:b@cam/1", "rtsp://CAM:554/2?x=1", true),
            ("rtsps://cam/1", "rtsps://c:d@cam:322", true),
            ("rtsp://cam/1", "rtsps://cam/1", false),
            ("rtsp://cam/1", "rtsp://cam:555/1", false),
            ("rtsp://cam/1", "rtsp://cam2/1", false),
            ("rtsp://cam/1", "rtsp://cam@evil/1", false),
            ("rtsp://cam/1", "rtsp://evil/@cam/1", false),
            ("rtsp://cam/1", "rtsp://evil?@cam/1", false),
            ("rtsp://[::1]/1", "rtsp://[::1]:554/1", true),
            ("rtsp://cam/1", "rtsp://cam:x/1", false),
            ("rtsp://cam/1", "", false),
            ("", "", false),
        ] {
            assert_eq!(is_same_origin(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn the_zone_of_an_address_follows_a_plain_percent_sign() {
        for (url, expected) in [
            ("http://[fe80::1%25eth0]:80/a%25b", "http://[fe80::1%eth0]:80/a%25b"),
            ("rtsp://bob:p%25w@[fe80::1%251]/", "rtsp://bob:p%25w@[fe80::1%1]/"),
            ("rtsp://[fe80::1%eth0]/", "rtsp://[fe80::1%eth0]/"),
            ("http://host/%25", "http://host/%25"),
            ("clip%25.mp4", "clip%25.mp4"),
        ] {
            assert_eq!(with_plain_zone(url), expected);
        }
    }

    #[test]
    fn credentials_are_encoded_and_replace_those_of_the_url() {
        for (url, expected) in [
            ("rtsp://cam:554/1", "rtsp://bob:p%40s%2Fs@cam:554/1"),
            ("rtsp://old:pw@cam/1?x=@", "rtsp://bob:p%40s%2Fs@cam/1?x=@"),
            ("rtsp://cam", "rtsp://bob:p%40s%2Fs@cam"),
            ("clip.mp4", "clip.mp4"),
        ] {
            assert_eq!(with_credentials(url, "bob", "p@s/s"), expected);
        }
        assert_eq!(with_credentials("rtsp://a:b@cam/1", "", ""), "rtsp://a:b@cam/1");
    }
}
