//! The table "State x call" of the header, cell by cell: each call is made in each state, which real sources bring about,
//! and its status and the state after it are compared with the cell.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    reason = "C functions; a scene owns its client, nobody else has it"
)]

mod support;

use mpegclient::capi::*;
use mpegclient::{State, Status};
use std::collections::BTreeSet;
use std::ffi::{CString, c_char};
use std::ptr::{null, null_mut};
use support::Server;
use support::state_table::{HEADER, absent, split_cell, state_named, table};

/// A C struct of zeros with its size in its first member, where all of them have it.
fn sized<T>() -> T {
    unsafe {
        let mut value: T = std::mem::zeroed();
        (&raw mut value).cast::<u32>().write(size_of::<T>() as u32);
        value
    }
}

#[test]
fn the_table_has_every_state_every_call_of_a_client_and_every_word_of_its_legend() {
    let rows = table();
    let calls: BTreeSet<String> = rows.iter().map(|row| format!("mpegclient_{}", row.call)).collect();
    let mut declared = BTreeSet::new();
    for declaration in HEADER.split(';') {
        if let Some((before, arguments)) = declaration.rsplit_once('(') {
            let name = before.rsplit([' ', '*', '\n']).next().unwrap_or_default();
            if arguments.contains("MpegClient *client") {
                declared.insert(name.to_owned());
            }
        }
    }
    // Freeing ends the table; setting from a number is setting from text.
    assert!(declared.remove("mpegclient_free") && declared.remove("mpegclient_set_parameter_int"));
    assert_eq!(calls, declared);
    for row in &rows {
        assert_eq!(row.cells.iter().map(|(state, _)| *state).collect::<Vec<_>>(), State::ALL, "{}", row.call);
    }

    let cells = rows.iter().flat_map(|row| &row.cells).map(|(_, cell)| split_cell(cell));
    let used = cells.flat_map(|(word, to)| [Some(word), to]).flatten();
    let used: BTreeSet<&str> = used.filter(|word| !State::ALL.iter().any(|state| state.name() == *word)).collect();
    let legend =
        HEADER.lines().skip_while(|line| !line.contains("State x call")).take_while(|line| !line.contains(" call   "));
    let explained: BTreeSet<&str> =
        legend.filter_map(|line| line.strip_prefix(" *   ")?.split_whitespace().next()).collect();
    assert_eq!(used, explained, "the words in the cells (left) are not those of the legend");
}

// ---- A client in a state ----

/// A client that was brought into a state, and the servers that keep it there.
struct Scene {
    client: *mut MpegClient,
    servers: Vec<Server>,
    is_live: bool,
}

impl Drop for Scene {
    fn drop(&mut self) {
        // Before the servers, so that they are still in the state the client knows.
        unsafe { mpegclient_free(self.client) };
    }
}

impl Scene {
    fn new(parameters: &[(&str, &str)]) -> Self {
        let scene = Self { client: mpegclient_new(), servers: Vec::new(), is_live: true };
        for (key, value) in parameters {
            scene.ok(unsafe { mpegclient_set_parameter(scene.client, c(key).as_ptr(), c(value).as_ptr()) });
        }
        scene
    }

    /// Sets up the stream of an RTSP server of its own, and starts it.
    fn live(mount: &str, parameters: &[(&str, &str)]) -> Self {
        let mut scene = Self::new(parameters);
        let server = Server::rtsp();
        scene.ok(scene.setup(&server.rtsp_url(mount), -1));
        scene.ok(unsafe { mpegclient_start(scene.client) });
        scene.servers.push(server);
        scene
    }

    /// A live stream whose first frame is there.
    fn running(parameters: &[(&str, &str)]) -> Self {
        let scene = Self::live("video", parameters);
        scene.ok(scene.wait(0, 20_000));
        scene
    }

    /// A file that is being read.
    fn file(name: &str, parameters: &[(&str, &str)]) -> Self {
        let mut scene = Self::new(parameters);
        scene.is_live = false;
        scene.ok(scene.setup(&support::clip(name).to_string_lossy(), -1));
        scene.ok(unsafe { mpegclient_start(scene.client) });
        scene.ok(scene.wait(0, 20_000));
        scene
    }

