//! The library's threads.

use super::signals::block_signals;
use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread that takes no part in the host's signal handling, and neither do the threads that it starts.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let _blocked = block_signals();
    Builder::new().name(name.to_owned()).spawn(body)
}
