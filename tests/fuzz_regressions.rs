//! The committed inputs of the fuzzers, those among them that once made something fail, run as `cargo fuzz` would.
#![cfg(feature = "rtsp-native")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::panic::{catch_unwind, set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once};

/// What was said by threads that panicked. Those of the library catch their panics, which are findings all the same.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn watch_for_panics() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let default = take_hook();
        set_hook(Box::new(move |panic| {
            PANICS.lock().expect("not held while panicking").push(panic.to_string());
            default(panic);
        }));
        fuzz::pass_over_known_panics();
    });
}

fn inputs(target: &str) -> Vec<PathBuf> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let folders = ["corpus", "crashes"].map(|kind| fuzz.join(kind).join(target));
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let mut inputs: Vec<PathBuf> = entries.map(|entry| entry.expect("no entry").path()).collect();
    inputs.sort();
    inputs
}

fn replay(target: &str, run: fn(&[u8])) {
    watch_for_panics();
    let inputs = inputs(target);
    assert!(!inputs.is_empty(), "there is no input for {target}");
    for path in &inputs {
        let input = fs::read(path).expect("an input cannot be read");
        let outcome = catch_unwind(|| run(&input));
        // Those of other tests that run beside this one are theirs too.
        let panics = PANICS.lock().expect("not held while panicking").clone();
        assert!(outcome.is_ok() && panics.is_empty(), "{}: {panics:?}", path.display());
    }
}

macro_rules! targets {
    ($($target:ident)*) => {$(
        #[test]
        fn $target() {
            replay(stringify!($target), fuzz::$target::run);
        }
    )*};
}

targets! { calls depacketizers media parameters server }
