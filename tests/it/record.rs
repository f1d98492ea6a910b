//! Record files, read backwards.

mod served;

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use panopol::record::Record;
use panopol::record::aggregate::Aggregator;
use panopol::record::back::{Place, Span, read_back};
use panopol::record::log::{RecordLog, Rotation};
use proptest::prelude::*;
use serde_json::json;

const ALL: Span = Span {
    from: None,
    since: None,
    lines: usize::MAX,
    bytes: u64::MAX,
};

fn line(bytes: &[u8]) -> Option<String> {
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

/// Writes one file for each list of lines, the last the current one.
fn write(directory: &Path, files: &[Vec<String>]) {
    for (at, lines) in files.iter().enumerate() {
        let name = match at + 1 == files.len() {
            true => "records.jsonl".to_owned(),
            false => format!("records-{at:020}.jsonl"),
        };
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(directory.join(name), text).unwrap();
    }
}

/// Every line, read in pages of so many lines or bytes.
fn read(directory: &Path, lines: usize, bytes: u64) -> Vec<String> {
    let mut all = Vec::new();
    let mut from: Option<Place> = None;
    loop {
        let span = Span {
            from,
            lines,
            bytes,
            ..ALL
        };
        let page = read_back(directory, span, line).unwrap().unwrap();
        assert!(page.items.len() <= lines);
        all.extend(page.items);
        match page.next {
            // A place is told as text and read again.
            Some(next) => from = Some(next.to_string().parse().unwrap()),
            None => return all,
        }
    }
}

/// A denial of `device` so many seconds after the beginning.
fn denial(device: &str, second: i64) -> Arc<Record> {
    let record = json!({
        "v": 1, "id": "1", "time": Timestamp::from_second(second).unwrap(), "kind": "unlock",
        "request": {"device": device, "tags": {}, "state": "active", "source": "192.0.2.1", "kid": "k"},
        "facts": {},
        "decision": {
            "outcome": "deny", "reasons": [{"code": "source-not-allowed", "message": "no"}],
            "obligations": [], "groups": [], "approvers": [], "policy": "sha256:0",
        },
    });
    Arc::new(serde_json::from_value(record).unwrap())
}

/// Device and number of each record.
fn folded(records: &[Arc<Record>]) -> Vec<(String, u64)> {
    let told = |record: &Arc<Record>| {
        let value = serde_json::to_value(&**record).unwrap();
        let device = value["request"]["device"].as_str().unwrap().to_owned();
        (device, value["n"].as_u64().unwrap_or(1))
    };
    records.iter().map(told).collect()
}

#[test]
fn what_was_folded_is_written_when_its_window_ends_however_busy_the_others_are() {
    let mut aggregator = Aggregator::new(SignedDuration::from_mins(5));
    let mut written = Vec::new();
    for second in 0..3 {
        written.extend(aggregator.push(denial("silent-soon", second)));
    }
    for second in 3..310 {
        written.extend(aggregator.push(denial("busy", second)));
    }
    let told = folded(&written);
    assert_eq!(
        told[..2],
        [("silent-soon".to_owned(), 1), ("busy".to_owned(), 1)]
    );
    assert!(told.contains(&("silent-soon".to_owned(), 2)), "{told:?}");
    // A clock that is set back a year folds nothing for a year.
    let back = aggregator.push(denial("busy", -31_000_000));
    assert_eq!(folded(&back).last(), Some(&("busy".to_owned(), 1)));
}

#[test]
fn a_line_that_was_cut_off_spoils_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("records.jsonl");
    std::fs::write(&file, "{\"v\":1,\"id\":\"cut o").unwrap();
    let mut log = RecordLog::open(directory.path(), Rotation::default()).unwrap();
    for second in 0..2 {
        let record = denial("web-1", second);
        log.append(&record, record.time).unwrap();
    }
    let text = std::fs::read_to_string(&file).unwrap();
    let whole = text.lines().map(serde_json::from_str::<Record>);
    let whole: Vec<bool> = whole.map(|read| read.is_ok()).collect();
    assert_eq!(whole, [false, true, true], "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pages_of_any_size_are_the_lines_from_the_newest_back(
        lengths in prop::collection::vec(prop::collection::vec(0..9000usize, 0..20), 1..5),
        lines in 1..30usize,
        bytes in prop_oneof![1..200_000u64, Just(u64::MAX)],
    ) {
        let mut number = 0;
        let files: Vec<Vec<String>> = lengths
            .iter()
            .map(|lengths| {
                let line = |length: &usize| {
                    number += 1;
                    format!("{number}{}", "x".repeat(*length))
                };
                lengths.iter().map(line).collect()
            })
            .collect();
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), &files);
        let mut expected: Vec<String> = files.concat();
        expected.reverse();
        prop_assert_eq!(read(directory.path(), lines, bytes), expected);
    }
}

#[test]
fn a_line_longer_than_any_block_and_one_that_is_cut_off_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let long = "y".repeat(300_000);
    std::fs::write(
        directory.path().join("records.jsonl"),
        format!("first\n{long}\n\nlast, cut o"),
    )
    .unwrap();
    let expected = ["last, cut o", "", long.as_str(), "first"];
    assert_eq!(read(directory.path(), 1, u64::MAX), expected);
    assert_eq!(read(directory.path(), 100, u64::MAX), expected);
}

#[test]
fn a_place_holds_where_its_file_is_renamed_and_not_where_it_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let current = directory.path().join("records.jsonl");
    std::fs::write(&current, "a\nb\nc\n").unwrap();
    let one = Span { lines: 1, ..ALL };
    let page = read_back(directory.path(), one, line).unwrap().unwrap();
    assert_eq!(page.items, ["c"]);
    let full = directory.path().join("records-1.jsonl");
    std::fs::rename(&current, &full).unwrap();
    std::fs::write(&current, "d\n").unwrap();
    let rest = Span {
        from: page.next,
        ..ALL
    };
    let page = read_back(directory.path(), rest, line).unwrap().unwrap();
    assert_eq!(page.items, ["b", "a"]);
    std::fs::remove_file(full).unwrap();
    assert!(read_back(directory.path(), rest, line).unwrap().is_none());
}
