//! Findings for a person: what is wrong, the source with a caret under it,
//! and how to mend it.
//!
//! A policy's own text is shown with its control characters replaced, so that
//! no file can paint the terminal of whoever checks it.

mod excerpt;

use annotate_snippets::{AnnotationKind, Element, Level, Patch, Renderer, Snippet};

use super::report::SetReport;
use super::{Diagnostic, Fix, Label, Severity};
use crate::source::{FileId, SourceFile, Span};
use excerpt::Excerpt;

/// Renders the findings of one set, each followed by an empty line.
pub fn render_human(set: &SetReport, colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    set.findings
        .iter()
        .map(|finding| format!("{}\n\n", render_finding(&renderer, set, finding)))
        .collect()
}

fn render_finding(renderer: &Renderer, set: &SetReport, finding: &Diagnostic) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level
        .primary_title(clean(&finding.message))
        .id(finding.code.name);
    let mut elements: Vec<Element<'_>> = snippets(set, finding);
    elements.extend(
        finding
            .notes
            .iter()
            .map(|note| Level::NOTE.message(clean(note)).into()),
    );
    if let Some(witness) = &finding.witness {
        let text = format!("for example:\n{}", clean(witness).trim_end());
        elements.push(Level::NOTE.message(text).into());
    }
    let patch = finding.fix.as_ref().and_then(|fix| patch(set, fix));
    let help = finding.help.as_deref().map(clean);
    let mut groups = Vec::new();
    match (patch, help) {
        (Some(patch), help) => {
            let text = help.unwrap_or_else(|| "replace it".to_owned());
            groups.push(title.elements(elements));
            groups.push(Level::HELP.secondary_title(text).element(patch));
        }
        (None, Some(help)) => {
            elements.push(Level::HELP.message(help).into());
            groups.push(title.elements(elements));
        }
        (None, None) => groups.push(title.elements(elements)),
    }
    true_positions(&renderer.render(&groups))
}

/// Lines between two places of one file from which on each is shown by itself.
const APART: usize = 200;

/// A label and how it is drawn.
type Mark<'a> = (AnnotationKind, &'a Label);

/// What is shown of the files that the finding points into, the primary's place
/// first: places that stand near each other together.
fn snippets<'a>(set: &SetReport, finding: &Diagnostic) -> Vec<Element<'a>> {
    let Some(primary) = &finding.primary else {
        return Vec::new();
    };
    let context = finding
        .secondary
        .iter()
        .map(|label| (AnnotationKind::Context, label));
    let marks = std::iter::once((AnnotationKind::Primary, primary)).chain(context);
    let mut files: Vec<(FileId, Vec<Mark<'_>>)> = Vec::new();
    for mark in marks {
        let file = mark.1.span.file;
        match files.iter_mut().find(|(id, _)| *id == file) {
            Some((_, here)) => here.push(mark),
            None => files.push((file, vec![mark])),
        }
    }
    let files = files.into_iter();
    let elements = files.filter_map(|(id, marks)| {
        let file = set.sources.file(id)?;
        let clusters = clusters(file, marks).into_iter();
        let elements = clusters.map(|cluster| snippet(&set.root, file, &cluster));
        Some(elements.collect::<Vec<_>>())
    });
    elements.flatten().collect()
}

/// Parts the marks of one file where many lines lie between them; the first
/// mark's part comes first.
fn clusters<'a>(file: &SourceFile, marks: Vec<Mark<'a>>) -> Vec<Vec<Mark<'a>>> {
    let first = marks.first().map(|(_, label)| label.span);
    let mut marks = marks;
    // Stable: marks on one place stay in order, as they are drawn in it.
    marks.sort_by_key(|(_, label)| label.span.start);
    let mut clusters: Vec<Vec<Mark<'a>>> = Vec::new();
    let mut last_line = 0;
    for mark in marks {
        let span = mark.1.span;
        match clusters.last_mut() {
            Some(cluster) if file.line_index(span.start) <= last_line + APART => cluster.push(mark),
            Some(_) | None => clusters.push(vec![mark]),
        }
        last_line = last_line.max(file.line_index(shown_end(file, span)));
    }
    let begins = clusters
        .iter()
        .position(|cluster| cluster.iter().any(|(_, label)| Some(label.span) == first));
    if let Some(cluster) = clusters.get_mut(..=begins.unwrap_or(0)) {
        cluster.rotate_right(1);
    }
    clusters
}

