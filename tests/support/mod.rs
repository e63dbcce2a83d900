//! What the tests share: clips, real servers that never outlive their test, and compilers.
#![allow(dead_code, reason = "each test file is a program of its own and uses a part of this")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]

pub mod state_table;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

/// The folder of the package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where everything built goes.
pub fn target() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// An empty folder for one test.
pub fn scratch(name: &str) -> PathBuf {
    let folder = target().join("test-scratch").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("an old folder could not be removed");
    }
    fs::create_dir_all(&folder).expect("a folder could not be made");
    folder
}

/// A clip of `make_media.sh`.
pub fn clip(name: &str) -> PathBuf {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = target().join("test-media");
        expect_success(&mut script("make_media.sh", [folder.as_os_str()]));
        folder
    });
    let path = FOLDER.join(name);
    assert!(path.exists(), "make_media.sh makes no {name}");
    path
}

/// The shared library as it is shipped, up to date; or the one that `MPEGCLIENT_TEST_LIBRARY` names.
pub fn shared_library() -> &'static Path {
    static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| {
        if let Some(library) = std::env::var_os("MPEGCLIENT_TEST_LIBRARY") {
            return library.into();
        }
        expect_success(&mut make("build"));
        target().join("release/libmpegclient.so")
    });
    &LIBRARY
}

/// `make` with a target, in the folder of the package.
pub fn make(goal: &str) -> Command {
    let mut command = Command::new("make");
    // The make that may have started the tests is not asked for help: its pipe is closed to us.
    command.arg("--silent").arg(goal).current_dir(root()).env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    command
}

fn script<S: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(root().join("tests/support").join(name));
    command.args(arguments);
    command
}

