//! Every block of policy text in the README and the docs means what it shows.
//!
//! ```` ```pano ```` is a whole policy set. `pano prelude` is one too, and
//! shared by the page's later blocks: `pano fragment` compiles together with
//! it, and `pano error CODE` does so with exactly that error.

use std::path::{Path, PathBuf};

use panopol::source::FileId;
use panopol::syntax::parse::parse_file;

#[derive(Debug, PartialEq)]
enum Kind {
    Whole,
    Prelude,
    Fragment,
    Error(String),
}

#[derive(Debug)]
struct Block {
    place: String,
    kind: Kind,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README, and every page below `docs/`.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    let mut directories = vec![root().join("docs")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
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

fn blocks(page: &Path) -> Vec<Block> {
    let text = std::fs::read_to_string(page).unwrap();
    let name = page.strip_prefix(root()).unwrap().display();
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else {
            continue;
        };
        let body: Vec<&str> = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| *line != "```")
            .collect();
        if info.starts_with("pano") {
            let place = format!("{name}:{}", number + 1);
            blocks.push(Block {
                kind: kind(info, &place),
                place,
                text: body.join("\n") + "\n",
            });
        }
    }
    blocks
}

#[test]
fn every_block_parses() {
    for page in pages() {
        for block in blocks(&page) {
            let text = match block.kind {
                Kind::Whole | Kind::Prelude => block.text,
                Kind::Fragment => format!("edition 2026\n{}", block.text),
                Kind::Error(_) => continue,
            };
            let (_, found) = parse_file(FileId(0), &text);
            let messages: Vec<_> = found
                .iter()
                .map(|d| {
                    (
                        d.message.clone(),
                        d.primary.as_ref().map(|l| &text[l.span.range().start..]),
                    )
                })
                .collect();
            assert!(found.is_empty(), "{}: {messages:#?}", block.place);
        }
    }
}
