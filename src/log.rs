//! Where log lines go: nowhere by default, else to the standard error stream or to a function of the host's.

use crate::error::numbered;
use crate::redact::redact_with;
use crate::sync::Ordering;
use crate::sync::process::AtomicU32;
use arc_swap::ArcSwapOption;
use std::cell::RefCell;
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
/// Not behind a lock, which another thread might hold when the process forks.
static SINK: ArcSwapOption<Sink> = ArcSwapOption::const_empty();

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
    SINK.store(sink.map(Arc::new));
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
    match SINK.load_full() {
        Some(sink) => sink(level, &text),
        None => write_to_stderr(&format!("mpegclient: {text}\n")),
    }
}

/// Writes a line in one piece, past the lock of std's stream: a child after fork may find that held for ever. A failure
/// is ignored: there is nowhere left to report it.
fn write_to_stderr(line: &str) {
    let mut rest = line.as_bytes();
    while !rest.is_empty() {
        match rustix::io::write(rustix::stdio::stderr(), rest) {
            Ok(written) => rest = &rest[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}
