//! Approval groups.

use std::num::NonZeroU32;

use crate::diagnostic::Diagnostic;
use crate::ir::people::{
    ApprovalGroup, Approver, Coverage, Escalation, ISSUANCE_EXPIRES, Need, TicketRule,
    UNLOCK_EXPIRES, UnlockTerms,
};
use crate::source::Span;
use crate::syntax::tree::{ApprovalItem, ApprovalStatement, Approvers, Duration};
use crate::vocabulary::Binds;

use super::codes::approvals as codes;
use super::lists::{Block, Once};
use super::need::{expect_meetable, resolve_count, resolve_need};
use super::report::Report;
use super::scope::{Scope, header};
use super::selector::Path;
use super::team::resolve_approvers;
use super::text::resolve_regex;
use super::trigger::{path_of, resolve_trigger};

pub(super) fn resolve_approval(
    item: &ApprovalItem,
    span: Span,
    scope: &Scope,
    report: &mut Report,
) -> Option<ApprovalGroup> {
    let mut draft = Draft::new();
    for statement in &item.statements {
        draft.take(&statement.value, statement.span, scope, report);
    }
    let block = Block {
        what: "approval group",
        name: &item.name.value,
        name_span: item.name.span,
        span,
    };
    let on = "say what it is for: `on unlock where …` or `on [issue, renew]`";
    draft.on.required(&block, on, report);
    draft.expect_approvers(&block, report);
    draft.expect_terms(report);
    let people = draft.people(span, scope, report);
    draft.finish(item, people?)
}

/// The statements of a block.
struct Draft {
    on: Once<(Path, Option<Coverage>)>,
    approvers: Once<(Approvers, Option<Vec<Approver>>)>,
    need: Once<Option<Need>>,
    mandatory: Once<()>,
    expires: Once<u64>,
    claim: Once<u64>,
    collect: Once<(u64, Option<NonZeroU32>)>,
    binds: Once<Binds>,
    deny_for: Once<u64>,
    escalations: Vec<Option<Escalation>>,
    reason: Once<()>,
    comment: Once<()>,
    ticket: Once<Option<TicketRule>>,
}

impl Draft {
    fn new() -> Self {
        Draft {
            on: Once::new("on"),
            approvers: Once::new("approvers"),
            need: Once::new("need"),
            mandatory: Once::new("mandatory"),
            expires: Once::new("expires"),
            claim: Once::new("claim"),
            collect: Once::new("collect"),
            binds: Once::new("binds"),
            deny_for: Once::new("deny-for"),
            escalations: Vec::new(),
            reason: Once::new("reason"),
            comment: Once::new("comment"),
            ticket: Once::new("ticket"),
        }
    }

    fn take(
        &mut self,
        statement: &ApprovalStatement,
        at: Span,
        scope: &Scope,
        report: &mut Report,
    ) {
        match statement {
            ApprovalStatement::On(trigger) => {
                let covers = resolve_trigger(trigger, scope, report);
                self.on.set((path_of(trigger), covers), at, report);
            }
            ApprovalStatement::Approvers(written) => {
                let listed = resolve_approvers(&written.listed, scope, report);
                self.approvers.set((written.clone(), listed), at, report);
            }
            ApprovalStatement::Need(need) => {
                self.need.set(resolve_need(need, scope, report), at, report);
            }
            ApprovalStatement::Mandatory => self.mandatory.set((), at, report),
            ApprovalStatement::Expires(time) => self.expires.set(time.seconds, at, report),
            ApprovalStatement::Claim(time) => self.claim.set(time.seconds, at, report),
            ApprovalStatement::Collect { window, up_to } => {
                let uses = resolve_count(up_to, report);
                self.collect.set((window.seconds, uses), at, report);
            }
            ApprovalStatement::Binds(binds) => self.binds.set(binds.value, at, report),
            ApprovalStatement::DenyFor(time) => self.deny_for.set(time.seconds, at, report),
            ApprovalStatement::Escalate { after, to } => {
                let to = resolve_approvers(to, scope, report);
                self.escalations.push(escalation(after, to));
            }
            ApprovalStatement::ReasonRequired => self.reason.set((), at, report),
            ApprovalStatement::CommentRequired => self.comment.set((), at, report),
            ApprovalStatement::TicketRequired(pattern) => {
                let pattern = match pattern {
                    None => Some(None),
                    Some(text) => resolve_regex(text, report).map(Some),
                };
                let rule = pattern.map(|pattern| TicketRule { pattern, span: at });
                self.ticket.set(rule, at, report);
            }
        }
    }

    /// Whether some people may approve at all.
    fn expect_approvers(&self, block: &Block<'_>, report: &mut Report) {
        let by_clauses = matches!(self.need.get(), Some(None | Some(Need::Clauses(_))));
        if self.approvers.get().is_none() && !by_clauses {
            let help = "say who may approve: `approvers team security`";
            block.report_missing("`approvers`", help, report);
        }
    }

