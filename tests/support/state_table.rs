//! The table "State x call" of the header, read from it.

use mpegclient::{State, Status};

pub const HEADER: &str = include_str!("../../include/mpegclient.h");

/// A call and its cells, one for each state.
pub struct Row {
    pub call: &'static str,
    pub cells: Vec<(State, &'static str)>,
}

pub fn table() -> Vec<Row> {
    let mut lines =
        HEADER.lines().map(|line| line.trim_start_matches(" *")).skip_while(|line| !line.starts_with(" call "));
    let states: Vec<State> =
        lines.next().into_iter().flat_map(str::split_whitespace).skip(1).map(state_named).collect();
    let rows = lines.take_while(|line| !line.trim().is_empty());
    rows.map(|line| {
        let mut words = line.split_whitespace();
        let call = words.next().unwrap_or_default();
        let cells: Vec<_> = states.iter().copied().zip(words).collect();
        assert_eq!(cells.len(), states.len(), "a row of another length: {line}");
        Row { call, cells }
    })
    .collect()
}

pub fn state_named(name: &str) -> State {
    State::ALL.iter().copied().find(|state| state.name() == name).unwrap_or_else(|| panic!("no state {name}"))
}

/// A cell's word, and the state it leads to if that is another.
pub fn split_cell(cell: &'static str) -> (&'static str, Option<&'static str>) {
    cell.split_once(':').map_or((cell, None), |(word, to)| (word, Some(to)))
}

/// What a reading call returns where what it asks for is not there.
pub fn absent(word: &str, state: State) -> Option<Status> {
    Some(match (word, state) {
        ("bad" | "once", _) => Status::BadState,
        ("live", _) => Status::Timeout,
        ("seen", _) => Status::NoFrame,
        ("last", State::Ended) => Status::Ended,
        ("last", State::Failed) => Status::Failed,
        ("last", _) => Status::Stopped,
        _ => return None,
    })
}
