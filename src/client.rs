//! A stream and its readers: the life cycle, and every way to look at what the writer makes of it.

mod events;
mod leases;
#[cfg(shuttle)]
mod models;
mod reading;
#[cfg(test)]
mod stage;
mod turns;

pub use events::wait_any;
pub use leases::LeaseStatus;
pub use reading::{Batch, FrameLease, ReadOptions};

use crate::av;
use crate::board::{Board, Failure, StreamInfo};
use crate::cancel::CancelToken;
use crate::clock::{SECOND, deadline_in};
use crate::config::Config;
use crate::error::{Error, Phase, Result, Status};
use crate::event::Bell;
use crate::parameters::Parameters;
use crate::redact::redact_with;
use crate::ring::{Ring, RingStatus};
use crate::state::State;
use crate::stats::StatsSnapshot;
use crate::sync::{Arc, AtomicU32, AtomicU64, Mutex, Ordering, TimedMutex, TimedMutexGuard};
use crate::view::View;
use crate::writer::{Assignment, Goal, WriterHandle};
use leases::LeaseBook;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use turns::Turns;

/// How long terminate, clear and the like wait in all: for another life-cycle call to give way, and for the writer, which
/// looks at what it is asked to do at least every 100 ms, to hold or to end. One that does not is left behind.
const STOP_TIME: Duration = Duration::from_millis(400);

/// What a caller waits longer than the writer has for connecting, so that the writer's own words are the ones it gets.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// One stream, from setup to clear. All methods may be called from any thread at any time.
pub struct Client {
    board: Arc<Board>,
    parameters: Mutex<Parameters>,
    /// Life-cycle calls exclude each other by this lock.
    session: TimedMutex<Option<Session>>,
    /// How many calls of terminate and clear want a setup in progress to end.
    aborters: AtomicU32,
    /// What readers read; outlives terminate, but not clear.
    view: Arc<Mutex<Option<Arc<View>>>>,
    /// The descriptor, once somebody wants it, and the number after which frames make it readable.
    bell: Mutex<Option<Arc<Bell>>>,
    armed_seq: Arc<AtomicU64>,
    leases: Arc<LeaseBook>,
    turns: Turns,
    /// The last number that was ever given to a frame, while there is no view.
    last_seq: Mutex<u64>,
}

/// From setup to clear.
struct Session {
    config: Arc<Config>,
    view: Arc<View>,
    writer: Option<WriterHandle>,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A client in the state IDLE.
    pub fn new() -> Self {
        av::install_log();
        Self {
            board: Arc::default(),
            parameters: Mutex::default(),
            session: TimedMutex::new(None),
            aborters: AtomicU32::new(0),
            view: Arc::default(),
            bell: Mutex::new(None),
            armed_seq: Arc::new(AtomicU64::new(u64::MAX)),
            leases: Arc::default(),
            turns: Turns::default(),
            last_seq: Mutex::new(0),
        }
    }

    // ---- Parameters ----

    /// Sets a parameter.
    ///
    /// # Errors
    /// `UNKNOWN_PARAMETER`, `INVALID_ARGUMENT`.
    pub fn set_parameter(&self, key: &str, value: &str) -> Result<()> {
        self.parameters.lock().set(key, value)
    }

    /// The same from bytes, which have to be UTF-8 but for the address of a file.
    pub(crate) fn set_parameter_bytes(&self, key: &str, value: &[u8]) -> Result<()> {
        self.parameters.lock().set_bytes(key, value)
    }

    /// The value of a parameter as the bytes that were set.
    pub(crate) fn parameter_bytes(&self, key: &str) -> Result<Vec<u8>> {
        self.parameters.lock().get_bytes(key).map(<[u8]>::to_vec)
    }

    /// The value of a parameter.
    ///
    /// # Errors
    /// `UNKNOWN_PARAMETER`.
    pub fn parameter(&self, key: &str) -> Result<String> {
        self.parameters.lock().get(key).map(str::to_owned)
    }

    // ---- Life cycle ----

    /// Connects to a stream; `None` is the parameter `url`. With timeout 0 connecting goes on in the background; below 0
    /// the parameter `setup_timeout` alone counts.
    ///
    /// # Errors
    /// As `mpegclient_setup` in the C header. Nothing keeps running after one, and the state is IDLE.
    pub fn setup(&self, url: Option<&str>, timeout_ms: i64, cancel: Option<&CancelToken>) -> Result<()> {
        self.setup_bytes(url.map(str::as_bytes), timeout_ms, cancel)
    }

