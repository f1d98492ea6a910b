//! How declarations and their comments lie on lines.

use super::WIDTH;
use super::comments::Comments;
use super::line::{Line, trail, width};
use super::shape::{Body, Shape};
use crate::syntax::tree::{Comment, File};

/// Writes one file.
pub(super) struct Layout<'a> {
    file: &'a File,
    comments: Comments<'a>,
    out: String,
    /// Whether the last declaration wants a blank line behind it.
    apart: bool,
}

impl<'a> Layout<'a> {
    pub(super) fn new(file: &'a File) -> Self {
        Layout {
            file,
            comments: Comments::new(&file.comments),
            out: String::new(),
            apart: false,
        }
    }

    /// The whole file.
    pub(super) fn file(mut self) -> String {
        let shapes: Vec<Shape> = self.file.items.iter().map(Shape::of).collect();
        if let Some(edition) = &self.file.edition {
            let next = shapes.first().map_or(u32::MAX, |shape| shape.span.start);
            let leading = self.comments.take_before(edition.span.start);
            self.own_lines(leading, 0);
            self.end_line(format!("edition {}", edition.value), next);
            self.apart = true;
        }
        let pads = self.pads(&shapes);
        for (at, shape) in shapes.iter().enumerate() {
            let next = shapes.get(at + 1).map_or(u32::MAX, |next| next.span.start);
            self.declaration(shape, pads.get(at).copied().unwrap_or(0), next);
        }
        let rest = self.comments.take_before(u32::MAX);
        if let Some(first) = rest.first() {
            self.part(first.after_blank);
        }
        self.own_lines(rest, 0);
        self.out
    }

    /// To what width each name is padded: in runs of one-line declarations of one kind.
    fn pads(&self, shapes: &[Shape]) -> Vec<usize> {
        let mut pads = Vec::with_capacity(shapes.len());
        let mut run: Vec<(usize, &str, usize)> = Vec::new();
        let mut last: Option<&Shape> = None;
        for shape in shapes {
            let one_line = self.one_line(shape);
            let follows = last.is_some_and(|last| {
                last.keyword == shape.keyword
                    && one_line.is_some()
                    && !self.after_blank(shape)
                    && !self.is_noted_between(last, shape)
            });
            if !follows {
                settle(&mut run, &mut pads);
            }
            match one_line {
                Some(length) => {
                    run.push((width(&shape.name), &shape.name, length));
                    last = Some(shape);
                }
                None => {
                    settle(&mut run, &mut pads);
                    pads.push(0);
                    last = None;
                }
            }
        }
        settle(&mut run, &mut pads);
        pads
    }

    /// The length of a declaration on one line, if it may stand on one.
    fn one_line(&self, shape: &Shape) -> Option<usize> {
        if self.has_comment_inside(shape) {
            return None;
        }
        let length = width(&flat(shape, 0)?);
        (length <= WIDTH).then_some(length)
    }

    fn has_comment_inside(&self, shape: &Shape) -> bool {
        let comments = &self.file.comments;
        let at = comments.partition_point(|comment| comment.span.start < shape.span.start);
        comments
            .get(at)
            .is_some_and(|comment| comment.span.start < shape.span.end)
    }

    /// Whether a comment on its own line stands between two declarations.
    fn is_noted_between(&self, last: &Shape, shape: &Shape) -> bool {
        let comments = &self.file.comments;
        let at = comments.partition_point(|comment| comment.span.start < last.span.end);
        comments
            .iter()
            .skip(at)
            .take_while(|comment| comment.span.start < shape.span.start)
            .any(|comment| comment.own_line)
    }

    fn after_blank(&self, shape: &Shape) -> bool {
        self.is_after_blank(shape.span.start)
    }

    fn is_after_blank(&self, start: u32) -> bool {
        self.file.blanks.binary_search(&start).is_ok()
    }

    fn declaration(&mut self, shape: &Shape, pad: usize, next: u32) {
        let spread = self.one_line(shape).is_none();
        let leading = match shape.body {
            // What stands in an odd place of a line without a list goes in front of it.
            Body::Equals(ref line) if !line.has_list() => shape.span.end,
            Body::Bare => shape.span.end,
            Body::Equals(_) | Body::Block { .. } => shape.name_end.max(shape.span.start + 1),
        };
        let leading = self.comments.take_before(leading);
        let blank = self.after_blank(shape);
        self.part(spread || leading.first().map_or(blank, |first| first.after_blank));
        self.own_lines(leading, 0);
        if blank && !leading.is_empty() {
            self.blank();
        }
        // With the comments in odd places out of the way it may stand on one line after all.
        let one_line = flat(shape, pad)
            .filter(|line| width(line) <= WIDTH && !self.comments.any_before(shape.span.end));
        match (one_line, &shape.body) {
            (Some(line), _) => self.end_line(line, next),
            (None, Body::Equals(line)) => self.equals(shape, line, next),
            (None, Body::Block { lines, .. }) => self.block(shape, lines, next),
            (None, Body::Bare) => self.end_line(head(shape, 0), next),
        }
        self.apart = spread;
    }

