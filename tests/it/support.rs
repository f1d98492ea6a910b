//! What several test files need: paths, and files that are made from code.

use std::fs;
use std::path::{Path, PathBuf};

use panopol::source::load::InMemory;

/// The project's own directory.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `directory` that ends in `.extension`, sorted.
pub(crate) fn files_below(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Holds a file of the project against what the code makes of it;
/// `PANOPOL_UPDATE_DOCS=1` writes it instead.
pub(crate) fn expect_generated(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var_os("PANOPOL_UPDATE_DOCS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, expected).unwrap();
        return;
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == expected,
        "{path} is not what the code says; rewrite it with PANOPOL_UPDATE_DOCS=1 cargo test"
    );
}

/// How much of a test was asked for by a variable; `usual` where nothing was.
#[allow(
    clippy::disallowed_methods,
    reason = "a long test is asked for from outside"
)]
pub(crate) fn asked<T: std::str::FromStr<Err: std::fmt::Debug>>(name: &str, usual: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => usual,
    }
}

/// A policy set of one file.
pub(crate) fn one_file(text: &str) -> InMemory {
    let mut files = InMemory::default();
    files
        .files
        .insert("policy.pano".to_owned(), text.as_bytes().to_vec());
    files
}

/// A code's example: one file, or several that `# file: NAME` lines begin.
pub(crate) fn example(text: &str) -> InMemory {
    let mut files = InMemory::default();
    let mut name = "policy.pano";
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("# file: ") {
            Some(next) => name = next.trim_end(),
            None => {
                let file = files.files.entry(name.to_owned()).or_default();
                file.extend(line.bytes());
            }
        }
    }
    files
}
