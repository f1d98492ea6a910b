//! Text to tree: a scanner cuts a file into declarations, pest reads each, and
//! the builder turns pest's pairs into owned nodes.
//!
//! Knows no meaning and no names. Start at [`parse_file`].

mod build;
mod grammar;
mod scan;
mod split;

use pest::Parser;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};
use crate::syntax::codes;
use crate::syntax::tree::{Broken, Comment, File};

use build::{Builder, Built};
use grammar::{Grammar, Rule};

/// Reads one file: all of it that can be read, and every syntax error.
pub fn parse_file(id: FileId, text: &str) -> (File, Vec<Diagnostic>) {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let split = split::split(text, start);
    let mut file = File {
        edition: None,
        items: Vec::new(),
        comments: Vec::new(),
        broken: Vec::new(),
    };
    let mut diagnostics = Vec::new();
    for range in split.comments {
        let comment = text.get(range.clone()).unwrap_or_default().trim_end();
        file.comments.push(Comment {
            span: Span::new(id, range.start..range.start + comment.len()),
            text: comment.to_owned(),
        });
    }
    for range in split.pieces {
        let piece = text.get(range.clone()).unwrap_or_default();
        let span = Span::new(id, range.clone());
        let mut builder = Builder::new(id, range.start);
        match Grammar::parse(Rule::one_item, piece) {
            Ok(mut pairs) => match pairs.next().and_then(|pair| builder.item(pair)) {
                Some(Built::Edition(edition)) => file.edition = Some(edition),
                Some(Built::Item(item)) => file.items.push(item),
                None => file.broken.push(Broken {
                    span,
                    declares: None,
                }),
            },
            Err(error) => {
                let at = match error.location {
                    pest::error::InputLocation::Pos(at) => at,
                    pest::error::InputLocation::Span((at, _)) => at,
                };
                file.broken.push(Broken {
                    span,
                    declares: None,
                });
                diagnostics.push(Diagnostic::new(
                    &codes::SYNTAX,
                    Span::new(id, range.start + at..range.start + at),
                    format!("{}", error.variant.message()),
                ));
            }
        }
        if !builder.diagnostics.is_empty() {
            file.broken.push(Broken {
                span,
                declares: None,
            });
            diagnostics.append(&mut builder.diagnostics);
        }
    }
    (file, diagnostics)
}
