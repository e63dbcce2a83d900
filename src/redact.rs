//! Takes credentials out of text before anybody sees it.

mod text;
mod url;
mod words;

pub use words::is_harmless_option;

use std::ops::Range;

/// What stands in the text instead of a secret.
pub const HIDDEN: &str = "***";

/// A shorter secret is no secret, and to hide it wherever it stands would hide the text.
const SHORTEST: usize = 3;

/// A shorter part of a path may be a word of any message.
const SHORTEST_IN_PATH: usize = 8;

/// Places that are looked at where user name and password of a URL may end.
const MAX_ENDS: usize = 16;

/// The text with user names, passwords, tokens and the like replaced by `***`.
pub fn redact(text: &str) -> String {
    redact_with(text, &[])
}

/// [`redact`], and in addition every occurrence of the given secrets, as they are and percent-encoded.
pub fn redact_with(text: &str, secrets: &[String]) -> String {
    // All are looked for in the text as it came: what one of them hides may be the beginning of another.
    match text::hidden_parts_of_text(text) {
        Some(hidden) => hide(text, hidden.into_iter().chain(occurrences(text, secrets)).collect()),
        // A pattern that does not compile is caught by the tests; to show nothing is then the safe answer.
        None => HIDDEN.to_owned(),
    }
}

/// An address as it may be shown: all of the text is one, so that a password with spaces is found, too.
pub fn redact_address(url: &str, secrets: &[String]) -> String {
    if !url::is_network(url) && url::hidden_parts(url).is_empty() {
        return redact_with(url, secrets);
    }
    hide(url, url::hidden_parts(url).into_iter().chain(occurrences(url, secrets)).collect())
}

/// `address: detail`, where neither shows the secrets.
pub fn redact_failure(url: &str, detail: &str, secrets: &[String]) -> String {
    format!("{}: {}", redact_address(url, secrets), redact_with(detail, secrets))
}

/// Where the secrets stand in a text, as they are or percent-encoded.
fn occurrences(text: &str, secrets: &[String]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST) {
        let encoded = percent_encode(secret);
        let encoded_small = with_small_digits(&encoded);
        for form in [secret, &encoded, &encoded_small, &secret.replace(' ', "+")] {
            found.extend(text.match_indices(form.as_str()).map(|(at, _)| at..at + form.len()));
        }
    }
    found
}

/// The text with each of these ranges replaced, and what overlaps or touches replaced as one.
fn hide(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| range.start);
    let mut shown = String::with_capacity(text.len());
    let mut end = None;
    for range in ranges {
        if end.is_none_or(|end| range.start > end) {
            shown.push_str(&text[end.unwrap_or(0)..range.start]);
            shown.push_str(HIDDEN);
        }
        end = end.max(Some(range.end));
    }
    shown.push_str(&text[end.unwrap_or(0)..]);
    shown
}

/// The secrets that a URL holds, as they stand there and decoded.
pub fn secrets_of(url: &str) -> Vec<String> {
    let hidden = url::hidden_parts(url);
    let path_end = url.find('?').unwrap_or(url.len());
    let follows_scheme = |part: &Range<usize>| {
        let before = url[..part.start].trim_end_matches('/');
        before.is_empty() || before.ends_with(':')
    };
    let logins = if hidden.iter().any(follows_scheme) { logins_of(url) } else { Vec::new() };
    let parts = hidden.into_iter();
    let parts = parts.filter(|part| part.len() >= if part.end <= path_end { SHORTEST_IN_PATH } else { SHORTEST });
    let parts = parts.flat_map(|part| [url[part.clone()].to_owned(), percent_decode(&url[part])]);
    logins.into_iter().chain(parts).collect()
}

/// The secrets that an option of libav's may hold, which may be several headers or cookies.
pub fn secrets_of_option(value: &str) -> Vec<String> {
    let lines = value.lines().flat_map(|line| {
        let header_value = line.split_once(": ").map(|(_, value)| value.trim());
        let cookies = line.split(';').filter_map(|cookie| cookie.split_once('=')).map(|(_, value)| value.trim());
        let words = line.split_whitespace().filter(|word| word.len() >= SHORTEST_IN_PATH);
        [line].into_iter().chain(header_value).chain(cookies).chain(words).map(str::to_owned).collect::<Vec<_>>()
    });
    let is_secret = |text: &String| text.len() >= SHORTEST && !words::is_harmless_word(text);
    lines.chain(logins_of(value)).filter(is_secret).collect()
}

