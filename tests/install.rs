//! `make install`, and programs outside the tree that know the library by pkg-config or by CMake alone.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = "#include <mpegclient.h>\n#include <stdio.h>\n\
    int main(void) {\n\
        MpegClient *client = mpegclient_new();\n\
        int32_t status = mpegclient_setup(client, \"/no/such/file\", -1, NULL);\n\
        printf(\"%s %s\\n\", mpegclient_version(), mpegclient_status_string(status));\n\
        mpegclient_free(client);\n\
        return status == MPEGCLIENT_ERROR_NOT_FOUND ? 0 : 1;\n\
    }\n";

/// What pkg-config says, as arguments.
fn pkg_config(folder: &Path, sysroot: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.args(arguments).arg("mpegclient").env("PKG_CONFIG_PATH", folder).env("PKG_CONFIG_SYSROOT_DIR", sysroot);
    support::expect_success(&mut command).split_whitespace().map(str::to_owned).collect()
}

/// Compiles a program and gives what it prints; `library` is where it finds a shared library.
fn compile_and_run(compiler: &str, source: &Path, flags: &[String], library: &Path) -> (PathBuf, String) {
    let program =
        source.with_extension(if flags.iter().any(|flag| flag.ends_with(".a")) { "static" } else { "shared" });
    support::expect_success(Command::new(compiler).arg(source).args(flags).arg("-o").arg(&program));
    let printed = support::expect_success(Command::new(&program).env("LD_LIBRARY_PATH", library));
    (program, printed)
}

/// What a program asks the loader for.
fn needed(program: &Path) -> String {
    support::expect_success(Command::new("readelf").arg("-d").arg(program))
}

const PROJECT: &str = "cmake_minimum_required(VERSION 3.16)\n\
    project(outside C)\n\
    set(mpegclient_USE_STATIC_LIBS ${STATIC})\n\
    find_package(mpegclient 0.1 REQUIRED)\n\
    add_executable(program program.c)\n\
    target_link_libraries(program PRIVATE mpegclient::mpegclient)\n";

/// Builds a project outside the tree that knows the library by CMake alone; gives the program.
fn build_with_cmake(outside: &Path, installed: &Path, is_static: bool) -> PathBuf {
    let build = outside.join(if is_static { "cmake-static" } else { "cmake-shared" });
    let define = |name: &str, value: &str| format!("-D{name}={value}");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(outside).arg("-B").arg(&build);
    configure.arg(define("CMAKE_PREFIX_PATH", &installed.display().to_string()));
    configure.arg(define("STATIC", if is_static { "ON" } else { "OFF" }));
    support::expect_success(&mut configure);
    support::expect_success(Command::new("cmake").arg("--build").arg(&build));
    build.join("program")
}

/// A folder with everything installed below it by `make install`, removed by `make uninstall`.
struct Stage {
    outside: PathBuf,
    arguments: [String; 2],
}

impl Stage {
    fn new(name: &str) -> Self {
        let outside = std::env::temp_dir().join(format!("mpegclient-{name}-{}", std::process::id()));
        let arguments = ["PREFIX=/opt/mpegclient".to_owned(), format!("DESTDIR={}", outside.join("stage").display())];
        support::shared_library();
        support::expect_success(support::make("install").args(&arguments));
        fs::write(outside.join("program.c"), PROGRAM).expect("the program cannot be written");
        Self { outside, arguments }
    }

    fn installed(&self) -> PathBuf {
        self.outside.join("stage/opt/mpegclient")
    }

    fn find(&self, arguments: &[&str]) -> Vec<String> {
        pkg_config(&self.installed().join("lib/pkgconfig"), &self.outside.join("stage"), arguments)
    }

    fn remove(self) {
        support::expect_success(support::make("uninstall").args(&self.arguments));
        let mut find = Command::new("find");
        find.arg(self.outside.join("stage")).args(["(", "-not", "-type", "d", "-o", "-name", "*mpegclient*", ")"]);
        let left = support::expect_success(find.args(["-not", "-path", "*/opt/mpegclient"]));
        assert_eq!(left, "", "uninstall left something behind");
        fs::remove_dir_all(&self.outside).expect("the folder cannot be removed");
    }
}

#[test]
fn an_installed_library_is_found_by_pkg_config_linked_both_ways_and_taken_away_again() {
    let stage = Stage::new("pkg-config");
    let version = env!("CARGO_PKG_VERSION");
    let library = stage.installed().join("lib");
    assert_eq!(fs::read_link(library.join("libmpegclient.so")).expect("no link"), Path::new("libmpegclient.so.0"));
    let file = format!("libmpegclient.so.{version}");
    assert_eq!(fs::read_link(library.join("libmpegclient.so.0")).expect("no link"), Path::new(&file));
    assert!(library.join(file).metadata().expect("no library").is_file());
    assert_eq!(stage.find(&["--modversion"]), [version]);

    let source = stage.outside.join("program.c");
    let (program, printed) = compile_and_run("gcc", &source, &stage.find(&["--cflags", "--libs"]), &library);
    assert!(printed.starts_with(version) && needed(&program).contains("[libmpegclient.so.0]"), "{printed}");

    // The linker prefers the shared library to the static one unless told by its full name.
    let flags = stage.find(&["--static", "--cflags", "--libs"]);
    let flags =
        flags.into_iter().map(|flag| if flag == "-lmpegclient" { "-l:libmpegclient.a".to_owned() } else { flag });
    let (program, printed) = compile_and_run("gcc", &source, &flags.collect::<Vec<_>>(), Path::new(""));
    let needed = needed(&program);
    assert!(!needed.contains("libmpegclient") && needed.contains("libavformat"), "{needed}");
    assert!(printed.starts_with(version), "{printed}");

    let wrapper = stage.outside.join("wrapper.cpp");
    let text = "#include <mpegclient.hpp>\nint main() { return mpegclient::client().state(); }\n";
    fs::write(&wrapper, text).expect("not written");
    let mut flags = stage.find(&["--cflags", "--libs"]);
    flags.push("-std=c++17".to_owned());
    compile_and_run("g++", &wrapper, &flags, &library);

    let loader = support::scratch("dlopen_installed").join("dlopen");
    support::compile("gcc", "gnu11", &[support::root().join("tests/c/dlopen.c")], &loader);
    let mut command = Command::new(&loader);
    support::expect_success(command.arg(library.join("libmpegclient.so")).arg(support::clip("video.mp4")));
    stage.remove();
}

#[test]
fn an_installed_library_is_found_by_cmake_wherever_it_was_moved() {
    let stage = Stage::new("cmake");
    let version = env!("CARGO_PKG_VERSION");
    fs::write(stage.outside.join("CMakeLists.txt"), PROJECT).expect("the project cannot be written");
    for is_static in [false, true] {
        let program = build_with_cmake(&stage.outside, &stage.installed(), is_static);
        let printed = support::expect_success(&mut Command::new(&program)); // CMake gives it an rpath
        assert!(printed.starts_with(version), "{printed}");
        let needed = needed(&program);
        assert_eq!(needed.contains("[libmpegclient.so.0]"), !is_static, "{needed}");
    }

    let too_new = PROJECT.replace("mpegclient 0.1 REQUIRED", "mpegclient 99 REQUIRED");
    fs::write(stage.outside.join("CMakeLists.txt"), too_new).expect("the project cannot be written");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(&stage.outside).arg("-B").arg(stage.outside.join("cmake-too-new"));
    let path = format!("-DCMAKE_PREFIX_PATH={}", stage.installed().display());
    let output = support::run(configure.arg(path));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains(&format!("version: {version}")), "{said}");
    stage.remove();
}
