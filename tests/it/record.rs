//! Record files, read backwards.

mod served;

use std::path::Path;

use panopol::record::back::{Place, Span, read_back};
use proptest::prelude::*;

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
