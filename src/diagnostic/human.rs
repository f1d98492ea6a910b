//! Findings for a person: what is wrong, the source with a caret under it,
//! and how to mend it.
//!
//! A policy's own text is shown with its control characters replaced, so that
//! no file can paint the terminal of whoever checks it.

use annotate_snippets::{AnnotationKind, Element, Level, Patch, Renderer, Snippet};

use super::report::SetReport;
use super::{Diagnostic, Fix, Label, Severity};
use crate::source::SourceFile;

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
        let text = format!("for example:\n{}", clean(witness));
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
    renderer.render(&groups)
}

/// One snippet for each file that the finding points into, the primary's first.
fn snippets<'a>(set: &SetReport, finding: &Diagnostic) -> Vec<Element<'a>> {
    let Some(primary) = &finding.primary else {
        return Vec::new();
    };
    let mut files = vec![primary.span.file];
    for label in &finding.secondary {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    let labels = || {
        std::iter::once((AnnotationKind::Primary, primary)).chain(
            finding
                .secondary
                .iter()
                .map(|label| (AnnotationKind::Context, label)),
        )
    };
    files
        .into_iter()
        .filter_map(|id| {
            let file = set.sources.file(id)?;
            let here: Vec<_> = labels()
                .filter(|(_, label)| label.span.file == id)
                .collect();
            Some(snippet(&set.root, file, &here))
        })
        .collect()
}

fn snippet<'a>(root: &str, file: &SourceFile, labels: &[(AnnotationKind, &Label)]) -> Element<'a> {
    let start = labels.iter().map(|(_, label)| label.span.start).min();
    let end = labels.iter().map(|(_, label)| label.span.end).max();
    let excerpt = Excerpt::new(file, start.unwrap_or(0), end.unwrap_or(0));
    let annotations = labels.iter().map(|(kind, label)| {
        let text = Some(clean(&label.text)).filter(|text| !text.is_empty());
        let range = excerpt.offset(label.span.start)..excerpt.offset(label.span.end);
        kind.span(range).label(text)
    });
    let annotations: Vec<_> = annotations.collect();
    Snippet::source(excerpt.shown.clone())
        .path(clean(&format!("{root}{}", file.path)))
        .line_start(excerpt.first_line)
        .annotations(annotations)
        .into()
}

fn patch<'a>(set: &SetReport, fix: &Fix) -> Option<Element<'a>> {
    let file = set.sources.file(fix.span.file)?;
    let excerpt = Excerpt::new(file, fix.span.start, fix.span.end);
    // A patch shows its lines twice; on a very long line that helps nobody.
    if excerpt.shown.len() > 1000 {
        return None;
    }
    let range = excerpt.offset(fix.span.start)..excerpt.offset(fix.span.end);
    let patch = Patch::new(range, clean(&fix.replacement));
    let path = clean(&format!("{}{}", set.root, file.path));
    Some(
        Snippet::source(excerpt.shown.clone())
            .path(path)
            .line_start(excerpt.first_line)
            .patch(patch)
            .into(),
    )
}

/// The whole lines around some places of a file, as they are shown.
struct Excerpt<'a> {
    /// The lines as they stand in the file.
    text: &'a str,
    /// Where they begin.
    start: usize,
    /// The lines, cleaned.
    shown: String,
    /// The number of the first of them, from 1.
    first_line: usize,
}

impl<'a> Excerpt<'a> {
    fn new(file: &'a SourceFile, start: u32, end: u32) -> Self {
        let text = file.text.as_str();
        let before = text.get(..start as usize).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let from_end = text.get(end as usize..).unwrap_or_default();
        let line_end = text.len() - from_end.len() + from_end.find('\n').unwrap_or(from_end.len());
        let lines = text.get(line_start..line_end).unwrap_or_default();
        let lines = lines.strip_suffix('\r').unwrap_or(lines);
        Excerpt {
            text: lines,
            start: line_start,
            shown: clean(&lines.replace("\r\n", "\n")),
            first_line: file.position(start).line as usize,
        }
    }

    /// Where a byte of the file stands in what is shown.
    fn offset(&self, byte: u32) -> usize {
        let within = (byte as usize).saturating_sub(self.start);
        let Some((before, after)) = self.text.split_at_checked(within) else {
            return self.shown.len();
        };
        let before = match before.strip_suffix('\r') {
            Some(line) if after.starts_with('\n') => line,
            _ => before,
        };
        clean(&before.replace("\r\n", "\n")).len()
    }
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
