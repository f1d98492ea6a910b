//! What the checker makes of policies, right ones and wrong ones.
//!
//! Each file or directory of `tests/data/check/broken` has exactly one mistake;
//! what is said of it is a snapshot beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use panopol::check::codes::CODES;
use panopol::check::{Checked, check_files};
use panopol::diagnostic::human::render_human;
use panopol::diagnostic::report::SetReport;
use panopol::diagnostic::{Code, Severity};
use panopol::source::load::{Directory, InMemory};

use crate::support::{files_below, root};

/// Everything said, as `check` shows it.
fn rendered(checked: &Checked) -> String {
    let report = SetReport {
        name: "policies".to_owned(),
        root: String::new(),
        sources: checked.sources.clone(),
        findings: checked.diagnostics.clone(),
        left_out: checked.left_out,
        tests: Vec::new(),
        levels: Default::default(),
    };
    render_human(&report, false)
}

fn check_path(path: &Path) -> Checked {
    check_files(&mut Directory::open(path).unwrap())
}

/// Checks an example: one file, or several that `# file: NAME` lines begin.
fn check_example(example: &str) -> Checked {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut name = "policy.pano".to_owned();
    for line in example.split_inclusive('\n') {
        match line.strip_prefix("# file: ") {
            Some(rest) => name = rest.trim().to_owned(),
            None => files
                .entry(name.clone())
                .or_default()
                .extend(line.as_bytes()),
        }
    }
    check_files(&mut InMemory { files })
}

fn codes(checked: &Checked) -> Vec<&'static str> {
    let codes = checked.diagnostics.iter().map(|found| found.code.name);
    codes.collect()
}

fn broken() -> Vec<(String, PathBuf)> {
    let directory = root().join("tests/data/check/broken");
    let entries = directory.read_dir().unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, path)
    });
    let mut entries: Vec<_> = entries.collect();
    assert!(!entries.is_empty(), "none in {}", directory.display());
    entries.sort();
    entries
}

