//! What of any text must not be shown: addresses in it, and values that follow the name of a secret.

use super::url::{hidden_parts, is_certain_host, is_path, split_port, starts_with_any_scheme};
use super::words::{SCHEMES, SECRET_LABELS, holds, is_secret_name};
use crate::sync::process::Lazy;
use regex_lite::Regex;
use std::ops::Range;

/// `name=value`, where quotes may stand around both; `=` may be percent-encoded.
static PAIR: Lazy<Option<Regex>> =
    Lazy::new(|| Regex::new(r#"([A-Za-z][A-Za-z0-9_.\-]*)["']?[ \t]*(?:=|%3[dD])[ \t]*"#).ok());

/// `name: value` and `"name": value`.
static LABEL: Lazy<Option<Regex>> =
    Lazy::new(|| Regex::new(r#"(["']?)([A-Za-z][A-Za-z0-9_\-]*)["']?[ \t]*:[ \t]*"#).ok());

/// Authorization and cookies of RTSP and HTTP, with the rest of the line.
static HEADER: Lazy<Option<Regex>> = Lazy::new(|| {
    Regex::new(r"(?i)\b(?:(?:proxy-)?authorization|(?:set-)?cookie2?|x-[a-z0-9-]*(?:key|token|auth|secret)[a-z0-9-]*)[ \t]*:[ \t]*([^\r\n]+)").ok()
});

/// The credentials of an authorization without the header's name, and JSON web tokens.
static CREDENTIAL: Lazy<Option<Regex>> = Lazy::new(|| {
    Regex::new(r"\b(?:(?i:basic|bearer|digest|negotiate)[ \t]+([A-Za-z0-9+/=._~\-]*[A-Z0-9=+/][A-Za-z0-9+/=._~\-]*)|(eyJ[A-Za-z0-9_\-]+\.[A-Za-z0-9_.\-]+))").ok()
});

/// Private keys in PEM.
static PEM: Lazy<Option<Regex>> =
    Lazy::new(|| Regex::new(r"-----BEGIN [A-Z ]*PRIVATE KEY-----([\s\S]*?)(?:-----END|$)").ok());

/// The values in a text that must not be shown because of what stands before them; `None` if that cannot be found out.
fn hidden_values(text: &str) -> Option<Vec<Range<usize>>> {
    let mut hidden = Vec::new();
    for pattern in [&HEADER, &CREDENTIAL, &PEM] {
        let found = pattern.as_ref()?.captures_iter(text);
        hidden.extend(found.filter_map(|found| found.get(1).or(found.get(2))).map(|value| value.range()));
    }
    for found in PAIR.as_ref()?.captures_iter(text) {
        if found.get(1).is_some_and(|name| is_secret_name(name.as_str())) {
            hidden.extend(found.get(0).map(|all| value(text, all.end(), &['&'])));
        }
    }
    for found in LABEL.as_ref()?.captures_iter(text) {
        let (Some(all), Some(quote), Some(name)) = (found.get(0), found.get(1), found.get(2)) else { continue };
        if is_label(name.as_str(), !quote.is_empty()) {
            hidden.push(value(text, all.end(), &[',', '&', '}']));
        }
    }
    Some(hidden)
}

/// The parts of a text that must not be shown; `None` if that cannot be found out.
pub(super) fn hidden_parts_of_text(text: &str) -> Option<Vec<Range<usize>>> {
    let addresses = addresses(text);
    // Of what lies within an address, less is shown than the names of secrets alone would hide.
    let is_outside = |value: &Range<usize>| !addresses.iter().any(|address| address.contains(&value.start));
    let values = hidden_values(text)?.into_iter().filter(is_outside).collect::<Vec<_>>();
    let parts = |address: Range<usize>| {
        let moved = move |part: Range<usize>| address.start + part.start..address.start + part.end;
        hidden_parts(&text[address.clone()]).into_iter().map(moved)
    };
    Some(addresses.iter().cloned().flat_map(parts).chain(values).collect())
}

/// Whether a name that a colon follows is that of a secret; any of them is where it stands in quotes, as in JSON.
fn is_label(name: &str, is_quoted: bool) -> bool {
    let small = name.to_ascii_lowercase();
    let last = small.rsplit(['_', '-']).next().unwrap_or_default();
    if is_quoted { is_secret_name(name) } else { holds(SECRET_LABELS, last) }
}

/// The value that begins here: what stands in quotes, else all up to a space or one of the ends.
fn value(text: &str, begin: usize, ends: &[char]) -> Range<usize> {
    let rest = &text[begin..];
    let rest = rest.trim_end_matches(['\r', '\n']);
    if let Some(quote) = rest.chars().next().filter(|first| "\"'".contains(*first)) {
        return begin + 1..begin + 1 + quoted_len(&rest[1..], quote);
    }
    let end = rest.find(|c: char| c.is_whitespace() || "\"'<>".contains(c) || ends.contains(&c)).unwrap_or(rest.len());
    begin..without_punctuation(text, begin..begin + end)
}

/// The length of a text up to the quote that ends it.
fn quoted_len(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        if c == quote && !is_escaped {
            return at;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    text.len()
}

/// The end of a range without the punctuation mark of the sentence that it stands in.
fn without_punctuation(text: &str, range: Range<usize>) -> usize {
    let is_followed = text[range.end..].chars().next().is_none_or(char::is_whitespace);
    let last = text[range.clone()].chars().next_back().filter(|last| is_followed && ":,;.)".contains(*last));
    range.end - last.map_or(0, char::len_utf8)
}

/// The addresses in a text.
fn addresses(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (slashes, _) in text.match_indices("://") {
        let begin = scheme_begin(text, slashes);
        if begin < slashes && found.last().is_none_or(|last| last.end <= begin) {
            let end = address_end(text, slashes + 3);
            found.push(begin..without_punctuation(text, begin..end));
        }
    }
    let is_new = |at: &usize| !found.iter().any(|address| address.contains(at));
    let logins = text.match_indices('@').map(|(at, _)| at).filter(is_new);
    let logins: Vec<_> = logins.filter_map(|at| login(text, at)).collect();
    found.extend(logins);
    found
}

fn scheme_begin(text: &str, end: usize) -> usize {
    text[..end]
        .rfind(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8))
}

/// Where the run of characters ends that an address may hold without being encoded.
fn run_end(text: &str, from: usize) -> usize {
    let run = &text[from..];
    let run = &run[..run.find(|c: char| c.is_whitespace() || "\"'<>`".contains(c)).unwrap_or(run.len())];
    // The next one in a list, as after `concat:`.
    let starts = |at: &usize| starts_with_any_scheme(&run[at + 1..]);
    from + run.match_indices('|').map(|(at, _)| at).find(starts).unwrap_or(run.len())
}

/// Where an address ends whose scheme and slashes end here. A password may hold spaces and quotes, too.
fn address_end(text: &str, from: usize) -> usize {
    let end = run_end(text, from);
    let line = &text[from..from + text[from..].find(['\r', '\n']).unwrap_or(text.len() - from)];
    let next = line.find("://").unwrap_or(line.len());
    let authority = &text[from..from + text[from..end].find(['/', '?', '#']).unwrap_or(end - from)];
    let (user, password) = split_port(authority);
    let is_port = password.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let beyond =
        line[..next].rfind('@').filter(|at| from + at > end && !line[at + 1..].starts_with(char::is_whitespace));
    // A port may be the beginning of a password, too; then its other half is the next word.
    let is_next_word = |at: usize| !text[end + 1..from + at].contains(char::is_whitespace);
    let may_be_password = |at: &usize| !is_port || (password.is_some() && !is_certain_host(user) && is_next_word(*at));
    match beyond.filter(|_| !authority.contains('@')).filter(may_be_password) {
        Some(at) => run_end(text, from + at),
        None => end,
    }
}

/// The address without slashes whose user and password this `@` ends, such as `user:password@host`.
fn login(text: &str, at: usize) -> Option<Range<usize>> {
    let is_host = |c: char| c.is_alphanumeric() || c == '[';
    text[at + 1..].chars().next().filter(|next| is_host(*next))?;
    let is_end = |c: char| c.is_whitespace() || "\"'<>`".contains(c);
    let begin = text[..at].rfind(is_end).map_or(0, |end| end + text[end..].chars().next().map_or(1, char::len_utf8));
    let run = &text[begin..at];
    let begin = begin + run.find(|c: char| !"([{,;=".contains(c)).unwrap_or(0);
    let run = &text[begin..at];
    let colon = run.find(':')?;
    let is_scheme = holds(SCHEMES, &run[..colon].to_ascii_lowercase());
    // With slashes it has been found already.
    let has_slashes = run.contains("://");
    let is_file = is_path(run) || run.starts_with("file:");
    let is_mail = is_scheme && run[colon + 1..].is_empty();
    (!has_slashes && !is_mail && !is_file).then(|| begin..run_end(text, at))
}
