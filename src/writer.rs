//! The writer thread: connects, drives the way of a frame, connects again, reports.

mod backlog;
mod backoff;
mod connection;
mod control;
mod doubt;
#[cfg(any(loom, shuttle))]
mod models;

#[cfg(shuttle)]
pub(crate) use control::Control;
pub(crate) use control::Goal;

use crate::av;
use crate::board::Board;
use crate::config::Config;
use crate::error::{Error, Result, Status};
use crate::log::{self, Level};
use crate::source::End;
use crate::state::State;
use crate::sync::process::{AtomicU64, PerProcess};
use crate::sync::{Arc, Ordering};
use crate::sys;
use crate::view::{View, ViewWriter};
use backoff::Backoff;
use connection::{Connection, Outlet};
#[cfg(not(shuttle))]
use control::Control;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Threads that hang in a system call and were left behind, in this process. More than this are not made.
const MAX_ABANDONED: u64 = 64;
static ABANDONED: PerProcess<AtomicU64> = PerProcess::new(AtomicU64::default);

/// A connection that was good for so long is no failed attempt.
const GOOD_CONNECTION: Duration = Duration::from_secs(10);

/// What a writer needs to know.
pub(crate) struct Assignment {
    pub(crate) config: Arc<Config>,
    pub(crate) board: Arc<Board>,
    pub(crate) view: Arc<View>,
    /// The number under which it may write.
    pub(crate) epoch: u64,
    /// What it does once connected.
    pub(crate) goal: Goal,
    /// Whether the first connection, too, is tried again.
    pub(crate) retries_first: bool,
    /// Milliseconds for the first connection.
    pub(crate) first_timeout_ms: i64,
}

/// The client's hold on its writer thread.
pub(crate) struct WriterHandle {
    control: Arc<Control>,
    thread: JoinHandle<()>,
}

impl WriterHandle {
    /// Starts a writer.
    pub(crate) fn spawn(assignment: Assignment) -> Result<Self> {
        let hanging = ABANDONED.get().load(Ordering::SeqCst);
        if hanging >= MAX_ABANDONED {
            let text = format!("{hanging} threads of earlier connections still hang in system calls; try again later");
            return Err(Error::new(Status::System, text).retryable(true));
        }
        let control = Arc::new(Control::new(assignment.goal));
        let writer = Writer { assignment, control: Arc::clone(&control) };
        let thread = sys::spawn("mpegclient", move || writer.run_guarded())
            .map_err(|error| Error::new(Status::System, format!("the writer thread: {error}")).retryable(true))?;
        Ok(Self { control, thread })
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.control.is_done()
    }

    /// Whether it has not come further than to look the name up, which is the first step.
    pub(crate) fn is_resolving(&self) -> bool {
        !self.control.watch().was_polled()
    }

    /// Has the writer run or hold.
    pub(crate) fn set_goal(&self, goal: Goal) {
        self.control.set_goal(goal);
    }

    /// Waits until the writer holds still. Returns whether it does.
    pub(crate) fn wait_parked(&self, deadline: Instant) -> bool {
        self.control.wait_parked(deadline)
    }

    /// Ends the writer. One that does not end in time is left to end by itself, behind its epoch.
    pub(crate) fn stop(self, board: &Board, deadline: Instant) {
        self.control.stop();
        if self.control.wait_done_or_abandon(deadline, ABANDONED.get()) {
            // It is past its last line of ours; a panic in it was caught there.
            let _ = self.thread.join();
        } else {
            board.stats.abandoned_threads.add(1);
            log::line(Level::Warning, "a thread hangs in a system call and was left behind");
        }
    }
}

struct Writer {
    assignment: Assignment,
    control: Arc<Control>,
}

impl Writer {
    fn run_guarded(self) {
        av::on_own_thread();
        log::set_thread_secrets(self.assignment.config.secrets.clone());
        if catch_unwind(AssertUnwindSafe(|| self.run())).is_err() {
            let error = Error::new(Status::Internal, "a panic was caught in the writer; please report it");
            self.assignment.board.note(self.assignment.epoch, &error);
            self.set_state(State::Failed);
        }
        self.control.finish(ABANDONED.get());
    }

    fn run(&self) {
        let Assignment { config, board, view, epoch, .. } = &self.assignment;
        let mut outlet = Outlet::new(ViewWriter::new(Arc::clone(view), *epoch));
        self.watch_for_stalls();
        let mut backoff = Backoff::new(config);
        let mut has_connected = false;
        loop {
            let begin = Instant::now();
            let timeout_ms = if has_connected { config.setup_timeout_ms } else { self.assignment.first_timeout_ms };
            let (end, may_return) = match self.connect(timeout_ms, &outlet) {
                Ok(mut connection) => {
                    has_connected = true;
                    outlet.has_connected = true;
                    let end = connection.serve(&mut outlet);
                    (end, connection.may_return())
                }
                Err(error) => (End::Lost(error), true),
            };
            let error = match end {
                _ if self.control.is_stopped() => return,
                End::Stopped => return,
                End::Finished => return self.set_state(State::Ended),
                End::Truncated(error) => {
                    log::line(Level::Warning, &error.to_string());
                    board.note(*epoch, &error);
                    return self.set_state(State::Ended);
                }
                End::Lost(error) => error,
            };
            log::line(Level::Error, &error.to_string());
            board.note(*epoch, &error);
            if has_connected && begin.elapsed() >= GOOD_CONNECTION {
                backoff.reset();
            }
            let retries = config.reconnect && may_return && error.retryable;
            let Some(delay) = (if has_connected || self.assignment.retries_first {
                backoff.next(&error, has_connected)
            } else {
                None
            })
            .filter(|_| retries) else {
                return self.set_state(State::Failed);
            };
            self.set_state(if has_connected { State::Reconnecting } else { State::Connecting });
            outlet.view.mark_gap();
            self.control.sleep_unless_stopped(delay);
        }
    }

    fn connect(&self, timeout_ms: i64, outlet: &Outlet) -> Result<Connection<'_>> {
        self.assignment.board.stats.connect_attempts.add(1);
        self.control.watch().allow_ms(timeout_ms);
        Connection::open(&self.assignment, &self.control, outlet)
    }

    /// While libav waits for a packet, it asks whether to go on: that is when a stall is seen.
    fn watch_for_stalls(&self) {
        let (board, epoch) = (Arc::clone(&self.assignment.board), self.assignment.epoch);
        self.control.watch().set_on_poll(Box::new(move || board.check_stall(epoch)));
    }

    fn set_state(&self, state: State) {
        self.assignment.board.set_state(self.assignment.epoch, state);
    }
}
