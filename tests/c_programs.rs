//! C and C++ programs against the shared library and real servers: the examples, the wrapper, and everything that a
//! caller can do wrong.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::path::PathBuf;
use std::process::Command;
use support::Server;

fn source(path: &str) -> PathBuf {
    support::root().join(path)
}

/// Five frames of 480x360 ten times over, each time newer ones; and the last picture, which shows something.
fn check_example(program: &PathBuf) {
    let server = Server::rtsp();
    let picture = program.with_extension("ppm");
    let printed = support::expect_success(Command::new(program).arg(server.rtsp_url("video")).arg(&picture));
    let newest: Vec<u64> = printed
        .lines()
        .map(|line| {
            let (shape, rest) = line.split_once(" seq ").unwrap_or_else(|| panic!("no seq in {line:?}"));
            assert_eq!(shape, "(5, 360, 480, 3)");
            let (range, _) = rest.split_once(',').unwrap_or_else(|| panic!("no end in {line:?}"));
            let (first, last) = range.split_once("..").unwrap_or_else(|| panic!("no range in {line:?}"));
            let number = |text: &str| text.parse::<u64>().expect("not a number");
            assert_eq!(number(first) + 4, number(last), "{line}");
            number(last)
        })
        .collect();
    assert_eq!(newest.len(), 10, "{printed}");
    assert!(newest.windows(2).all(|pair| pair[0] < pair[1]), "not forward: {printed}");

    let bytes = std::fs::read(&picture).expect("no picture was written");
    let head = b"P6\n480 360\n255\n";
    assert!(bytes.starts_with(head) && bytes.len() == head.len() + 360 * 480 * 3);
    let colours: std::collections::HashSet<&[u8]> = bytes[head.len()..].chunks(3).collect();
    assert!(colours.len() > 100, "the test pattern has more than {} colours", colours.len());
}

#[test]
fn the_c_example_shows_frames_that_move_forward() {
    let lines = std::fs::read_to_string(source("examples/extract.c")).expect("no example").lines().count();
    assert!(lines < 100, "{lines} lines are too many for an example");
    let program = support::scratch("example_c").join("extract");
    for compiler in ["clang", "gcc"] {
        support::compile(compiler, "c99", &[source("examples/extract.c")], &program);
    }
    check_example(&program);
}

#[test]
fn the_cpp_example_shows_frames_that_move_forward() {
    let program = support::scratch("example_cpp").join("extract");
    for compiler in ["clang++", "g++"] {
        support::compile(compiler, "c++17", &[source("examples/extract.cpp")], &program);
    }
    check_example(&program);
}

#[test]
fn the_opencv_example_sees_the_picture_move() {
    let program = support::scratch("example_opencv").join("opencv");
    let opencv = ["-isystem", "/usr/include/opencv4", "-lopencv_core"];
    for compiler in ["clang++", "g++"] {
        support::compile_with(compiler, "c++17", &[source("examples/opencv.cpp")], &program, &opencv);
    }
    let server = Server::rtsp();
    let printed = support::expect_success(Command::new(&program).arg(server.rtsp_url("video")));
    let changes: Vec<f64> = printed
        .lines()
        .map(|line| line.rsplit(' ').next().unwrap_or_default().parse().unwrap_or_else(|_| panic!("no number: {line}")))
        .collect();
    // The test pattern moves, and it is no noise.
    assert!(changes.len() == 10 && changes.iter().all(|change| *change > 0.1 && *change < 50.0), "{printed}");
}

