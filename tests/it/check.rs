//! Policy sets that are right become an IR; the shipped ones are.

use std::path::Path;

use panopol::check::{Checked, check_files};
use panopol::source::load::Directory;

/// What was said, one line each.
fn lines(checked: &Checked) -> String {
    let lines = checked.diagnostics.iter().map(|diagnostic| {
        let place = diagnostic.primary.as_ref().map(|label| {
            let position = checked.sources.position(label.span);
            let path = checked.sources.path(label.span);
            format!("{path}:{}:{}: ", position.line, position.column)
        });
        let severity = diagnostic.severity.word();
        let code = diagnostic.code.name;
        let place = place.unwrap_or_default();
        format!("{place}{severity}[{code}]: {}", diagnostic.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn shipped_policies_have_no_error() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    for entry in root.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let checked = check_files(&mut Directory::open(&path).unwrap());
            assert!(
                checked.set.is_some(),
                "{}:\n{}",
                path.display(),
                lines(&checked)
            );
        }
    }
}
