//! What of an address must not be shown: all but the scheme, host, port, path and those values of the query that are
//! known to be harmless. In the path, what is recognised as a secret is hidden, too.

use super::percent_decode;
use super::words::{
    SCHEMES, WRAPPERS, holds, is_harmless_pair, is_harmless_word, is_known_name, is_listed_name, is_listed_secret,
};
use std::net::IpAddr;
use std::ops::Range;

/// A shorter run of letters and digits is not taken for a token.
const SHORTEST_TOKEN: usize = 12;

/// Collects the hidden parts of one address.
struct Hidden<'a> {
    url: &'a str,
    ranges: Vec<Range<usize>>,
}

/// The parts of an address that must not be shown.
pub(super) fn hidden_parts(url: &str) -> Vec<Range<usize>> {
    let mut hidden = Hidden { url, ranges: Vec::new() };
    hidden.address(0..url.len());
    hidden.ranges
}

/// Whether a text begins as the address of a server does.
pub(super) fn is_network(text: &str) -> bool {
    scheme_len(text, |scheme| holds(SCHEMES, scheme) || holds(WRAPPERS, scheme)) > 0
        && !starts_with_scheme(text, "file")
}

/// The length of a scheme with its colon, 0 without one. `is_known` accepts schemes that no slashes follow.
fn scheme_len(text: &str, is_known: impl Fn(&str) -> bool) -> usize {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(text.len());
    let is_scheme = end > 1 && text[end..].starts_with(':');
    let is_certain = text[end..].starts_with("://") || is_known(&text[..end].to_ascii_lowercase());
    if is_scheme && is_certain { end + 1 } else { 0 }
}

/// Whether a text begins with one of the schemes and its slashes.
pub(super) fn starts_with_any_scheme(text: &str) -> bool {
    SCHEMES.split_whitespace().any(|scheme| starts_with_scheme(text, scheme))
}

fn starts_with_scheme(text: &str, scheme: &str) -> bool {
    let begin = text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    begin && text[scheme.len()..].starts_with("://")
}

