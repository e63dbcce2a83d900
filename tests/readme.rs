//! What the documents say is so: the table of parameters is the code's, every block of code compiles and runs against a
//! real RTSP server, with its address in place of theirs, every link leads somewhere.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use mpegclient::{Kind, PARAMETERS, Scope};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::Server;

/// What users read. ARCHITECTURE.md and CHANGELOG.md hold no code.
const GUIDES: [&str; 4] =
    ["README.md", "bindings/python/README.md", "bindings/go/README.md", "bindings/csharp/README.md"];

fn read(path: impl AsRef<Path>) -> String {
    let path = support::root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The blocks of code of the guides in one language, each with the guide it stands in.
fn blocks(language: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for guide in GUIDES {
        let text = read(guide);
        // Outside and inside take turns.
        for block in text.split("\n```").skip(1).step_by(2) {
            let (named, code) = block.split_once('\n').expect("a block without an end");
            if named == language {
                found.push((guide, code.to_owned() + "\n"));
            }
        }
    }
    assert!(!found.is_empty(), "no block of {language:?}");
    found
}

/// Code with the address of a real server in place of that which it names.
fn with_url(code: &str, url: &str) -> String {
    let mut pieces = code.split("rtsp://");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| c == '"' || c.is_whitespace()).unwrap_or(piece.len());
        text = text + url + &piece[end..];
    }
    text
}

