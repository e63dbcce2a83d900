//! The bench runs, names every peer, and writes what it promises. What it measured is not judged here.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;

#[test]
#[ignore = "takes minutes: it measures every peer once"]
fn the_quick_bench_names_every_peer_and_writes_its_results() {
    let folder = support::target().join("bench/quick");
    let _ = fs::remove_dir_all(&folder);
    let printed = support::expect_success(support::make("bench").arg("QUICK=1"));
    let table = fs::read_to_string(folder.join("results.md")).expect("no table");
    assert!(printed.contains(&table), "the table is not what was printed");
    for title in ["decoding only", "mpegclient", "OpenCV", "PyAV", "decord", "GStreamer", "ffmpeg pipe", "mpegCoder"] {
        assert!(table.contains(&format!("| {title} |")), "{title} has no column in\n{table}");
    }
    assert!(!table.contains("\nmpegclient, "), "a run of our own failed:\n{table}");
    let json = fs::read_to_string(folder.join("results.json")).expect("no JSON");
    for key in [
        "\"live\"",
        "\"age\"",
        "\"first\"",
        "\"look\"",
        "\"memory\"",
        "\"copied_1080\"",
        "\"many_4\"",
        "\"age_hevc_native\"",
    ] {
        assert!(json.contains(key), "no row {key}");
    }
    let plot = fs::read(folder.join("results.png")).expect("no plot");
    assert!(plot.starts_with(b"\x89PNG\r\n") && plot.len() > 10_000, "no picture");
}