    /// The same with an address of any bytes, as names of files are.
    pub(crate) fn setup_bytes(&self, url: Option<&[u8]>, timeout_ms: i64, cancel: Option<&CancelToken>) -> Result<()> {
        let mut session = self.session.try_lock().ok_or_else(busy)?;
        let config = Arc::new(self.configure(url)?);
        self.close(&mut session, stop_deadline());
        self.check_interruption(cancel)?;
        let last_seq = *self.last_seq.lock();
        let view = Arc::new(View::new(Arc::clone(&config), Arc::clone(&self.board.signal), last_seq)?);
        let mut opened = Session { config, view, writer: None };
        let is_background = timeout_ms == 0;
        let first_timeout_ms = match timeout_ms {
            1.. => timeout_ms.min(opened.config.setup_timeout_ms),
            _ => opened.config.setup_timeout_ms,
        };
        let connected = self.connect(&mut opened, Goal::Hold, is_background, first_timeout_ms).and_then(|()| {
            *self.view.lock() = Some(Arc::clone(&opened.view));
            if is_background { Ok(()) } else { self.await_connection(&opened, first_timeout_ms, cancel) }
        });
        *session = Some(opened);
        connected.inspect_err(|_| self.close(&mut session, stop_deadline()))
    }

    fn configure(&self, url: Option<&[u8]>) -> Result<Config> {
        let mut parameters = self.parameters.lock();
        // Kept only if all of them are good.
        let mut wanted = parameters.clone();
        if let Some(url) = url {
            wanted.set_bytes("url", url)?;
        }
        let config = wanted.config()?;
        if config.url.is_empty() {
            return Err(Error::argument("url", "empty", "the address of a stream"));
        }
        *parameters = wanted;
        Ok(config)
    }

    /// Has a new writer connect, under a new epoch. Without a thread for it the state is what it was before.
    fn connect(&self, session: &mut Session, goal: Goal, retries_first: bool, first_timeout_ms: i64) -> Result<()> {
        let before = self.board.state();
        let epoch = self.begin_epoch(&session.view, State::Connecting, goal == Goal::Run);
        let writer = WriterHandle::spawn(Assignment {
            config: Arc::clone(&session.config),
            board: Arc::clone(&self.board),
            view: Arc::clone(&session.view),
            epoch,
            goal,
            retries_first,
            first_timeout_ms,
        });
        if writer.is_err() {
            self.begin_epoch(&session.view, before, false);
        }
        session.writer = Some(writer?);
        Ok(())
    }

    /// Begins the time of another writer, for the state and the frames alike.
    fn begin_epoch(&self, view: &View, state: State, is_started: bool) -> u64 {
        let epoch = self.board.begin_epoch(state, is_started);
        view.set_epoch(epoch);
        epoch
    }

    fn await_connection(&self, opened: &Session, timeout_ms: i64, cancel: Option<&CancelToken>) -> Result<()> {
        let deadline = deadline_in(timeout_ms).and_then(|deadline| deadline.checked_add(LAST_WORDS));
        self.wait_for(deadline, cancel, |is_last| match self.board.state() {
            _ if self.aborters.load(Ordering::SeqCst) > 0 => {
                Some(Err(Error::new(Status::Stopped, "terminate or clear was called during setup")))
            }
            State::Failed => Some(Err(self.last_failure().map_or_else(unknown_failure, |failure| failure.error))),
            State::Connecting if is_last => {
                let is_resolving = opened.writer.as_ref().is_some_and(WriterHandle::is_resolving);
                let phase = if is_resolving { Phase::Resolve } else { Phase::Connect };
                let text = format!("no connection within {timeout_ms} ms, still {}", phase.text());
                let error = Error::new(Status::Timeout, text).in_phase(phase).retryable(true);
                self.board.remember(&error);
                Some(Err(error))
            }
            State::Connecting => None,
            _ => Some(Ok(())),
        })
    }

    /// Decodes from now on. After terminate a live stream is connected anew, in the background.
    ///
    /// # Errors
    /// `BAD_STATE` before setup; `BUSY`; `SYSTEM`.
    pub fn start(&self) -> Result<()> {
        let mut session = self.session.try_lock().ok_or_else(busy)?;
        let Some(session) = session.as_mut() else {
            return Err(Error::new(Status::BadState, "start needs a setup before it"));
        };
        // One that has said so is over, even if its thread still has a step to go.
        let is_over = matches!(self.board.state(), State::Ended | State::Failed);
        match session.writer.as_ref().filter(|writer| writer.is_alive() && !is_over) {
            Some(writer) => {
                self.board.start();
                writer.set_goal(Goal::Run);
                Ok(())
            }
            None => {
                if let Some(writer) = session.writer.take() {
                    writer.stop(&self.board, stop_deadline());
                }
                let timeout_ms = session.config.setup_timeout_ms;
                self.connect(session, Goal::Run, true, timeout_ms)
            }
        }
    }

