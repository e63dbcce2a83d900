//! The binary interface: what the header promises is what the shared library has, number by number and byte by byte.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use mpegclient::capi::{
    MpegClientBatch, MpegClientError, MpegClientEvent, MpegClientFrameInfo, MpegClientParameterInfo,
    MpegClientReadOptions, MpegClientStats, MpegClientStreamInfo,
};
use mpegclient::{Phase, State, Status};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

const HEADER: &str = include_str!("../include/mpegclient.h");

/// The number constants of the header whose names begin so, without that beginning.
fn constants(prefix: &str) -> BTreeMap<String, i32> {
    let defines = HEADER.lines().filter_map(|line| line.strip_prefix("#define ")?.split_once(' '));
    let named = defines.filter_map(|(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), value.parse().ok()?)));
    named.collect()
}

/// The functions that the header declares.
fn declared_functions() -> BTreeSet<String> {
    let declarations = HEADER.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()));
    let names = declarations.filter_map(|line| {
        let (before, _) = line.split_once('(')?;
        before.rsplit([' ', '*']).next().filter(|name| name.starts_with("mpegclient_")).map(str::to_owned)
    });
    names.collect()
}

#[test]
fn the_header_compiles_alone_with_both_compilers() {
    let folder = support::scratch("header");
    let source = support::root().join("tests/c/header.c");
    for (compiler, standards) in [
        ("gcc", ["c99", "c11", "c17"]),
        ("clang", ["c99", "c11", "c17"]),
        ("g++", ["c++17", "c++20", "c++11"]),
        ("clang++", ["c++17", "c++20", "c++11"]),
    ] {
        for standard in standards {
            let mut command = Command::new(compiler);
            command.args(["-x", if compiler.ends_with("++") { "c++" } else { "c" }]).arg(format!("-std={standard}"));
            command.args(support::STRICT).arg("-I").arg(support::root().join("include"));
            support::expect_success(command.arg("-c").arg(&source).arg("-o").arg(folder.join("header.o")));
        }
    }
}

#[test]
fn the_header_takes_no_names_that_are_not_ours() {
    let mut strangers: Vec<&str> = Vec::new();
    for line in HEADER.lines() {
        let words: Vec<&str> = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        let name = match words.as_slice() {
            ["", "define", name, ..] => name,
            ["typedef", "struct" | "union" | "enum", _, name, ..] => name,
            ["", name, ""] if line.starts_with("} ") => name,
            _ => continue,
        };
        if !name.is_empty() && !name.starts_with("MPEGCLIENT_") && !name.starts_with("MpegClient") {
            strangers.push(line);
        }
    }
    assert!(strangers.is_empty(), "names without our prefix: {strangers:#?}");
}

#[test]
fn the_library_exports_what_the_header_declares_and_nothing_else() {
    let library = support::shared_library();
    let output = support::expect_success(Command::new("nm").args(["-D", "--defined-only"]).arg(library));
    let exported: BTreeSet<String> =
        output.lines().filter_map(|line| line.split_whitespace().nth(2)).map(str::to_owned).collect();
    let listed: BTreeSet<String> = include_str!("abi/symbols.txt").lines().map(str::to_owned).collect();
    assert_eq!(exported, listed, "the exported symbols (left) differ from tests/abi/symbols.txt");
    assert_eq!(declared_functions(), listed, "the header (left) differs from tests/abi/symbols.txt");
}

#[test]
fn the_library_has_its_soname_and_stays_mapped() {
    let output = support::expect_success(Command::new("readelf").args(["-d", "-W"]).arg(support::shared_library()));
    assert!(output.contains("Library soname: [libmpegclient.so.0]"), "{output}");
    let flags = output.lines().find(|line| line.contains("(FLAGS_1)")).unwrap_or_default();
    assert!(flags.contains("NODELETE"), "{output}");
}

#[test]
fn statuses_states_and_phases_have_the_same_numbers_in_c_and_in_rust() {
    let mut statuses = constants("MPEGCLIENT_ERROR_");
    statuses.insert("OK".to_owned(), constants("MPEGCLIENT_")["OK"]);
    let table = |rows: &[(&str, i32)]| rows.iter().map(|(name, code)| ((*name).to_owned(), *code)).collect();
    let rust: BTreeMap<String, i32> = table(&Status::ALL.iter().map(|s| (s.name(), s.code())).collect::<Vec<_>>());
    assert_eq!(statuses, rust);
    let rust: BTreeMap<String, i32> = table(&State::ALL.iter().map(|s| (s.name(), s.code())).collect::<Vec<_>>());
    assert_eq!(constants("MPEGCLIENT_STATE_"), rust);
    let rust: BTreeMap<String, i32> = table(&Phase::ALL.iter().map(|p| (p.name(), p.code())).collect::<Vec<_>>());
    assert_eq!(constants("MPEGCLIENT_PHASE_"), rust);
}

