//! What the writer tells of a stream, and anybody may read at any time.

use crate::clock::{monotonic_ns, wall_ns};
use crate::config::Rational;
use crate::converter::Appearance;
use crate::error::{Error, Status};
use crate::event::{Event, EventKind, EventQueue};
use crate::state::State;
use crate::stats::Stats;
use crate::sync::{Arc, AtomicBool, Mutex, Ordering, Signal};

/// What is known of the stream of the present or last connection.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StreamInfo {
    /// Index of the video stream within the source.
    pub index: u32,
    /// Width of the decoded pictures, 0 while not known.
    pub width: u32,
    /// Height of the decoded pictures, 0 while not known.
    pub height: u32,
    /// Frames a second by the source's own account.
    pub frame_rate: Option<Rational>,
    /// Frames a second as measured over the last frames, 0 while not known.
    pub measured_frame_rate: f64,
    /// A live stream, which does not end but is lost.
    pub is_live: bool,
    /// Length of a file.
    pub duration_ns: Option<i64>,
    /// The connection, counted from 1.
    pub generation: u64,
    /// libav's name of the codec.
    pub codec: String,
    /// libav's name of the decoded pictures' format, empty while not known.
    pub pixel_format: String,
    /// libav's name of the container or session protocol.
    pub container: String,
    /// Width of a stored pixel over its height; `None` while not known, and if nobody says: they are taken for square.
    pub sample_aspect_ratio: Option<Rational>,
    /// Degrees clockwise that pictures are turned by, `None` while not known.
    pub rotation: Option<u32>,
    /// Left and right are exchanged before that, `None` while not known.
    pub is_mirrored: Option<bool>,
    /// libav's name of the matrix that colours are converted by, "gbr" for RGB, empty while not known.
    pub color_matrix: String,
    /// The range that they are converted from, "tv" for limited and "pc" for full, empty while not known.
    pub color_range: String,
    /// libav's name of the primaries, which are left as they are; empty if the stream does not say.
    pub color_primaries: String,
    /// libav's name of the transfer function, which is left as it is; empty if the stream does not say.
    pub color_transfer: String,
    /// Pictures are of high dynamic range (PQ or HLG), and are not brought to a lower one; `None` while not known.
    pub is_hdr: Option<bool>,
    /// What reads it: `libav`, or `native` for the RTSP engine of this library.
    pub engine: String,
}

impl StreamInfo {
    /// Notes what the pictures are like.
    pub(crate) fn set_appearance(&mut self, appearance: Appearance) {
        self.sample_aspect_ratio = appearance.sample_aspect.map(|(num, den)| Rational { num, den });
        self.rotation = Some(appearance.rotation);
        self.is_mirrored = Some(appearance.is_mirrored);
        self.color_matrix = appearance.matrix;
        self.color_range = appearance.range;
        self.color_primaries = appearance.primaries;
        self.color_transfer = appearance.transfer;
        self.is_hdr = Some(appearance.is_hdr);
    }
}

/// A failure and when it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub error: Error,
    /// When, nanoseconds since 1970.
    pub wall_ns: i64,
}

#[derive(Default)]
pub(crate) struct Board {
    /// Grows with every change of anything that a reader may wait for.
    pub(crate) signal: Arc<Signal>,
    pub(crate) stats: Stats,
    interrupted: AtomicBool,
    inner: Mutex<Inner>,
}

/// What the lock guards.
struct Inner {
    /// The writer that may write here. One that was left behind has an older number.
    epoch: u64,
    state: State,
    /// Start was called, and terminate not since.
    is_started: bool,
    generation: u64,
    stream: Option<StreamInfo>,
    failure: Option<Failure>,
    /// A running stream without a packet for so long counts as stalled.
    stalled_after_ns: Option<i64>,
    /// What a stalled stream was before.
    before_stall: State,
    events: EventQueue,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            epoch: 0,
            state: State::Idle,
            is_started: false,
            generation: 0,
            stream: None,
            failure: None,
            stalled_after_ns: None,
            before_stall: State::Idle,
            events: EventQueue::default(),
        }
    }
}

impl Inner {
    fn enter(&mut self, state: State) {
        let before = std::mem::replace(&mut self.state, state);
        if before != state {
            self.push(EventKind::StateChanged, i64::from(before.code()), state.text());
        }
    }

    fn push(&mut self, kind: EventKind, value: i64, text: &str) {
        self.events.push(Event {
            kind,
            monotonic_ns: monotonic_ns(),
            state: self.state,
            generation: self.generation,
            value,
            text: text.to_owned(),
        });
    }
}

