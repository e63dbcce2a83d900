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

/// How the structs lie in memory, one line for each and for each of their members, and the C statements that print the
/// same lines.
fn layouts() -> (String, String) {
    let mut rust = String::new();
    let mut c = String::new();
    layout! { rust, c:
        MpegClientParameterInfo { struct_size, kind, scope, reserved, key, default_value, range, help }
        MpegClientStreamInfo {
            struct_size, stream_index, width, height, frame_rate_num, frame_rate_den, measured_frame_rate, is_live,
            is_hdr, sample_aspect_num, sample_aspect_den, rotation, is_mirrored, duration_ns, generation, codec,
            pixel_format, container, color_matrix, color_range, color_primaries, color_transfer,
            engine,
        }
        MpegClientStats {
            struct_size, ring_capacity, newest_seq, oldest_seq, packets, bytes, decoded, decode_errors, published,
            corrupt, dropped_by_rate, dropped_by_lease, dropped_at_start, connects, connect_attempts, reads,
            frames_read, abandoned_threads, leases, oldest_lease_age_ns, orphaned_rings, dropped_corrupt,
            clock_offset_ns, clock_jitter_ns, lost_packets, repeated,
            clock_faults,
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
            published_monotonic_ns, capture_clock, flags, source_width, source_height, to_source,
        }
        MpegClientBatch {
            struct_size, count, data, buffer_needed, height, width, channels, pixel_format, frame_stride, row_stride,
            device, flags, first_seq, generation, newest_age_ns, largest_gap_ns,
        }
    }
    (rust, c)
}

#[test]
fn structs_lie_in_memory_as_the_header_has_them() {
    let (rust, c) = layouts();
    let folder = support::scratch("layout");
    let source = folder.join("layout.c");
    let text = format!("#include <mpegclient.h>\n#include <stdio.h>\nint main(void) {{\n{c}return 0;\n}}\n");
    std::fs::write(&source, text).expect("layout.c cannot be written");
    let wrapper = folder.join("layout.cpp");
    std::fs::copy(&source, &wrapper).expect("layout.cpp cannot be written");
    for (compiler, standard, source) in
        [("gcc", "c99", &source), ("clang", "c99", &source), ("g++", "c++17", &wrapper), ("clang++", "c++17", &wrapper)]
    {
        let program = folder.join(compiler);
        support::compile(compiler, standard, std::slice::from_ref(source), &program);
        let printed = support::expect_success(&mut Command::new(&program));
        assert_eq!(printed, rust, "{compiler} (left) and rustc lay the structs out differently");
    }
    let declared = HEADER.lines().filter(|line| line.starts_with("} MpegClient")).count();
    assert_eq!(rust.lines().filter(|line| !line.contains('.')).count(), declared, "a struct is missing here");
}

/// Padding at the end would become part of the next member that is added, and old programs set nothing there.
#[test]
fn structs_end_where_their_last_member_ends() {
    let (layout, _) = layouts();
    let lines: Vec<Vec<&str>> = layout.lines().map(|line| line.split(' ').collect()).collect();
    let number = |text: &str| text.parse::<usize>().expect("not a number");
    for one in lines.iter().filter(|line| line.len() == 2) {
        let members = lines.iter().filter(|line| line.len() == 3 && line[0].starts_with(&format!("{}.", one[0])));
        let end = members.map(|member| number(member[1]) + number(member[2])).max();
        assert_eq!(end, Some(number(one[1])), "{}", one[0]);
    }
}

/// Lines in an order that does not depend on where they come from.
fn sorted<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut lines: Vec<&str> = lines.collect();
    lines.sort_unstable();
    lines
}

#[test]
fn structs_lie_in_memory_as_go_has_them() {
    let go = support::expect_success(support::go(&["run", "./internal/layout"]).current_dir(support::go_folder()));
    assert_eq!(sorted(go.lines()), sorted(layouts().0.lines()), "cgo (left) and rustc lay the structs out differently");
}

#[test]
fn structs_and_numbers_are_those_that_csharp_has() {
    let program = support::compile_csharp("abi", "bindings/csharp/tests/Abi.cs");
    let printed = support::expect_success(&mut support::mono(&program));
    let (numbers, structs): (Vec<&str>, Vec<&str>) = printed.lines().partition(|line| line.starts_with("#define"));
    assert_eq!(
        sorted(structs.into_iter()),
        sorted(layouts().0.lines()),
        "C# (left) and rustc lay the structs out differently"
    );
    let ours =
        |line: &&str| line.starts_with("#define MPEGCLIENT_") && !line.starts_with("#define MPEGCLIENT_VERSION_");
    let header = HEADER.lines().filter(ours).filter(|line| line.split(' ').count() == 3);
    assert_eq!(sorted(numbers.into_iter()), sorted(header), "C# (left) and the header have different numbers");
}