#[test]
fn an_example_says_what_failed_and_where() {
    let program = support::scratch("example_failure").join("extract");
    support::compile("gcc", "c99", &[source("examples/extract.c")], &program);
    let url = format!("rtsp://bob:hunter2@127.0.0.1:{}/video", support::free_port());
    let output = support::run(Command::new(&program).arg(url));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("setup") && said.contains("refused") && said.contains("connecting"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn the_wrapper_compiles_alone_and_twice_and_works() {
    let folder = support::scratch("wrapper");
    let server = Server::rtsp();
    for compiler in ["g++", "clang++"] {
        for standard in ["c++17", "c++20"] {
            let program = folder.join(format!("{compiler}-{standard}"));
            let sources = [source("tests/c/wrapper.cpp"), source("tests/c/wrapper_second.cpp")];
            let warnings = ["-Wshadow", "-Wconversion", "-Wsign-conversion", "-Werror"];
            support::compile_with(compiler, standard, &sources, &program, &warnings);
        }
        support::expect_success(Command::new(folder.join(format!("{compiler}-c++17"))).arg(server.rtsp_url("video")));
    }
}

#[test]
fn misuse_leaves_no_function_out() {
    let program = std::fs::read_to_string(source("tests/c/misuse.c")).expect("no misuse.c");
    let left_out: Vec<&str> =
        include_str!("abi/symbols.txt").lines().filter(|name| !program.contains(&format!("{name}("))).collect();
    assert!(left_out.is_empty(), "never called wrongly: {left_out:?}");
}

/// Runs tests/c/misuse.c behind a command such as valgrind.
fn misuse(name: &str, wrapper: &[&str]) {
    let program = support::scratch(name).join("misuse");
    support::compile("gcc", "gnu11", &[source("tests/c/misuse.c")], &program);
    let server = Server::rtsp();
    // Enough bytes for the handshake and two seconds of video.
    let silent = Server::fault_proxy("stallbytes", 60_000, server.port());
    let lost = Server::fault_proxy("fin", 60_000, server.port());
    let mut command = match wrapper {
        [] => Command::new(&program),
        [tool, options @ ..] => {
            let mut command = Command::new(tool);
            command.args(options).arg(&program);
            command
        }
    };
    command.arg(support::clip("short.mp4"));
    command.args([
        server.rtsp_url("video"),
        server.rtsp_url("keyless"),
        silent.rtsp_url("video"),
        lost.rtsp_url("video"),
    ]);
    support::expect_success(&mut command);
}

#[test]
fn misuse_is_an_error_and_never_a_crash() {
    misuse("misuse", &[]);
}

#[test]
fn misuse_touches_no_memory_it_should_not_and_leaks_none() {
    let options = [
        "valgrind",
        "--quiet",
        "--error-exitcode=99",
        "--leak-check=full",
        "--show-leak-kinds=definite,indirect",
        "--errors-for-leak-kinds=definite,indirect",
        "--fair-sched=yes", // valgrind runs one thread at a time; without this one of them may starve the others
    ];
    misuse("misuse_valgrind", &options);
}

#[test]
fn a_child_after_fork_is_told_and_does_no_harm() {
    let program = support::scratch("fork").join("fork");
    support::compile("gcc", "gnu11", &[source("tests/c/fork.c")], &program);
    support::expect_success(Command::new(&program).arg(support::clip("video.mp4")));
}

#[test]
fn a_hundred_forked_children_make_clients_of_their_own_whatever_the_parent_does() {
    let program = support::scratch("forks").join("forks");
    support::compile("gcc", "gnu11", &[source("tests/c/forks.c")], &program);
    support::expect_success(Command::new(&program).arg(support::clip("long.mp4")));
}

#[test]
fn threads_of_the_library_block_the_hosts_signals() {
    let program = support::scratch("signals").join("signals");
    support::compile("gcc", "gnu11", &[source("tests/c/signals.c")], &program);
    let server = Server::rtsp();
    let url = server.rtsp_url("video").replace("127.0.0.1", "localhost");
    support::expect_success(Command::new(&program).arg(support::clip("long.mp4")).arg(url));
}

#[test]
fn a_start_without_a_thread_leaves_the_state_as_it_was() {
    let program = support::scratch("threads").join("threads");
    support::compile_with("gcc", "gnu11", &[source("tests/c/threads.c")], &program, &["-rdynamic"]);
    support::expect_success(Command::new(&program).arg(support::clip("short.mp4")));
}

#[test]
fn frames_that_are_lent_never_change_under_a_writer_at_full_speed() {
    let program = support::scratch("lease").join("lease");
    support::compile("gcc", "gnu11", &[source("tests/c/lease.c")], &program);
    support::expect_success(Command::new(&program).arg(support::clip("long.mp4")));
}

#[test]
fn streams_that_are_waited_for_together_are_returned_in_turn() {
    let program = support::scratch("wait_any").join("wait_any");
    support::compile("gcc", "gnu11", &[source("tests/c/wait_any.c")], &program);
    support::expect_success(Command::new(&program).arg(support::clip("short.mp4")));
}

#[test]
fn what_the_system_refuses_is_an_error_and_leaves_nothing_behind() {
    let program = support::scratch("failures").join("failures");
    support::compile_with("gcc", "gnu11", &[source("tests/c/failures.c")], &program, &["-rdynamic"]);
    // A few calls of each kind; tests/proof/failures.sh tries them all.
    let few = ["--first", "6", "--step", "150"];
    support::expect_success(Command::new(&program).args(few).arg(support::clip("short.mp4")));
}

#[test]
fn the_library_can_be_loaded_and_unloaded_twice_over() {
    let program = support::scratch("dlopen").join("dlopen");
    support::compile("gcc", "gnu11", &[source("tests/c/dlopen.c")], &program);
    let server = Server::rtsp();
    support::expect_success(Command::new(&program).arg(support::shared_library()).arg(server.rtsp_url("video")));
}