    /// Brings a client into a state.
    fn of(state: State) -> Self {
        let mut scene = match state {
            State::Idle => Self::new(&[]),
            State::Connecting => {
                let mut scene = Self::new(&[]);
                let server = Server::mute();
                scene.ok(scene.setup(&server.rtsp_url("video"), 0));
                scene.ok(unsafe { mpegclient_start(scene.client) });
                scene.servers.push(server);
                scene
            }
            State::Ready => {
                let mut scene = Self::new(&[]);
                let server = Server::rtsp();
                scene.ok(scene.setup(&server.rtsp_url("video"), -1));
                scene.servers.push(server);
                scene
            }
            State::WaitingKeyframe => Self::live("keyless", &[("first_frame_timeout", "60000")]),
            State::Running => Self::running(&[]),
            State::Stalled => Self::running(&[("stall_timeout", "8000")]),
            State::Reconnecting => Self::running(&[("reconnect_delay_max", "60000"), ("reconnect_delay_min", "60000")]),
            State::Stopped => Self::running(&[]),
            State::Ended => Self::file("short.mp4", &[("realtime", "off")]),
            State::Failed => Self::running(&[("reconnect", "off")]),
        };
        match state {
            State::Stalled => scene.servers[0].stop(),
            State::Reconnecting | State::Failed => scene.servers[0].kill(),
            State::Stopped => scene.ok(unsafe { mpegclient_terminate(scene.client) }),
            _ => {}
        }
        support::wait_until(state.text(), || scene.state() == state);
        scene
    }

    fn ok(&self, status: i32) {
        let text = unsafe { std::ffi::CStr::from_ptr(mpegclient_last_error()) };
        assert_eq!(status, Status::Ok.code(), "{text:?}");
    }

    fn state(&self) -> State {
        let mut state = -1;
        self.ok(unsafe { mpegclient_state(self.client, &mut state) });
        State::from_code(state).unwrap_or_else(|| panic!("state {state}"))
    }

    /// The oldest and the newest frame in the ring, 0 if there is none.
    fn frames(&self) -> (u64, u64) {
        let mut stats = sized::<MpegClientStats>();
        self.ok(unsafe { mpegclient_stats(self.client, &mut stats) });
        (stats.oldest_seq, stats.newest_seq)
    }

    fn setup(&self, url: &str, timeout_ms: i64) -> i32 {
        unsafe { mpegclient_setup(self.client, c(url).as_ptr(), timeout_ms, null()) }
    }

    fn wait(&self, after_seq: u64, timeout_ms: i64) -> i32 {
        unsafe { mpegclient_wait(self.client, after_seq, timeout_ms, null(), null_mut()) }
    }

    fn extract(&self, after_seq: u64) -> i32 {
        let mut options = sized::<MpegClientReadOptions>();
        (options.count, options.after_seq) = (1, after_seq);
        let mut batch = sized::<MpegClientBatch>();
        let mut buffer = vec![0; 320 * 240 * 3];
        let (buffer, size) = (buffer.as_mut_ptr(), buffer.len());
        unsafe { mpegclient_extract_frames(self.client, &options, buffer, size, null_mut(), 0, &mut batch) }
    }

    fn acquire(&self, after_seq: u64) -> i32 {
        let mut options = sized::<MpegClientReadOptions>();
        (options.count, options.after_seq) = (1, after_seq);
        let (mut lease, mut batch) = (null_mut(), sized::<MpegClientBatch>());
        unsafe {
            let status = mpegclient_acquire_frames(self.client, &options, &mut lease, null_mut(), 0, &mut batch);
            assert_eq!(lease.is_null(), status != Status::Ok.code(), "a lease comes with OK and not otherwise");
            mpegclient_lease_release(lease);
            status
        }
    }
}

fn c(text: &str) -> CString {
    CString::new(text).expect("a text with NUL")
}

// ---- The cells ----

