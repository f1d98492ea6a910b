//! The values of a request's members, each of one type.

use crate::check::codes::tests as codes;
use crate::check::report::Report;
use crate::check::selector::report_unknown_word;
use crate::diagnostic::Diagnostic;
use crate::source::Spanned;
use crate::syntax::tree::{Member, MemberValue, Name};

/// A bare name, such as `example`.
pub(super) fn word(member: &Member, example: &str, report: &mut Report) -> Option<Name> {
    match &member.value.value {
        MemberValue::Word(word) => Some(Spanned::new(word.clone(), member.value.span)),
        MemberValue::Text(text) if is_name(text) => {
            let diagnostic = wrong_type(member, "a name without quotes", text);
            report.push(diagnostic.fix(member.value.span, text));
            None
        }
        MemberValue::Text(_)
        | MemberValue::Bool(_)
        | MemberValue::Integer(_)
        | MemberValue::Duration(_)
        | MemberValue::List(_)
        | MemberValue::Members(_) => {
            report.push(wrong_type(member, "a name", example));
            None
        }
    }
}

/// One of the closed words `known`, or a string: what no closed word says can
/// be asked for too, and is then denied.
pub(super) fn closed(
    member: &Member,
    what: &str,
    known: &[String],
    report: &mut Report,
) -> Option<String> {
    match &member.value.value {
        MemberValue::Text(text) => Some(text.clone()),
        MemberValue::Word(word) if known.contains(word) => Some(word.clone()),
        MemberValue::Word(word) => {
            report_unknown_word(what, word, member.value.span, known, report);
            None
        }
        MemberValue::Bool(_)
        | MemberValue::Integer(_)
        | MemberValue::Duration(_)
        | MemberValue::List(_)
        | MemberValue::Members(_) => {
            let example = known.first().map_or("", String::as_str);
            report.push(wrong_type(member, &format!("one {what}"), example));
            None
        }
    }
}

/// A string.
pub(super) fn text(member: &Member, report: &mut Report) -> Option<String> {
    match &member.value.value {
        MemberValue::Text(text) => Some(text.clone()),
        MemberValue::Word(word) => {
            let quoted = format!("\"{word}\"");
            let diagnostic = wrong_type(member, "a string", &quoted);
            report.push(diagnostic.fix(member.value.span, quoted));
            None
        }
        MemberValue::Bool(_)
        | MemberValue::Integer(_)
        | MemberValue::Duration(_)
        | MemberValue::List(_)
        | MemberValue::Members(_) => {
            report.push(wrong_type(member, "a string", "\"…\""));
            None
        }
    }
}

/// One string or a list of strings, which may be empty.
pub(super) fn texts(member: &Member, report: &mut Report) -> Option<Vec<String>> {
    match &member.value.value {
        MemberValue::Text(text) => Some(vec![text.clone()]),
        // Whatever a client may send can be tested, repeats included.
        MemberValue::List(texts) => Some(texts.iter().map(|text| text.value.clone()).collect()),
        MemberValue::Word(_)
        | MemberValue::Bool(_)
        | MemberValue::Integer(_)
        | MemberValue::Duration(_)
        | MemberValue::Members(_) => {
            let example = "[\"dns:api.example.com\"]";
            report.push(wrong_type(member, "a list of strings", example));
            None
        }
    }
}

/// A duration, in seconds.
pub(super) fn duration(member: &Member, report: &mut Report) -> Option<u64> {
    if let MemberValue::Duration(duration) = &member.value.value {
        return Some(duration.seconds);
    }
    report.push(wrong_type(member, "a duration", "90d"));
    None
}

/// `true` or `false`
pub(super) fn boolean(member: &Member, report: &mut Report) -> Option<bool> {
    if let MemberValue::Bool(value) = member.value.value {
        return Some(value);
    }
    report.push(wrong_type(member, "`true` or `false`", "true"));
    None
}

/// Members of its own.
pub(super) fn members<'a>(member: &'a Member, report: &mut Report) -> Option<&'a [Member]> {
    if let MemberValue::Members(members) = &member.value.value {
        return Some(members);
    }
    let example = "{ id = \"…\", san = [\"dns:api.example.com\"] }";
    report.push(wrong_type(member, "members of its own", example));
    None
}

fn wrong_type(member: &Member, what: &str, example: &str) -> Diagnostic {
    let name = &member.name.value;
    let message = format!("`{name}` takes {what}");
    Diagnostic::new(&codes::MEMBER_TYPE, member.value.span, message)
        .help(format!("write `{name} = {example}`"))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