fn python() -> Command {
    let mut command = Command::new(support::target().join("venv/bin/python"));
    command.env("PYTHONPATH", support::root().join("bindings/python/src")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("MPEGCLIENT_LIBRARY", support::shared_library());
    command
}

#[test]
fn no_language_is_left_out() {
    let known = ["", "python", "c", "cmake", "go", "csharp"];
    for guide in GUIDES {
        let text = read(guide);
        let languages = text.split("\n```").skip(1).step_by(2).map(|block| block.lines().next().unwrap_or_default());
        let unknown: Vec<&str> = languages.filter(|language| !known.contains(language)).collect();
        assert!(unknown.is_empty(), "{guide}: no test takes {unknown:?}");
    }
}

#[test]
fn the_python_runs() {
    let server = Server::rtsp();
    for (guide, code) in blocks("python") {
        let program = with_url(&code, &server.rtsp_url("video"));
        let printed = support::expect_success(python().args(["-W", "error", "-c", &program]));
        assert_eq!(printed.is_empty(), !code.contains("print("), "{guide}: {printed}");
    }
}

#[test]
fn the_c_runs() {
    let server = Server::rtsp();
    let folder = support::scratch("readme_c");
    for (_, code) in blocks("c") {
        let source = folder.join("program.c");
        write(&source, &with_url(&code, &server.rtsp_url("video")));
        let program = folder.join("program");
        support::compile("gcc", "c11", &[source], &program);
        let printed = support::expect_success(&mut Command::new(&program));
        assert_eq!(printed.matches("(5, 360, 480, 3)").count(), 3, "{printed}");
    }
}

#[test]
fn the_cmake_builds() {
    let folder = support::scratch("readme_cmake");
    for (_, code) in blocks("cmake") {
        let project = "cmake_minimum_required(VERSION 3.16)\nproject(program C)\nadd_executable(program program.c)\n";
        write(&folder.join("CMakeLists.txt"), &(project.to_owned() + &code));
        write(&folder.join("program.c"), &read("tests/c/header.c"));
        let build = folder.join("build");
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(&folder).arg("-B").arg(&build);
        configure.arg(format!("-DCMAKE_PREFIX_PATH={}", support::installed().display()));
        support::expect_success(&mut configure);
        support::expect_success(Command::new("cmake").arg("--build").arg(&build));
        support::expect_success(&mut Command::new(build.join("program")));
    }
}

/// The commands that a guide gives, one a line.
fn commands(guide: &str) -> Vec<String> {
    let blocks = blocks("").into_iter().filter(|(found, _)| *found == guide);
    blocks.flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn the_go_and_its_commands_run() {
    let server = Server::rtsp();
    let folder = support::scratch("readme_go");
    write(&folder.join("go.mod"), "module program\n\ngo 1.19\n");
    for (_, code) in blocks("go") {
        write(&folder.join("main.go"), &with_url(&code, &server.rtsp_url("video")));
    }
    for command in commands("bindings/go/README.md") {
        let command = command.replace("/path/to/mpegclient", &support::root().display().to_string());
        let words: Vec<&str> = command.split_whitespace().collect();
        assert_eq!(words.first(), Some(&"go"), "{command}");
        support::expect_success(support::go(&words[1..]).current_dir(&folder));
    }
    let mut program = Command::new(folder.join("program"));
    let printed = support::expect_success(program.env("LD_LIBRARY_PATH", support::installed().join("lib")));
    assert_eq!(printed.matches("5 (0,0)-(480,360) 518400").count(), 3, "{printed}");
}

#[test]
fn the_csharp_and_its_commands_run() {
    let server = Server::rtsp();
    let folder = support::scratch("readme_csharp");
    for (_, code) in blocks("csharp") {
        write(&folder.join("Program.cs"), &with_url(&code, &server.rtsp_url("video")));
    }
    let mut printed = String::new();
    for command in commands("bindings/csharp/README.md") {
        let command = command.replace("/path/to/mpegclient", &support::root().display().to_string());
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).current_dir(&folder);
        let library = support::shared_library().parent().expect("the library lies in no folder");
        printed += &support::expect_success(shell.env("LD_LIBRARY_PATH", library));
    }
    assert_eq!(printed.matches("5 frames of 518400 bytes").count(), 3, "{printed}");
}

#[test]
fn the_other_commands_run() {
    let server = Server::rtsp();
    let makefile = read("Makefile");
    for command in commands("README.md").into_iter().chain(commands("bindings/python/README.md")) {
        let words: Vec<&str> = command.split('#').next().unwrap_or_default().split_whitespace().collect();
        match words[..] {
            ["make", goal] => assert!(makefile.contains(&format!("\n{goal}: ")), "no goal {goal}"),
            ["python", ..] => {
                let arguments = words[1..].iter().map(|word| with_url(word, &server.rtsp_url("video")));
                let mut program = python();
                program.args(arguments).args(["--seconds", "1"]);
                support::expect_success(program.current_dir(support::scratch("readme_commands")));
            }
            // test_wheel.py does the same, in a copy of the tree.
            [_, "pip", "install", tree] => assert!(tree.starts_with("'./bindings/python"), "{command}"),
            _ => panic!("no test takes this command: {command}"),
        }
    }
}

/// The code at the head of the C header: lines of the comment that are further in, up to the words beside them.
#[test]
fn the_life_of_a_stream_in_the_header_compiles_and_runs() {
    let header = read("include/mpegclient.h");
    let chapter = header.split(" * ---- ").find(|chapter| chapter.starts_with("A stream's life")).expect("no chapter");
    let lines = chapter.lines().filter_map(|line| line.strip_prefix(" *     "));
    let code: Vec<&str> = lines.map(|line| line.split_inclusive(';').next().unwrap_or_default()).collect();
    assert!(code.len() >= 8 && code.iter().all(|line| line.ends_with(';')), "{code:?}");
    let code = code.join("\n");
    let code = code.replace("&options, ...)", "&options, memory, sizeof memory, NULL, 0, &batch)");
    let code = code.replace("&lease, ...);", "&lease, NULL, 0, &batch);\nmpegclient_lease_release(lease);");
    let server = Server::rtsp();
    let text = format!(
        "#include <mpegclient.h>\nint main(void) {{\nstatic uint8_t memory[1 << 20];\n\
         MpegClientReadOptions options = {{.struct_size = sizeof options, .timeout_ms = 9000}};\n\
         MpegClientBatch batch = {{.struct_size = sizeof batch}};\n\
         MpegClientLease *lease = NULL;\n{}\nreturn batch.width == 480 ? 0 : 1;\n}}\n",
        with_url(&code, &server.rtsp_url("video"))
    );
    let folder = support::scratch("readme_header");
    write(&folder.join("life.c"), &text);
    support::compile("gcc", "c11", &[folder.join("life.c")], &folder.join("life"));
    support::expect_success(&mut Command::new(folder.join("life")));
}

/// The same at the head of the C++ header.
#[test]
fn the_example_in_the_cpp_header_compiles_and_runs() {
    let header = read("bindings/cpp/mpegclient.hpp");
    let code: Vec<&str> = header.lines().filter_map(|line| line.strip_prefix("//     ")).collect();
    let server = Server::rtsp();
    let text = format!(
        "#include <mpegclient.hpp>\nint main() {{\n{}\nreturn frames.batch.width == 480 ? 0 : 1;\n}}\n",
        with_url(&code.join("\n"), &server.rtsp_url("video"))
    );
    let folder = support::scratch("readme_cpp");
    write(&folder.join("life.cpp"), &text);
    support::compile("g++", "c++17", &[folder.join("life.cpp")], &folder.join("life"));
    support::expect_success(&mut Command::new(folder.join("life")));
}

/// Where the links of a text lead.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut count = 0;
    for guide in GUIDES.into_iter().chain(["ARCHITECTURE.md", "CHANGELOG.md", "SECURITY.md"]) {
        let text = read(guide);
        for link in links(&text) {
            assert!(!link.contains("://"), "{guide}: {link} cannot be checked without the network");
            let folder = support::root().join(guide);
            let to: PathBuf = folder.parent().expect("a guide lies in no folder").join(link);
            assert!(to.exists(), "{guide}: {link} leads nowhere");
            count += 1;
        }
    }
    assert!(count > 5, "only {count} links were found");
}

