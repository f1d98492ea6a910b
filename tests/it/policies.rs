//! The policies that ship: checked, tested, in the one layout.

use std::fs;

use panopol::source::FileId;
use panopol::syntax::parse::parse_file;

use crate::support::{files_below, root};

#[test]
fn every_shipped_policy_file_parses() {
    let files = files_below(&root().join("policies"), "pano");
    assert!(files.len() > 15);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let (_, found) = parse_file(FileId(0), &text);
        assert_eq!(found, [], "{}", file.display());
    }
}
