//! One statement as words and lists, and the ways it lies on lines.

use super::WIDTH;
use super::comments::Comments;
use crate::source::Span;
use crate::syntax::tree::Comment;

/// An element of a list, on one line.
pub(super) struct Element {
    pub(super) span: Span,
    pub(super) text: String,
}

/// What stands around the elements of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fence {
    /// `[…]`, left out around a single element.
    Square,
    /// `{ … }`
    Braces,
}

/// A part of a statement; parts are a blank apart.
pub(super) enum Part {
    /// Words that stay together.
    Words(String),
    /// Elements, broken one to a line where they are too long or hold a comment.
    List(Fence, Vec<Element>),
    /// Words that may go on the next line: `a`, `and b`, `and c`.
    Chain(Vec<String>),
}

/// A statement.
pub(super) struct Line {
    pub(super) span: Span,
    /// What is padded to the width of the block's longest.
    pub(super) phrase: String,
    pub(super) parts: Vec<Part>,
}

impl Line {
    pub(super) fn new(span: Span, phrase: impl Into<String>) -> Self {
        Line {
            span,
            phrase: phrase.into(),
            parts: Vec::new(),
        }
    }

    pub(super) fn words(mut self, words: impl Into<String>) -> Self {
        self.parts.push(Part::Words(words.into()));
        self
    }

    pub(super) fn list(mut self, elements: Vec<Element>) -> Self {
        self.parts.push(Part::List(Fence::Square, elements));
        self
    }

    pub(super) fn braces(mut self, elements: Vec<Element>) -> Self {
        self.parts.push(Part::List(Fence::Braces, elements));
        self
    }

    pub(super) fn chain(mut self, links: Vec<String>) -> Self {
        self.parts.push(Part::Chain(links));
        self
    }

    pub(super) fn has_list(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::List(_, elements) if !elements.is_empty()))
    }

    /// The whole on one line, its phrase padded to `pad`.
    pub(super) fn flat(&self, pad: usize) -> String {
        self.flat_after(self.start(pad))
    }

    fn flat_after(&self, mut line: String) -> String {
        for part in &self.parts {
            space(&mut line);
            line.push_str(&part.flat());
        }
        line.trim_end().to_owned()
    }

    fn start(&self, pad: usize) -> String {
        if self.parts.is_empty() || self.phrase.is_empty() {
            self.phrase.clone()
        } else {
            format!("{:pad$} ", self.phrase)
        }
    }

    /// The lines at `indent`, with the comments inside the statement.
    pub(super) fn lines(&self, pad: usize, indent: usize, comments: &mut Comments<'_>) -> String {
        let start = format!("{}{}", " ".repeat(indent), self.start(pad));
        self.lines_after(start, indent, comments)
    }

    /// The lines behind `start` instead of the phrase.
    pub(super) fn lines_after(
        &self,
        start: String,
        indent: usize,
        comments: &mut Comments<'_>,
    ) -> String {
        let flat = self.flat_after(start.clone());
        let inside = comments.any_before(self.span.end) && self.has_list();
        if !inside && width(&flat) <= WIDTH {
            return flat;
        }
        let longest = self.parts.iter().map(Part::breakable).max().unwrap_or(0);
        let mut text = start;
        for (at, part) in self.parts.iter().enumerate() {
            space(&mut text);
            let end = self.list_end(at);
            let noted = matches!(part, Part::List(_, elements) if !elements.is_empty())
                && comments.any_before(end);
            let long = width(&flat) > WIDTH && part.breakable() == longest && longest > 0;
            if noted || long {
                part.broken(&mut text, indent, end, comments);
            } else {
                text.push_str(&part.flat());
            }
        }
        text
    }

    /// Up to where comments belong to the list at `at`: the first element of the next one.
    fn list_end(&self, at: usize) -> u32 {
        let next = self.parts.iter().skip(at + 1).find_map(|part| match part {
            Part::List(_, elements) => elements.first(),
            Part::Words(_) | Part::Chain(_) => None,
        });
        next.map_or(self.span.end, |element| element.span.start)
    }
}

impl Part {
    fn flat(&self) -> String {
        match self {
            Part::Words(words) => words.clone(),
            Part::Chain(links) => links.join(" "),
            Part::List(fence, elements) => {
                let texts: Vec<&str> = elements.iter().map(|one| one.text.as_str()).collect();
                match (fence, texts.as_slice()) {
                    (Fence::Square, [only]) => (*only).to_owned(),
                    (Fence::Square, _) => format!("[{}]", texts.join(", ")),
                    (Fence::Braces, []) => "{}".to_owned(),
                    (Fence::Braces, _) => format!("{{ {} }}", texts.join(", ")),
                }
            }
        }
    }

    /// How much breaking it would help; 0 where it cannot be broken.
    fn breakable(&self) -> usize {
        match self {
            Part::Words(_) => 0,
            Part::Chain(links) if links.len() < 2 => 0,
            Part::List(Fence::Square, elements) if elements.len() < 2 => 0,
            Part::List(Fence::Braces, elements) if elements.is_empty() => 0,
            Part::Chain(_) | Part::List(..) => self.flat().len(),
        }
    }

    fn broken(&self, text: &mut String, indent: usize, end: u32, comments: &mut Comments<'_>) {
        let blank = " ".repeat(indent);
        match self {
            Part::Words(words) => text.push_str(words),
            Part::Chain(links) => text.push_str(&links.join(&format!("\n{blank}  "))),
            Part::List(fence, elements) => {
                let (open, close) = match fence {
                    Fence::Square => ("[", "]"),
                    Fence::Braces => ("{", "}"),
                };
                text.push_str(open);
                let first = elements.first().map_or(end, |first| first.span.start);
                trail(text, comments.take_trailing(first));
                for (at, element) in elements.iter().enumerate() {
                    let next = elements.get(at + 1).map_or(end, |next| next.span.start);
                    notes(text, indent + 2, comments.take_before(element.span.end));
                    text.push_str(&format!("\n{blank}  {},", element.text));
                    trail(text, comments.take_trailing(next));
                }
                notes(text, indent + 2, comments.take_before(end));
                text.push_str(&format!("\n{blank}{close}"));
            }
        }
    }
}

fn space(text: &mut String) {
    if !text.ends_with(' ') && !text.is_empty() {
        text.push(' ');
    }
}

/// Adds a comment to the end of a line.
pub(super) fn trail(text: &mut String, comment: Option<&Comment>) {
    if let Some(comment) = comment {
        text.push_str("  ");
        text.push_str(&comment.text);
    }
}

/// Adds comments on lines of their own.
fn notes(text: &mut String, indent: usize, comments: &[Comment]) {
    for comment in comments {
        text.push_str(&format!("\n{}{}", " ".repeat(indent), comment.text));
    }
}

pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}
