//! The canonical layout.
//!
//! A file in `tests/data/fmt/` is a test: its formatted text is kept beside it as a
//! snapshot, and formats to itself.

use std::path::Path;

use panopol::syntax::format::format_text;

use crate::support::files_below;

#[test]
fn each_file_of_the_folder_is_laid_out_as_its_snapshot() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fmt");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let paths = files_below(&folder, "pano");
    assert!(!paths.is_empty(), "none in {}", folder.display());
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let formatted = format_text(&text).unwrap();
        assert_eq!(
            format_text(&formatted).as_ref(),
            Ok(&formatted),
            "{} does not format to itself",
            path.display()
        );
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        settings.bind(|| insta::assert_snapshot!(name, formatted));
    }
}

#[test]
fn a_text_with_a_syntax_error_is_refused_whole() {
    let errors = format_text("edition 2026\ntag env = a\ntag role b\n").unwrap_err();
    assert_eq!(errors.len(), 1);
}