#[test]
fn go_leaves_no_function_number_or_member_out() {
    // Each call has a token of its own: none is ever used again.
    const NOT_BOUND: [&str; 1] = ["mpegclient_cancel_reset"];
    // What C callers set and ignore, and what Go's own types say in another way.
    const NOT_TOLD: [&str; 4] = ["reserved", "view", "device", "row_stride"];
    let sources = support::sources("bindings/go", "go");
    let has = |word: &str| sources.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|found| found == word);
    let functions = declared_functions();
    let unbound: Vec<&String> = functions.iter().filter(|name| !has(name)).collect();
    assert_eq!(unbound, NOT_BOUND, "functions that Go does not call (left)");
    let numbers = constants("MPEGCLIENT_");
    let missing = numbers.keys().filter(|name| !name.starts_with("VERSION_") && !has(&format!("MPEGCLIENT_{name}")));
    assert_eq!(missing.collect::<Vec<_>>(), ["DEVICE_CPU"; 0], "numbers that Go does not name");
    let (layout, _) = layouts();
    let members = layout.lines().filter_map(|line| line.split_once('.')?.1.split(' ').next());
    // A member that is a word of Go has an underscore before it.
    let missing = members.filter(|name| !has(name) && !has(&format!("_{name}")) && !NOT_TOLD.contains(name));
    assert_eq!(missing.collect::<Vec<_>>(), [""; 0], "members that Go does not read");
}

/// A declaration of the header as bindings/csharp/src/Native.cs has to have it.
fn csharp_declaration(result: &str, name: &str, arguments: &str) -> String {
    let is_free = name.ends_with("_free") || name.ends_with("_release");
    let arguments = arguments.split(',').map(str::trim).filter(|argument| *argument != "void").map(|argument| {
        let at = argument.rfind([' ', '*']).map_or(0, |at| at + 1);
        let (c_type, c_name) = argument.split_at(at);
        let argument_type = match c_type.trim() {
            "MpegClient *" | "MpegClientCancel *" | "MpegClientLease *" if is_free => "IntPtr",
            "MpegClientLease **" => "out Lease",
            "const MpegClient *" | "MpegClient *" => "ClientHandle",
            "const MpegClientCancel *" => "CancelHandle",
            "const MpegClient *const *" => "IntPtr[]",
            "const uint64_t *" => "ulong[]",
            "const char *" | "char *" => "byte[]",
            "uint8_t *" => "byte*",
            "int32_t *" => "out int",
            "uint32_t *" => "out uint",
            "uint64_t *" => "out ulong",
            "size_t *" => "out UIntPtr",
            "void *" => "IntPtr",
            "MpegClientFrameInfo *" => "FrameInfo*",
            "const MpegClientReadOptions *" => "ref NativeReadOptions",
            "MpegClientBatch *" => "ref BatchInfo",
            "MpegClientError *" => "ref Failure",
            "MpegClientLogCallback" => "LogCallback",
            "int32_t" => "int",
            "int64_t" => "long",
            "uint64_t" => "ulong",
            "size_t" => "UIntPtr",
            other => match other.strip_prefix("MpegClient").and_then(|rest| rest.strip_suffix(" *")) {
                Some(record) => &format!("ref {record}"),
                None => panic!("{name}: no C# type is known for {other:?}"),
            },
        };
        let words: Vec<String> = c_name.split('_').enumerate().map(|(index, word)| capital(word, index > 0)).collect();
        let name = words.concat();
        format!("{argument_type} {}", if name == "event" { "@event" } else { &name })
    });
    let result = match result.trim() {
        "int32_t" => "int",
        "uint32_t" => "uint",
        "size_t" => "UIntPtr",
        "const char *" => "IntPtr",
        "MpegClient *" => "ClientHandle",
        "MpegClientCancel *" => "CancelHandle",
        "void" => "void",
        other => panic!("{name}: no C# type is known for {other:?}"),
    };
    format!("internal static extern {result} {name}({});", arguments.collect::<Vec<_>>().join(", "))
}

fn capital(word: &str, is_capital: bool) -> String {
    let (first, rest) = word.split_at(1);
    if is_capital { first.to_uppercase() + rest } else { word.to_owned() }
}

#[test]
fn csharp_declares_every_function_as_the_header_does() {
    const NOT_BOUND: &str = "// Not bound: ";
    let native = support::sources("bindings/csharp/src", "cs");
    let mut declared = 0;
    let is_code = |line: &&str| !["//", " *", "#", "}  //"].iter().any(|begin| line.starts_with(begin));
    let code = HEADER.lines().filter(is_code).collect::<Vec<_>>().join(" ");
    for name in declared_functions() {
        if native.contains(&format!("{NOT_BOUND}{name}\n")) {
            continue;
        }
        let (before, after) = code.split_once(&format!("{name}(")).expect("a function without a declaration");
        let result = before.rsplit([';', '{', '}', '/']).next().unwrap_or_default();
        let arguments = after.split(')').next().unwrap_or_default();
        let arguments = arguments.split_whitespace().collect::<Vec<_>>().join(" ");
        let expected = csharp_declaration(result, &name, &arguments);
        assert!(native.contains(&expected), "bindings/csharp/src/Native.cs should have: {expected}");
        declared += 1;
    }
    assert_eq!(native.matches(" extern ").count(), declared, "C# declares what the header does not");
}
