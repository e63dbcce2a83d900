//! A server on loopback that lives as long as a run.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often a connection on which nothing comes is asked whether the run is over.
const TICK: Duration = Duration::from_millis(5);

/// What a client may send before its request ends.
const MAX_REQUEST: usize = 1 << 16;

/// Serves every connection in a thread of its own, all of which end with it.
pub struct Listener {
    port: u16,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    pub fn serve(with: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("no port can be had");
        let port = listener.local_addr().expect("a listener has no address").port();
        let is_over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_over);
        let accept = move || {
            thread::scope(|scope| {
                for stream in listener.incoming().map_while(Result::ok) {
                    if flag.load(Ordering::SeqCst) {
                        return;
                    }
                    let peer = Peer { stream, is_over: Arc::clone(&flag), port, received: Vec::new() };
                    scope.spawn(|| with(peer));
                }
            });
        };
        Self { port, is_over, thread: Some(thread::spawn(accept)) }
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes it; where that fails, it is awake already.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            thread.join().expect("a server panicked");
        }
    }
}

/// A connection, seen from the server.
pub struct Peer {
    stream: TcpStream,
    is_over: Arc<AtomicBool>,
    pub port: u16,
    received: Vec<u8>,
}

impl Peer {
    /// The next request, up to its empty line; `None` once there will be none.
    pub fn request(&mut self) -> Option<String> {
        loop {
            self.skip_frames();
            if let Some(at) = self.received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let rest = self.received.split_off(at + 4);
                let request = std::mem::replace(&mut self.received, rest);
                return Some(String::from_utf8_lossy(&request).into_owned());
            }
            if self.received.len() > MAX_REQUEST || !self.receive() {
                return None;
            }
        }
    }

    /// Sends; returns whether the other side takes it.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        let _ = self.stream.set_write_timeout(Some(TICK));
        while !rest.is_empty() && !self.is_over.load(Ordering::SeqCst) {
            match self.stream.write(rest) {
                Ok(0) => return false,
                Ok(count) => rest = &rest[count..],
                Err(error) if is_pause(error.kind()) => {}
                Err(_) => return false,
            }
        }
        rest.is_empty()
    }

    /// Says that nothing more comes, and waits for the other side to go.
    pub fn finish(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
        self.hold();
    }

    /// Keeps the connection open, and says nothing more.
    pub fn hold(&mut self) {
        while self.receive() {
            self.received.clear();
        }
    }

    /// RTCP within an RTSP connection is no request: RFC 2326, section 10.12.
    fn skip_frames(&mut self) {
        while let [b'$', _, high, low, ..] = self.received[..] {
            let end = 4 + usize::from(u16::from_be_bytes([high, low]));
            if self.received.len() < end {
                return;
            }
            self.received.drain(..end);
        }
    }

    /// Takes what comes; returns whether more may.
    fn receive(&mut self) -> bool {
        let mut chunk = [0; 4096];
        let _ = self.stream.set_read_timeout(Some(TICK));
        loop {
            if self.is_over.load(Ordering::SeqCst) {
                return false;
            }
            match self.stream.read(&mut chunk) {
                Ok(0) => return false,
                Ok(count) => {
                    self.received.extend_from_slice(&chunk[..count]);
                    return true;
                }
                Err(error) if is_pause(error.kind()) => {}
                Err(_) => return false,
            }
        }
    }
}

fn is_pause(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
