//! The direction in which modules use each other, held as a table.
//!
//! An edge that is not in [`MAY_USE`] fails, as does a test file that
//! `main.rs` forgets. `docs/modules.md` is made from what is found; rewrite it
//! with `PANOPOL_UPDATE_DOCS=1 cargo test --test it architecture`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use crate::support;

/// Modules that anyone may use: they know nothing of the rest.
const LEAVES: &[&str] = &["vocabulary", "address", "san", "source"];

/// Which other modules each module may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("vocabulary", &[]),
    ("address", &[]),
    ("san", &[]),
    ("source", &[]),
    ("diagnostic", &[]),
    ("syntax", &["diagnostic"]),
    ("ir", &["request"]),
    ("check", &["syntax", "ir", "request", "diagnostic"]),
    ("request", &[]),
    ("decision", &[]),
    ("space", &["ir"]),
    ("eval", &["ir", "space", "request", "decision", "approval"]),
    (
        "suite",
        &[
            "ir",
            "space",
            "eval",
            "analyze",
            "request",
            "decision",
            "diagnostic",
        ],
    ),
    (
        "lint",
        &[
            "syntax",
            "ir",
            "check",
            "space",
            "suite",
            "eval",
            "analyze",
            "request",
            "decision",
            "diagnostic",
        ],
    ),
    ("analyze", &["ir", "space", "request", "decision"]),
    ("record", &["request", "decision", "durable"]),
    ("access", &["ir"]),
    ("export", &["ir"]),
    (
        "replay",
        &["record", "eval", "analyze", "request", "decision"],
    ),
    (
        "diff",
        &["ir", "space", "request", "eval", "analyze", "decision"],
    ),
    ("tang", &[]),
    ("approval", &["request", "decision"]),
    ("durable", &[]),
    ("keyring", &["durable"]),
    ("journal", &["durable", "keyring", "approval", "request"]),
    (
        "store",
        &[
            "durable", "keyring", "journal", "approval", "request", "tang",
        ],
    ),
    (
        "notify",
        &["store", "journal", "approval", "durable", "keyring"],
    ),
    (
        "unlock",
        &[
            "tang", "ir", "eval", "request", "decision", "approval", "store", "journal", "keyring",
            "durable",
        ],
    ),
    (
        "issuance",
        &[
            "eval", "request", "decision", "approval", "store", "journal", "keyring", "durable",
            "notify",
        ],
    ),
    (
        "server",
        &[
            "access",
            "syntax",
            "analyze",
            "diff",
            "unlock",
            "issuance",
            "approval",
            "store",
            "notify",
            "journal",
            "keyring",
            "durable",
            "record",
            "tang",
            "check",
            "ir",
            "eval",
            "request",
            "decision",
            "diagnostic",
        ],
    ),
    ("cli", &["*"]),
    ("main", &["cli"]),
    ("lib", &[]),
];

type Edges = BTreeMap<String, BTreeMap<String, PathBuf>>;