/// Where a place is shown to end: with its first line, where it has very many.
fn shown_end(file: &SourceFile, span: Span) -> u32 {
    let first = file.line_index(span.start);
    if file.line_index(span.end) <= first + APART {
        return span.end;
    }
    u32::try_from(file.line_range(first).end).unwrap_or(span.end)
}

fn snippet<'a>(root: &str, file: &SourceFile, marks: &[Mark<'_>]) -> Element<'a> {
    let spans = marks.iter().map(|(_, label)| label.span);
    let places: Vec<u32> = spans
        .flat_map(|span| [span.start, shown_end(file, span)])
        .collect();
    let excerpt = Excerpt::new(file, &places);
    let annotations = marks.iter().map(|(kind, label)| {
        let text = Some(clean(&label.text)).filter(|text| !text.is_empty());
        let (start, end) = (label.span.start, shown_end(file, label.span));
        let range = excerpt.offset(file, start)..excerpt.offset(file, end);
        kind.span(range).label(text)
    });
    let annotations: Vec<_> = annotations.collect();
    let mut path = clean(&format!("{root}{}", file.path));
    if excerpt.is_clipped {
        let is_primary = |(kind, _): &&Mark<'_>| *kind == AnnotationKind::Primary;
        let named = marks.iter().find(is_primary).or(marks.first());
        let position = file.position(named.map_or(0, |(_, label)| label.span.start));
        path.push_str(&format!(
            "{MARK}{}:{}{MARK}",
            position.line, position.column
        ));
    }
    Snippet::source(excerpt.shown)
        .line_start(excerpt.first_line)
        .annotations(annotations)
        .path(path)
        .into()
}

/// Stands around the true position behind a path, where the renderer counts
/// columns in what is left of a line. What is shown was cleaned of it.
const MARK: char = '\u{1}';

/// Puts the positions between marks in the place of those that follow them.
fn true_positions(text: &str) -> String {
    let mut parts = text.split(MARK);
    let mut mended = parts.next().unwrap_or_default().to_owned();
    while let (Some(position), Some(rest)) = (parts.next(), parts.next()) {
        let counted = |char: char| char == ':' || char.is_ascii_digit();
        mended.push(':');
        mended.push_str(position);
        mended.push_str(rest.trim_start_matches(counted));
    }
    mended
}

/// The fix as a change of its lines; none where that would show too much.
fn patch<'a>(set: &SetReport, fix: &Fix) -> Option<Element<'a>> {
    let file = set.sources.file(fix.span.file)?;
    let lines = file.line_index(fix.span.start)..=file.line_index(fix.span.end);
    let bytes = file.line_range(*lines.end()).end - file.line_range(*lines.start()).start;
    // A patch shows its lines twice; on a very long line that helps nobody.
    if bytes > 1000 {
        return None;
    }
    let excerpt = Excerpt::new(file, &[fix.span.start, fix.span.end]);
    if excerpt.is_clipped {
        return None;
    }
    let range = excerpt.offset(file, fix.span.start)..excerpt.offset(file, fix.span.end);
    let patch = Patch::new(range, clean(&fix.replacement));
    let path = clean(&format!("{}{}", set.root, file.path));
    Some(
        Snippet::source(excerpt.shown)
            .path(path)
            .line_start(excerpt.first_line)
            .patch(patch)
            .into(),
    )
}

/// Replaces what a terminal would obey, but for line ends and tabs: control
/// characters by their pictures, the rest and whatever turns the writing
/// direction by U+FFFD.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|char| match char {
            '\n' | '\t' => char,
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(char)).unwrap_or('\u{fffd}'),
            '\u{7f}' => '\u{2421}',
            '\u{80}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => '\u{fffd}',
            _ => char,
        })
        .collect()
}