impl Board {
    // ---- for the client ----

    /// Begins the time of another writer and tells its number. What writers before it have to say is not heard any more.
    pub(crate) fn begin_epoch(&self, state: State, is_started: bool) -> u64 {
        let epoch = {
            let mut inner = self.inner.lock();
            inner.epoch += 1;
            inner.enter(state);
            inner.is_started = is_started;
            inner.stalled_after_ns = None;
            inner.epoch
        };
        self.signal.notify();
        epoch
    }

    /// Says that the present writer is to run.
    pub(crate) fn start(&self) {
        self.stats.last_packet_ns.store(monotonic_ns(), Ordering::Relaxed);
        let mut inner = self.inner.lock();
        inner.is_started = true;
        if matches!(inner.state, State::Ready | State::Stopped) {
            inner.enter(State::WaitingKeyframe);
        }
        drop(inner);
        self.signal.notify();
    }

    /// Says that the present writer holds still.
    pub(crate) fn hold(&self) {
        let mut inner = self.inner.lock();
        inner.is_started = false;
        inner.enter(State::Stopped);
        drop(inner);
        self.signal.notify();
    }

    pub(crate) fn forget_stream(&self) {
        self.inner.lock().stream = None;
    }

    /// Keeps a failure that no writer told of.
    pub(crate) fn remember(&self, error: &Error) {
        self.inner.lock().failure = Some(Failure { error: error.clone(), wall_ns: wall_ns() });
    }

    /// Sets the state FAILED, whoever says so.
    pub(crate) fn fail(&self, error: &Error) {
        let mut inner = self.inner.lock();
        inner.failure = Some(Failure { error: error.clone(), wall_ns: wall_ns() });
        inner.enter(State::Failed);
        drop(inner);
        self.signal.notify();
    }