/// Runs a program to its end, for five minutes at most, and gives what it printed.
pub fn run(command: &mut Command) -> Output {
    const LIMIT: Duration = Duration::from_secs(300);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child cannot be waited for") {
            break status;
        }
        if begun.elapsed() > LIMIT {
            end(&mut child);
            panic!("{command:?} did not end within {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(10));
    };
    let output = |reader: thread::JoinHandle<Vec<u8>>| reader.join().expect("a reader failed");
    Output { status, stdout: output(stdout), stderr: output(stderr) }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// [`run`] for a program that must succeed; gives its standard output.
pub fn expect_success(command: &mut Command) -> String {
    let output = run(command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{stdout}{stderr}", output.status);
    stdout
}

/// Warnings are errors in all C and C++ of this project.
pub const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// Compiles and links a program against the library of the build tree.
pub fn compile(compiler: &str, standard: &str, sources: &[PathBuf], program: &Path) {
    compile_with(compiler, standard, sources, program, &[]);
}

/// [`compile`] with more arguments, such as other libraries. A library that was built with a sanitizer wants its programs
/// to be: `MPEGCLIENT_TEST_CFLAGS` holds the options.
pub fn compile_with(compiler: &str, standard: &str, sources: &[PathBuf], program: &Path, arguments: &[&str]) {
    let folder = shared_library().parent().expect("the library lies in no folder");
    let mut command = Command::new(compiler);
    command.arg(format!("-std={standard}")).args(STRICT).args(["-O1", "-g", "-pthread"]);
    command.arg("-I").arg(root().join("include")).arg("-I").arg(root().join("bindings/cpp"));
    command.args(std::env::var("MPEGCLIENT_TEST_CFLAGS").unwrap_or_default().split_whitespace());
    command.args(sources).arg("-o").arg(program);
    command.arg("-L").arg(folder).arg("-lmpegclient").arg("-ldl").args(arguments);
    let mut rpath = OsString::from("-Wl,-rpath,");
    rpath.push(folder);
    expect_success(command.arg(rpath));
}

/// Runs `make install` into a folder, as a user would, and gives it. Every test that asks has the same one.
pub fn installed() -> &'static Path {
    static PREFIX: LazyLock<PathBuf> = LazyLock::new(|| {
        shared_library();
        let prefix = scratch("installed");
        expect_success(make("install").arg(format!("PREFIX={}", prefix.display())));
        prefix
    });
    &PREFIX
}

/// The folder of the Go module.
pub fn go_folder() -> PathBuf {
    root().join("bindings/go")
}

/// `go` with what a program needs to find the installed library. It uses the network for nothing.
pub fn go(arguments: &[&str]) -> Command {
    let mut command = Command::new("go");
    command.args(arguments).env("PKG_CONFIG_PATH", installed().join("lib/pkgconfig"));
    command.env("LD_LIBRARY_PATH", installed().join("lib"));
    // Go keeps what it compiled, and does not see that the header has changed since. It does see its compiler's options.
    let mut hasher = DefaultHasher::new();
    fs::read(root().join("include/mpegclient.h")).expect("no header").hash(&mut hasher);
    command.env("CGO_CFLAGS", format!("-g -O2 -DHEADER_IS_{:x}", hasher.finish()));
    command.env("GOCACHE", target().join("go-cache")).env("GOPATH", target().join("go")).env("GOPROXY", "off");
    command
}

/// Compiles the C# binding and a program for it into a folder; gives the program.
pub fn compile_csharp(name: &str, source: &str) -> PathBuf {
    let folder = scratch(&format!("csharp_{name}"));
    let (library, program) = (folder.join("MpegClient.dll"), folder.join("program.exe"));
    let argument = |option: &str, path: &Path| format!("-{option}:{}", path.display());
    let compiler = |output: &Path| {
        let mut command = Command::new("mcs");
        command.arg("-warnaserror").arg(argument("out", output));
        command
    };
    let mut command = compiler(&library);
    command.args(["-unsafe", "-target:library"]).arg(argument("recurse", &root().join("bindings/csharp/src/*.cs")));
    expect_success(&mut command);
    expect_success(compiler(&program).arg(argument("r", &library)).arg(root().join(source)));
    program
}

/// A C# program with the library of the build tree.
pub fn mono(program: &Path) -> Command {
    let mut command = Command::new("mono");
    command.arg(program).env("LD_LIBRARY_PATH", shared_library().parent().expect("the library lies in no folder"));
    command
}

/// The text of all files with an extension in a folder, but for those in folders below it.
pub fn sources(folder: &str, extension: &str) -> String {
    let entries = fs::read_dir(root().join(folder)).expect("no such folder");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("no entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    files.iter().map(|path| fs::read_to_string(path).expect("a source cannot be read")).collect()
}

/// A port that nothing listens at, for now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("no port can be had");
    listener.local_addr().expect("a listener has no address").port()
}

/// Waits until something is so; fails the test after half a minute.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A server script of this folder while it runs. It is killed when this is dropped, and ends by itself when the test's
/// process ends in any other way: its standard input is a pipe from here. Even while stopped: a stopped process group
/// whose last parent dies gets SIGHUP and SIGCONT from the kernel, which is why each server is a group of its own.
pub struct Server {
    script: &'static str,
    arguments: Vec<OsString>,
    child: Child,
    port: u16,
}

impl Server {
    /// GStreamer's RTSP server with the mounts video, h265, mjpeg, small, resize, long_gop and keyless.
    pub fn rtsp() -> Self {
        Self::rtsp_with(&[])
    }

    /// The same with options of `rtsp_server.py`.
    pub fn rtsp_with(options: &[&str]) -> Self {
        let mut arguments: Vec<OsString> = options.iter().map(Into::into).collect();
        for (mount, file, fps) in [
            ("video", "video.h264", 25),
            ("h265", "video.h265", 25),
            ("mjpeg", "video.mjpeg", 15),
            ("small", "small.h264", 25),
            ("resize", "resize.h264", 25),
            ("long_gop", "long_gop.h264", 25),
            ("keyless", "keyless.h264", 25),
        ] {
            let codec = file.rsplit('.').next().unwrap_or_default();
            let mut argument = OsString::from(format!("/{mount}="));
            argument.push(clip(file));
            argument.push(format!(",{codec},{fps}"));
            arguments.push(argument);
        }
        Self::spawn("rtsp_server.py", arguments)
    }

    /// JPEGs over HTTP.
    pub fn mjpeg() -> Self {
        Self::spawn("mjpeg_server.py", vec![clip("video.mjpeg").into()])
    }

    /// A TCP proxy before the port of a server, with a fault of `fault_proxy.py`.
    pub fn fault_proxy(fault: &str, number: u32, target: u16) -> Self {
        let arguments = ["--target", &target.to_string(), fault, &number.to_string()];
        Self::spawn("fault_proxy.py", arguments.iter().map(Into::into).collect())
    }

    /// A server that accepts connections and never says a word.
    pub fn mute() -> Self {
        Self::spawn("fault_proxy.py", vec!["mute".into()])
    }

    fn spawn(script: &'static str, arguments: Vec<OsString>) -> Self {
        let (child, port) = Self::start(script, &arguments, 0).unwrap_or_else(|| panic!("{script} did not start"));
        Self { script, arguments, child, port }
    }

    fn start(name: &str, arguments: &[OsString], port: u16) -> Option<(Child, u16)> {
        let mut command = script(name, ["--port", &port.to_string()]);
        command.args(arguments).process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a child has no standard output");
        let _ = BufReader::new(stdout).read_line(&mut line);
        match line.strip_prefix("READY ").and_then(|port| port.trim().parse().ok()) {
            Some(port) => Some((child, port)),
            None => {
                end(&mut child);
                None
            }
        }
    }

    /// The port it listens at.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The RTSP address of a mount.
    pub fn rtsp_url(&self, mount: &str) -> String {
        format!("rtsp://127.0.0.1:{}/{mount}", self.port)
    }

    /// The HTTP address.
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Stops it with SIGSTOP: the connections stay open and nothing comes any more.
    pub fn stop(&self) {
        assert!(signal("STOP", &self.child.id().to_string()), "a server has ended before its time");
    }

    /// Lets a stopped server go on.
    pub fn resume(&self) {
        assert!(signal("CONT", &self.child.id().to_string()), "a server has ended before its time");
    }

    /// Kills it: the kernel closes its connections and refuses new ones.
    pub fn kill(&mut self) {
        end(&mut self.child);
    }

    /// Starts it again after [`kill`](Self::kill), at the same port.
    pub fn restart(&mut self) {
        wait_until("the port can be had again", || match Self::start(self.script, &self.arguments, self.port) {
            Some((child, _)) => {
                self.child = child;
                true
            }
            None => false,
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Sends a signal to a process. The shell's `kill` spares a dependency.
fn signal(name: &str, to: &str) -> bool {
    let status = Command::new("sh").args(["-c", "kill -s $0 $1", name, to]).status();
    status.is_ok_and(|status| status.success())
}
