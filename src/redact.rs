//! Takes credentials out of text before anybody sees it.

use regex_lite::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// What stands in the text instead of a secret.
const HIDDEN: &str = "***";

/// A shorter secret is no secret, and to hide it wherever it stands would hide the text.
const SHORTEST: usize = 3;

/// Places that are looked at where user name and password of a URL may end.
const MAX_ENDS: usize = 16;

// Of each pattern, the first group is what must not be shown.

/// `scheme://anything@`: everything up to the last `@` before white space or a quote, because a password that was not
/// encoded may itself hold `@`, `/`, `#` or `:`.
static USERINFO: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"://([^\s"'<>]*)@"#).ok());

/// `key=value` as in queries and option lists, where the key ends in a word for a secret; `=` may be percent-encoded.
static KEY_VALUE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)(?:user(?:name)?|pass(?:word|wd|phrase)?|pwd|token|auth|secret|key|signature|sig|credential)[ \t]*(?:=|%3d)[ \t]*([^\s&"'<>]+)"#,
    )
    .ok()
});

/// RTSP and HTTP authorization lines, whatever the scheme.
static HEADER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b(?:proxy-)?authorization\s*:\s*([^\r\n]+)").ok());

/// The text with user names, passwords, tokens and the like replaced by `***`.
pub fn redact(text: &str) -> String {
    redact_with(text, &[])
}

/// [`redact`], and in addition every occurrence of the given secrets, as they are and percent-encoded.
pub fn redact_with(text: &str, secrets: &[String]) -> String {
    // All are looked for in the text as it came: what one of them hides may be the beginning of another.
    let mut hidden = Vec::new();
    for pattern in [&USERINFO, &KEY_VALUE, &HEADER] {
        // A pattern that does not compile is caught by the tests; to say nothing is then the safe answer.
        let Some(pattern) = pattern.as_ref() else { return HIDDEN.to_owned() };
        hidden.extend(pattern.captures_iter(text).filter_map(|found| found.get(1)).map(|value| value.range()));
    }
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST) {
        for form in [secret.clone(), percent_encode(secret)] {
            hidden.extend(text.match_indices(&form).map(|(at, _)| at..at + form.len()));
        }
    }
    hide(text, hidden)
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

/// User name and password of a URL, as they stand there and decoded. Slashes may be missing: libavformat connects all the
/// same.
pub fn secrets_of(url: &str) -> Vec<String> {
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
                // Whether a colon between them is hidden too tells nothing but that there may be a space.
                redact_with(&text, &secrets).replace("***:***", "***")
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

    #[test]
    fn secrets_vanish_and_the_rest_stays() {
        for (text, secret, kept) in [
            ("open rtsp://admin:s3cret@cam:554/1 failed", "s3cret", "cam:554/1 failed"),
            ("rtsp://admin:p@ss/w#rd@cam/1", "p@ss", "cam/1"),
            ("http://cam/v?user=bob&password=s3cret&x=1", "s3cret", "&x=1"),
            ("srt://cam:9000?passphrase=0123456789abc&mode=caller", "0123456789abc", "mode=caller"),
            ("http://cam/v?token%3Ds3cret&x=1", "s3cret", "x=1"),
            ("Authorization: Digest username=\"bob\", response=\"s3cret\"", "s3cret", "Authorization"),
            ("PASSWORD = s3cret", "s3cret", "PASSWORD"),
            ("http://cam/v?access_token=s3cret&x=1", "s3cret", "&x=1"),
            ("http://cam/v?next=%2Fv%3Ftoken%3Ds3cret", "s3cret", "next"),
            ("http://cam/v?token=a,s3cret;s3cret&x=1", "s3cret", "&x=1"),
            ("X-Amz-Security-Token=s3cret", "s3cret", "X-Amz"),
        ] {
            let shown = redact(text);
            assert!(!shown.contains(secret), "{shown}");
            assert!(shown.contains(kept), "{shown}");
        }
    }

    #[test]
    fn text_without_secrets_is_untouched() {
        for text in ["", "Connection refused", "width is -1, expected 0 to 16384", "rtsp://cam:554/video", "user@host"]
        {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn the_secrets_of_a_url_are_found() {
        assert_eq!(secrets_of("rtsp://bob:p%40ss@cam/1"), ["bob", "bob", "p%40ss", "p@ss"]);
        assert_eq!(secrets_of("rtsp://bob:p@s%s@cam/1")[3], "p@s%s");
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
