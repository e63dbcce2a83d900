//! Where log lines go: nowhere by default, else to the standard error stream or to a function of the host's.

use crate::error::numbered;
use crate::redact::redact_with;
use crate::sync::Ordering;
use crate::sync::process::{AtomicU32, Mutex};
use std::cell::RefCell;
use std::io::Write as _;
use std::sync::Arc;

numbered! {
    /// How much is logged; each level includes those before it.
    Level {
        Quiet = 0, "QUIET", "nothing";
        Error = 1, "ERROR", "failures";
        Warning = 2, "WARNING", "failures and what may become one";
        Info = 3, "INFO", "also connections made and lost";
        Debug = 4, "DEBUG", "also all that libav has to say";
    }
}

/// Receives one line at a time.
pub type Sink = Box<dyn Fn(Level, &str) + Send + Sync>;

static LEVEL: AtomicU32 = AtomicU32::new(0);
static SINK: Mutex<Option<Arc<Sink>>> = Mutex::new(None);

thread_local! {
    /// What no line said on this thread may show.
    static SECRETS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Has every line that is said on this thread cleared of these texts, too.
pub(crate) fn set_thread_secrets(secrets: Vec<String>) {
    SECRETS.set(secrets);
}

/// Sets how much is logged, for the whole process.
pub fn set_level(level: Level) {
    LEVEL.store(level as u32, Ordering::Relaxed);
}

/// Has the lines go to a function, or with `None` to the standard error stream.
pub fn set_sink(sink: Option<Sink>) {
    *SINK.lock() = sink.map(Arc::new);
}

/// Whether a line of this level would go anywhere.
pub(crate) fn is_enabled(level: Level) -> bool {
    level != Level::Quiet && level as u32 <= LEVEL.load(Ordering::Relaxed)
}

/// Logs a line, cleared of credentials.
pub(crate) fn line(level: Level, text: &str) {
    if !is_enabled(level) {
        return;
    }
    let text = SECRETS.with_borrow(|secrets| redact_with(text, secrets));
    // The lock is not held while the host's function runs, which may take its time.
    let sink = SINK.lock().clone();
    match sink {
        Some(sink) => sink(level, &text),
        // A stream that nobody reads any more is no reason to panic, as `eprintln` would.
        None => drop(writeln!(std::io::stderr(), "mpegclient: {text}")),
    }
}
