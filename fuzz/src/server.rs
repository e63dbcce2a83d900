//! Servers that answer anything. Each request, whatever it asks for, is answered with the next piece of the input; in
//! it, `{cseq}` stands for the number of the request and `{port}` for the server's port.

use super::choices::Choices;
use super::listener::{Listener, Peer};
use super::log::Log;
use super::reading::{check_refusal, configure, in_time, read_to_the_end};
use mpegclient::Client;
use std::collections::VecDeque;
use std::sync::Mutex;

/// What lies between two answers.
const SEPARATOR: &[u8] = b"\n%%\n";

/// What no message may show; also as an `Authorization` header has it, behind `fuzz:`.
const PASSWORD: &str = "S3cr3t-0f-s3rv3r";
const ENCODED: &str = "ZnV6ejpTM2NyM3QtMGYtczNydjNy";

/// What is asked for: the engine, if it is RTSP, and the URL's beginning and end.
const TARGETS: [(&str, &str, &str); 10] = [
    ("native", "rtsp", "video"),
    ("libav", "rtsp", "video"),
    ("auto", "rtsp", "video"),
    ("native", "rtsp", "video?x=1"),
    ("auto", "http", "live"),
    ("auto", "http", "live.ts"),
    ("auto", "http", "live.m3u8"),
    ("auto", "http", "live.mjpg"),
    ("auto", "http", "live.flv"),
    ("auto", "http", "live.sdp"),
];

pub fn run(input: &[u8]) {
    let log = Log::begin();
    let mut choices = Choices::new(input);
    let (engine, scheme, path) = choices.pick(&TARGETS);
    let flags = choices.byte();
    let client = Client::new();
    configure(&client, &mut choices);
    for (key, value) in [
        ("rtsp_engine", engine),
        ("transport", if flags & 1 == 0 { "tcp" } else { "auto" }),
        ("setup_timeout", "300"),
        ("stall_timeout", "150"),
        ("first_frame_timeout", "200"),
        ("reconnect", if flags & 2 == 0 { "off" } else { "on" }),
        ("reconnect_delay_min", "1"),
        ("reconnect_delay_max", "1"),
        ("reconnect_max_attempts", "1"),
    ] {
        client.set_parameter(key, value).expect("a value within its range");
    }
    let script = Script { answers: Mutex::new(split(choices.rest())), holds: flags & 12 == 12 };
    let server = Listener::serve(move |peer| script.serve(peer));
    let url = format!("{scheme}://fuzz:{PASSWORD}@127.0.0.1:{}/{path}", server.port());
    let timeout_ms = if flags & 0x70 == 0x70 { 0 } else { -1 };
    match in_time("setup", || client.setup(Some(&url), timeout_ms, None)) {
        Ok(()) => read_to_the_end(&client, flags >> 4),
        Err(error) => {
            check_refusal(&client, &error);
            log.note(&error.to_string());
        }
    }
    log.note(&client.describe());
    client.last_failure().iter().for_each(|failure| log.note(&failure.error.to_string()));
    in_time("the end of a client", || drop(client));
    drop(server);
    log.check(&[PASSWORD, ENCODED]);
}

fn split(mut rest: &[u8]) -> VecDeque<Vec<u8>> {
    let mut answers = VecDeque::new();
    while let Some(at) = rest.windows(SEPARATOR.len()).position(|bytes| bytes == SEPARATOR) {
        answers.push_back(rest[..at].to_vec());
        rest = &rest[at + SEPARATOR.len()..];
    }
    answers.push_back(rest.to_vec());
    answers
}

struct Script {
    answers: Mutex<VecDeque<Vec<u8>>>,
    /// Whether the connection stays open once there is nothing more to say.
    holds: bool,
}

impl Script {
    fn serve(&self, mut peer: Peer) {
        while let Some(request) = peer.request() {
            let (answer, is_last) = self.next_answer();
            let number = request.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap_or("1");
            let answer = replace(&answer, b"{cseq}", number.trim().as_bytes());
            if !peer.send(&replace(&answer, b"{port}", peer.port.to_string().as_bytes())) {
                return;
            }
            if is_last && !self.holds {
                return peer.finish();
            }
        }
    }

    /// What is said next, and whether nothing is after it.
    fn next_answer(&self) -> (Vec<u8>, bool) {
        let mut answers = self.answers.lock().expect("a server panicked");
        (answers.pop_front().unwrap_or_default(), answers.is_empty())
    }
}

fn replace(text: &[u8], what: &[u8], by: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(what.len()).position(|bytes| bytes == what) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(by);
        rest = &rest[at + what.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}