    /// Terms that mean something on the other path alone.
    fn expect_terms(&self, report: &mut Report) {
        let Some(&(path, _)) = self.on.get() else {
            return;
        };
        let misplaced: Vec<(&str, Option<Span>)> = match path {
            Path::Unlock => vec![
                ("reason", self.reason.span()),
                ("ticket", self.ticket.span()),
                ("tier-above", self.tier_above()),
            ],
            Path::Issuance => vec![
                ("claim", self.claim.span()),
                ("collect", self.collect.span()),
                ("binds", self.binds.span()),
                ("deny-for", self.deny_for.span()),
            ],
        };
        for (term, span) in misplaced {
            if let Some(span) = span {
                report_misplaced(term, span, path, report);
            }
        }
    }

    fn tier_above(&self) -> Option<Span> {
        let (written, _) = self.approvers.get()?;
        written.tier_above.map(|place| place.span)
    }

    /// Who may approve and how many must, where those can.
    fn people(
        &self,
        span: Span,
        scope: &Scope,
        report: &mut Report,
    ) -> Option<(Vec<Approver>, Need)> {
        let mut listed = match self.approvers.get() {
            Some((_, listed)) => listed.clone()?,
            None => Vec::new(),
        };
        let need = match self.need.get() {
            Some(need) => need.clone()?,
            None => Need::Count(NonZeroU32::MIN),
        };
        if let Need::Clauses(clauses) = &need {
            listed.extend(clauses.iter().map(|&(_, team)| Approver::Team(team)));
            listed.sort();
            listed.dedup();
        }
        let tier_above = self.tier_above().is_some();
        if let Some(place) = self.need.span()
            && !report.is_broken(span)
        {
            expect_meetable(&need, &listed, tier_above, place, scope, report)?;
        }
        Some((listed, need))
    }

    fn finish(
        self,
        item: &ApprovalItem,
        (approvers, need): (Vec<Approver>, Need),
    ) -> Option<ApprovalGroup> {
        let tier_above = self.tier_above().is_some();
        let (path, covers) = self.on.get()?;
        let expires = match path {
            Path::Unlock => UNLOCK_EXPIRES,
            Path::Issuance => ISSUANCE_EXPIRES,
        };
        Some(ApprovalGroup {
            header: header(&item.name),
            covers: covers.clone()?,
            tier_above,
            approvers,
            need,
            mandatory: self.mandatory.get().is_some(),
            expires: self.expires.get().copied().unwrap_or(expires),
            terms: self.terms()?,
            reason_required: self.reason.get().is_some(),
            comment_required: self.comment.get().is_some(),
            ticket: match self.ticket.get() {
                Some(rule) => Some(rule.clone()?),
                None => None,
            },
            escalations: sorted(self.escalations)?,
        })
    }

    fn terms(&self) -> Option<UnlockTerms> {
        let default = UnlockTerms::DEFAULT;
        let (collect, up_to) = match self.collect.get() {
            Some(&(window, uses)) => (window, uses?),
            None => (default.collect, default.up_to),
        };
        Some(UnlockTerms {
            claim: self.claim.get().copied().unwrap_or(default.claim),
            collect,
            up_to,
            binds: self.binds.get().copied().unwrap_or(default.binds),
            deny_for: self.deny_for.get().copied().unwrap_or(default.deny_for),
        })
    }
}

fn escalation(after: &Duration, to: Option<Vec<Approver>>) -> Option<Escalation> {
    Some(Escalation {
        after: after.seconds,
        to: to?,
    })
}

fn sorted(escalations: Vec<Option<Escalation>>) -> Option<Vec<Escalation>> {
    let mut escalations: Vec<Escalation> = escalations.into_iter().collect::<Option<_>>()?;
    escalations.sort_by(|a, b| (a.after, &a.to).cmp(&(b.after, &b.to)));
    Some(escalations)
}

fn report_misplaced(term: &str, span: Span, path: Path, report: &mut Report) {
    let diagnostic = match path {
        Path::Unlock if term == "tier-above" => Diagnostic::new(
            &codes::TIER_ABOVE_ON_UNLOCK,
            span,
            "`tier-above` has no meaning on an unlock: a device has no role",
        )
        .help("list the approvers: `approvers [team dba, person carol]`"),
        Path::Unlock => Diagnostic::new(
            &codes::TERM_ON_WRONG_PATH,
            span,
            format!("`{term}` has no meaning on an unlock: a device gives no {term}"),
        )
        .help("it belongs to groups on certificate actions"),
        Path::Issuance => Diagnostic::new(
            &codes::TERM_ON_WRONG_PATH,
            span,
            format!("`{term}` has no meaning on a certificate action"),
        )
        .help("it belongs to groups `on unlock`"),
    };
    report.push(diagnostic);
}
