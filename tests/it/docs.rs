//! Every block of policy text in the README and the docs means what it shows,
//! and the settings are those that the server takes.
//!
//! A block marked `pano` is a whole policy set. `pano prelude` is one too, and
//! shared by the page's later blocks: `pano fragment` is checked together with
//! it, and so is `pano error CODE`, which must have exactly that fault.

use std::fs;
use std::path::{Path, PathBuf};

use panopol::check::{Checked, check_files};
use panopol::diagnostic::Severity;
use panopol::eval::Program;
use panopol::server::config::Settings;
use panopol::source::load::InMemory;
use panopol::suite;

use crate::support::{files_below, root};

#[derive(Debug, PartialEq)]
enum Kind {
    Whole,
    Prelude,
    Fragment,
    Error(String),
}

/// One block, with what it is checked together with.
struct Block {
    place: String,
    kind: Kind,
    files: InMemory,
}

/// README, and every page below `docs/`.
fn pages() -> Vec<PathBuf> {
    let mut pages = files_below(&root().join("docs"), "md");
    pages.push(root().join("README.md"));
    pages
}

fn kind(info: &str, place: &str) -> Kind {
    match info.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["pano"] => Kind::Whole,
        ["pano", "prelude"] => Kind::Prelude,
        ["pano", "fragment"] => Kind::Fragment,
        ["pano", "error", code] => Kind::Error((*code).to_owned()),
        _ => panic!("{place}: `{info}` is no way to mark a block"),
    }
}

/// Each fenced block of `text` with its info string and line.
fn fenced(text: &str) -> Vec<(usize, &str, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let body = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| *line != "```");
        found.push((
            number + 1,
            info,
            body.map(|line| format!("{line}\n")).collect(),
        ));
    }
    found
}

fn blocks(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).unwrap();
    let name = page.strip_prefix(root()).unwrap().display();
    let mut prelude = None;
    let mut blocks = Vec::new();
    for (line, info, body) in fenced(&text) {
        if !info.starts_with("pano") {
            continue;
        }
        let place = format!("{name}:{line}");
        let kind = kind(info, &place);
        let mut files = InMemory::default();
        let mut add = |path: &str, text: &str| {
            files.files.insert(path.into(), text.as_bytes().to_vec());
        };
        match &kind {
            Kind::Whole => add("block.pano", &body),
            Kind::Prelude => {
                add("block.pano", &body);
                prelude = Some(body);
            }
            Kind::Fragment | Kind::Error(_) => {
                add(
                    "prelude.pano",
                    prelude.as_ref().expect("a prelude before it"),
                );
                add("block.pano", &format!("edition 2026\n{body}"));
            }
        }
        blocks.push(Block { place, kind, files });
    }
    blocks
}

/// Every block of every page, checked.
fn checked() -> Vec<(Block, Checked)> {
    let blocks = pages()
        .iter()
        .flat_map(|page| blocks(page))
        .collect::<Vec<_>>();
    assert!(blocks.len() > 20, "the blocks are not found");
    blocks
        .into_iter()
        .map(|mut block| {
            let checked = check_files(&mut block.files);
            (block, checked)
        })
        .collect()
}

#[test]
fn every_block_has_the_faults_that_it_is_marked_with() {
    for (block, checked) in checked() {
        let found: Vec<_> = checked
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity != Severity::Note)
            .map(|diagnostic| diagnostic.code.name)
            .collect();
        let expected: Vec<_> = match &block.kind {
            Kind::Whole | Kind::Prelude | Kind::Fragment => vec![],
            Kind::Error(code) => vec![code.as_str()],
        };
        assert_eq!(
            found, expected,
            "{}: {:#?}",
            block.place, checked.diagnostics
        );
    }
}

#[test]
fn every_in_file_test_of_a_block_passes() {
    let mut ran = 0;
    for (block, checked) in checked() {
        let Some(set) = checked.set else { continue };
        for result in suite::run(&Program::compile(set), None) {
            ran += 1;
            assert!(
                result.passed,
                "{}: {}: expected {}, found {}",
                block.place, result.name, result.expected, result.found
            );
        }
    }
    assert!(ran > 5, "the tests are not found");
}

/// Every setting's name, and its help as `serve` prints it.
fn settings() -> Vec<(String, String)> {
    let command = <Settings as clap::Args>::augment_args(clap::Command::new("serve"));
    let named = command.get_arguments().map(|setting| {
        let help = setting.get_help().unwrap().to_string();
        (setting.get_id().to_string(), help)
    });
    named.collect()
}

fn settings_table() -> String {
    let mut table = "| setting | is | default |\n|---|---|---|\n".to_owned();
    for (name, help) in settings() {
        let (is, default) = match help.split_once(" [default: ") {
            Some((is, default)) => (is, format!("`{}`", default.trim_end_matches(']'))),
            None => (help.as_str(), "–".to_owned()),
        };
        table.push_str(&format!("| `{name}` | {is} | {default} |\n"));
    }
    table
}

#[test]
fn the_table_of_settings_is_that_of_the_command() {
    let path = root().join("docs/operations.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("test --test it docs -->\n").unwrap();
    let (found, after) = rest.split_once("<!-- end -->").unwrap();
    let table = settings_table();
    if std::env::var_os("PANOPOL_UPDATE_DOCS").is_some() {
        let page = format!("{before}test --test it docs -->\n{table}<!-- end -->{after}");
        fs::write(&path, page).unwrap();
    } else {
        assert_eq!(found, table, "rewrite it with PANOPOL_UPDATE_DOCS=1");
    }
}

#[test]
fn the_example_configuration_is_read_and_names_every_setting() {
    let path = root().join("examples/panopol.toml");
    let given = Settings::read(&path).unwrap();
    assert!(given.policy.is_some() && given.master_key.is_some());
    // Settings that are left as they are stand as `#name = value`.
    let text = fs::read_to_string(&path).unwrap();
    let all: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(|first: char| first.is_ascii_lowercase()) => {
                format!("{setting}\n")
            }
            Some(_) | None => format!("{line}\n"),
        })
        .collect();
    toml::from_str::<Settings>(&all).unwrap();
    let table: toml::Table = all.parse().unwrap();
    for (name, _) in settings() {
        assert!(table.contains_key(&name), "`{name}` is not in it");
    }
}
