//! Any bytes as a policy file: checked; formatted where they parse; compiled
//! where they are a policy.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use panopol::check::check_files;
use panopol::eval::Program;
use panopol::source::FileId;
use panopol::source::load::InMemory;
use panopol::syntax::format::format_text;
use panopol::syntax::parse::parse_file;
use panopol::syntax::tree::File;
use regex::Regex;

/// `x in [y]`, which the formatter writes as `x == y`.
static SINGLE_IN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"op: In, values: (\[(?:Word|Text)\("(?:[^"\\]|\\.)*"\)\])"#).expect("a regex")
});

/// What a file says, in words that ignore how it was spelled.
fn meaning(file: &File) -> String {
    let items = format!("{:?} {:?}", file.edition, file.items);
    SINGLE_IN.replace_all(&items, "op: Equal, values: $1").into_owned()
}

fn format_keeps_the_tree(text: &str) {
    let Ok(formatted) = format_text(text) else {
        return;
    };
    let (before, _) = parse_file(FileId(0), text);
    let (after, faults) = parse_file(FileId(0), &formatted);
    assert!(faults.is_empty(), "formatted text does not parse: {formatted}");
    assert_eq!(meaning(&before), meaning(&after), "formatting changed the tree");
    assert_eq!(before.comments.len(), after.comments.len(), "formatting lost a comment");
    assert_eq!(format_text(&formatted).as_ref(), Ok(&formatted), "formatting is not idempotent");
}

fuzz_target!(|bytes: &[u8]| {
    let mut files = InMemory::default();
    files.files.insert("fuzz.pano".to_owned(), bytes.to_vec());
    if let Some(set) = check_files(&mut files).set {
        let _ = Program::compile(set);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        format_keeps_the_tree(text);
    }
});
