//! What holds for every tree and every text.

use std::collections::BTreeMap;

use panopol::source::FileId;
use panopol::syntax::format::{format_file, format_text};
use panopol::syntax::parse::parse_file;
use proptest::prelude::*;

use crate::random_tree;

const EVERYTHING: &str = include_str!("../data/parse/everything.pano");

/// Where a comment may be put: wherever one token ends and another begins.
fn boundaries(text: &str) -> Vec<usize> {
    let mut boundaries = vec![0];
    let mut quoted = false;
    let mut comment = false;
    let mut previous = ' ';
    for (at, character) in text.char_indices() {
        match character {
            '\n' => comment = false,
            _ if comment => {}
            '"' if previous != '\\' => quoted = !quoted,
            '#' if !quoted => comment = true,
            ' ' if !quoted => boundaries.push(at),
            _ => {}
        }
        previous = if previous == '\\' { ' ' } else { character };
    }
    boundaries.push(text.len());
    boundaries
}

fn comments(text: &str) -> BTreeMap<String, usize> {
    let (file, _) = parse_file(FileId(0), text);
    let mut counts = BTreeMap::new();
    for comment in file.comments {
        *counts.entry(comment.text).or_default() += 1;
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_formatted_tree_parses_to_itself_and_formats_to_itself(tree in random_tree::file()) {
        let text = format_file(&tree);
        let (parsed, diagnostics) = parse_file(FileId(0), &text);
        prop_assert!(diagnostics.is_empty(), "{text}\n{diagnostics:?}");
        prop_assert_eq!(&parsed, &tree, "{}", text);
        prop_assert_eq!(format_file(&parsed), text);
    }

    #[test]
    fn comments_anywhere_are_kept_and_change_nothing(
        tree in random_tree::file(),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..8),
    ) {
        let text = format_file(&tree);
        let boundaries = boundaries(&text);
        let mut chosen: Vec<(usize, bool)> = places
            .iter()
            .map(|(index, own_line)| (*index.get(&boundaries), *own_line))
            .collect();
        chosen.sort_unstable();
        let mut noted = text.clone();
        for (number, (at, own_line)) in chosen.into_iter().enumerate().rev() {
            let before = if own_line { "\n" } else { " " };
            noted.insert_str(at, &format!("{before}# note {number}\n"));
        }
        let (parsed, diagnostics) = parse_file(FileId(0), &noted);
        prop_assert!(diagnostics.is_empty(), "{noted}\n{diagnostics:?}");
        prop_assert_eq!(&parsed, &tree);
        let formatted = format_file(&parsed);
        let (again, _) = parse_file(FileId(0), &formatted);
        prop_assert_eq!(&again, &tree, "{}\n---\n{}", noted, formatted);
        prop_assert_eq!(comments(&formatted), comments(&noted), "{}\n---\n{}", noted, formatted);
        prop_assert_eq!(format_text(&formatted).unwrap(), formatted, "{}", noted);
    }

    #[test]
    fn a_mutated_file_never_panics(
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..40usize, "[{}\\[\\]()\"/#=|,;!.a-z0-9\n\\\\é\u{0} -]{0,6}"),
            1..6,
        ),
    ) {
        let mut characters: Vec<char> = EVERYTHING.chars().collect();
        for (index, length, new) in edits {
            let at = index.index(characters.len());
            let end = (at + length).min(characters.len());
            characters.splice(at..end, new.chars());
        }
        let text: String = characters.into_iter().collect();
        let (_, diagnostics) = parse_file(FileId(0), &text);
        for diagnostic in &diagnostics {
            let label = diagnostic.primary.as_ref().unwrap();
            prop_assert!(text.get(label.span.range()).is_some(), "{:?}", label.span);
            if let Some(fix) = &diagnostic.fix {
                prop_assert!(text.get(fix.span.range()).is_some());
            }
        }
    }

    #[test]
    fn any_text_never_panics(text in any::<String>()) {
        parse_file(FileId(0), &text);
    }
}