/// Makes one call that does not depend on what is there.
fn call(scene: &Scene, name: &str) -> i32 {
    let client = scene.client;
    let mut buffer = vec![0 as c_char; 1 << 16];
    let (text, size) = (buffer.as_mut_ptr(), buffer.len());
    unsafe {
        match name {
            "set_parameter" => mpegclient_set_parameter(client, c"read_timeout".as_ptr(), c"3000".as_ptr()),
            "get_parameter" => mpegclient_get_parameter(client, c"url".as_ptr(), text, size, null_mut()),
            "setup" => scene.setup(&support::clip("video.mp4").to_string_lossy(), -1),
            "start" => mpegclient_start(client),
            "terminate" => mpegclient_terminate(client),
            "clear" => mpegclient_clear(client),
            "interrupt" => mpegclient_interrupt(client, 1),
            "state" => mpegclient_state(client, &mut 0),
            "stream_info" => mpegclient_stream_info(client, &mut sized::<MpegClientStreamInfo>()),
            "stats" => mpegclient_stats(client, &mut sized::<MpegClientStats>()),
            "client_error" => mpegclient_client_error(client, &mut sized::<MpegClientError>()),
            "describe" => mpegclient_describe(client, text, size, null_mut()),
            "next_event" => mpegclient_next_event(client, &mut sized::<MpegClientEvent>()),
            "event_fd" => mpegclient_event_fd(client, &mut 0),
            "event_arm" => mpegclient_event_arm(client, NEVER),
            _ => panic!("the table has a call that this test does not know: {name}"),
        }
    }
}

/// The newest number there can be: no frame ever comes after it.
const NEVER: u64 = u64::MAX;

/// Makes one call for what may be there and once more for what is not, and gives the status and what the cell's word
/// means for it. `None`: both OK and the failure would be true to the table.
fn read(scene: &Scene, name: &str, absent: Status) -> Vec<(i32, Option<Status>)> {
    let (oldest, newest) = scene.frames();
    let present = if oldest > 0 { Status::Ok } else { absent };
    let shape =
        || unsafe { mpegclient_output_shape(scene.client, 0, null(), null_mut(), null_mut(), null_mut(), null_mut()) };
    let info = |seq| unsafe {
        let mut info: MpegClientFrameInfo = std::mem::zeroed();
        mpegclient_frame_info(scene.client, seq, &mut info, size_of::<MpegClientFrameInfo>())
    };
    match name {
        // A source may tell its size before the first frame.
        "output_shape" => vec![(shape(), (oldest > 0 || absent == Status::BadState).then_some(present))],
        "wait" => vec![(scene.wait(0, 0), Some(present)), (scene.wait(NEVER, 0), Some(absent))],
        "extract_frames" => vec![(scene.extract(0), Some(present)), (scene.extract(NEVER), Some(absent))],
        "acquire_frames" => vec![(scene.acquire(0), Some(present)), (scene.acquire(NEVER), Some(absent))],
        "frame_info" => vec![(info(newest), Some(present)), (info(NEVER), Some(absent))],
        _ => panic!("the table has a call that this test does not know: {name}"),
    }
}

const READING: [&str; 5] = ["output_shape", "wait", "extract_frames", "acquire_frames", "frame_info"];

/// Makes a call in a scene and compares its status and the state after it with its cell.
fn check_cell(scene: &mut Scene, state: State, name: &'static str, cell: &'static str) {
    let (word, leads_to) = split_cell(cell);
    let place = format!("{name} in {}", state.name());
    let (_, newest) = scene.frames();
    if name == "start" && state == State::Failed {
        scene.servers[0].restart(); // so that what starts can live
    }
    if READING.contains(&name) {
        let absent = absent(word, state).unwrap_or_else(|| panic!("{place}: no meaning of {word} is known"));
        for (status, expected) in read(scene, name, absent) {
            let allowed = expected.map_or(vec![Status::Ok.code(), absent.code()], |expected| vec![expected.code()]);
            assert!(allowed.contains(&status), "{place} returned {status}, expected {allowed:?}");
        }
    } else {
        let allowed: &[Status] = match word {
            "ok" => &[Status::Ok],
            "bad" => &[Status::BadState],
            "some" => &[Status::Ok, Status::NoEvent],
            "once" => &[Status::Ok, Status::BadState],
            _ => panic!("{place}: no meaning of {word} is known"),
        };
        let status = Status::from_code(call(scene, name));
        assert!(status.is_some_and(|status| allowed.contains(&status)), "{place} returned {status:?}");
    }

    let after = scene.state();
    match leads_to {
        None => assert_eq!(after, state, "after {place}"),
        Some("LIVING") => check_living(scene, &place, state, after, newest),
        Some(name) => assert_eq!(after, state_named(name), "after {place}"),
    }
    if name == "interrupt" {
        let expected = if state == State::Idle { Status::BadState } else { Status::Interrupted };
        assert_eq!(Status::from_code(scene.wait(NEVER, 5_000)), Some(expected), "wait after {place}");
        scene.ok(unsafe { mpegclient_interrupt(scene.client, 0) });
    }
}

