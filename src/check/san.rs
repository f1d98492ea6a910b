//! Patterns of certificate names.

use crate::address::display_prefix;
use crate::diagnostic::Diagnostic;
use crate::san::{self, SanPattern};
use crate::source::Span;
use crate::syntax::tree;
use crate::vocabulary::SanType;

use super::codes::issuance as codes;
use super::lists::expect_distinct;
use super::report::Report;

/// Normalised patterns, sorted without repeats.
pub(super) fn resolve_patterns(
    kind: SanType,
    patterns: &[tree::SanPattern],
    report: &mut Report,
) -> Option<Vec<SanPattern>> {
    let resolved: Vec<Option<(SanPattern, Span)>> = patterns
        .iter()
        .map(|pattern| resolve_pattern(kind, pattern, report))
        .collect();
    let resolved: Vec<(SanPattern, Span)> = resolved.into_iter().collect::<Option<_>>()?;
    let elements = resolved.iter().map(|(pattern, span)| (pattern, *span));
    expect_distinct(elements, |pattern| pattern.to_string(), report);
    let mut patterns: Vec<SanPattern> = resolved.into_iter().map(|(pattern, _)| pattern).collect();
    patterns.sort();
    patterns.dedup();
    Some(patterns)
}

fn resolve_pattern(
    kind: SanType,
    pattern: &tree::SanPattern,
    report: &mut Report,
) -> Option<(SanPattern, Span)> {
    match (kind, pattern) {
        (SanType::Ip, tree::SanPattern::Prefix(prefix)) => {
            Some((SanPattern::ip(prefix.value), prefix.span))
        }
        (SanType::Ip, tree::SanPattern::Text(text)) => {
            let message = "`san ip` takes bare addresses and CIDRs, not strings";
            let diagnostic = Diagnostic::new(&codes::SAN_PATTERN_KIND, text.span, message);
            report.push(match crate::address::parse_prefix(&text.value) {
                Ok(prefix) => diagnostic.fix(text.span, display_prefix(prefix)),
                Err(_) => diagnostic.help("write `san ip allow 10.0.0.0/8`"),
            });
            None
        }
        (SanType::Dns | SanType::Email | SanType::Uri, tree::SanPattern::Prefix(prefix)) => {
            let message = format!("`san {kind}` takes strings, not addresses");
            let diagnostic = Diagnostic::new(&codes::SAN_PATTERN_KIND, prefix.span, message);
            let example = format!(
                "for addresses write `san ip allow {}`",
                display_prefix(prefix.value)
            );
            report.push(diagnostic.help(example));
            None
        }
        (SanType::Dns | SanType::Email | SanType::Uri, tree::SanPattern::Text(text)) => {
            match san::parse_pattern(kind, &text.value) {
                Ok(pattern) => Some((pattern, text.span)),
                Err(error) => {
                    let diagnostic = Diagnostic::new(
                        &codes::MALFORMED_SAN_PATTERN,
                        text.span,
                        error.to_string(),
                    );
                    report.push(diagnostic.help(example_of(kind)));
                    None
                }
            }
        }
    }
}

fn example_of(kind: SanType) -> &'static str {
    match kind {
        SanType::Dns => {
            "patterns are `api.example.com`, `*.example.com` (one label more) and `**.example.com` (one or more)"
        }
        SanType::Email => "patterns are `ops@example.com` and `*@example.com`",
        SanType::Uri => "a pattern is a prefix with its scheme and host, such as `spiffe://prod/`",
        SanType::Ip => "patterns are bare addresses and CIDRs",
    }
}
