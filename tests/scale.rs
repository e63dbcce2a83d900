//! Many streams in one process: none waits for another, and none costs more because there are others.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use mpegclient::{Client, Order, ReadOptions, Status};
use rustix::time::{ClockId, clock_gettime};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use support::Server;

/// Held by tests that measure processor time or load the machine: they run as threads of one process.
static ALONE: Mutex<()> = Mutex::new(());

/// A port at which nobody answers: its queue is full, so that the kernel swallows whoever calls.
struct DeadHost {
    listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl DeadHost {
    fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("no port can be had");
        let address = listener.local_addr().expect("a listener has no address");
        let call = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
        let queue = std::iter::from_fn(call).collect();
        Self { listener, _queue: queue }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("a listener has no address")
    }
}

#[test]
fn many_setups_to_dead_hosts_take_one_timeout() {
    const SETUPS: usize = 64;
    const TIMEOUT: Duration = Duration::from_secs(3);
    let host = DeadHost::new();
    let url = format!("rtsp://{}/video", host.address());
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..SETUPS {
            scope.spawn(|| {
                let error =
                    Client::new().setup(Some(&url), TIMEOUT.as_millis() as i64, None).expect_err("nobody answers");
                assert_eq!(error.status, Status::Timeout, "{error}");
            });
        }
    });
    let took = begun.elapsed();
    assert!(took >= TIMEOUT, "given up after {took:?}");
    assert!(took < 2 * TIMEOUT, "{SETUPS} setups of {TIMEOUT:?} took {took:?}");
}

/// A client that runs.
fn running(url: &str, parameters: &[(&str, &str)]) -> Client {
    let client = Client::new();
    for (name, value) in parameters {
        client.set_parameter(name, value).expect("a parameter was refused");
    }
    client.setup(Some(url), 30_000, None).expect("no stream");
    client.start().expect("it cannot be started");
    client.wait(0, 30_000, None).expect("no frame");
    client
}

/// Pictures so large that each takes long to make hold up their own stream and no other.
#[test]
#[ignore = "takes ten seconds of both processors"]
fn a_stream_that_is_slow_holds_no_other_up() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::rtsp();
    let huge = [("width", "8192"), ("height", "8192"), ("cache_size", "1"), ("frame_rate", "25/1")];
    let slow = running(&server.rtsp_url("video"), &huge);
    let quick = running(&server.rtsp_url("small"), &[("cache_size", "100")]);
    let begun = quick.wait(0, 0, None).expect("no frame");
    thread::sleep(Duration::from_secs(4));
    let own_delay = longest_work(&slow);
    let delay = median_delay(&quick, begun);
    assert!(delay < own_delay / 3, "a frame took {delay:?} beside a stream whose frames take {own_delay:?}");
}

/// The time from decoding to readability of the newest frame.
fn longest_work(client: &Client) -> Duration {
    let newest = client.wait(0, 0, None).expect("no frame");
    let info = client.frame_info(newest).expect("it is gone");
    Duration::from_nanos((info.published_ns - info.decoded_ns).unsigned_abs())
}

/// The time from arrival to readability of a frame, in the middle of those after a number.
fn median_delay(client: &Client, after_seq: u64) -> Duration {
    let options =
        ReadOptions { order: Order::Latest, count: Some(100), after_seq, timeout_ms: 0, ..ReadOptions::default() };
    let frames = client.acquire(&options).expect("no frames");
    let mut delays: Vec<u64> =
        frames.infos().iter().map(|info| (info.published_ns - info.arrival.monotonic_ns).unsigned_abs()).collect();
    delays.sort_unstable();
    assert!(delays.len() > 10, "{} frames in four seconds", delays.len());
    Duration::from_nanos(delays[delays.len() / 2])
}

/// Processor time of this process.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).expect("the clock shows less than nothing")
}

/// Processor time of a frame while so many streams run.
fn cost(server: &Server, streams: usize) -> Duration {
    let url = server.rtsp_url("small");
    let clients: Vec<Client> = thread::scope(|scope| {
        let setups: Vec<_> = (0..streams).map(|_| scope.spawn(|| running(&url, &[]))).collect();
        setups.into_iter().map(|setup| setup.join().expect("a stream failed")).collect()
    });
    let decoded = || clients.iter().map(|client| client.stats().decoded).sum::<u64>();
    thread::sleep(Duration::from_secs(1));
    let (time, frames) = (cpu_time(), decoded());
    thread::sleep(Duration::from_secs(4));
    let frames = decoded() - frames;
    assert!(frames >= 10 * streams as u64, "{frames} frames of {streams} streams in four seconds");
    (cpu_time() - time) / u32::try_from(frames).expect("so many frames")
}

#[test]
#[ignore = "runs 32 streams for some seconds"]
fn a_stream_costs_no_more_among_many() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::rtsp();
    // Before and after, so that a machine that is busy with something else for a while does not decide.
    let few = cost(&server, 2);
    let many = cost(&server, 32);
    let few = few.max(cost(&server, 2));
    println!("a frame takes {few:?} with 2 streams, {many:?} with 32");
    assert!(many < few * 3 / 2, "a frame takes {few:?} with 2 streams, {many:?} with 32");
}
