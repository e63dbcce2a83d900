//! The converter beside libswscale's bicubic: from 1080p yuv420p to 480x360 rgb24, and to RGB without scaling.
//!
//! Prints a table first: the fastest of interleaved runs, which a busy machine disturbs least, its ratio to libswscale's, and
//! how near each comes to libswscale at its most exact, in dB of PSNR. That ranks likeness to one other filter, not quality. Pictures are those of the file that
//! `MPEGCLIENT_BENCH_MEDIA` names, which must be 1080p, else ffmpeg's Mandelbrot set.
#![allow(clippy::expect_used, reason = "a bench fails by panicking")]

use criterion::{Criterion, criterion_group, criterion_main};
use mpegclient::workbench::{Ours, Size, Source, Theirs};
use std::process::Command;
use std::time::Instant;

const HD: Size = (1920, 1080);
const SMALL: Size = (480, 360);
const PICTURES: usize = 8;
const ROUNDS: usize = 60;

/// Pictures in yuv420p, as ffmpeg reads them.
fn sources() -> Vec<Source> {
    let media = std::env::var("MPEGCLIENT_BENCH_MEDIA").ok();
    let input =
        media.as_deref().map_or(vec!["-f", "lavfi", "-i", "mandelbrot=size=1920x1080"], |file| vec!["-i", file]);
    let count = PICTURES.to_string();
    let output = ["-frames:v", &count, "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"];
    let output = Command::new("ffmpeg").args(["-v", "error", "-nostdin"]).args(input).args(output).output();
    let bytes = output.expect("ffmpeg cannot be run").stdout;
    let picture_bytes = (HD.0 * HD.1 * 3 / 2) as usize;
    let pictures: Vec<Source> = bytes.chunks_exact(picture_bytes).filter_map(|bytes| Source::new(HD, bytes)).collect();
    assert_eq!(pictures.len(), PICTURES, "ffmpeg gave too few pictures");
    pictures
}

fn rgb24(size: Size) -> Vec<u8> {
    vec![0; (size.0 * size.1 * 3) as usize]
}

fn psnr(one: &[u8], other: &[u8]) -> f64 {
    let squares: f64 = one.iter().zip(other).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) * one.len() as f64 / squares).log10()
}

/// How long each takes, run in turns so that a busy machine disturbs all alike.
fn compare(sources: &[Source], size: Size, filters: &[&str]) {
    let mut theirs = Theirs::new(HD, size, false).expect("libswscale refuses");
    let mut exact = Theirs::new(HD, size, true).expect("libswscale refuses");
    let mut ours: Vec<Ours> = filters.iter().map(|filter| Ours::new(size, filter)).collect();
    let mut to = rgb24(size);
    let mut times = vec![Vec::new(); filters.len() + 1];
    for source in sources.iter().cycle().take(ROUNDS) {
        let begin = Instant::now();
        assert!(theirs.convert(source));
        times[0].push(begin.elapsed().as_secs_f64() * 1e3);
        for (ours, times) in ours.iter_mut().zip(&mut times[1..]) {
            let begin = Instant::now();
            assert!(ours.convert(source, &mut to));
            times.push(begin.elapsed().as_secs_f64() * 1e3);
        }
    }
    let mut times = times.into_iter().map(|times| times.into_iter().fold(f64::INFINITY, f64::min));
    let base = times.next().unwrap_or(f64::NAN);
    println!("| 1080p yuv420p to {}x{} rgb24 | ms | ratio | dB |\n|---|---|---|---|", size.0, size.1);
    assert!(exact.convert(&sources[0]));
    let likeness = psnr(&theirs_of(&mut theirs, &sources[0]), &exact.pixels());
    println!("| libswscale bicubic | {base:.3} | 1.00 | {likeness:.1} |");
    for ((filter, mut ours), time) in filters.iter().zip(ours).zip(times) {
        assert!(ours.convert(&sources[0], &mut to));
        println!("| {filter} | {time:.3} | {:.2} | {:.1} |", time / base, psnr(&to, &exact.pixels()));
    }
}

fn theirs_of(theirs: &mut Theirs, source: &Source) -> Vec<u8> {
    assert!(theirs.convert(source));
    theirs.pixels()
}

fn bench(criterion: &mut Criterion) {
    let sources = sources();
    compare(&sources, SMALL, &["auto", "bilinear", "bicubic", "lanczos", "nearest"]);
    compare(&sources, HD, &["auto", "bicubic", "nearest"]);
    for (name, size) in [("scaled", SMALL), ("unscaled", HD)] {
        let mut group = criterion.benchmark_group(name);
        let mut theirs = Theirs::new(HD, size, false).expect("libswscale refuses");
        let mut next = sources.iter().cycle();
        group.bench_function("libswscale bicubic", |bencher| {
            bencher.iter(|| next.next().is_some_and(|source| theirs.convert(source)));
        });
        for filter in ["auto", "bicubic"] {
            let (mut ours, mut to) = (Ours::new(size, filter), rgb24(size));
            group.bench_function(filter, |bencher| {
                bencher.iter(|| next.next().is_some_and(|source| ours.convert(source, &mut to)));
            });
        }
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
