//! Reading policy files: every construct, every syntax error.

use panopol::source::SourceMap;
use panopol::syntax::parse::parse_file;

#[test]
fn every_construct_parses() {
    let text = include_str!("../data/parse/everything.pano");
    let mut sources = SourceMap::new();
    let id = sources.add("everything.pano", text);
    let (file, diagnostics) = parse_file(id, text);
    assert_eq!(diagnostics, []);
    assert!(file.broken.is_empty());
    assert_eq!(file.items.len(), 27);
}
