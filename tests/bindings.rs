//! Go and C#: the bindings' own tests and their examples, against a real RTSP server.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::process::Command;
use support::Server;

/// The servers that the tests of a binding want: one that sends a stream, one that never answers, none.
struct Surroundings {
    server: Server,
    mute: Server,
}

impl Surroundings {
    fn new() -> Self {
        Self { server: Server::rtsp(), mute: Server::mute() }
    }

    fn urls(&self) -> [String; 3] {
        let refused = format!("rtsp://127.0.0.1:{}/video", support::free_port());
        [self.server.rtsp_url("video"), self.mute.rtsp_url("video"), refused]
    }
}

/// Ten lines of five frames, each newer than those before.
fn check_example(printed: &str) {
    let newest = |line: &str| -> u64 {
        let rest = line.strip_prefix("(5, 360, 480, 3) seq ").unwrap_or_else(|| panic!("no shape in {line:?}"));
        let (range, _) = rest.split_once(',').expect("no end");
        range.split_once("..").expect("no range").1.parse().expect("not a number")
    };
    let numbers: Vec<u64> = printed.lines().map(newest).collect();
    assert!(numbers.len() == 10 && numbers.is_sorted_by(|before, after| before < after), "{printed}");
}

/// A call that fails is told in words, without what is secret.
fn check_failure(command: &mut Command) {
    let url = format!("rtsp://bob:hunter2@127.0.0.1:{}/video", support::free_port());
    let output = support::run(command.arg(url));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("refused") && !said.contains("hunter2"), "{said}");
}

#[test]
fn go_works_as_its_tests_and_its_example_say() {
    let surroundings = Surroundings::new();
    let go = |arguments: &[&str]| {
        let mut command = support::go(arguments);
        command.current_dir(support::go_folder());
        command
    };
    let unformatted = support::expect_success(Command::new("gofmt").arg("-l").arg(support::go_folder()));
    assert_eq!(unformatted, "", "these files want gofmt");
    support::expect_success(&mut go(&["vet", "./..."]));
    let names = ["MPEGCLIENT_TEST_URL", "MPEGCLIENT_TEST_MUTE_URL", "MPEGCLIENT_TEST_REFUSED_URL"];
    support::expect_success(go(&["test", "-count=1", "."]).envs(names.into_iter().zip(surroundings.urls())));

    let folder = support::scratch("example_go");
    let program = folder.join("extract");
    support::expect_success(go(&["build", "-o"]).arg(&program).arg("./examples/extract"));
    let picture = folder.join("picture.png");
    let run = || {
        let mut command = Command::new(&program);
        command.env("LD_LIBRARY_PATH", support::installed().join("lib"));
        command
    };
    check_example(&support::expect_success(run().arg(surroundings.server.rtsp_url("video")).arg(&picture)));
    let bytes = std::fs::read(&picture).expect("no picture was written");
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 1000, "{} bytes", bytes.len());
    check_failure(&mut run());
}

#[test]
fn csharp_works_as_its_tests_and_its_example_say() {
    let surroundings = Surroundings::new();
    let program = support::compile_csharp("tests", "bindings/csharp/tests/Tests.cs");
    support::expect_success(support::mono(&program).args(surroundings.urls()));

    let program = support::compile_csharp("example", "bindings/csharp/examples/Extract.cs");
    let picture = program.with_extension("ppm");
    let mut command = support::mono(&program);
    check_example(&support::expect_success(command.arg(surroundings.server.rtsp_url("video")).arg(&picture)));
    let bytes = std::fs::read(&picture).expect("no picture was written");
    let head = b"P6\n480 360\n255\n";
    assert!(bytes.starts_with(head) && bytes.len() == head.len() + 360 * 480 * 3, "{} bytes", bytes.len());
    check_failure(&mut support::mono(&program));
}
