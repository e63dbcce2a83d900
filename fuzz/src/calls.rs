//! Calls of the C functions in any order with any arguments, from one thread against a model of the life cycle, or from
//! several at a time. The model is the header's: its table says what a call may return in a state and where it leads.
#![allow(unsafe_code, clippy::undocumented_unsafe_blocks, reason = "C functions; the run owns all that it hands them")]

use super::choices::Choices;
use super::header::returns;
use super::header::state_table::{Row, absent, split_cell, state_named, table};
use super::listener::{Listener, Peer};
use super::media::MemoryFile;
use super::reading::in_time;
use mpegclient::capi::*;
use mpegclient::{State, Status};
use std::collections::BTreeSet;
use std::ffi::{CStr, CString, c_char};
use std::ptr::{null, null_mut};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

/// A run is no longer than this, and one call more.
const LONGEST: Duration = Duration::from_secs(1);

/// The size of the pictures of all sources, and how many a file has.
const SIDE: usize = 16;
const FRAMES: usize = 6;

/// What the frames asked for take at most: 4 of 64 x 64 pixels with 4 bytes each.
const BUFFER: usize = 4 * 64 * 64 * 4;

/// No frame ever comes after it.
const NEVER: u64 = u64::MAX;

static TABLE: LazyLock<Vec<Row>> = LazyLock::new(table);

pub fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    let threads = choices.pick(&[1, 1, 2, 3]);
    let world = World::new();
    if threads == 1 {
        let mut caller = Caller::new(&world, true);
        caller.call_all(choices);
        let leases = std::mem::take(&mut caller.leases);
        drop(caller);
        drop(world);
        drop(leases);
        return;
    }
    let rest = choices.rest();
    let parts = rest.chunks(rest.len().div_ceil(threads).max(1));
    let leases: Vec<Vec<Lent>> = thread::scope(|scope| {
        let spawn = |part| {
            let world = &world;
            scope.spawn(move || {
                let mut caller = Caller::new(world, false);
                caller.call_all(Choices::new(part));
                std::mem::take(&mut caller.leases)
            })
        };
        let callers: Vec<_> = parts.map(spawn).collect();
        callers.into_iter().map(|caller| caller.join().expect("a caller panicked")).collect()
    });
    // Leases outlive the client.
    drop(world);
    drop(leases);
}

// ---- What is called ----

/// A client, a token, and sources of all kinds for it.
struct World {
    client: *mut MpegClient,
    cancel: *mut MpegClientCancel,
    file: MemoryFile,
    server: Listener,
}

// The header: every function may be called on any thread.
unsafe impl Sync for World {}

impl World {
    fn new() -> Self {
        let world = Self {
            client: mpegclient_new(),
            cancel: mpegclient_cancel_new(),
            file: MemoryFile::new(&video(FRAMES)),
            server: Listener::serve(serve),
        };
        let never = c"60000";
        for (key, value) in [
            (c"setup_timeout", c"200"),
            (c"stall_timeout", never),
            (c"reconnect_delay_max", never),
            (c"reconnect_delay_min", never),
            (c"realtime", c"off"),
        ] {
            assert_eq!(unsafe { mpegclient_set_parameter(world.client, key.as_ptr(), value.as_ptr()) }, 0);
        }
        world
    }