#[test]
fn modules_use_each_other_only_in_the_directions_of_the_table() {
    let mut wrong = Vec::new();
    for (from, targets) in edges() {
        let Some((_, allowed)) = MAY_USE.iter().find(|(module, _)| *module == from) else {
            wrong.push(format!("`{from}` is not in the table"));
            continue;
        };
        for (to, file) in targets {
            if !allowed.contains(&"*")
                && !allowed.contains(&to.as_str())
                && !LEAVES.contains(&to.as_str())
            {
                wrong.push(format!("{}: `{from}` may not use `{to}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_itself_has_no_cycle() {
    let mut done: BTreeSet<&str> = LEAVES.iter().copied().collect();
    let mut open: Vec<_> = MAY_USE
        .iter()
        .filter(|(_, uses)| !uses.contains(&"*"))
        .collect();
    loop {
        let before = open.len();
        open.retain(|(module, uses)| {
            let ready = uses.iter().all(|used| done.contains(used));
            if ready {
                done.insert(module);
            }
            !ready
        });
        if open.len() == before {
            break;
        }
    }
    let stuck: Vec<_> = open
        .iter()
        .map(|(module, _)| module)
        .filter(|module| **module != "main")
        .collect();
    assert!(stuck.is_empty(), "a cycle runs through {stuck:?}");
}

#[test]
fn every_test_file_is_declared() {
    let root = support::root().join("tests/it");
    let main = fs::read_to_string(root.join("main.rs")).unwrap();
    let declared: Vec<&str> = main
        .lines()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let mut sorted = declared.clone();
    sorted.sort_unstable();
    assert_eq!(declared, sorted, "keep the list sorted");
    for entry in fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_module =
            path.extension().is_some_and(|ext| ext == "rs") || path.join("mod.rs").exists();
        if is_module && stem != "main" {
            assert!(
                declared.contains(&stem.as_str()),
                "tests/it/main.rs lacks `mod {stem};`"
            );
        }
    }
}

#[test]
fn the_page_on_modules_says_what_the_code_does() {
    support::expect_generated("docs/modules.md", &modules_page(&edges()));
}

#[test]
fn edges_are_found_however_they_are_written() {
    let text = r##"
        //! Not [`crate::comment`].
        use crate::{a, b::{c, d}, e as f};
        const TEXT: &str = "crate::string"; const RAW: &str = r#"crate::raw"#; const Q: char = '"';
        fn f() { crate::g::h(); super::sibling(); super::super::i::j(); }
    "##;
    let found: BTreeSet<String> = uses(text, 2).into_iter().collect();
    let expected = ["a", "b", "e", "g", "i"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(expected));
}

/// Every edge between top-level modules of `src`, with a file that has it.
fn edges() -> Edges {
    let src = support::root().join("src");
    let mut edges = Edges::new();
    for file in support::files_below(&src, "rs") {
        let relative = file.strip_prefix(&src).unwrap();
        let mut module: Vec<String> = relative
            .with_extension("")
            .iter()
            .map(|part| part.to_str().unwrap().to_owned())
            .collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        let from = module[0].clone();
        let text = fs::read_to_string(&file).unwrap();
        let targets = edges.entry(from.clone()).or_default();
        for to in uses(&text.replace("panopol::", "crate::"), module.len()) {
            if to != from {
                targets.entry(to).or_insert_with(|| relative.to_owned());
            }
        }
    }
    edges
}

/// The first name after each way out to the crate's root, for a module `depth` below it.
fn uses(text: &str, depth: usize) -> Vec<String> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let mut up = 0;
        while tokens[at] == "super" && tokens.get(at + 1).is_some_and(|next| next == "::") {
            up += 1;
            at += 2;
        }
        if tokens[at] == "crate" && tokens.get(at + 1).is_some_and(|next| next == "::") {
            up = depth;
            at += 2;
        }
        if up > 0 && up == depth {
            found.extend(heads(&tokens[at..]));
        }
        at += 1;
    }
    found
}

/// The first name of a path, or of each path of a group.
fn heads(tokens: &[String]) -> Vec<String> {
    if tokens.first().is_none_or(|first| first != "{") {
        return tokens.first().cloned().into_iter().collect();
    }
    let (mut heads, mut nesting, mut fresh) = (Vec::new(), 0, true);
    for token in tokens {
        match token.as_str() {
            "{" => nesting += 1,
            "}" => nesting -= 1,
            "," => fresh = nesting == 1 || fresh,
            _ if fresh => {
                heads.push(token.clone());
                fresh = false;
            }
            _ => {}
        }
        if nesting == 0 {
            break;
        }
    }
    heads
}

/// Names, `::` and single marks; without comments, strings and character literals.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("r\"") || rest.starts_with("r#") {
            raw_string(rest)
        } else if first == '"' {
            quoted(rest)
        } else if first == '\'' {
            character(rest)
        } else if first.is_alphabetic() || first == '_' {
            let name: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let length = name.len();
            tokens.push(name);
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length.max(1)..];
    }
    tokens
}

fn raw_string(rest: &str) -> usize {
    let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
    if !rest[1 + hashes..].starts_with('"') {
        return 1 + hashes;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = 2 + hashes;
    rest[body..]
        .find(&end)
        .map_or(rest.len(), |at| body + at + end.len())
}

fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, char) in rest.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A character literal whole; of a lifetime, the mark alone.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(1, |at| at + 4),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

fn modules_page(edges: &Edges) -> String {
    let mut page = String::from(
        "# Who uses whom\n\n\
         <!-- Made by tests/it/architecture.rs; rewrite with PANOPOL_UPDATE_DOCS=1 cargo test --test it architecture -->\n\n\
         An arrow points from the user to the used. Left out, because anyone may use them: ",
    );
    page.push_str(&LEAVES.map_join());
    page.push_str(".\n\n```mermaid\nflowchart TD\n");
    let here = || {
        MAY_USE
            .iter()
            .filter(|(module, _)| *module != "lib" && edges.contains_key(*module))
    };
    for (from, uses) in here() {
        for to in uses.iter().filter(|to| edges.contains_key(**to)) {
            writeln!(page, "  {from} --> {to}").unwrap();
        }
    }
    page.push_str("```\n\n| module | may use |\n| --- | --- |\n");
    for (module, uses) in here() {
        let uses = match *uses {
            [] => "–".to_owned(),
            ["*"] => "everything".to_owned(),
            uses => uses.map_join(),
        };
        writeln!(page, "| `{module}` | {uses} |").unwrap();
    }
    page
}

trait MapJoin {
    fn map_join(&self) -> String;
}

impl MapJoin for [&str] {
    fn map_join(&self) -> String {
        self.iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}
