//! Expected outcomes: codes and groups of the right path.

use crate::check::codes::tests as codes;
use crate::check::group::resolve_group;
use crate::check::lists::expect_distinct;
use crate::check::report::Report;
use crate::check::scope::{Scope, list};
use crate::check::selector::{Path, report_unknown_word, words_of};
use crate::diagnostic::Diagnostic;
use crate::ir::ApprovalId;
use crate::ir::test::Expect;
use crate::syntax::tree::{self, Name};
use crate::vocabulary::ReasonCode;

/// What must come out on `path`.
pub(super) fn resolve_expect(
    expect: &tree::Expect,
    path: Path,
    scope: &Scope,
    report: &mut Report,
) -> Option<Expect> {
    match expect {
        tree::Expect::Allow => Some(Expect::Allow),
        tree::Expect::Deny(names) => resolve_codes(names, path, report).map(Expect::Deny),
        tree::Expect::Pending(names) => {
            expect_names_distinct(names, report);
            let groups: Vec<Option<ApprovalId>> = names
                .iter()
                .map(|name| resolve_group(name, path, scope, report))
                .collect();
            let mut groups: Vec<ApprovalId> = groups.into_iter().collect::<Option<_>>()?;
            groups.sort();
            Some(Expect::Pending(groups))
        }
    }
}

fn resolve_codes(names: &[Name], path: Path, report: &mut Report) -> Option<Vec<ReasonCode>> {
    let listed: Vec<Option<ReasonCode>> = names
        .iter()
        .map(|name| resolve_code(name, path, report))
        .collect();
    let listed: Vec<ReasonCode> = listed.into_iter().collect::<Option<_>>()?;
    match path {
        Path::Unlock => expect_single(names, report),
        Path::Issuance => {
            expect_names_distinct(names, report);
            expect_order(&listed, names, report);
        }
    }
    Some(listed)
}

fn expect_names_distinct(names: &[Name], report: &mut Report) {
    let elements = names.iter().map(|name| (name.value.as_str(), name.span));
    expect_distinct(elements, |name| (*name).to_owned(), report);
}

fn expect_single(names: &[Name], report: &mut Report) {
    if let [_, second, ..] = names {
        let message = "an unlock is denied for one reason alone, the first that holds";
        let diagnostic = Diagnostic::new(&codes::SEVERAL_REASONS, second.span, message);
        report.push(diagnostic.help("keep the code that comes first in the order of decision"));
    }
}

/// Whether a code can deny an unlock, and whether a certificate request.
fn denies_on(code: ReasonCode) -> (bool, bool) {
    match code {
        ReasonCode::Allowed | ReasonCode::ApprovalRequired => (false, false),
        ReasonCode::DeviceRevoked
        | ReasonCode::TemporarilyDenied
        | ReasonCode::SourceDenied
        | ReasonCode::DeviceDisabled
        | ReasonCode::SourceNotAllowed
        | ReasonCode::OutsideSchedule => (true, false),
        ReasonCode::EvaluationIncomplete => (true, true),
        ReasonCode::Unregulated
        | ReasonCode::KeyType
        | ReasonCode::IssuerType
        | ReasonCode::IssuerId
        | ReasonCode::SanMalformed
        | ReasonCode::SanCount
        | ReasonCode::SanDenied
        | ReasonCode::SanNotAllowed
        | ReasonCode::CommonName
        | ReasonCode::Naming
        | ReasonCode::Lifetime
        | ReasonCode::AutoRenew
        | ReasonCode::KeyExport
        | ReasonCode::UnsupportedField
        | ReasonCode::ReasonRequired
        | ReasonCode::TicketRequired => (false, true),
    }
}

fn can_deny(code: ReasonCode, path: Path) -> bool {
    let (unlock, issuance) = denies_on(code);
    match path {
        Path::Unlock => unlock,
        Path::Issuance => issuance,
    }
}

fn resolve_code(name: &Name, path: Path, report: &mut Report) -> Option<ReasonCode> {
    let all = ReasonCode::ALL.iter().copied();
    let known: Vec<ReasonCode> = all.filter(|&code| can_deny(code, path)).collect();
    let known = words_of(&known);
    let Some(code) = ReasonCode::from_word(&name.value) else {
        report_unknown_word("reason code", &name.value, name.span, &known, report);
        return None;
    };
    if can_deny(code, path) {
        return Some(code);
    }
    let what = match path {
        Path::Unlock => "an unlock",
        Path::Issuance => "a certificate request",
    };
    let message = format!("{what} is never denied with `{code}`");
    let help = if code == ReasonCode::Allowed {
        "write `expect allow`".to_owned()
    } else if code == ReasonCode::ApprovalRequired {
        "write `expect pending by` and the group".to_owned()
    } else {
        format!("its codes are {}", list(&known))
    };
    report.push(Diagnostic::new(&codes::CODE_OF_OTHER_PATH, name.span, message).help(help));
    None
}

/// The codes of a certificate request are reported in one fixed order.
fn expect_order(listed: &[ReasonCode], names: &[Name], report: &mut Report) {
    let late = listed
        .iter()
        .zip(listed.iter().skip(1))
        .position(|(before, after)| before > after);
    let Some(late) = late else {
        return;
    };
    let (Some(before), Some(after)) = (names.get(late), names.get(late + 1)) else {
        return;
    };
    let mut sorted = listed.to_vec();
    sorted.sort();
    let message = format!("`{}` is reported before `{}`", after.value, before.value);
    let help = format!(
        "write `[{}]`, the order of the checks",
        words_of(&sorted).join(", ")
    );
    report.push(Diagnostic::new(&codes::CODE_ORDER, after.span, message).help(help));
}