#[test]
fn one_mistake_makes_one_error() {
    let mut wrong = Vec::new();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../data/check/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, path) in broken() {
        let checked = check_path(&path);
        let text = rendered(&checked);
        let errors = checked.diagnostics.iter();
        let errors = errors.filter(|found| found.severity == Severity::Error);
        if errors.count() != 1 {
            wrong.push(format!("── {name}\n{text}"));
        }
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_corpus_is_large_and_every_code_is_in_it() {
    let broken = broken();
    assert!(broken.len() >= 80, "{}", broken.len());
    let seen: BTreeSet<&str> = broken
        .iter()
        .flat_map(|(_, path)| codes(&check_path(path)))
        .collect();
    // What text cannot show is shown by the loader's own tests.
    let elsewhere = ["unreadable-file"];
    let missing: Vec<&str> = CODES
        .iter()
        .map(|code| code.name)
        .filter(|name| !seen.contains(name) && !elsewhere.contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_bad_example_has_its_fault_alone_and_a_good_one_has_none() {
    for code in CODES.iter().filter(|code| !code.bad.is_empty()) {
        let bad = check_example(code.bad);
        assert_eq!(codes(&bad), [code.name], "{}", rendered(&bad));
        let good = check_example(code.good);
        let text = rendered(&good);
        assert!(
            good.set.is_some() && text.is_empty(),
            "{}: {text}",
            code.name
        );
    }
}

#[test]
fn only_what_text_cannot_show_has_no_example() {
    let without = CODES.iter().filter(|code| code.bad.is_empty());
    let without: Vec<&str> = without.map(|code| code.name).collect();
    assert_eq!(without, ["unreadable-file"]);
}

#[test]
fn codes_are_named_once_and_say_why() {
    let mut names = BTreeSet::new();
    let syntax: &[&Code] = panopol::syntax::codes::CODES;
    for code in CODES.iter().chain(syntax) {
        assert!(names.insert(code.name), "{} is named twice", code.name);
        assert!(!code.summary.ends_with('.'), "{}", code.name);
    }
    assert!(
        CODES
            .iter()
            .all(|code| !code.why.is_empty() && !code.summary.is_empty())
    );
}

#[test]
fn twenty_mistakes_make_twenty_errors() {
    let path = root().join("tests/data/check/twenty.pano");
    let checked = check_path(&path);
    let text = rendered(&checked);
    let found = codes(&checked);
    assert_eq!(found.len(), 20, "{text}");
    let kinds: BTreeSet<&str> = found.into_iter().collect();
    assert_eq!(kinds.len(), 20, "{text}");
}

/// The policy set without places: what must not depend on order.
fn meaning(checked: &Checked) -> String {
    let set = checked.set.as_ref().unwrap();
    let mut tests: Vec<String> = set.tests.iter().map(|test| format!("{test:?}")).collect();
    let place = regex::Regex::new(r"\d+:\d+\.\.\d+").unwrap();
    let tables = format!(
        "{:#?}",
        (
            (&set.tags, &set.networks, &set.schedules, &set.projects),
            (&set.profiles, &set.issuance_default, &set.persons),
            (&set.services, &set.teams, &set.unlocks, &set.allow_onces),
            (&set.approvals, &set.issuances, &set.bypasses),
            &set.invariants,
        )
    );
    tests = tests
        .iter()
        .map(|test| place.replace_all(test, "").into_owned())
        .collect();
    tests.sort();
    place.replace_all(&tables, "").into_owned() + &tests.join("\n")
}

#[test]
fn order_and_split_change_nothing() {
    for name in ["reference", "small-company", "fleet"] {
        let directory = root().join("policies").join(name);
        let whole = check_path(&directory);
        let expected = meaning(&whole);
        let mut pieces: Vec<String> = Vec::new();
        for (tree, (_, file)) in whole.trees.iter().zip(whole.sources.files()) {
            pieces.extend(
                tree.items
                    .iter()
                    .map(|item| file.text[item.span.range()].to_owned()),
            );
        }
        for (count, step) in [(1, 7), (3, 11), (pieces.len(), 13)] {
            let files = dealt(&directory, &pieces, count, step);
            let dealt = check_files(&mut InMemory { files });
            assert!(dealt.set.is_some(), "{}", rendered(&dealt));
            assert_eq!(meaning(&dealt), expected, "{name} in {count} files");
        }
    }
}

/// Deals declarations into `count` files, in another order. Network files lie
/// where every one of them finds them.
fn dealt(
    directory: &Path,
    pieces: &[String],
    count: usize,
    step: usize,
) -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for path in files_below(directory, "txt") {
        let shown = path.strip_prefix(directory).unwrap().to_str().unwrap();
        files.insert(shown.to_owned(), std::fs::read(&path).unwrap());
    }
    let mut order: Vec<usize> = (0..pieces.len()).rev().collect();
    order.sort_by_key(|index| index * step % pieces.len());
    for (nth, index) in order.into_iter().enumerate() {
        let name = format!("{}.pano", nth % count);
        let text = files
            .entry(name)
            .or_insert_with(|| b"edition 2026\n".to_vec());
        text.extend(pieces[index].as_bytes());
        text.push(b'\n');
    }
    files
}

#[test]
fn the_digest_is_of_every_byte_and_every_path() {
    let digest = |files: &[(&str, &str)]| {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect();
        let checked = check_files(&mut InMemory { files });
        checked.set.unwrap().digest.clone()
    };
    let policy = "edition 2026\nnetwork n = file \"n.txt\"\n";
    let base = digest(&[("a.pano", policy), ("n.txt", "192.0.2.1\n")]);
    assert!(base.starts_with("sha256:") && base.len() == 7 + 64);
    assert_eq!(
        base,
        digest(&[("n.txt", "192.0.2.1\n"), ("a.pano", policy)])
    );
    assert_ne!(
        base,
        digest(&[("b.pano", policy), ("n.txt", "192.0.2.1\n")])
    );
    assert_ne!(base, digest(&[("a.pano", policy), ("n.txt", "192.0.2.1")]));
    let spaced = format!("{policy} ");
    assert_ne!(
        base,
        digest(&[("a.pano", &spaced), ("n.txt", "192.0.2.1\n")])
    );
    let unread = digest(&[("a.pano", policy), ("n.txt", "192.0.2.1\n"), ("m.txt", "x")]);
    assert_eq!(base, unread);
}