    fn url(&self, source: Source) -> String {
        let server = |path| format!("http://127.0.0.1:{}/{path}", self.server.port());
        match source {
            Source::File => self.file.path(),
            Source::Nowhere => "/nowhere".to_owned(),
            Source::Refused => "http://127.0.0.1:1/".to_owned(),
            Source::Empty => String::new(),
            Source::Mute => server("mute"),
            Source::Keyless => server("keyless"),
            Source::Held => server("held"),
            Source::Closed => server("closed"),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        unsafe {
            mpegclient_free(self.client);
            mpegclient_cancel_free(self.cancel);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Source {
    File,
    Nowhere,
    Refused,
    Empty,
    /// A server that says nothing,
    Mute,
    /// one that never sends a picture,
    Keyless,
    /// one that sends some and then no more,
    Held,
    /// and one that hangs up after them.
    Closed,
}

/// Pictures without compression: as small a video as there is.
fn video(frames: usize) -> Vec<u8> {
    let mut bytes = format!("YUV4MPEG2 W{SIDE} H{SIDE} F25:1 Ip A1:1 C420jpeg\n").into_bytes();
    for number in 0..frames {
        bytes.extend(b"FRAME\n");
        bytes.extend(vec![number as u8 * 16; SIDE * SIDE * 3 / 2]);
    }
    bytes
}

fn serve(mut peer: Peer) {
    let Some(request) = peer.request() else { return };
    let is_for = |path: &str| request.starts_with(&format!("GET /{path} "));
    if !is_for("mute") {
        let frames = if is_for("keyless") { 0 } else { FRAMES };
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: video/x-yuv4mpeg\r\n\r\n");
        peer.send(&video(frames));
    }
    if !is_for("closed") {
        peer.hold();
    }
}

// ---- Who calls ----

/// A lease, and what its frames were when they were lent.
struct Lent {
    lease: *mut MpegClientLease,
    data: *const u8,
    size: usize,
    before: Vec<u8>,
}

// The header: leases may be given back on any thread.
unsafe impl Send for Lent {}

impl Lent {
    fn bytes(&self) -> &[u8] {
        unsafe { std::slice::from_raw_parts(self.data, self.size) }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let is_same = self.bytes() == self.before;
        unsafe { mpegclient_lease_release(self.lease) };
        assert!(is_same, "lent frames have changed");
    }
}

/// What is known of a call once it was made.
struct Made {
    name: &'static str,
    status: i32,
    /// Whether its arguments were as the header wants them; others may be refused before the state is looked at.
    is_valid: bool,
    waits: bool,
    has_cancel: bool,
    /// Also possible, for reasons of its own.
    also: &'static [Status],
}

struct Caller<'a> {
    world: &'a World,
    /// Nobody else calls: states are known.
    is_alone: bool,
    leases: Vec<Lent>,
    /// What this caller has done, which counts while it is alone.
    is_interrupted: bool,
    is_cancelled: bool,
    is_started: bool,
    was_connected: bool,
    source: Source,
}

impl<'a> Caller<'a> {
    fn new(world: &'a World, is_alone: bool) -> Self {
        Self {
            world,
            is_alone,
            leases: Vec::new(),
            is_interrupted: false,
            is_cancelled: false,
            is_started: false,
            was_connected: false,
            source: Source::Empty,
        }
    }

    fn call_all(&mut self, mut choices: Choices<'_>) {
        let begun = Instant::now();
        while !choices.is_over() && begun.elapsed() < LONGEST {
            let before = self.state();
            let made = in_time("a call", || self.call(&mut choices));
            let after = self.state();
            check_words(&made);
            if self.is_alone {
                self.check_alone(&made, before, after);
            } else {
                check_among_others(&made);
            }
            // Of a connection that was made meanwhile the call may not have known yet.
            self.was_connected |= !matches!(after, State::Idle | State::Connecting | State::Failed | State::Stopped);
        }
    }

    fn state(&self) -> State {
        let mut state = -1;
        assert_eq!(unsafe { mpegclient_state(self.world.client, &mut state) }, 0);
        State::from_code(state).unwrap_or_else(|| panic!("state {state}"))
    }

    fn call(&mut self, choices: &mut Choices<'_>) -> Made {
        let number = choices.below(32);
        match number {
            0..=4 => self.setup(choices),
            5..=8 => self.live(choices, "start", mpegclient_start),
            9 | 10 => self.live(choices, "terminate", mpegclient_terminate),
            11 => self.live(choices, "clear", mpegclient_clear),
            12 => self.interrupt(choices),
            13 => self.cancel(choices),
            14 | 15 => self.set_parameter(choices),
            16 => self.get_text(choices, "get_parameter"),
            17 => self.get_text(choices, "describe"),
            18 => self.output_shape(choices),
            19 | 20 => self.wait(choices),
            21..=23 => self.read(choices, "extract_frames"),
            24 | 25 => self.read(choices, "acquire_frames"),
            26 => self.frame_info(choices),
            27 => self.release(choices),
            28 => self.wait_any(choices),
            29 => self.library(choices),
            _ => self.look(choices),
        }
    }

    /// The client; now and then none.
    fn client(&self, choices: &mut Choices<'_>) -> (*mut MpegClient, bool) {
        if choices.byte() == 1 { (null_mut(), false) } else { (self.world.client, true) }
    }

    /// A token or none, and whether there is one.
    fn token(&self, choices: &mut Choices<'_>) -> (*const MpegClientCancel, bool) {
        if choices.flag() { (self.world.cancel, true) } else { (null(), false) }
    }

    /// How long to wait. Without limit only where there is an end to it.
    fn timeout(&self, choices: &mut Choices<'_>, has_cancel: bool) -> i64 {
        let is_safe =
            self.is_alone && (self.is_interrupted || self.is_cancelled && has_cancel || !self.state().is_living());
        choices.pick(&[0, 0, 1, 20, if is_safe { -1 } else { 3 }, if is_safe { i64::MIN } else { 5 }])
    }

    fn setup(&mut self, choices: &mut Choices<'_>) -> Made {
        use Source::*;
        let (client, is_valid) = self.client(choices);
        let (cancel, has_cancel) = self.token(choices);
        let source =
            choices.pick(&[File, File, File, File, Held, Held, Closed, Keyless, Mute, Nowhere, Refused, Empty]);
        let timeout_ms = choices.pick(&[-1, -1, 0, 50, 1000]);
        let (url, before) = (c(&self.world.url(source)), self.state());
        let status = unsafe { mpegclient_setup(client, url.as_ptr(), timeout_ms, cancel) };
        if !self.is_alone || !is_valid {
            return Made { is_valid, has_cancel, ..made("setup", status) };
        }
        self.check_setup(status, before, source, timeout_ms, has_cancel);
        Made { is_valid: false, ..made("setup", status) }
    }

    /// What the table says of setup, it says of sources that are well.
    fn check_setup(&mut self, status: i32, before: State, source: Source, timeout_ms: i64, has_cancel: bool) {
        let (status, after) = (Status::from_code(status).expect("checked later"), self.state());
        if status == Status::InvalidArgument {
            assert_eq!(source, Source::Empty, "setup refused an argument");
            return;
        }
        (self.is_started, self.was_connected, self.source) = (false, false, source);
        let is_ended = self.is_interrupted || self.is_cancelled && has_cancel;
        let ends: &[Status] = match (self.is_interrupted, self.is_cancelled && has_cancel) {
            (true, true) => &[Status::Interrupted, Status::Cancelled],
            (true, false) => &[Status::Interrupted],
            (false, true) => &[Status::Cancelled],
            (false, false) => &[],
        };
        assert!(ends.is_empty() || ends.contains(&status), "setup returned {status:?}, expected one of {ends:?}");
        let (word, to) = split_cell(cell("setup", before).expect("a row for setup"));
        assert_eq!(word, "ok", "what else may setup return in {before:?}?");
        match status {
            Status::Ok => {
                let to =
                    if timeout_ms == 0 { State::Connecting } else { state_named(to.expect("a state after setup")) };
                assert!(reach(to, false, source).contains(&after), "{after:?} after setup in {before:?}");
            }
            _ => assert_eq!(after, State::Idle, "after setup returned {status:?}"),
        }
        // Which a busy machine may be too slow for.
        let is_sure = source == Source::File && !is_ended && status != Status::Timeout;
        assert!(!is_sure || status == Status::Ok, "setup of a file returned {status:?}");
        let is_well = matches!(source, Source::File | Source::Held | Source::Closed | Source::Keyless);
        assert!(status != Status::Ok || is_well || timeout_ms == 0, "setup of {source:?} returned OK");
    }

    fn live(
        &mut self,
        choices: &mut Choices<'_>,
        name: &'static str,
        function: unsafe extern "C" fn(*mut MpegClient) -> i32,
    ) -> Made {
        let (client, is_valid) = self.client(choices);
        let status = unsafe { function(client) };
        if status == 0 {
            self.is_started = name == "start";
            self.was_connected &= name != "clear";
        }
        Made { is_valid, ..made(name, status) }
    }

    fn interrupt(&mut self, choices: &mut Choices<'_>) -> Made {
        let (client, is_valid) = self.client(choices);
        let on = choices.pick(&[0, 1, 0, -7]);
        let status = unsafe { mpegclient_interrupt(client, on) };
        self.is_interrupted = if is_valid { on != 0 } else { self.is_interrupted };
        Made { is_valid, ..made("interrupt", status) }
    }

    fn cancel(&mut self, choices: &mut Choices<'_>) -> Made {
        let (is_trigger, is_null) = (choices.flag(), choices.byte() == 1);
        let cancel = if is_null { null() } else { self.world.cancel.cast_const() };
        let status =
            unsafe { if is_trigger { mpegclient_cancel_trigger(cancel) } else { mpegclient_cancel_reset(cancel) } };
        let expected = if is_null { Status::InvalidArgument } else { Status::Ok };
        assert_eq!(Status::from_code(status), Some(expected), "trigger or reset of a token");
        self.is_cancelled = if is_null { self.is_cancelled } else { is_trigger };
        Made { is_valid: false, ..made(if is_trigger { "cancel_trigger" } else { "cancel_reset" }, status) }
    }

    fn set_parameter(&mut self, choices: &mut Choices<'_>) -> Made {
        let (client, mut is_valid) = self.client(choices);
        let (key, value, is_good) = choices.pick(&PARAMETERS);
        let (key, value) = (c(key), c(value));
        let (key, value) = match choices.byte() {
            1 => (null(), value.as_ptr()),
            2 => (key.as_ptr(), null()),
            3 => (c"width".as_ptr(), c"\xff".as_ptr()),
            _ => (key.as_ptr(), value.as_ptr()),
        };
        let status = unsafe { mpegclient_set_parameter(client, key, value) };
        is_valid &= is_good && !key.is_null() && !value.is_null() && !matches!(status, -1);
        assert!(is_good || status < 0, "a parameter took what it does not take");
        Made { is_valid, ..made("set_parameter", status) }
    }

    fn get_text(&mut self, choices: &mut Choices<'_>, name: &'static str) -> Made {
        let (client, is_valid) = self.client(choices);
        let mut buffer = vec![0x55 as c_char; 1 << 14];
        let (size, is_null) = (choices.pick(&[1 << 14, 1 << 14, 0, 1, 9]), choices.byte() == 1);
        let text = if is_null { null_mut() } else { buffer.as_mut_ptr() };
        let mut needed = 0;
        let status = unsafe {
            match name {
                "describe" => mpegclient_describe(client, text, size, &mut needed),
                _ => mpegclient_get_parameter(client, c"url".as_ptr(), text, size, &mut needed),
            }
        };
        assert!(buffer[size..].iter().all(|byte| *byte == 0x55), "{name} wrote beyond the buffer");
        if is_valid && size < needed {
            let status = Status::from_code(status);
            assert_eq!(status, Some(Status::BufferTooSmall), "{name} into {size} of {needed} bytes");
        }
        Made { is_valid: is_valid && size >= needed && !is_null, ..made(name, status) }
    }

    fn output_shape(&mut self, choices: &mut Choices<'_>) -> Made {
        let (client, is_valid) = self.client(choices);
        let (cancel, has_cancel) = self.token(choices);
        let timeout_ms = self.timeout(choices, has_cancel);
        let (mut height, mut bytes) = (0, 0);
        let status = unsafe {
            mpegclient_output_shape(client, timeout_ms, cancel, &mut height, null_mut(), null_mut(), &mut bytes)
        };
        assert!(status != 0 || (height > 0 && bytes <= BUFFER / 4), "a frame of {height} rows and {bytes} bytes");
        Made { is_valid, waits: true, has_cancel, ..made("output_shape", status) }
    }

    fn wait(&mut self, choices: &mut Choices<'_>) -> Made {
        let (client, is_valid) = self.client(choices);
        let (cancel, has_cancel) = self.token(choices);
        let timeout_ms = self.timeout(choices, has_cancel);
        let (after_seq, mut newest) = (choices.pick(&[0, 0, 3, NEVER]), 0);
        let status = unsafe { mpegclient_wait(client, after_seq, timeout_ms, cancel, &mut newest) };
        assert!(status != 0 || newest > after_seq, "frame {newest} is not newer than {after_seq}");
        Made { is_valid, waits: true, has_cancel, ..made("wait", status) }
    }

    fn read(&mut self, choices: &mut Choices<'_>, name: &'static str) -> Made {
        let (client, mut is_valid) = self.client(choices);
        let (cancel, has_cancel) = self.token(choices);
        let mut options = Block::<MpegClientReadOptions>::new(choices);
        let mut batch = Block::<MpegClientBatch>::new(choices);
        is_valid &= options.is_valid && batch.is_valid;
        let value = options.value();
        value.order = choices.pick(&[0, 1, 0, 1, 0, 1, 2]);
        value.count = choices.pick(&[1, 1, 2, 0, 4, 1, 9]);
        value.after_seq = choices.pick(&[0, 0, 0, 2, NEVER]);
        value.max_age_ms = choices.pick(&[0, 0, 0, 1, i64::MAX, -1]);
        value.flags = choices.pick(&[0, 0, 1, 8]);
        value.timeout_ms = self.timeout(choices, has_cancel);
        value.cancel = cancel;
        let also: &[Status] = if value.max_age_ms > 0 { &[Status::Stale] } else { &[] };
        let (count, after_seq) = (value.count, value.after_seq);
        is_valid &= value.order < 2 && (1..=4).contains(&count) && value.max_age_ms >= 0 && value.flags < 2;
        let options = options.place_or_null(choices, &mut is_valid);
        let place = batch.place_or_null(choices, &mut is_valid);
        let mut infos = vec![0_u8; 4 * size_of::<MpegClientFrameInfo>() + 8];
        let infos = if count > 4 || choices.flag() { null_mut() } else { infos.as_mut_ptr().cast() };
        let info_size = size_of::<MpegClientFrameInfo>();
        let status = if name == "extract_frames" {
            let size = choices.pick(&[BUFFER, BUFFER, BUFFER, 1, 0]);
            is_valid &= size == BUFFER;
            let mut buffer = vec![0; size];
            unsafe { mpegclient_extract_frames(client, options, buffer.as_mut_ptr(), size, infos, info_size, place) }
        } else {
            let mut lease = null_mut();
            let status = unsafe { mpegclient_acquire_frames(client, options, &mut lease, infos, info_size, place) };
            assert_eq!(lease.is_null(), status != 0, "a lease comes with OK and not otherwise");
            self.keep(lease, &batch);
            status
        };
        batch.check();
        if status == 0 {
            let read = batch.value();
            assert!(read.first_seq > after_seq && read.count >= 1, "{} frames from {}", read.count, read.first_seq);
        }
        Made { is_valid, waits: true, has_cancel, also, ..made(name, status) }
    }

    fn keep(&mut self, lease: *mut MpegClientLease, batch: &Block<MpegClientBatch>) {
        if lease.is_null() {
            return;
        }
        let batch = batch.read();
        let frame = u64::from(batch.height) * batch.row_stride;
        let size = (u64::from(batch.count - 1) * batch.frame_stride + frame) as usize;
        let mut lent = Lent { lease, data: batch.data, size, before: Vec::new() };
        lent.before = lent.bytes().to_vec();
        self.leases.push(lent);
    }

    fn release(&mut self, choices: &mut Choices<'_>) -> Made {
        unsafe { mpegclient_lease_release(null_mut()) };
        if !self.leases.is_empty() {
            drop(self.leases.swap_remove(choices.below(self.leases.len())));
        }
        Made { is_valid: false, ..made("set_log_level", 0) }
    }

    fn frame_info(&mut self, choices: &mut Choices<'_>) -> Made {
        let (client, mut is_valid) = self.client(choices);
        let mut info = Block::<MpegClientFrameInfo>::new(choices);
        let place = info.place_or_null(choices, &mut is_valid);
        let seq = choices.pick(&[0, 1, 3, NEVER]);
        let size = choices.pick(&[size_of::<MpegClientFrameInfo>(), size_of::<MpegClientFrameInfo>(), 8]);
        is_valid &= size > 8;
        let status = unsafe { mpegclient_frame_info(client, seq, place, size) };
        assert!(status != 0 || info.read().seq == seq);
        Made { is_valid, ..made("frame_info", status) }
    }

    fn wait_any(&mut self, choices: &mut Choices<'_>) -> Made {
        let (client, _) = self.client(choices);
        let (cancel, _) = self.token(choices);
        let (clients, after) = ([client.cast_const(), self.world.client.cast_const()], [choices.pick(&[0, NEVER]); 2]);
        let (count, timeout_ms) = (choices.pick(&[0, 1, 2, usize::MAX]), choices.pick(&[0, 1, 10]));
        let mut index = 9;
        let status =
            unsafe { mpegclient_wait_any(clients.as_ptr(), after.as_ptr(), count, timeout_ms, cancel, &mut index) };
        assert!(status != 0 || index < count, "client {index} of {count}");
        Made { is_valid: false, ..made("wait_any", status) }
    }

    /// Functions of no client.
    fn library(&mut self, choices: &mut Choices<'_>) -> Made {
        let number = i32::from(choices.byte() as i8);
        for text in [mpegclient_status_string(number), mpegclient_state_string(number), mpegclient_phase_string(number)]
        {
            assert!(!unsafe { CStr::from_ptr(text) }.is_empty());
        }
        let mut info = Block::<MpegClientParameterInfo>::new(choices);
        let (index, mut is_valid) = (choices.pick(&[0, 7, usize::MAX]), info.is_valid);
        let place = info.place_or_null(choices, &mut is_valid);
        let status = unsafe { mpegclient_parameter_describe(index, place) };
        assert_eq!(status == 0, is_valid && index < mpegclient_parameter_count(), "parameter_describe");
        info.check();
        Made { is_valid: false, ..made("parameter_describe", status) }
    }

    /// Functions that only tell.
    fn look(&mut self, choices: &mut Choices<'_>) -> Made {
        let (client, is_client) = self.client(choices);
        macro_rules! told {
            ($name:literal, $function:ident, $struct:ty) => {{
                let mut block = Block::<$struct>::new(choices);
                let mut is_valid = is_client && block.is_valid;
                let place = block.place_or_null(choices, &mut is_valid);
                let status = unsafe { $function(client, place) };
                block.check();
                Made { is_valid, ..made($name, status) }
            }};
        }
        match choices.below(7) {
            0 => told!("stream_info", mpegclient_stream_info, MpegClientStreamInfo),
            1 => told!("stats", mpegclient_stats, MpegClientStats),
            2 => told!("client_error", mpegclient_client_error, MpegClientError),
            3 => told!("next_event", mpegclient_next_event, MpegClientEvent),
            4 => {
                let mut descriptor = -1;
                let place = if choices.byte() == 1 { null_mut() } else { &raw mut descriptor };
                let status = unsafe { mpegclient_event_fd(client, place) };
                assert!(status != 0 || descriptor >= 0);
                Made { is_valid: is_client && !place.is_null(), ..made("event_fd", status) }
            }
            5 => {
                let after_seq = choices.pick(&[0, 1, NEVER]);
                Made { is_valid: is_client, ..made("event_arm", unsafe { mpegclient_event_arm(client, after_seq) }) }
            }
            _ => {
                let mut state = -1;
                let place = if choices.byte() == 1 { null_mut() } else { &raw mut state };
                let status = unsafe { mpegclient_state(client, place) };
                Made { is_valid: is_client && !place.is_null(), ..made("state", status) }
            }
        }
    }

    // ---- What the table says ----

    /// Compares a call's status and the state after it with the cells of the states in which it may have been made.
    fn check_alone(&self, made: &Made, before: State, after: State) {
        // Setup is checked where its source is known.
        if made.name == "setup" || cell(made.name, before).is_none() {
            return;
        }
        let (mut statuses, mut states) = (BTreeSet::new(), BTreeSet::new());
        let is_started = self.is_started || made.name == "terminate" || made.name == "clear";
        for state in reach(before, is_started, self.source) {
            let (word, leads_to) = split_cell(cell(made.name, state).expect("a row has all its cells"));
            statuses.extend(self.allowed(word, state, made).iter().map(|status| status.code()));
            let to = match leads_to.filter(|_| made.status == 0) {
                None => vec![state],
                Some("LIVING") => vec![State::Connecting, State::WaitingKeyframe],
                Some(name) => vec![state_named(name)],
            };
            states.extend(to.into_iter().flat_map(|to| reach(to, is_started, self.source)).map(State::code));
        }
        let place = format!("{} in {}", made.name, before.name());
        let status = Status::from_code(made.status);
        assert!(
            !made.is_valid || statuses.contains(&made.status),
            "{place} returned {status:?}, expected {statuses:?}"
        );
        assert!(states.contains(&after.code()), "{} after {place}, which returned {status:?}", after.name());
    }

    /// What a cell's word allows.
    fn allowed(&self, word: &str, state: State, made: &Made) -> Vec<Status> {
        let ends =
            [(self.is_interrupted, Status::Interrupted), (self.is_cancelled && made.has_cancel, Status::Cancelled)];
        let ends: Vec<Status> = ends.into_iter().filter(|(is_on, _)| *is_on).map(|(_, status)| status).collect();
        if made.waits && !ends.is_empty() && word != "bad" {
            return ends;
        }
        let is_held = word == "live" && !self.is_started;
        let mut allowed = match word {
            "bad" => vec![Status::BadState],
            "ok" => vec![Status::Ok],
            "some" => vec![Status::Ok, Status::NoEvent],
            "once" if self.was_connected => vec![Status::Ok],
            _ => vec![Status::Ok, absent(word, state).unwrap_or_else(|| panic!("no meaning of {word} is known"))],
        };
        allowed.extend(is_held.then_some(Status::Stopped));
        allowed.extend(made.also);
        allowed
    }
}

/// The table's cell of a call in a state; `None` for calls that have no row.
fn cell(call: &str, state: State) -> Option<&'static str> {
    let row = TABLE.iter().find(|row| row.call == call)?;
    row.cells.iter().find(|(column, _)| *column == state).map(|(_, cell)| *cell)
}

fn made(name: &'static str, status: i32) -> Made {
    Made { name, status, is_valid: true, waits: false, has_cancel: false, also: &[] }
}

/// A parameter, a value, and whether it is one that it takes.
const PARAMETERS: [(&str, &str, bool); 24] = [
    ("width", "0", true),
    ("width", "64", true),
    ("height", "0", true),
    ("height", "33", true),
    ("cache_size", "4", true),
    ("cache_size", "8", true),
    ("read_size", "2", true),
    ("overflow", "block", true),
    ("overflow", "drop", true),
    ("frame_rate", "5/1", true),
    ("frame_rate", "0", true),
    ("corrupt", "drop", true),
    ("pixel_format", "rgba", true),
    ("realtime", "on", true),
    ("realtime", "off", true),
    ("reconnect", "off", true),
    ("reconnect", "on", true),
    ("lease_slots", "0", true),
    ("max_orphans", "0", true),
    ("stall_timeout", "20", true),
    ("stall_timeout", "60000", true),
    ("width", "-1", false),
    ("cache_size", "eight", false),
    ("nothing", "1", false),
];

/// The states that a stream may come to by itself.
fn reach(from: State, is_started: bool, source: Source) -> Vec<State> {
    use State::*;
    let is_file = source == Source::File;
    match from {
        Ready if is_file => vec![Ready],
        Idle | Stopped | Ended | Failed => vec![from],
        Connecting if !is_started => vec![Connecting, Ready, Reconnecting, Ended, Failed],
        Ready => vec![Ready, Reconnecting, Ended, Failed],
        _ if is_file && from != Connecting => vec![from, WaitingKeyframe, Running, Ended, Failed],
        _ => vec![from, Connecting, WaitingKeyframe, Running, Stalled, Reconnecting, Ended, Failed],
    }
}

/// Every failure is one that the header names for the function, and there are words for it.
fn check_words(made: &Made) {
    let status = Status::from_code(made.status).unwrap_or_else(|| panic!("{} returned {}", made.name, made.status));
    let function = format!("mpegclient_{}", made.name);
    let is_named = status == Status::InvalidArgument || returns(&function).contains(&status);
    assert!(is_named, "{function} returned {status:?}, which its documentation does not name");
    let text = unsafe { CStr::from_ptr(mpegclient_last_error()) };
    assert!(status == Status::Ok || !text.is_empty(), "{function} returned {status:?} without a word");
}

/// With others about, a status must be one that the table has for some state.
fn check_among_others(made: &Made) {
    let Some(row) = TABLE.iter().find(|row| row.call == made.name).filter(|_| made.is_valid) else { return };
    let status = Status::from_code(made.status).expect("checked before");
    let is_life = ["setup", "start", "terminate", "clear"].contains(&made.name);
    let is_end = matches!(status, Status::Interrupted | Status::Cancelled);
    let is_own = is_life && status == Status::Busy || made.waits && is_end || made.also.contains(&status);
    let in_table = row.cells.iter().any(|(state, cell)| {
        let word = split_cell(cell).0;
        match status {
            Status::Ok => word != "bad",
            Status::NoEvent => word == "some",
            status => absent(word, *state) == Some(status),
        }
    });
    assert!(is_own || in_table || made.name == "setup", "{} returned {status:?}, which no state has", made.name);
}

// ---- Memory of a caller's ----

/// A struct in memory that is larger than it; what lies beyond its size is watched.
struct Block<T> {
    memory: Vec<u64>,
    size: u32,
    is_valid: bool,
    kind: std::marker::PhantomData<T>,
}

const GUARD: u8 = 0xa5;

impl<T: Copy> Block<T> {
    /// With its size in its first member; now and then with another than its own.
    fn new(choices: &mut Choices<'_>) -> Self {
        let own = size_of::<T>() as u32;
        let (size, is_valid) = match choices.byte() {
            1 => (0, false),
            2 => (own - 1, false),
            3 => (own + 16, true),
            4 => (65_537, false),
            5 => (u32::MAX, false),
            _ => (own, true),
        };
        let bytes = size_of::<T>() + 64;
        let mut block = Self { memory: vec![0; bytes.div_ceil(8)], size, is_valid, kind: std::marker::PhantomData };
        let end = if is_valid { size as usize } else { size_of::<T>() };
        let place = block.memory.as_mut_ptr().cast::<u8>();
        unsafe {
            place.add(end).write_bytes(GUARD, bytes - end);
            place.cast::<u32>().write(size);
        }
        block
    }

    fn value(&mut self) -> &mut T {
        unsafe { &mut *self.memory.as_mut_ptr().cast::<T>() }
    }

    fn read(&self) -> T {
        unsafe { self.memory.as_ptr().cast::<T>().read() }
    }

    /// Where it lies; now and then nowhere.
    fn place_or_null(&mut self, choices: &mut Choices<'_>, is_valid: &mut bool) -> *mut T {
        if choices.byte() == 1 {
            *is_valid = false;
            return null_mut();
        }
        self.memory.as_mut_ptr().cast()
    }

    /// Its size is still there, and nothing was written beyond it.
    fn check(&self) {
        let end = if self.is_valid { self.size as usize } else { size_of::<T>() };
        let bytes: Vec<u8> = self.memory.iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert!(bytes[end..size_of::<T>() + 64].iter().all(|byte| *byte == GUARD), "written beyond a struct's size");
        assert_eq!(bytes[..4], self.size.to_ne_bytes(), "a struct's size was changed");
    }
}

fn c(text: &str) -> CString {
    CString::new(text).expect("a text without NUL")
}