    /// Stops decoding. The last frames stay readable.
    ///
    /// # Errors
    /// `BUSY` if another life-cycle call does not give way.
    pub fn terminate(&self) -> Result<()> {
        let deadline = stop_deadline();
        let mut session = self.abort_others(deadline)?;
        if let Some(session) = session.as_mut() {
            self.halt(session, deadline);
        }
        Ok(())
    }

    /// Terminates, closes the stream and gives its frames up.
    ///
    /// # Errors
    /// `BUSY` if another life-cycle call does not give way.
    pub fn clear(&self) -> Result<()> {
        let deadline = stop_deadline();
        let mut session = self.abort_others(deadline)?;
        self.close(&mut session, deadline);
        Ok(())
    }

    /// Ends the waiting calls, and those to come while it is on.
    pub fn interrupt(&self, on: bool) {
        self.board.set_interrupted(on);
    }

    /// Takes the life-cycle lock, from a setup in progress if need be.
    fn abort_others(&self, deadline: Instant) -> Result<TimedMutexGuard<'_, Option<Session>>> {
        self.aborters.fetch_add(1, Ordering::SeqCst);
        self.board.signal.notify();
        let session = self.session.lock_until(Some(deadline));
        self.aborters.fetch_sub(1, Ordering::SeqCst);
        session.ok_or_else(busy)
    }

    /// Has a file held where it is, and a live stream disconnected.
    fn halt(&self, session: &mut Session, deadline: Instant) {
        if self.hold_file(session, deadline) {
            return;
        }
        let state = self.board.state();
        let is_over = matches!(state, State::Ended | State::Failed);
        self.begin_epoch(&session.view, if is_over { state } else { State::Stopped }, false);
        if let Some(writer) = session.writer.take() {
            writer.stop(&self.board, deadline);
        }
    }

    /// Has a file's writer hold still. Returns whether it does; one that is over or hangs does not.
    fn hold_file(&self, session: &Session, deadline: Instant) -> bool {
        let is_file = self.board.stream().is_some_and(|stream| !stream.is_live);
        let Some(writer) = session.writer.as_ref().filter(|_| is_file) else {
            return false;
        };
        writer.set_goal(Goal::Hold);
        // The other half is left for one that waits for data to end.
        let now = Instant::now();
        let holds = writer.wait_parked(now + deadline.saturating_duration_since(now) / 2) && writer.is_alive();
        if holds {
            self.board.hold();
        }
        holds
    }

    /// Ends a session, if there is one.
    fn close(&self, session: &mut Option<Session>, deadline: Instant) {
        if let Some(mut closing) = session.take() {
            self.begin_epoch(&closing.view, State::Idle, false);
            self.board.forget_stream();
            if let Some(writer) = closing.writer.take() {
                writer.stop(&self.board, deadline);
            }
            *self.last_seq.lock() = closing.view.newest_seq();
            *self.view.lock() = None;
        }
    }

    /// Looks until there is an answer; `look` is told when it is asked for the last time.
    fn wait_for<T>(
        &self,
        deadline: Option<Instant>,
        cancel: Option<&CancelToken>,
        look: impl Fn(bool) -> Option<Result<T>>,
    ) -> Result<T> {
        let signal = &self.board.signal;
        let _following = cancel.map(|cancel| signal.follow(&cancel.signal));
        loop {
            let seen = signal.now();
            self.check_interruption(cancel)?;
            let is_last = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            match look(is_last) {
                Some(answer) => return answer,
                None if is_last => return Err(self.absence(None)),
                None => signal.wait_after(seen, deadline),
            };
        }
    }

    fn check_interruption(&self, cancel: Option<&CancelToken>) -> Result<()> {
        if self.board.is_interrupted() {
            return Err(Error::new(Status::Interrupted, "mpegclient_interrupt is on"));
        }
        if cancel.is_some_and(CancelToken::is_triggered) {
            return Err(Error::new(Status::Cancelled, "the call was cancelled"));
        }
        Ok(())
    }

    /// Why no new frame will come to who reads this view, unless something else is called; `None` while one may.
    fn standstill(&self, view: &Arc<View>) -> Option<Status> {
        let is_present = self.view.lock().as_ref().is_some_and(|present| Arc::ptr_eq(present, view));
        // Its client was cleared, and maybe set up anew: what comes now comes to another view.
        if is_present { self.board.standstill() } else { Some(Status::BadState) }
    }

    /// Why there is no frame. A stream that has failed for good tells the phase, and what libav and the server said.
    fn absence(&self, standstill: Option<Status>) -> Error {
        if standstill == Some(Status::BadState) {
            return Error::new(Status::BadState, "the client was cleared, or set up anew, during the call");
        }
        let state = self.board.state();
        let status = standstill.unwrap_or(Status::Timeout);
        let cause = self.last_failure().filter(|_| !matches!(state, State::Running | State::Ready | State::Stopped));
        let Some(Failure { error: cause, .. }) = cause else {
            return Error::new(status, state.text());
        };
        let error = Error::new(status, format!("{}; last failure: {cause}", state.text()));
        if status != Status::Failed {
            return error;
        }
        let Error { phase, av_code, protocol_status, .. } = cause;
        Error { phase, av_code, protocol_status, ..error }
    }

    fn view(&self) -> Result<Arc<View>> {
        self.view.lock().clone().ok_or_else(|| Error::new(Status::BadState, "the client is not set up"))
    }

    // ---- What is known ----

    /// Where the client stands.
    pub fn state(&self) -> State {
        self.board.state()
    }

    /// What is known of the stream.
    ///
    /// # Errors
    /// `BAD_STATE` until there was a connection.
    pub fn stream_info(&self) -> Result<StreamInfo> {
        self.board.stream().ok_or_else(|| Error::new(Status::BadState, "no stream was connected yet"))
    }

    /// The counters.
    pub fn stats(&self) -> StatsSnapshot {
        self.board.stats.snapshot()
    }

    /// How full the ring is.
    pub fn ring_status(&self) -> RingStatus {
        let view = self.view.lock().clone();
        let idle = || RingStatus { newest_seq: *self.last_seq.lock(), ..RingStatus::default() };
        view.as_ref().and_then(|view| view.ring()).map_or_else(idle, Ring::status)
    }

    /// The leases that have not been given back, those of earlier setups included.
    pub fn lease_status(&self) -> LeaseStatus {
        self.leases.status()
    }

    /// The last failure of the stream.
    pub fn last_failure(&self) -> Option<Failure> {
        self.board.failure()
    }

    /// Marks the client failed, after a panic in one of its calls.
    pub(crate) fn mark_defective(&self, error: &Error) {
        self.board.fail(error);
    }

    /// The client in words, without credentials.
    pub fn describe(&self) -> String {
        let mut text = format!("mpegclient {}\n", env!("CARGO_PKG_VERSION"));
        // Writing to a String cannot fail.
        let _ = self.write_description(&mut text);
        redact_with(text.trim_end(), &self.parameters.lock().secrets())
    }

    fn write_description(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "state: {}", self.state().text())?;
        if let Some(stream) = self.board.stream() {
            let (kind, rate) = (if stream.is_live { "live" } else { "file" }, stream.measured_frame_rate);
            write!(text, "stream: {} in {}, {kind}, ", stream.codec, stream.container)?;
            if stream.width > 0 {
                write!(text, "{}x{} {}, ", stream.width, stream.height, stream.pixel_format)?;
            }
            if rate > 0.0 {
                write!(text, "{rate:.2} frames/s, ")?;
            }
            writeln!(text, "connection {}", stream.generation)?;
        }
        if let Some(shape) = self.view().ok().and_then(|view| view.shape()) {
            writeln!(text, "frames: {} x {} x {} bytes", shape.height, shape.width, shape.channels())?;
        }
        let (ring, stats) = (self.ring_status(), self.stats());
        writeln!(text, "ring: {} slots, frames {} to {}", ring.capacity, ring.oldest_seq, ring.newest_seq)?;
        write!(text, "counted: {} packets, {} bytes, ", stats.packets, stats.bytes)?;
        write!(text, "{} decoded, {} published, ", stats.decoded, ring.newest_seq)?;
        write!(text, "{} left out for the rate, {} read, ", stats.dropped_by_rate, stats.frames_read)?;
        writeln!(text, "{} decode errors, {} corrupt", stats.decode_errors, stats.corrupt)?;
        let leases = self.lease_status();
        if leases.count > 0 {
            let seconds = leases.oldest_age_ns as f64 / SECOND as f64;
            writeln!(text, "leases: {} out, the oldest for {seconds:.1} s", leases.count)?;
        }
        if let Some(failure) = self.last_failure() {
            writeln!(text, "last failure: {}", failure.error)?;
        }
        match self.parameters.lock().describe().as_str() {
            "" => write!(text, "parameters: all at their defaults"),
            set => write!(text, "parameters: all at their defaults but for\n{set}"),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(mut session) = self.session.lock_until(None) {
            self.close(&mut session, stop_deadline());
        }
    }
}

fn stop_deadline() -> Instant {
    Instant::now() + STOP_TIME
}

fn busy() -> Error {
    Error::new(Status::Busy, "another thread is in setup, start, terminate or clear").retryable(true)
}

fn unknown_failure() -> Error {
    Error::new(Status::Failed, "the connection failed")
}
