//! Reading policy files: every construct, every syntax error.
//!
//! A file in `tests/data/parse/` is a test: what is said of it, and how much of it
//! could be read, is kept beside it as a snapshot.

use std::fmt::Write;
use std::path::Path;

use panopol::diagnostic::Diagnostic;
use panopol::source::SourceMap;
use panopol::syntax::parse::parse_file;
use panopol::syntax::tree::File;

use crate::support::files_below;

fn parse(text: &str) -> (SourceMap, File, Vec<Diagnostic>) {
    let mut sources = SourceMap::new();
    let id = sources.add("policy.pano", text);
    let (file, diagnostics) = parse_file(id, text);
    (sources, file, diagnostics)
}

/// One line a finding: place, code, message, and how to mend it.
fn report(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let mut report = String::new();
    for diagnostic in diagnostics {
        let place = &diagnostic.primary.as_ref().unwrap().span;
        let position = sources.position(*place);
        let _ = writeln!(
            report,
            "{}:{}: {}: {}",
            position.line, position.column, diagnostic.code.name, diagnostic.message
        );
        let text = sources.text(*place).lines().next().unwrap_or_default();
        let _ = writeln!(report, "    at `{text}`");
        for label in &diagnostic.secondary {
            let at = sources.position(label.span);
            let _ = writeln!(report, "    {}:{}: {}", at.line, at.column, label.text);
        }
        if let Some(help) = &diagnostic.help {
            let _ = writeln!(report, "    help: {help}");
        }
        if let Some(fix) = &diagnostic.fix {
            let old = sources.text(fix.span);
            let _ = writeln!(report, "    fix: `{old}` -> {:?}", fix.replacement);
        }
    }
    report
}

#[test]
fn each_file_of_the_folder_reads_as_its_snapshot_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/parse");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let paths = files_below(&folder, "pano");
    assert!(!paths.is_empty(), "none in {}", folder.display());
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let (sources, file, diagnostics) = parse(&text);
        let snapshot = format!(
            "{} errors, {} items, {} broken\n\n{}",
            diagnostics.len(),
            file.items.len(),
            file.broken.len(),
            report(&sources, &diagnostics)
        );
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        settings.bind(|| insta::assert_snapshot!(name, snapshot));
    }
}

#[test]
fn the_examples_of_each_code_show_it_and_nothing_else() {
    for code in panopol::syntax::codes::CODES {
        let (_, _, bad) = parse(code.bad);
        let found: Vec<&str> = bad.iter().map(|one| one.code.name).collect();
        assert_eq!(found, [code.name]);
        let (_, _, good) = parse(code.good);
        assert_eq!(good, [], "{}", code.name);
    }
}

#[test]
fn a_byte_order_mark_and_carriage_returns_are_no_error() {
    let text = "\u{feff}edition 2026\r\n\r\ntag env =\tdev # one\r\n\u{9}| prod\r\n";
    let (_, file, diagnostics) = parse(text);
    assert_eq!(diagnostics, []);
    assert_eq!(file.items.len(), 1);
    assert_eq!(file.comments[0].text, "# one");
}

#[test]
fn bytes_that_are_not_utf8_are_pointed_at() {
    use panopol::syntax::parse::decode;
    assert_eq!(decode(b"edition 2026\xff"), Err(12));
    assert_eq!(decode(b"edition 2026"), Ok("edition 2026"));
}

#[test]
fn deep_nesting_is_one_error_of_any_bracket() {
    for (open, close) in [("(", ")"), ("not ", ""), ("not (", ")")] {
        let text = format!(
            "edition 2026 unlock a {{ where {}has role{} }}",
            open.repeat(5000),
            close.repeat(5000)
        );
        let (_, _, diagnostics) = parse(&text);
        let codes: Vec<&str> = diagnostics.iter().map(|one| one.code.name).collect();
        assert_eq!(codes, ["nesting-too-deep"], "{open}");
    }
}

#[test]
fn nesting_up_to_the_limit_is_read() {
    let text = format!(
        "edition 2026 unlock a {{ where {}has role{} }}",
        "(".repeat(63),
        ")".repeat(63)
    );
    assert_eq!(parse(&text).2, []);
}