#[test]
fn the_versions_agree() {
    let parts = ["MAJOR", "MINOR", "PATCH"].map(|part| constants("MPEGCLIENT_VERSION_")[part].to_string());
    assert_eq!(parts.join("."), env!("CARGO_PKG_VERSION"));
}

/// Size and offset of each member of a struct, one line each, and the C statements that print the same lines. The
/// pattern names every member, or it would not compile: none can be forgotten here.
macro_rules! layout {
    ($rust:ident, $c:ident: $($name:ident { $($member:ident),+ $(,)? })+) => {$(
        let _ = |value: $name| { let $name { $($member: _),+ } = value; };
        let _ = writeln!($rust, "{} {}", stringify!($name), size_of::<$name>());
        let _ = writeln!($c, "printf(\"{0} %zu\\n\", sizeof({0}));", stringify!($name));
        $(
            let size = member_size(|value: &$name| &raw const value.$member);
            let path = concat!(stringify!($name), ".", stringify!($member));
            let _ = writeln!($rust, "{path} {} {size}", std::mem::offset_of!($name, $member));
            let _ = writeln!($c, "printf(\"{path} %zu %zu\\n\", offsetof({0}, {1}), sizeof((({0} *)0)->{1}));",
                stringify!($name), stringify!($member));
        )+
    )+};
}

/// The size of what a pointer to a member points to; the function only lends its type.
fn member_size<S, T>(_member: fn(&S) -> *const T) -> usize {
    size_of::<T>()
}

#[test]
fn structs_lie_in_memory_as_the_header_has_them() {
    let mut rust = String::new();
    let mut c = String::new();
    layout! { rust, c:
        MpegClientParameterInfo { struct_size, kind, scope, reserved, key, default_value, range, help }
        MpegClientStreamInfo {
            struct_size, stream_index, width, height, frame_rate_num, frame_rate_den, measured_frame_rate, is_live,
            reserved, duration_ns, generation, codec, pixel_format, container, engine,
        }
        MpegClientStats {
            struct_size, ring_capacity, newest_seq, oldest_seq, packets, bytes, decoded, decode_errors, published,
            corrupt, dropped_by_rate, dropped_by_lease, dropped_at_start, connects, connect_attempts, reads,
            frames_read, abandoned_threads, orphaned_rings, dropped_corrupt, clock_offset_ns, clock_jitter_ns, lost_packets,
        }
        MpegClientEvent {
            struct_size, kind, state, reserved, monotonic_ns, generation, value, text,
        }
        MpegClientError {
            struct_size, status, phase, av_code, protocol_status, retryable, time_ns, message,
        }
        MpegClientReadOptions {
            struct_size, order, count, flags, after_seq, timeout_ms, max_age_ms, view, reserved, cancel,
        }
        MpegClientFrameInfo {
            seq, generation, pts_ns, capture_time_ns, arrival_time_ns, arrival_monotonic_ns, decoded_monotonic_ns,
            published_monotonic_ns, capture_clock, flags, source_width, source_height,
        }
        MpegClientBatch {
            struct_size, count, data, buffer_needed, height, width, channels, pixel_format, frame_stride, row_stride,
            device, flags, first_seq, generation, newest_age_ns,
        }
    }
    let folder = support::scratch("layout");
    let source = folder.join("layout.c");
    let text = format!("#include <mpegclient.h>\n#include <stdio.h>\nint main(void) {{\n{c}return 0;\n}}\n");
    std::fs::write(&source, text).expect("layout.c cannot be written");
    for compiler in ["gcc", "clang"] {
        let program = folder.join(compiler);
        support::compile(compiler, "c99", std::slice::from_ref(&source), &program);
        let printed = support::expect_success(&mut Command::new(&program));
        assert_eq!(printed, rust, "{compiler} (left) and rustc lay the structs out differently");
    }
    let declared = HEADER.lines().filter(|line| line.starts_with("} MpegClient")).count();
    assert_eq!(rust.lines().filter(|line| !line.contains('.')).count(), declared, "a struct is missing here");
}