/// After start a stream is first in the state that the table's note tells, or already further; and frames come.
fn check_living(scene: &Scene, place: &str, before: State, after: State, newest: u64) {
    let connects_anew = matches!(before, State::Ended | State::Failed) || before == State::Stopped && scene.is_live;
    let further = [State::Connecting, State::WaitingKeyframe, State::Running, State::Ended];
    let allowed = if connects_anew { &further[..] } else { &further[1..] };
    assert!(allowed.contains(&after), "after {place}: {}", after.name());
    assert_eq!(Status::from_code(scene.wait(newest, 20_000)), Some(Status::Ok), "no frame after {place}");
}

/// Checks a column of the table. A scene serves as long as the calls leave it in its state.
fn check_column(state: State, make: impl Fn() -> Scene) {
    let mut scene: Option<Scene> = None;
    for row in table() {
        let (_, cell) = row.cells.iter().find(|(column, _)| *column == state).expect("no such column");
        if scene.as_ref().is_none_or(|scene| scene.state() != state) {
            drop(scene.take()); // the old one ends before the new one begins
            scene = Some(make());
        }
        check_cell(scene.as_mut().expect("made above"), state, row.call, cell);
    }
}

macro_rules! columns {
    ($($name:ident $state:ident)*) => {$(
        #[test]
        fn $name() {
            check_column(State::$state, || Scene::of(State::$state));
        }
    )*};
}

columns! {
    idle Idle
    connecting Connecting
    ready Ready
    waiting_keyframe WaitingKeyframe
    running Running
    stalled Stalled
    reconnecting Reconnecting
    stopped Stopped
    ended Ended
    failed Failed
}

#[test]
fn ready_with_a_file() {
    check_column(State::Ready, || {
        let mut scene = Scene::new(&[]);
        scene.is_live = false;
        scene.ok(scene.setup(&support::clip("video.mp4").to_string_lossy(), -1));
        scene
    });
}

#[test]
fn stopped_with_a_file() {
    check_column(State::Stopped, || {
        let scene = Scene::file("video.mp4", &[]);
        scene.ok(unsafe { mpegclient_terminate(scene.client) });
        scene
    });
}

#[test]
fn connecting_counts_as_stopped_until_start() {
    let scene = Scene::new(&[]);
    let server = Server::mute();
    scene.ok(scene.setup(&server.rtsp_url("video"), 0));
    assert_eq!(scene.state(), State::Connecting);
    for status in [scene.wait(0, 5_000), scene.extract(0)] {
        assert_eq!(Status::from_code(status), Some(Status::Stopped));
    }
}

#[test]
fn a_failed_setup_leaves_nothing_running_unless_it_was_refused_at_once() {
    let scene = Scene::file("video.mp4", &[]);
    assert_eq!(Status::from_code(scene.setup("", -1)), Some(Status::InvalidArgument));
    assert_eq!(scene.state(), State::Running);
    scene.ok(unsafe { mpegclient_interrupt(scene.client, 1) });
    let clip = support::clip("video.mp4");
    assert_eq!(Status::from_code(scene.setup(&clip.to_string_lossy(), -1)), Some(Status::Interrupted));
    assert_eq!(scene.state(), State::Idle);
}

#[test]
fn there_is_no_stream_to_tell_of_before_the_first_connection() {
    let scene = Scene::of(State::Connecting);
    scene.ok(unsafe { mpegclient_terminate(scene.client) });
    assert_eq!(scene.state(), State::Stopped);
    assert_eq!(Status::from_code(call(&scene, "stream_info")), Some(Status::BadState));
}