impl Hidden<'_> {
    fn hide(&mut self, range: Range<usize>) {
        if !range.is_empty() && &self.url[range.clone()] != super::HIDDEN {
            self.ranges.push(range);
        }
    }

    fn text(&self, range: &Range<usize>) -> &str {
        &self.url[range.clone()]
    }

    /// An address, or several where a scheme such as `concat:` wraps them.
    fn address(&mut self, range: Range<usize>) {
        let text = &self.url[range.clone()];
        let wrapper = scheme_len(text, |scheme| holds(WRAPPERS, scheme));
        if wrapper > 0 && holds(WRAPPERS, &text[..wrapper - 1].to_ascii_lowercase()) {
            for part in parts(range.start + wrapper..range.end, self.url, &['|']) {
                self.address(part);
            }
            return;
        }
        let length = scheme_len(text, |scheme| scheme == "file" || holds(SCHEMES, scheme));
        let scheme = text[..length].trim_end_matches(':').to_ascii_lowercase();
        let slashes = text[length..].bytes().take(2).take_while(|byte| *byte == b'/').count();
        let rest = range.start + length + slashes..range.end;
        match scheme.as_str() {
            "" => self.path_or_login(range),
            "file" => {}
            // `rtsp://rtsp://user:password@host`: both are schemes.
            _ if starts_with_any_scheme(self.text(&rest)) => self.address(rest),
            _ => self.network(&scheme, rest),
        }
    }

    /// What has no scheme: a path, which is shown, or `user:password@host/path`.
    fn path_or_login(&mut self, range: Range<usize>) {
        let text = self.text(&range);
        if !is_path(text) && text.find(':').is_some_and(|colon| text[colon..].contains('@')) {
            self.network("", range);
        }
    }

    /// What follows `scheme://`.
    fn network(&mut self, scheme: &str, range: Range<usize>) {
        let login = userinfo_len(self.text(&range));
        self.hide(range.start..range.start + login);
        let after = range.start + login + usize::from(self.text(&range)[login..].starts_with('@'));
        let rest = self.text(&(after..range.end));
        let host_end = after + rest.find(|c: char| "/?#;".contains(c) || c.is_whitespace()).unwrap_or(rest.len());
        self.authority(after..host_end, login > 0);
        let rest = self.text(&(host_end..range.end));
        // Of libavformat's addresses, only RTMP's may have options behind a space.
        let end = host_end + rest.find(char::is_whitespace).unwrap_or(rest.len());
        self.hide(end..range.end);
        let rest = self.text(&(host_end..end));
        let query = host_end + rest.find(['?', '#']).unwrap_or(rest.len());
        self.path(scheme, host_end..query);
        let fragment = query + self.text(&(query..end)).find('#').unwrap_or(end - query);
        for part in parts((query + 1).min(fragment)..fragment, self.url, &['&', ';']) {
            self.pair(part);
        }
        self.hide((fragment + 1).min(end)..end);
    }

    /// Hides what is not a host and a port.
    fn authority(&mut self, range: Range<usize>, follows_login: bool) {
        let (host, port) = split_port(self.text(&range));
        let is_port = port.is_none_or(|port| port.bytes().all(|digit| digit.is_ascii_digit()));
        if is_host(host) && follows_login && !is_port {
            self.hide(range.start + host.len() + 1..range.end);
        } else if !is_host(host) || !is_port {
            // `user:password`, with no host after it.
            self.hide(range);
        }
    }

    fn path(&mut self, scheme: &str, range: Range<usize>) {
        // `http://192.0.2.1/user:password@x/video`
        let login_end = self.text(&range).rfind('@').map_or(range.start, |at| range.start + at + 1);
        self.hide(range.start + 1..(login_end.max(range.start + 2) - 1));
        let segments = parts(login_end..range.end, self.url, &['/']);
        let names: Vec<&str> = segments.iter().map(|segment| self.text(segment)).collect();
        let hidden = segments_hidden_by_place(scheme, &names);
        let follows_name = |at: usize| at > 0 && (is_listed_secret(names[at - 1]) || names[at - 1].ends_with('='));
        let is_hidden: Vec<bool> = (0..names.len()).map(|at| hidden.contains(&at) || follows_name(at)).collect();
        for (segment, is_hidden) in segments.into_iter().zip(is_hidden) {
            if is_hidden { self.hide(segment) } else { self.segment(segment) }
        }
    }

    fn segment(&mut self, range: Range<usize>) {
        for (at, piece) in parts(range, self.url, &[';', '&']).into_iter().enumerate() {
            match self.text(&piece) {
                text if text.contains('=') => self.pairs(piece),
                text if at == 0 => {
                    let plain = percent_decode(text);
                    let has_login = plain.split_once(':').is_some_and(|(_, after)| !is_clock(after));
                    if has_login || plain.contains(['=', '@', '?', '&']) || is_token(&plain) {
                        self.hide(piece);
                    }
                }
                _ => self.pair(piece),
            }
        }
    }

    /// `user=admin_password=x_channel=1` in a path.
    fn pairs(&mut self, range: Range<usize>) {
        let mut begins = begins_of_keys(self.text(&range));
        let first = begins.first().copied().unwrap_or(range.len());
        self.hide(range.start..range.start + first);
        begins.push(range.len() + 1);
        for pair in begins.windows(2) {
            self.pair(range.start + pair[0]..range.start + pair[1] - 1);
        }
    }

    /// One `key=value` or word of a query.
    fn pair(&mut self, range: Range<usize>) {
        let text = self.text(&range);
        let Some(equals) = text.find('=') else {
            if !is_harmless_word(text) {
                self.hide(range);
            }
            return;
        };
        let (key, value) = (percent_decode(&text[..equals]), &text[equals + 1..]);
        if is_harmless_pair(&key, value) {
            return;
        }
        let start = if is_known_name(&key) && !value.is_empty() { range.start + equals + 1 } else { range.start };
        self.hide(start..range.end);
    }
}

/// Where the keys begin of `key=value_key=value`. What is no known key belongs to the value before it.
fn begins_of_keys(text: &str) -> Vec<usize> {
    let mut from = 0;
    let mut begins = Vec::new();
    for (equals, _) in text.match_indices('=') {
        let separators = text[from..equals].match_indices(['_', ',', '|', '~']).map(|(at, _)| from + at + 1);
        let mut places = (from == 0).then_some(0).into_iter().chain(separators);
        begins.extend(places.find(|place| is_listed_name(&text[*place..equals])));
        from = equals + 1;
    }
    begins
}

/// The parts of a range between separators, without the empty ones.
fn parts(range: Range<usize>, url: &str, separators: &[char]) -> Vec<Range<usize>> {
    let mut start = range.start;
    let text = &url[range.clone()];
    let ends = text.match_indices(separators).map(|(at, _)| range.start + at).chain([range.end]);
    let all = ends.map(|end| std::mem::replace(&mut start, end + 1)..end);
    all.filter(|part| !part.is_empty()).collect()
}

