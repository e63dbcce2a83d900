//! `make install`, and programs outside the tree that know the library by pkg-config alone.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;
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

#[test]
fn an_installed_library_is_found_linked_both_ways_and_taken_away_again() {
    let outside = std::env::temp_dir().join(format!("mpegclient-install-{}", std::process::id()));
    let stage = outside.join("stage");
    support::shared_library();
    let arguments = ["PREFIX=/opt/mpegclient".to_owned(), format!("DESTDIR={}", stage.display())];
    support::expect_success(support::make("install").args(&arguments));

    let installed = stage.join("opt/mpegclient");
    let version = env!("CARGO_PKG_VERSION");
    let library = installed.join("lib");
    assert_eq!(fs::read_link(library.join("libmpegclient.so")).expect("no link"), Path::new("libmpegclient.so.0"));
    let file = format!("libmpegclient.so.{version}");
    assert_eq!(fs::read_link(library.join("libmpegclient.so.0")).expect("no link"), Path::new(&file));
    assert!(library.join(file).metadata().expect("no library").is_file());

    let source = outside.join("program.c");
    fs::write(&source, PROGRAM).expect("the program cannot be written");
    let find = |arguments: &[&str]| pkg_config(&library.join("pkgconfig"), &stage, arguments);
    assert_eq!(find(&["--modversion"]), [version]);

    let shared = outside.join("shared");
    support::expect_success(
        Command::new("gcc").arg(&source).args(find(&["--cflags", "--libs"])).arg("-o").arg(&shared),
    );
    let printed = support::expect_success(Command::new(&shared).env("LD_LIBRARY_PATH", &library));
    assert!(printed.starts_with(version), "{printed}");

    // The linker prefers the shared library to the static one unless told by its full name.
    let static_flags = find(&["--static", "--cflags", "--libs"]);
    let static_flags = static_flags.iter().map(|flag| if flag == "-lmpegclient" { "-l:libmpegclient.a" } else { flag });
    let program = outside.join("static");
    support::expect_success(Command::new("gcc").arg(&source).args(static_flags).arg("-o").arg(&program));
    let needed = support::expect_success(Command::new("readelf").arg("-d").arg(&program));
    assert!(!needed.contains("libmpegclient") && needed.contains("libavformat"), "{needed}");
    let printed = support::expect_success(&mut Command::new(&program));
    assert!(printed.starts_with(version), "{printed}");

    let wrapper = outside.join("wrapper.cpp");
    fs::write(&wrapper, "#include <mpegclient.hpp>\nint main() { return mpegclient::client().state(); }\n")
        .expect("not written");
    let program = outside.join("wrapper");
    let flags = find(&["--cflags", "--libs"]);
    support::expect_success(Command::new("g++").arg("-std=c++17").arg(&wrapper).args(flags).arg("-o").arg(&program));
    support::expect_success(Command::new(&program).env("LD_LIBRARY_PATH", &library));

    support::expect_success(support::make("uninstall").args(&arguments));
    let left = support::expect_success(Command::new("find").arg(&stage).args(["-type", "f", "-o", "-type", "l"]));
    assert_eq!(left, "", "uninstall left something behind");
    fs::remove_dir_all(&outside).expect("the folder cannot be removed");
}
