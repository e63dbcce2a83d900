//! What taking frames out of the ring costs: lent, copied, and what the machine takes to copy as much.
#![allow(missing_docs, reason = "criterion_main writes a function without documentation")]
#![allow(clippy::expect_used, clippy::panic, reason = "a bench that cannot be set up has failed")]

#[path = "../tests/support/mod.rs"]
mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mpegclient::{Client, ReadOptions, State};
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Frames of a read.
const COUNT: u32 = 5;

const NEWEST: ReadOptions<'static> = ReadOptions {
    order: mpegclient::Order::Latest,
    count: Some(COUNT),
    after_seq: 0,
    timeout_ms: 0,
    max_age_ms: None,
    mix_generations: false,
    cancel: None,
};

/// A client whose file has come to its end: its last twelve frames stay readable, and nothing else runs.
fn ended_client(width: u32, height: u32) -> Client {
    let client = Client::new();
    for (name, value) in [("width", width.to_string()), ("height", height.to_string()), ("cache_size", "12".into())] {
        client.set_parameter(name, &value).expect("a parameter was refused");
    }
    client.set_parameter("realtime", "off").expect("a parameter was refused");
    let file = support::clip("video.mp4");
    client.setup(file.to_str(), 10_000, None).expect("the file cannot be opened");
    client.start().expect("it cannot be started");
    support::wait_until("the file ends", || client.state() == State::Ended);
    client
}

fn newest_frames(criterion: &mut Criterion) {
    for (width, height) in [(480, 360), (1920, 1080)] {
        let client = ended_client(width, height);
        let bytes = (COUNT * height * width * 3) as usize;
        let mut group = criterion.benchmark_group(format!("newest_{COUNT}/{width}x{height}"));
        group.bench_function("lent", |bencher| bencher.iter(|| black_box(client.acquire(&NEWEST)).is_ok()));

        group.throughput(Throughput::Bytes(bytes as u64));
        let mut buffer = vec![MaybeUninit::new(0); bytes];
        group.bench_function("copied", |bencher| {
            bencher.iter(|| client.extract(&NEWEST, black_box(&mut buffer), &mut None).expect("no frames").infos.len());
        });

        let (source, mut target) = (vec![1u8; bytes], vec![0u8; bytes]);
        group.bench_function("memcpy", |bencher| bencher.iter(|| black_box(&mut target).copy_from_slice(&source)));
        group.finish();
    }
}

fn questions(criterion: &mut Criterion) {
    let client = ended_client(480, 360);
    let newest = client.wait(0, 0, None).expect("no frames");
    let mut group = criterion.benchmark_group("questions");
    group.bench_function("newest_number", |bencher| bencher.iter(|| client.wait(black_box(0), 0, None).is_ok()));
    group.bench_function("frame_info", |bencher| bencher.iter(|| client.frame_info(black_box(newest)).is_ok()));
    group.finish();
}

/// Readers of one ring share a lock for as long as it takes to note who holds what.
fn two_readers(criterion: &mut Criterion) {
    let client = ended_client(480, 360);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let _ = black_box(client.acquire(&NEWEST));
            }
        });
        let name = format!("newest_{COUNT}/480x360/lent, another thread doing the same");
        criterion.bench_function(&name, |bencher| bencher.iter(|| black_box(client.acquire(&NEWEST)).is_ok()));
        stop.store(true, Ordering::Relaxed);
    });
}

criterion_group!(benches, newest_frames, questions, two_readers);
criterion_main!(benches);