    pub(crate) fn set_interrupted(&self, on: bool) {
        self.interrupted.store(on, Ordering::SeqCst);
        self.signal.notify();
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    // ---- for everybody ----

    pub(crate) fn state(&self) -> State {
        self.inner.lock().state
    }

    /// The oldest event that nobody has asked for yet.
    pub(crate) fn next_event(&self) -> Option<Event> {
        self.inner.lock().events.pop()
    }

    pub(crate) fn has_event(&self) -> bool {
        !self.inner.lock().events.is_empty()
    }

    /// Why no new frame will come unless something else is called; `None` while one may.
    pub(crate) fn standstill(&self) -> Option<Status> {
        let inner = self.inner.lock();
        match inner.state {
            State::Idle => Some(Status::BadState),
            State::Ended => Some(Status::Ended),
            State::Failed => Some(Status::Failed),
            state if state.is_living() && inner.is_started => None,
            _ => Some(Status::Stopped),
        }
    }

    pub(crate) fn stream(&self) -> Option<StreamInfo> {
        self.inner.lock().stream.clone()
    }

    pub(crate) fn failure(&self) -> Option<Failure> {
        self.inner.lock().failure.clone()
    }

    // ---- for the writer of an epoch ----

    fn write(&self, epoch: u64, change: impl FnOnce(&mut Inner)) {
        self.write_if(epoch, |_| true, change);
    }

    /// Changes something if a condition holds; nobody can come in between.
    fn write_if(&self, epoch: u64, is_so: impl FnOnce(&Inner) -> bool, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.inner.lock();
        if inner.epoch == epoch && is_so(&inner) {
            change(&mut inner);
            drop(inner);
            self.signal.notify();
        }
    }

    pub(crate) fn set_state(&self, epoch: u64, state: State) {
        self.write(epoch, |inner| inner.enter(state));
    }

    /// Notes a failure that is not the end of the stream.
    pub(crate) fn note(&self, epoch: u64, error: &Error) {
        self.write(epoch, |inner| inner.failure = Some(Failure { error: error.clone(), wall_ns: wall_ns() }));
    }

    /// Notes a connection; its number goes into the info and is returned. READY or WAITING_KEYFRAME follows, as the
    /// client wants it by now.
    pub(crate) fn connected(
        &self,
        epoch: u64,
        mut stream: StreamInfo,
        stalled_after_ns: Option<i64>,
        is_again: bool,
    ) -> u64 {
        let mut generation = 0;
        self.stats.last_packet_ns.store(monotonic_ns(), Ordering::Relaxed);
        self.write(epoch, |inner| {
            inner.generation += 1;
            generation = inner.generation;
            stream.generation = generation;
            inner.stream = Some(stream);
            inner.stalled_after_ns = stalled_after_ns;
            inner.enter(if inner.is_started { State::WaitingKeyframe } else { State::Ready });
            if is_again {
                inner.push(EventKind::Reconnected, 0, "");
            }
        });
        generation
    }

    /// Corrects what is known of the stream. Nobody waits for that.
    pub(crate) fn update_stream(&self, epoch: u64, change: impl FnOnce(&mut StreamInfo)) {
        let mut inner = self.inner.lock();
        let is_present = inner.epoch == epoch;
        if let Some(stream) = inner.stream.as_mut().filter(|_| is_present) {
            change(stream);
        }
    }

    /// Tells of something that is not a change of state.
    pub(crate) fn tell(&self, epoch: u64, kind: EventKind, value: i64, text: &str) {
        self.write(epoch, |inner| inner.push(kind, value, text));
    }

    /// Looks whether the stream has stalled; called while the writer waits for a packet.
    pub(crate) fn check_stall(&self, epoch: u64) {
        let silent_ns = monotonic_ns() - self.stats.last_packet_ns.load(Ordering::Relaxed);
        let is_stalled = |inner: &Inner| {
            let runs = matches!(inner.state, State::Running | State::WaitingKeyframe);
            runs && inner.stalled_after_ns.is_some_and(|limit| silent_ns > limit)
        };
        self.write_if(epoch, is_stalled, |inner| {
            inner.before_stall = inner.state;
            inner.enter(State::Stalled);
        });
    }

    /// Notes a packet, which ends a stall.
    pub(crate) fn packet_arrived(&self, epoch: u64, bytes: usize, monotonic_ns: i64) {
        self.stats.packets.add(1);
        self.stats.bytes.add(bytes as u64);
        self.stats.last_packet_ns.store(monotonic_ns, Ordering::Relaxed);
        let age_ns = crate::clock::monotonic_ns().saturating_sub(monotonic_ns);
        let is_news = |inner: &Inner| {
            // A packet from before the stall is none.
            inner.state == State::Stalled && inner.stalled_after_ns.is_none_or(|limit| age_ns <= limit)
        };
        self.write_if(epoch, is_news, |inner| inner.enter(inner.before_stall));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_left_behind_is_not_heard() {
        let board = Board::default();
        let old = board.begin_epoch(State::Connecting, false);
        let new = board.begin_epoch(State::Connecting, false);
        board.set_state(old, State::Running);
        assert_eq!(board.connected(old, StreamInfo::default(), None, false), 0);
        assert_eq!(board.state(), State::Connecting);
        assert_eq!(board.connected(new, StreamInfo::default(), None, false), 1);
        assert_eq!(board.state(), State::Ready);
    }

    #[test]
    fn reading_stands_still_until_start() {
        let board = Board::default();
        assert_eq!(board.standstill(), Some(Status::BadState));
        let epoch = board.begin_epoch(State::Connecting, false);
        assert_eq!(board.standstill(), Some(Status::Stopped));
        board.start();
        assert_eq!(board.state(), State::Connecting);
        assert_eq!(board.standstill(), None);
        board.connected(epoch, StreamInfo::default(), None, false);
        assert_eq!(board.state(), State::WaitingKeyframe);
        board.set_state(epoch, State::Ended);
        assert_eq!(board.standstill(), Some(Status::Ended));
    }

    #[test]
    fn a_silent_stream_counts_as_stalled() {
        let board = Board::default();
        let epoch = board.begin_epoch(State::Connecting, true);
        board.connected(epoch, StreamInfo::default(), Some(1_000_000_000), false);
        board.set_state(epoch, State::Running);
        board.check_stall(epoch);
        assert_eq!(board.state(), State::Running);
        board.stats.last_packet_ns.store(monotonic_ns() - 2_000_000_000, Ordering::Relaxed);
        board.check_stall(epoch);
        assert_eq!(board.state(), State::Stalled);
        board.packet_arrived(epoch, 1, monotonic_ns());
        assert_eq!(board.state(), State::Running);
        let states: Vec<State> = std::iter::from_fn(|| board.next_event()).map(|event| event.state).collect();
        let expected = [State::Connecting, State::WaitingKeyframe, State::Running, State::Stalled, State::Running];
        assert_eq!(states, expected);
    }
}
