//! References to approval groups, each from one of the two paths.

use crate::diagnostic::Diagnostic;
use crate::ir::ApprovalId;
use crate::ir::people::Coverage;
use crate::syntax::tree::Name;

use super::codes::approvals as codes;
use super::report::Report;
use super::scope::Scope;
use super::selector::Path;

/// The approval group that `name` refers to, which must be on `path`. None
/// where it is not, or is itself wrong.
pub(super) fn resolve_group(
    name: &Name,
    path: Path,
    scope: &Scope,
    report: &mut Report,
) -> Option<ApprovalId> {
    let id = scope.resolve::<ApprovalId>(name, report)?;
    let group = scope.approvals.get(id)?;
    let fits = match group.covers {
        Coverage::Unlock(_) => path == Path::Unlock,
        Coverage::Issuance(_, _) => path == Path::Issuance,
    };
    if fits {
        return Some(id);
    }
    let (this, other) = match path {
        Path::Unlock => ("an unlock", "certificate actions"),
        Path::Issuance => ("a certificate request", "unlocks"),
    };
    let message = format!(
        "`{}` approves {other}, so it never approves {this}",
        name.value
    );
    report.push(
        Diagnostic::new(&codes::GROUP_OF_OTHER_PATH, name.span, message)
            .also(group.header.span, "declared here"),
    );
    None
}
