//! Any call, in any order, from four threads at once, against servers that misbehave: every call comes back within its
//! bound, and a good stream runs at the end. `MPEGCLIENT_STRESS_SECONDS` makes it longer.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use mpegclient::{CancelToken, Client, Order, ReadOptions, Status};
use std::hash::{BuildHasher, RandomState};
use std::mem::MaybeUninit;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::Server;

/// What a call may take beyond its bound on a machine that is busy with other things.
const SLACK: Duration = Duration::from_millis(if cfg!(debug_assertions) { 700 } else { 200 });

/// What the system takes to look a name up where no server answers, by the defaults of resolv.conf(5): two attempts of 5 s
/// at each of three servers, for each of two kinds of addresses.
const LOOK_UP: Duration = Duration::from_secs(60);

/// A small generator of numbers, so that a run can be repeated from the seed that it prints.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}

/// The longest that a call took beyond its bound.
#[derive(Default)]
struct Worst(Mutex<(Duration, String)>);

impl Worst {
    fn timed<T>(&self, what: String, bound_ms: u64, call: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let value = call();
        let beyond = begin.elapsed().saturating_sub(Duration::from_millis(bound_ms));
        let mut worst = self.0.lock().expect("a thread panicked");
        if beyond > worst.0 {
            *worst = (beyond, what);
        }
        value
    }
}

fn one_call(client: &Client, random: &mut Random, urls: &[String], cancel: &CancelToken, worst: &Worst) {
    let timeout = random.below(300) as i64;
    let count = u32::try_from(random.below(10)).expect("below 10");
    match random.below(16) {
        0 | 1 => {
            let url = random.of(urls);
            let timeout = if random.below(3) == 0 { 0 } else { timeout + 1 };
            // Closing what was open before takes its own time.
            let bound = timeout.unsigned_abs() + 500;
            let _ = worst.timed(format!("setup {url}"), bound, || client.setup(Some(url), timeout, Some(cancel)));
        }
        2 | 3 => drop(worst.timed("start".into(), 0, || client.start())),
        4 => drop(worst.timed("terminate".into(), 500, || client.terminate())),
        5 => drop(worst.timed("clear".into(), 500, || client.clear())),
        // On but seldom, or nothing would ever wait.
        6 => client.interrupt(random.below(8) == 0),
        7 => {
            cancel.trigger();
            cancel.reset();
        }
        8 => drop(client.output_shape(timeout, Some(cancel))),
        9 => drop(worst.timed("wait".into(), timeout.unsigned_abs(), || client.wait(0, timeout, Some(cancel)))),
        10..=12 => {
            let order = *random.of(&[Order::Latest, Order::Next]);
            let options = ReadOptions { order, count: Some(count), timeout_ms: timeout, ..ReadOptions::default() };
            let mut buffer = vec![MaybeUninit::uninit(); 9 * 64 * 48 * 3];
            let bound = timeout.unsigned_abs();
            let _ = worst.timed("extract".into(), bound, || client.extract(&options, &mut buffer, &mut None));
        }
        13 => {
            let options = ReadOptions { count: Some(count), timeout_ms: timeout, ..ReadOptions::default() };
            if let Ok(lease) = client.acquire(&options) {
                let before = lease.pixels().to_vec();
                std::thread::sleep(Duration::from_millis(random.below(100)));
                assert!(lease.pixels() == before, "a lease changed while it was held");
            }
        }
        14 => {
            let key = *random.of(&["width", "frame_rate", "cache_size", "nonsense"]);
            let _ = client.set_parameter(key, "8");
            let _ = client.set_parameter("width", "64");
        }
        _ => {
            let _ = (client.state(), client.stats(), client.describe(), client.stream_info(), client.frame_info(1));
            while client.next_event().is_some() {}
        }
    }
}

/// Whether names are still being looked up, which nothing can end. LeakSanitizer would take what those threads have for
/// lost.
fn looks_names_up() -> bool {
    let threads = std::fs::read_dir("/proc/self/task").expect("no /proc").flatten();
    let mut names = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
    names.any(|name| name.trim_end() == "mpegclient-name")
}

#[test]
fn any_calls_from_four_threads_come_back_in_time() {
    let seconds = std::env::var("MPEGCLIENT_STRESS_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let seed = RandomState::new().hash_one(0);
    println!("seed {seed}, {seconds} s");
    let good = Server::rtsp();
    let faults: Vec<Server> = [("mute", 0), ("garbage", 0), ("stallreply", 2), ("rst", 20_000), ("stallbytes", 30_000)]
        .map(|(fault, number)| Server::fault_proxy(fault, number, good.port()))
        .into();
    let mut urls: Vec<String> = faults.iter().map(|proxy| proxy.rtsp_url("/video")).collect();
    urls.push(format!("rtsp://127.0.0.1:{}/video", support::free_port()));
    urls.push("rtsp://no-such-host.invalid/video".to_owned());
    urls.push(support::clip("video.mp4").display().to_string());
    urls.push(good.rtsp_url("/video"));
    urls.push(good.rtsp_url("/video"));

    let client = Client::new();
    for (key, value) in [("width", "64"), ("height", "48"), ("stall_timeout", "300"), ("reconnect_delay_min", "50")] {
        client.set_parameter(key, value).expect("refused");
    }
    let (cancel, worst, is_over) = (CancelToken::new(), Worst::default(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (client, urls, cancel, worst, is_over) = (&client, &urls, &cancel, &worst, &is_over);
            scope.spawn(move || {
                let mut random = Random(seed.wrapping_add(thread));
                while !is_over.load(Ordering::Relaxed) {
                    one_call(client, &mut random, urls, cancel, worst);
                }
            });
        }
        std::thread::sleep(Duration::from_secs(seconds));
        is_over.store(true, Ordering::Relaxed);
    });
    client.interrupt(false);
    let (beyond, what) = worst.0.into_inner().expect("a thread panicked");
    println!("worst: {what}, {beyond:?} beyond its bound");
    assert!(beyond <= SLACK, "{what} took {beyond:?} beyond its bound (seed {seed})");

    client.set_parameter("cache_size", "8").expect("refused");
    client.setup(Some(&good.rtsp_url("/video")), 10_000, None).expect("no stream at the end");
    client.start().expect("not started");
    let options = ReadOptions { count: Some(3), timeout_ms: 10_000, ..ReadOptions::default() };
    let newest = client.acquire(&options).expect("no frames at the end");
    assert_eq!(newest.infos().len(), 3);
    assert_eq!(client.frame_info(u64::MAX).map_err(|error| error.status), Err(Status::NoFrame));

    let deadline = Instant::now() + LOOK_UP;
    while looks_names_up() {
        assert!(Instant::now() < deadline, "a name is looked up for longer than {LOOK_UP:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
