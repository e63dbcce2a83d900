//! The binary interface stays what it was: `tests/abi/abi-N.xml` describes that of ABI number N, function by function with
//! all their types, and programs built then must run now. `make abi` describes the present one.
//!
//! What is described is the header, compiled with bodies that do nothing; that the library has the same functions and lays
//! out the same structs is what `abi.rs` tests.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const HEADER: &str = include_str!("../include/mpegclient.h");

/// The header without its comments.
fn code(header: &str) -> String {
    let is_code = |line: &&str| ![" *", "/*", "//", "#"].iter().any(|begin| line.trim_end().starts_with(begin));
    header
        .lines()
        .filter(is_code)
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// C that defines every function that a header declares.
fn definitions(header: &str) -> String {
    let code = code(header);
    let functions = code.split(';').filter_map(|statement| {
        let from = statement.rfind('{').map_or(0, |brace| brace + 1);
        let declaration = statement[from..].trim();
        let is_function = declaration.contains(" mpegclient_") || declaration.contains("*mpegclient_");
        let body = if declaration.starts_with("void ") { "" } else { "return 0;" };
        is_function.then(|| format!("{declaration} {{ {body} }}\n"))
    });
    format!("#include \"mpegclient.h\"\n{}", functions.collect::<String>())
}

/// A library that has what a header declares, with debug information to describe it by.
fn library(folder: &Path, header: &str) -> PathBuf {
    fs::create_dir_all(folder).expect("a folder could not be made");
    fs::write(folder.join("mpegclient.h"), header).expect("the header cannot be written");
    fs::write(folder.join("mpegclient.c"), definitions(header)).expect("the source cannot be written");
    // From within the folder, so that the description names no path.
    let mut command = Command::new("gcc");
    command.current_dir(folder).args([
        "-std=c11",
        "-g",
        "-w",
        "-shared",
        "-fPIC",
        "-o",
        "mpegclient.so",
        "mpegclient.c",
    ]);
    support::expect_success(&mut command);
    folder.join("mpegclient.so")
}

fn description(number: u32) -> PathBuf {
    support::root().join(format!("tests/abi/abi-{number}.xml"))
}

/// How a library differs from a description.
fn difference(options: &[&str], from: &Path, to: &Path) -> Output {
    support::run(Command::new("abidiff").arg("--no-architecture").args(options).arg(from).arg(to))
}

/// What a program that was built for the one finds changed in the other.
fn breakage(from: &Path, to: &Path) -> Output {
    let growth = support::root().join("tests/abi/growth.suppr");
    difference(&["--no-added-syms", "--suppressions", &growth.display().to_string()], from, to)
}

fn abi_number() -> u32 {
    mpegclient::capi::mpegclient_abi_version()
}

#[test]
fn the_binary_interface_is_the_committed_one_and_serves_those_before() {
    let now = library(&support::scratch("abi"), HEADER);
    let number = abi_number();
    let present = description(number);
    if std::env::var_os("MPEGCLIENT_WRITE_ABI").is_some() {
        let mut command = Command::new("abidw");
        command.args(["--no-architecture", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs"]);
        let text = support::expect_success(command.arg("--no-parameter-names").arg(&now));
        fs::write(&present, text).expect("the description cannot be written");
    }
    assert!(present.exists(), "{} is missing: run `make abi`", present.display());
    let output = difference(&[], &present, &now);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "not what ABI {number} is; an addition to what was released raises the number:\n{said}"
    );
    for earlier in 1..number {
        let output = breakage(&description(earlier), &now);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "programs built for ABI {earlier} would break:\n{said}");
    }
}

/// The structs that a description or the present header has, and their sizes.
fn struct_sizes(description: &Path) -> BTreeMap<String, usize> {
    let text = fs::read_to_string(description).expect("no description");
    let value = |line: &str, name: &str| Some(line.split_once(&format!(" {name}='"))?.1.split('\'').next()?.to_owned());
    let structs = text.lines().filter(|line| line.contains("<class-decl ") && line.contains(" is-struct='yes'"));
    let sized = structs.filter_map(|line| Some((value(line, "name")?, value(line, "size-in-bits")?)));
    sized.map(|(name, bits)| (name, bits.parse::<usize>().expect("not a number") / 8)).collect()
}

/// Runs tests/c/growth.c, whose structs have these sizes.
fn check_growth(program: &Path, sizes: impl Fn(&str) -> usize) {
    let (known, first) = (struct_sizes(&description(abi_number())), struct_sizes(&description(1)));
    let mut command = Command::new(program);
    command.arg(support::clip("short.mp4"));
    for (name, first) in first {
        command.arg(format!("{name}={},{},{first}", sizes(&name), known[&name]));
    }
    support::expect_success(&mut command);
}

#[test]
fn programs_with_older_and_newer_structs_are_served() {
    let folder = support::scratch("growth");
    let source = support::root().join("tests/c/growth.c");
    let program = folder.join("growth");
    support::compile("gcc", "gnu11", std::slice::from_ref(&source), &program);
    for number in 1..=abi_number() {
        let sizes = struct_sizes(&description(number));
        check_growth(&program, |name| sizes[name]);
    }
    // A header in which each struct has two members more. It stands in for ours, as it has the same guard.
    let newer = folder.join("mpegclient.h");
    let grown = HEADER.split_inclusive('\n').map(|line| match line.strip_prefix("} MpegClient") {
        Some(_) => format!("uint32_t more;\nuint32_t and_more;\n{line}"),
        None => line.to_owned(),
    });
    fs::write(&newer, grown.collect::<String>()).expect("the header cannot be written");
    let program = folder.join("growth_newer");
    let include = ["-include", &newer.display().to_string()];
    support::compile_with("gcc", "gnu11", std::slice::from_ref(&source), &program, &include);
    check_growth(&program, |_| 0);
}

#[test]
fn a_description_holds_the_exported_functions_and_no_path() {
    let text = fs::read_to_string(description(abi_number())).expect("no description");
    let mut described: Vec<&str> =
        text.lines().filter_map(|line| line.trim().strip_prefix("<elf-symbol name='")?.split('\'').next()).collect();
    described.sort_unstable();
    let mut exported: Vec<&str> = include_str!("abi/symbols.txt").lines().collect();
    exported.sort_unstable();
    assert_eq!(described, exported);
    assert!(!text.contains("='/") && text.len() < 100_000, "{} bytes", text.len());
}

/// The numbers that a header defines, but for those that change with every version. Debug information has none of them.
fn numbers(header: &str) -> BTreeSet<&str> {
    let defines = header.lines().filter(|line| line.starts_with("#define MPEGCLIENT_") && line.split(' ').count() == 3);
    defines.filter(|line| !line.contains("VERSION")).collect()
}

#[test]
fn numbers_are_added_and_never_changed() {
    let committed = support::root().join("tests/abi/numbers.txt");
    if std::env::var_os("MPEGCLIENT_WRITE_ABI").is_some() {
        let text: String = numbers(HEADER).into_iter().map(|line| format!("{line}\n")).collect();
        fs::write(&committed, text).expect("the numbers cannot be written");
    }
    let text = fs::read_to_string(committed).expect("no numbers");
    let (before, now) = (numbers(&text), numbers(HEADER));
    let gone: Vec<_> = before.difference(&now).collect();
    assert!(gone.is_empty(), "programs know these numbers: {gone:#?}");
    let new: Vec<_> = now.difference(&before).collect();
    assert!(new.is_empty(), "run `make abi` to add these numbers: {new:#?}");
}

#[test]
fn growth_is_told_from_breakage() {
    let folder = support::scratch("abi_growth");
    let present = description(abi_number());
    let stats = "} MpegClientStats;";
    let new = "MpegClient *mpegclient_new(void);";
    let change = |name: &str, from: &str, to: &str| {
        assert_eq!(HEADER.matches(from).count(), 1, "{from}");
        library(&folder.join(name), &HEADER.replace(from, to))
    };
    for (name, changed) in [
        ("member", change("member", stats, &format!("uint64_t more;\n{stats}"))),
        ("function", change("function", new, &format!("{new}\nint32_t mpegclient_more(int32_t how_much);"))),
    ] {
        assert!(!difference(&[], &present, &changed).status.success(), "an added {name} is not seen");
        assert!(breakage(&present, &changed).status.success(), "an added {name} counts as breakage");
    }
    for (name, changed) in [
        ("inserted", change("inserted", "  uint64_t newest_seq;", "  uint64_t more;\n  uint64_t newest_seq;")),
        ("removed", change("removed", new, "")),
        ("argument", change("argument", new, "MpegClient *mpegclient_new(int32_t how_much);")),
    ] {
        assert!(!breakage(&present, &changed).status.success(), "{name}: breakage is not seen");
    }
}
