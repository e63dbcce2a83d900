//! `make static` and `make wheel`: the library with its own FFmpeg inside, alone and beside others in one process.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use support::Server;

/// Makes a goal that takes longer than tests may.
fn built(goal: &str) {
    let status = support::make(goal).status().expect("make cannot be started");
    assert!(status.success(), "make {goal} failed");
}

fn library() -> &'static Path {
    static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| {
        built("static");
        support::target().join("static/libmpegclient.so")
    });
    &LIBRARY
}

fn exported(library: &Path) -> BTreeSet<String> {
    let output = support::expect_success(Command::new("nm").args(["-D", "--defined-only"]).arg(library));
    output.lines().filter_map(|line| line.split_whitespace().nth(2)).map(str::to_owned).collect()
}

#[test]
#[ignore = "builds FFmpeg, which takes minutes"]
fn it_shows_its_functions_alone_and_needs_the_system_alone() {
    let listed: BTreeSet<String> = include_str!("abi/symbols.txt").lines().map(str::to_owned).collect();
    assert_eq!(exported(library()), listed);
    let dynamic = support::expect_success(Command::new("readelf").args(["-d", "-W"]).arg(library()));
    let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    let needed: Vec<&str> = needed.filter_map(|line| line.split(['[', ']']).nth(1)).collect();
    let system = ["libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2"];
    assert!(!needed.is_empty() && needed.iter().all(|name| system.contains(name)), "{needed:?}");
    assert!(dynamic.contains("Library soname: [libmpegclient.so.0]") && dynamic.contains("NODELETE"), "{dynamic}");
    let size = library().metadata().expect("no library").len();
    assert!(size < 16 << 20, "{size} bytes");
}

#[test]
#[ignore = "builds FFmpeg, which takes minutes"]
fn it_can_be_linked_again_from_the_objects_that_are_kept() {
    let relink = library().parent().expect("the library lies in no folder").join("relink");
    let again = support::scratch("relink").join("libmpegclient.so");
    support::expect_success(Command::new(relink.join("link.sh")).arg(&relink).arg(&again));
    assert_eq!(exported(&again), exported(library()));
}

/// The Python tests that try most of what FFmpeg is needed for, but for SRT, which it lacks.
#[test]
#[ignore = "builds FFmpeg, which takes minutes"]
fn it_passes_the_tests_of_pictures_protocols_and_certificates() {
    let mut command = Command::new(support::target().join("venv/bin/python"));
    command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).env("MPEGCLIENT_LIBRARY", library());
    command.env("PYTHONPATH", "bindings/python/src").env("PYTHONDONTWRITEBYTECODE", "1").current_dir(support::root());
    let tests = ["client", "pictures", "protocols", "tls"];
    command.args(tests.map(|name| format!("bindings/python/tests/test_{name}.py")));
    command.args(["-k", "not srt"]);
    support::expect_success(&mut command);
}

/// Reads frames of the server with this library and of a file with the others, in one process.
const TOGETHER: &str = "
import sys
for name in sys.argv[1].split(','):
    __import__(name)
import av, cv2, mpegclient
url, path = sys.argv[2:]
assert ' linked in ' in mpegclient.build_info() and 'LGPL' in mpegclient.build_info(), mpegclient.build_info()
with mpegclient.Client(url) as client:
    client.setup()
    client.start()
    ours = client.read_latest(3)
    read, theirs = cv2.VideoCapture(path).read()
    with av.open(path) as container:
        also = next(container.decode(video=0)).to_ndarray(format='rgb24')
    more = client.read_latest(3)
print(ours.shape, read, theirs.shape, also.shape, more.shape)
";

#[test]
#[ignore = "builds FFmpeg, which takes minutes, and fetches OpenCV and PyAV"]
fn its_wheel_works_in_an_empty_environment_beside_opencv_and_pyav() {
    built("wheel");
    let folder = support::scratch("wheel");
    let environment = folder.join("venv");
    support::expect_success(Command::new("/usr/bin/python3").args(["-m", "venv"]).arg(&environment));
    let wheels = std::fs::read_dir(support::target().join("wheel")).expect("no wheel").flatten();
    let wheel = wheels.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "whl"));
    let python = |arguments: &[&str]| {
        let mut command = Command::new(environment.join("bin/python"));
        command.args(arguments).env_remove("MPEGCLIENT_LIBRARY").env_remove("PYTHONPATH").current_dir(&folder);
        command
    };
    let wheel = wheel.expect("no wheel");
    // pip takes it on every system with that glibc, because of its name; auditwheel looks into it.
    support::expect_success(&mut python(&["-m", "pip", "install", "--quiet", "auditwheel"]));
    let found = support::expect_success(python(&["-m", "auditwheel", "show", "--json"]).arg(&wheel));
    let name = wheel.file_name().unwrap_or_default().to_string_lossy();
    let tag = name.trim_end_matches(".whl").rsplit('-').next().unwrap_or_default();
    assert!(tag.starts_with("manylinux_2_") && found.contains(tag), "{name}: {found}");
    support::expect_success(python(&["-m", "pip", "install", "--quiet"]).arg(&wheel));
    let version = support::expect_success(&mut python(&["-c", "import mpegclient; print(mpegclient.version())"]));
    assert_eq!(version.trim(), env!("CARGO_PKG_VERSION"));

    support::expect_success(&mut python(&["-m", "pip", "install", "--quiet", "opencv-python-headless", "av"]));
    let server = Server::rtsp();
    let clip = support::clip("video.mp4").display().to_string();
    for order in ["mpegclient,cv2,av", "av,cv2,mpegclient"] {
        let printed = support::expect_success(&mut python(&["-c", TOGETHER, order, &server.rtsp_url("video"), &clip]));
        assert_eq!(printed.trim(), "(3, 240, 320, 3) True (240, 320, 3) (240, 320, 3) (3, 240, 320, 3)", "{order}");
    }
}