#[test]
fn the_table_of_parameters_is_that_of_the_code() {
    let readme = read("README.md");
    let mut table = String::from("| parameter | values | default | counts | what it does |\n|---|---|---|---|---|\n");
    for parameter in PARAMETERS {
        let values = match parameter.kind {
            Kind::Choice(words) => words.join(", "),
            _ => parameter.range(),
        };
        let default = if parameter.default.is_empty() { "" } else { &format!("`{}`", parameter.default) };
        let counts = match parameter.scope {
            Scope::Setup => "at setup",
            Scope::Now => "at once",
        };
        table.push_str(&format!("| `{}` | {values} | {default} | {counts} | {} |\n", parameter.key, parameter.help));
    }
    assert!(readme.contains(&table), "README.md should hold this table:\n{table}");
}

/// The files that `SECURITY.md` names, each with the name of a test where one follows.
fn evidence(text: &str) -> Vec<(&str, Option<&str>)> {
    let quoted = text.split('`').skip(1).step_by(2).filter(|quoted| quoted.contains('/') && !quoted.contains(' '));
    quoted.map(|quoted| quoted.split_once("::").map_or((quoted, None), |(file, name)| (file, Some(name)))).collect()
}

#[test]
fn what_security_rests_on_is_there() {
    let text = read("SECURITY.md");
    let evidence = evidence(&text);
    for (file, name) in &evidence {
        let source = read(file);
        let is_there =
            name.is_none_or(|name| ["fn ", "def "].iter().any(|word| source.contains(&format!("{word}{name}("))));
        assert!(is_there, "{file} holds no test {name:?}");
    }
    assert!(evidence.len() > 30, "only {} tests were found", evidence.len());
}

#[test]
fn every_part_of_the_proof_that_is_named_exists() {
    let runner = read("tests/proof/run.sh");
    let parts =
        runner.split_once("all_parts=(").and_then(|(_, rest)| rest.split_once(')')).expect("no list of parts").0;
    let parts: Vec<&str> = parts.split(' ').collect();
    let text = read("SECURITY.md");
    let named: Vec<&str> = text.split("`make proof PARTS=").skip(1).filter_map(|rest| rest.split('`').next()).collect();
    assert!(named.len() > 5, "only {named:?}");
    for part in named.iter().flat_map(|named| named.trim_matches('"').split(' ')) {
        assert!(parts.contains(&part), "SECURITY.md names the part {part:?} of the proof, there are {parts:?}");
    }
}