/// How much of what follows `scheme://` is user name and password. A password that is not encoded may hold `@`, `/`, `?`
/// and `#`, so that the last `@` ends it, unless what comes before that can only be a host.
fn userinfo_len(text: &str) -> usize {
    let Some(last) = text.rfind('@') else { return 0 };
    let authority_end = text.find(['/', '?', '#']).unwrap_or(text.len());
    let authority = &text[..authority_end.min(last)];
    let (host, port) = split_port(authority);
    let is_port = port.is_some_and(|port| !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()));
    if authority_end > last || authority.contains('@') || !is_host(host) || (port.is_some() && !is_port) {
        return last;
    }
    let path_end = text.find(['?', '#']).unwrap_or(text.len());
    let is_in_query = !host.is_empty() && last > path_end && text[path_end..last].contains('=');
    match text[..path_end].rfind('@') {
        // Path and query hide themselves what they hold.
        _ if is_certain_host(host) || (port.is_none() && host.contains('.')) => 0,
        None if is_in_query && port.is_none() => 0,
        Some(at) if is_in_query && port.is_none() => at,
        _ => last,
    }
}

/// Whether a text without a scheme is a path by its beginning.
pub(super) fn is_path(text: &str) -> bool {
    text.starts_with(['/', '.']) && !text.starts_with("//")
}

/// Whether this cannot be a user name.
pub(super) fn is_certain_host(host: &str) -> bool {
    host.starts_with('[') || host == "localhost" || host.parse::<IpAddr>().is_ok()
}

/// Host and port of an authority.
pub(super) fn split_port(authority: &str) -> (&str, Option<&str>) {
    let end = if authority.starts_with('[') { authority.find(']').map_or(0, |end| end + 1) } else { 0 };
    match authority[end..].find(':') {
        Some(colon) => (&authority[..end + colon], Some(&authority[end + colon + 1..])),
        None => (authority, None),
    }
}

fn is_host(text: &str) -> bool {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match inner {
        Some(address) => address.chars().all(|c| c.is_ascii_alphanumeric() || ".:%-_".contains(c)),
        None => text.chars().all(|c| c.is_alphanumeric() || ".-_".contains(c)),
    }
}

/// Whether what follows a colon is that of a time of day, as in `2024-01-01T12:00:00.mp4`.
fn is_clock(text: &str) -> bool {
    let (digits, _) = text.split_once('.').unwrap_or((text, ""));
    digits.split(':').all(|part| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_digit()))
}

/// Folders that hold numbered streams, and no users.
const PLAIN_FOLDERS: &str = "cam dash hls live media streaming streams video";

/// The segments of a path that hold a secret because of where they stand.
fn segments_hidden_by_place(scheme: &str, segments: &[&str]) -> Range<usize> {
    let is_number = |text: &str| {
        let name = text.split_once('.').map_or(text, |(name, _)| name);
        name.len() > 1 && name.bytes().all(|digit| digit.is_ascii_digit())
    };
    // The stream key follows the name of the application.
    if scheme.starts_with("rtmp") {
        return 1.min(segments.len())..segments.len();
    }
    match segments {
        // IPTV servers: /live/user/password/number.ts, and the same without the first.
        [kind, _, _, number]
            if scheme.starts_with("http")
                && ["live", "movie", "series", "timeshift"].contains(kind)
                && is_number(number) =>
        {
            1..3
        }
        [user, _, number]
            if scheme.starts_with("http") && is_number(number) && !holds(PLAIN_FOLDERS, &user.to_ascii_lowercase()) =>
        {
            0..2
        }
        _ => 0..0,
    }
}

/// Whether a text looks as if it was drawn by lot: tokens, keys and signatures do.
pub(super) fn is_token(text: &str) -> bool {
    is_uuid(text) || text.split(|c: char| !c.is_ascii_alphanumeric()).any(is_random)
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let is_hex = text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    is_hex && lengths.starts_with(&[8, 4, 4, 4]) && lengths.get(4).is_some_and(|last| *last >= 12)
}

/// Whether a run of letters and digits changes between kinds of them more often than words do.
fn is_random(run: &str) -> bool {
    if run.len() < SHORTEST_TOKEN {
        return false;
    }
    let kind = |byte: &u8| match byte {
        b'0'..=b'9' => 0,
        b'A'..=b'Z' => 1,
        _ => 2,
    };
    let kinds: Vec<u8> = run.as_bytes().iter().map(kind).collect();
    // A capital letter begins a word.
    let changes = kinds.windows(2).filter(|pair| pair[0] != pair[1] && *pair != [1, 2]).count();
    let has = |kind: u8| kinds.contains(&kind);
    let is_hex = run.len() >= 16 && run.bytes().all(|byte| byte.is_ascii_hexdigit()) && has(0) && (has(1) || has(2));
    let is_long = run.len() >= 24 && (has(1) || has(2)) && (has(0) || has(1));
    is_hex || is_long || run.len() >= 32 || changes * 4 >= run.len()
}
