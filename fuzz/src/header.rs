//! What the header promises: its table, and the statuses that it names for each function.

#[path = "../../tests/support/state_table.rs"]
pub mod state_table;

use mpegclient::Status;
use state_table::HEADER;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The statuses of each function, as the comment before it names them. Those that every function may return are not
/// among them unless they are named.
static RETURNS: LazyLock<BTreeMap<String, Vec<Status>>> = LazyLock::new(|| {
    let mut functions = BTreeMap::new();
    let mut comment = String::new();
    for line in HEADER.lines() {
        if let Some(text) = line.strip_prefix("//") {
            comment.push_str(text);
            continue;
        }
        let name = line.split('(').next().unwrap_or_default().rsplit([' ', '*']).next().unwrap_or_default();
        if line.contains('(') && name.starts_with("mpegclient_") {
            functions.insert(name.to_owned(), statuses(&comment));
        }
        comment.clear();
    }
    functions
});

fn statuses(comment: &str) -> Vec<Status> {
    let returns = comment.split_once("Returns:").map_or("", |(_, rest)| rest);
    let returns = returns.split(" Since:").next().unwrap_or_default();
    let words: BTreeSet<&str> = returns.split(|c: char| !(c.is_ascii_uppercase() || c == '_')).collect();
    Status::ALL.iter().copied().filter(|status| words.contains(status.name())).collect()
}

/// The statuses that a function's comment names.
pub fn returns(function: &str) -> &'static [Status] {
    RETURNS.get(function).unwrap_or_else(|| panic!("the header has no comment for {function}"))
}