/// User name and password of a URL. Slashes may be missing: libavformat connects all the same.
fn logins_of(url: &str) -> Vec<String> {
    // A password that was not encoded may itself hold an @, and so may what follows the host: each may be their end.
    let ends = url.rmatch_indices('@').take(MAX_ENDS).map(|(end, _)| end);
    let first = url.find('@').filter(|_| url.matches('@').count() > MAX_ENDS);
    ends.chain(first).flat_map(|end| secrets_before(&url[..end])).collect()
}

/// The same of a URL's beginning, up to the `@` that ends them.
fn secrets_before(before: &str) -> Vec<String> {
    let is_scheme = |text: &str| text.len() > 1 && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let userinfo = match before.split_once(':') {
        // Of `bob:secret` nobody can tell whether bob is a scheme: with a second colon or a slash, it is.
        Some((scheme, rest)) if is_scheme(scheme) && (rest.starts_with('/') || rest.contains(':')) => rest,
        _ => before,
    };
    let (user, password) = userinfo.trim_start_matches('/').split_once(':').unwrap_or((userinfo, ""));
    [user, password].into_iter().flat_map(|part| [part.to_owned(), percent_decode(part)]).collect()
}

pub fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = text.get(at + 1..at + 3).filter(|_| *byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The same encoding with small hexadecimal digits.
fn with_small_digits(encoded: &str) -> String {
    let mut digits = 0;
    let small = |c: char| {
        digits = if c == '%' { 2 } else { i32::max(digits - 1, -1) };
        if digits >= 0 { c.to_ascii_lowercase() } else { c }
    };
    encoded.chars().map(small).collect()
}

/// Encodes everything but the unreserved characters of RFC 3986, section 2.3.
pub fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a password may be: with no letter of the text around it, nor of a word for secrets.
    const PASSWORD: &str = "[QVXZ0-9@:/?#&=+!$;,()~ %-]{3,12}";

    proptest! {
        /// The strongest thing to say of a redactor: what it shows is the same whatever the secrets are.
        #[test]
        fn nothing_that_is_shown_depends_on_the_secrets(
            (user, password, other) in ("[QVXZ0-9]{3,6}", PASSWORD, PASSWORD), begins_like_the_user in any::<bool>(),
        ) {
            let shown = |user: &str, password: &str| {
                let (raw, encoded) = (format!("{user}:{password}"), format!("{user}:{}", percent_encode(password)));
                let secrets = [user.to_owned(), password.to_owned()];
                let text = format!(
                    "open rtsp://{raw}@cam/v and rtsp://{encoded}@cam/v: server wants {password} not {} of {user}\n\
                     Authorization: Basic {password}\nv?password={} ends",
                    percent_encode(password),
                    percent_encode(password),
                );
                // Whether a colon between them is hidden too tells nothing but that there may be a space; a password such as
                // "/X" may also stand where the slashes are.
                redact_with(&text, &secrets).replace("***:***", "***").replace("rtsp:/***", "rtsp://***")
            };
            let password = if begins_like_the_user { format!("{user}{password}") } else { password };
            prop_assert_eq!(shown(&user, &password), shown("XXX", &other));
        }

        #[test]
        fn the_password_of_any_url_is_among_its_secrets(
            scheme in "(rtsp|http|srt|rtmp)", user in "[A-Z]{1,6}", password in "[A-Z0-9!$&'()*+,;=:%@ -]{3,12}",
            path in "(/[a-z0-9@:._-]{0,12}){0,3}", query in "(\\?[a-z]=[a-z0-9@]{0,9})?",
        ) {
            let text = |password: &str| format!("{scheme}://{user}:{password}@cam{path}{query}");
            for password in [password.clone(), percent_encode(&password)] {
                let secrets = secrets_of(&text(&password));
                prop_assert!(secrets.contains(&password), "{:?} of {}", secrets, text(&password));
                prop_assert!(secrets.contains(&percent_decode(&password)), "{:?}", secrets);
            }
        }

        /// The host and the path stay visible beside any password.
        #[test]
        fn of_an_address_host_and_path_are_shown_and_nothing_depends_on_the_secrets(
            user in "[QVXZ0-9]{1,6}", password in PASSWORD, value in "[QVXZ0-9:/?!$,()~%-]{3,12}",
            scheme in "(rtsp|http|srt|rtmp)", port in "(:[0-9]{2,5})?",
        ) {
            let address = |user: &str, password: &str, value: &str| {
                format!("{scheme}://{user}:{password}@cam.example.org{port}/live?token={value}&channel=1")
            };
            let shown = redact_address(&address(&user, &password, &value), &[]);
            prop_assert_eq!(&shown, &redact_address(&address("XXX", "XXXX", "XXXXX"), &[]).to_owned());
        }

        #[test]
        fn what_was_redacted_stays_as_it_is(text in any::<String>(), address in "[a-z]{2,5}:/{0,2}[a-z0-9:@/?&=;#. -]{0,40}") {
            let shown = redact(&format!("{text}{address}"));
            prop_assert_eq!(redact(&shown), shown.clone());
        }

        #[test]
        fn percent_encoding_is_undone_by_decoding(text in any::<String>()) {
            prop_assert_eq!(percent_decode(&percent_encode(&text)), text);
        }

        #[test]
        fn no_text_is_too_strange(text in any::<String>(), secrets in prop::collection::vec(any::<String>(), 0..4)) {
            redact_with(&text, &secrets);
            secrets_of(&text);
            percent_decode(&text);
        }
    }

    /// Addresses of cameras and servers with `S3CRET` for each secret, and what of them is to be seen. The words around an
    /// address are none of it.
    const ADDRESSES: &[(&str, &str)] = &[
        // User and password, whatever characters are in them.
        ("rtsp://S3CRET:S3CRET@cam:554/1", "rtsp://***@cam:554/1"),
        ("rtsp://S3CRET:p@S3CRET/w#r?d&S3CRET@cam:554/1", "rtsp://***@cam:554/1"),
        ("rtsp://admin:S3CRET/x@192.0.2.1:554/1", "rtsp://***@192.0.2.1:554/1"),
        ("rtsp://admin:S3CRET#x@192.0.2.1/1", "rtsp://***@192.0.2.1/1"),
        ("rtsp://admin:S3CRET?x=y@192.0.2.1/1", "rtsp://***@192.0.2.1/1"),
        ("rtsp://admin:12/S3CRET@cam/1", "rtsp://***@cam/1"),
        ("rtsp://admin::S3CRET:@cam/1", "rtsp://***@cam/1"),
        ("rtsp://admin:S3CRET@@cam/1", "rtsp://***@cam/1"),
        ("rtsp://admin%40home:S3CRET@cam/1", "rtsp://***@cam/1"),
        ("rtsp:S3CRET:S3CRET@cam/1", "rtsp:***@cam/1"),
        ("rtsp:/S3CRET:S3CRET@cam/1", "rtsp:/***@cam/1"),
        ("rtsp://rtsp://S3CRET:S3CRET@cam/1", "rtsp://rtsp://***@cam/1"),
        ("S3CRET:S3CRET@cam/1", "***@cam/1"),
        ("//S3CRET:S3CRET@cam/1", "***@cam/1"),
        ("rtsp://S3CRET@cam/1", "rtsp://***@cam/1"),
        ("https://S3CRET/S3CRET=@cam/1", "https://***@cam/1"),
        ("rtsp://admin:S3CRET", "rtsp://***"),
        ("rtsp://admin:S3CRET/1", "rtsp://***/1"),
        ("rtsp://S3CRET:S3CRET@", "rtsp://***@"),
        ("http://S3CRET:S3CRET@[2001:db8::1]:80/1", "http://***@[2001:db8::1]:80/1"),
        (
            "concat:http://S3CRET:S3CRET@a/1.ts|http://S3CRET:S3CRET@b/2.ts",
            "concat:http://***@a/1.ts|http://***@b/2.ts",
        ),
        ("ftp://S3CRET:S3CRET@nas/a.mp4", "ftp://***@nas/a.mp4"),
        // Cameras that take them in the query.
        (
            "rtsp://192.0.2.1/live?user=S3CRET&password=S3CRET&channel=1",
            "rtsp://192.0.2.1/live?user=***&password=***&channel=1",
        ),
        (
            "http://192.0.2.1/videostream.cgi?loginuse=S3CRET&loginpas=S3CRET",
            "192.0.2.1/videostream.cgi?loginuse=***&loginpas=***",
        ),
        (
            "http://192.0.2.1:88/cgi-bin/CGIStream.cgi?cmd=GetMJStream&usr=S3CRET&pwd=S3CRET",
            ":88/cgi-bin/CGIStream.cgi?",
        ),
        (
            "http://cam/flv?port=1935&app=bcs&stream=channel0_main.bcs&user=S3CRET&password=S3CRET",
            "stream=channel0_main.bcs&user=***",
        ),
        (
            "rtsp://cam/cam/realmonitor?channel=1&subtype=0&unicast=true&proto=Onvif&S3CRET",
            "channel=1&subtype=0&unicast=true&proto=Onvif",
        ),
        (
            "rtsp://cam/axis-media/media.amp?videocodec=h264&resolution=1280x720&session=S3CRET",
            "videocodec=h264&resolution=1280x720",
        ),
        ("http://cam/v?pw=S3CRET&psw=S3CRET&passw=S3CRET&passwort=S3CRET&pin=S3CRET", "http://cam/v?pw=***&psw=***"),
        (
            "http://cam/v?jwt=S3CRET&hmac=S3CRET&hdnts=S3CRET&sid=S3CRET&code=S3CRET&passcode=S3CRET",
            "http://cam/v?jwt=***",
        ),
        (
            "http://cam/v?login=S3CRET&usr=S3CRET&account=S3CRET&session=S3CRET&sessionid=S3CRET",
            "http://cam/v?login=***",
        ),
        ("http://cam/v?ticket=S3CRET&hash=S3CRET&md5=S3CRET&sign=S3CRET&signature=S3CRET", "http://cam/v?ticket=***"),
        ("http://cam/v?anything=S3CRET&x=1", "http://cam/v?***&x=1"),
        ("http://cam/v?S3CRET", "http://cam/v?***"),
        ("http://cam/v?S3CRET==", "http://cam/v?***"),
        ("http://cam/v?channel=S3CRET+S3CRET/x", "http://cam/v?channel=***"),
        ("http://cam/v?token%3DS3CRET&x=1", "http://cam/v?***&x=1"),
        ("http://cam/v?next=%2Fv%3Ftoken%3DS3CRET", "http://cam/v?***"),
        ("http://cam/v?x=1?token=S3CRET", "http://cam/v?x=***"),
        ("http://cam/v?token=a,S3CRET;S3CRET&x=1", "http://cam/v?token=***;***&x=1"),
        ("http://cam/v?mail=S3CRET@example.org", "http://cam/v?***"),
        ("http://cam/v#S3CRET", "http://cam/v#***"),
        ("http://cam/v?x=1#access_token=S3CRET", "http://cam/v?x=1#***"),
        ("http://cam/v;jsessionid=S3CRET?x=1", "http://cam/v;***?x=1"),
        // In the path.
        (
            "rtsp://cam:554/user=S3CRET_password=S3CRET_channel=1_stream=0.sdp",
            "rtsp://cam:554/user=***_password=***_channel=1_stream=0.sdp",
        ),
        (
            "rtsp://cam/user=S3CRET&password=S3CRET&channel=1&stream=0.sdp?real_stream",
            "password=***&channel=1&stream=0.sdp?real_stream",
        ),
        (
            "rtsp://cam/user=S3CRET_password=S3CRET_S3CRET=x_channel=1_stream=0.sdp?real_stream",
            "_channel=1_stream=0.sdp",
        ),
        ("rtsp://cam/user%3DS3CRET_password%3DS3CRET", "rtsp://cam/***"),
        ("rtsp://192.0.2.1:554/S3CRET:S3CRET@x/1", "rtsp://192.0.2.1:554/***@x/1"),
        ("rtsp://192.0.2.1:554/0/S3CRET:S3CRET/main", "rtsp://192.0.2.1:554/0/***/main"),
        ("rtmp://a.example.org/live/S3CRET", "rtmp://a.example.org/live/***"),
        ("rtmps://a.example.org:443/app/S3CRET/S3CRET?x=1", "rtmps://a.example.org:443/app/***/***?x=1"),
        ("rtmp://a.example.org/live/S3CRET playpath=S3CRET live=1", "rtmp://a.example.org/live/***"),
        ("http://tv.example.org:8080/live/S3CRET/S3CRET/123.ts", "http://tv.example.org:8080/live/***/***/123.ts"),
        ("http://tv.example.org/S3CRET/S3CRET/123", "http://tv.example.org/***/***/123"),
        ("https://cdn.example.org/token/S3CRET/v.m3u8", "https://cdn.example.org/token/***/v.m3u8"),
        ("https://cdn.example.org/hdntl=exp=1~acl=/S3CRET", "https://cdn.example.org/"),
        (
            "https://cdn.example.org/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiS3CRETI6IjEyMzQifQ.c2ln/v.m3u8",
            "https://cdn.example.org/***/v.m3u8",
        ),
        ("https://cdn.example.org/a/0f4e2dS3CRETc91b77aa03/v.m3u8", "https://cdn.example.org/a/***/v.m3u8"),
        ("rtsp://nvr:7447/5AbCdEfS3CRETMnO", "rtsp://nvr:7447/***"),
        ("https://cdn/v.m3u8?X-Amz-Credential=S3CRET&X-Amz-Signature=S3CRET", "X-Amz-Signature=***"),
        ("https://cdn/v.m3u8?Policy=S3CRET&Signature=S3CRET&Key-Pair-Id=S3CRET", "Key-Pair-Id=***"),
        ("https://a.blob.example.org/v.mp4?sv=2020-S3CRET&sig=S3CRET%3D&se=S3CRET", "&sig=***"),
        ("https://cdn/v.m3u8?wsSecret=S3CRET&wsTime=S3CRET", "wsSecret=***&wsTime=***"),
        ("https://cdn/v.m3u8?hdnea=st=1~exp=2~acl=/*~hmac=S3CRET", "hdnea=***"),
        ("srt://cam:9000?streamid=S3CRET&passphrase=S3CRET&mode=caller&latency=200000", "&mode=caller&latency=200000"),
        ("srt://cam:9000?streamid=#!::r=live/cam,u=S3CRET,m=request", "srt://cam:9000?"),
    ];

    #[test]
    fn of_an_address_the_secrets_are_hidden_and_the_rest_is_shown() {
        for (address, kept) in ADDRESSES {
            let shown = redact_address(address, &[]);
            assert!(!shown.contains("S3CRET"), "{shown}");
            assert!(shown.contains(kept), "{shown} of {address}");
            for text in [format!("cannot open '{address}' for reading"), format!("[http] {address}: refused")] {
                let shown = redact(&text);
                assert!(!shown.contains("S3CRET"), "{shown}");
                assert!(
                    shown.starts_with(&text[..5]) && (shown.contains("reading") || shown.contains("refused")),
                    "{shown}"
                );
            }
            assert_eq!(redact_address(&shown, &[]), shown);
        }
    }

    #[test]
    fn addresses_without_secrets_are_shown_as_they_are() {
        for address in [
            "rtsp://192.168.1.64:554/Streaming/Channels/101",
            "rtsp://192.168.1.108/cam/realmonitor?channel=1&subtype=0",
            "rtsp://cam/h264Preview_01_main",
            "rtsp://cam:88/videoMain",
            "rtsp://cam:8554/axis-media/media.amp?resolution=640x480&fps=25",
            "rtsp://cam/onvif1",
            "rtsp://cam/live/ch00_0",
            "rtsp://cam:554/media/video1",
            "rtsp://cam/av0_0",
            "rtsp://cam.local:8080/h264_ulaw.sdp",
            "http://cam/mjpg/video.mjpg",
            "http://cam/cgi-bin/mjpg/video.cgi?channel=0&subtype=1",
            "https://cdn.example.org/hls/news/1080p/index.m3u8",
            "https://cdn.example.org/2024-01-01T12:00:00.mp4",
            "rtmp://cam/live",
            "udp://@239.0.0.1:1234?pkt_size=1316&fifo_size=500000",
            "srt://:9000?mode=listener",
            "/recordings/2024/cam@home.mp4",
            "file:/recordings/a:b@c.mp4",
            "./2024-01-01T12:00:00.mp4",
            "clip with spaces.mp4",
            "concat:a.ts|b.ts",
            "",
        ] {
            assert_eq!(redact_address(address, &[]), address);
            let text = format!("could not open {address}: No such file");
            assert_eq!(redact(&text), text);
        }
    }

    #[test]
    fn in_texts_what_follows_the_name_of_a_secret_is_hidden() {
        for (text, expected) in [
            ("pwd=S3CRET: Connection refused", "pwd=***: Connection refused"),
            (
                "open rtsp://a:S3CRET@cam/v?pwd=S3CRET: Connection refused",
                "open rtsp://***@cam/v?pwd=***: Connection refused",
            ),
            (
                "Connection to tcp://192.0.2.1:80?timeout=5 failed: x",
                "Connection to tcp://192.0.2.1:80?timeout=5 failed: x",
            ),
            ("Authorization: Digest username=\"S3CRET\", response=\"S3CRET\"", "Authorization: ***"),
            ("authorization: S3CRET S3CRET\r\nx: 1", "authorization: ***\r\nx: 1"),
            ("Proxy-Authorization: Basic S3CRET", "Proxy-Authorization: ***"),
            ("Cookie: a=S3CRET; b=S3CRET\nnext", "Cookie: ***\nnext"),
            ("Set-Cookie: sid=S3CRET; path=/", "Set-Cookie: ***"),
            ("X-Api-Key: S3CRET", "X-Api-Key: ***"),
            ("X-Auth-Token: S3CRET", "X-Auth-Token: ***"),
            ("sent Bearer S3CRET to the server", "sent Bearer *** to the server"),
            ("sent Basic UzNDUkVUS3CRET== to it", "sent Basic *** to it"),
            ("Basic authentication is needed", "Basic authentication is needed"),
            ("got eyJhbGciS3CRET.eyJzdWS3CRETI.c2lnbmF0dXJl here", "got *** here"),
            (
                "{\"user\": \"S3CRET\", \"n\": 1, \"password\": \"S3\\\"S3CRET\"}",
                "{\"user\": \"***\", \"n\": 1, \"password\": \"***\"}",
            ),
            ("{'token': 'S3CRET', 'pin': S3CRET}", "{'token': '***', 'pin': ***}"),
            ("password: S3CRET, then", "password: ***, then"),
            ("PASSWORD = S3CRET", "PASSWORD = ***"),
            ("password='S3CRET S3CRET' x", "password='***' x"),
            ("token%3DS3CRET", "token%3D***"),
            ("X-Amz-Security-Token=S3CRET", "X-Amz-Security-Token=***"),
            ("srtp_in_params=S3CRET", "srtp_in_params=***"),
            ("username=S3CRET&password=S3CRET&stay=1", "username=***&password=***&stay=1"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nS3CRET\n-----END RSA PRIVATE KEY-----",
                "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----",
            ),
            ("rtsp:S3CRET:S3CRET@cam/1 failed", "rtsp:***@cam/1 failed"),
            ("(S3CRET:S3CRET@cam/1)", "(***@cam/1)"),
            ("rtsp://S3CRET:12 S3CRET@cam/1 failed", "rtsp://***@cam/1 failed"),
            ("tcp://192.0.2.1:80 bob@cam", "tcp://192.0.2.1:80 bob@cam"),
            ("rtsp://S3CRET:S3 S3CRET@cam/1 failed", "rtsp://***@cam/1 failed"),
            ("'rtsp://S3CRET:S3'S3CRET\"@cam/1' failed", "'rtsp://***@cam/1' failed"),
        ] {
            assert_eq!(redact(text), expected);
            assert_eq!(redact(expected), expected);
        }
    }

    #[test]
    fn text_without_secrets_is_untouched() {
        for text in [
            "",
            "Connection refused",
            "width is -1, expected 0 to 16384",
            "rtsp://cam:554/video",
            "user@host",
            "HTTP error 401 Unauthorized",
            "no connection within 100 ms, still connecting",
            "rtsp: method DESCRIBE failed: 404 Not Found",
            "the parameter tls_verify = off connects without",
            "frame=25 fps=25 q=1.0",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn the_secrets_of_a_url_are_found() {
        assert_eq!(logins_of("rtsp://bob:p%40ss@cam/1"), ["bob", "bob", "p%40ss", "p@ss"]);
        assert_eq!(logins_of("rtsp://bob:p@s%s@cam/1")[3], "p@s%s");
        for url in ["rtsp:bob:hunter@cam/1@2 3", &format!("rtsp://bob:hunter@cam/{}", "@".repeat(99))] {
            assert!(secrets_of(url).contains(&"hunter".to_owned()), "{url}");
        }
        assert!(
            secrets_of("rtsp://cam/1").is_empty() && secrets_of("clip.mp4").is_empty() && secrets_of("").is_empty()
        );
        assert_eq!(percent_decode("%"), "%");
        assert_eq!(percent_decode("%ä%4"), "%ä%4");
    }

    #[test]
    fn given_secrets_vanish_raw_and_encoded() {
        let secrets = vec!["p@ss w".to_owned(), String::new()];
        let shown = redact_with("tried p@ss w and p%40ss%20w", &secrets);
        assert_eq!(shown, "tried *** and ***");
        let secrets = vec!["admin".to_owned(), "admin123".to_owned()];
        assert_eq!(redact_with("admin123 of admin", &secrets), "*** of ***");
    }
}