    fn equals(&mut self, shape: &Shape, line: &Line, next: u32) {
        let text = line.lines_after(format!("{} =", head(shape, 0)), 0, &mut self.comments);
        self.end_line(text, next);
    }

    fn block(&mut self, shape: &Shape, lines: &[Line], next: u32) {
        let mut text = format!("{} {{", head(shape, 0));
        let first = lines.first().map_or(shape.span.end, |line| line.span.start);
        trail(&mut text, self.comments.take_trailing(first));
        self.line(&text);
        let pad = phrase_width(shape.keyword, lines);
        for (at, line) in lines.iter().enumerate() {
            let end = lines
                .get(at + 1)
                .map_or(shape.span.end, |next| next.span.start);
            self.statement(line, pad, at == 0, end);
        }
        let rest = self.comments.take_before(shape.span.end);
        if let Some(first) = rest.first()
            && first.after_blank
            && !lines.is_empty()
        {
            self.blank();
        }
        self.own_lines(rest, 2);
        self.end_line("}".to_owned(), next);
    }

    fn statement(&mut self, line: &Line, pad: usize, first: bool, end: u32) {
        let before = if line.has_list() {
            line.span.start
        } else {
            line.span.end
        };
        let leading = self.comments.take_before(before);
        let starts_blank = leading.first().is_some_and(|comment| comment.after_blank);
        if starts_blank && !first {
            self.blank();
        }
        self.own_lines(leading, 2);
        if self.is_after_blank(line.span.start) && !(first && leading.is_empty()) {
            self.blank();
        }
        let text = line.lines(pad, 2, &mut self.comments);
        self.end_line(text, end);
    }

    /// Ends a line, with the comment that stands behind it before `next`.
    fn end_line(&mut self, mut text: String, next: u32) {
        trail(&mut text, self.comments.take_trailing(next));
        self.line(&text);
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// A blank line between declarations where one is wanted.
    fn part(&mut self, wanted: bool) {
        if wanted || self.apart {
            self.blank();
        }
        self.apart = false;
    }

    fn blank(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn own_lines(&mut self, comments: &[Comment], indent: usize) {
        for (at, comment) in comments.iter().enumerate() {
            if at > 0 && comment.after_blank {
                self.blank();
            }
            self.line(&format!("{}{}", " ".repeat(indent), comment.text));
        }
    }
}

/// Ends a run: all of it is padded, if every line still fits.
fn settle(run: &mut Vec<(usize, &str, usize)>, pads: &mut Vec<usize>) {
    let widest = run.iter().map(|&(name, _, _)| name).max().unwrap_or(0);
    let fits = run
        .iter()
        .all(|&(name, _, length)| length + widest - name <= WIDTH);
    let pad = if fits { widest } else { 0 };
    pads.extend(run.drain(..).map(|_| pad));
}

/// Keyword and name, the name padded to `pad`.
fn head(shape: &Shape, pad: usize) -> String {
    if shape.name.is_empty() {
        shape.keyword.to_owned()
    } else {
        format!("{} {:pad$}", shape.keyword, shape.name)
    }
}

/// The declaration on one line, however long; none where it never stands on one.
fn flat(shape: &Shape, pad: usize) -> Option<String> {
    match &shape.body {
        Body::Bare => Some(head(shape, 0)),
        Body::Equals(line) => Some(format!("{} = {}", head(shape, pad), line.flat(0))),
        Body::Block { lines, .. } if lines.is_empty() => Some(format!("{} {{}}", head(shape, pad))),
        Body::Block { lines, short: true } => {
            let lines: Vec<String> = lines.iter().map(|line| line.flat(0)).collect();
            Some(format!("{} {{ {} }}", head(shape, pad), lines.join("  ")))
        }
        Body::Block { short: false, .. } => None,
    }
}

/// How wide the longest phrase of a block is; invariants and tests are not padded.
fn phrase_width(keyword: &str, lines: &[Line]) -> usize {
    match keyword {
        "invariant" | "test" => 0,
        _ => lines
            .iter()
            .map(|line| width(&line.phrase))
            .max()
            .unwrap_or(0),
    }
}
