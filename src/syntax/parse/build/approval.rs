//! Approval groups and bypasses.

use super::{Builder, Node, Parts};
use crate::diagnostic::Diagnostic;
use crate::source::Spanned;
use crate::syntax::codes;
use crate::syntax::parse::grammar::Rule;
use crate::syntax::tree::{
    ApprovalItem, ApprovalStatement, Approvers, BypassItem, BypassStatement, Need, NeedClause,
    Text, Trigger, TriggerOn,
};
use crate::vocabulary::Action;

impl Builder {
    pub(super) fn approval_item(&mut self, node: Node<'_>) -> Option<ApprovalItem> {
        let mut parts = Parts::of(node);
        let name = self.name(parts.find(Rule::name)?);
        let statements = self.statements(parts, Self::approval_statement);
        Some(ApprovalItem { name, statements })
    }

    pub(in super::super) fn approval_statement(
        &mut self,
        node: Node<'_>,
    ) -> Option<ApprovalStatement> {
        let rule = node.as_rule();
        let mut parts = Parts::of(node.clone());
        Some(match rule {
            Rule::on_statement => ApprovalStatement::On(self.trigger(node)?),
            Rule::approvers_statement => ApprovalStatement::Approvers(self.approvers(parts)),
            Rule::need_statement => ApprovalStatement::Need(self.need(parts)?),
            Rule::expires_statement => {
                ApprovalStatement::Expires(self.duration(parts.find(Rule::quantity)?)?)
            }
            Rule::claim_statement => {
                ApprovalStatement::Claim(self.duration(parts.find(Rule::quantity)?)?)
            }
            Rule::deny_for_statement => {
                ApprovalStatement::DenyFor(self.duration(parts.find(Rule::quantity)?)?)
            }
            Rule::collect_statement => {
                let window = self.duration(parts.find(Rule::quantity)?);
                let up_to = self.integer(parts.find(Rule::quantity)?);
                ApprovalStatement::Collect {
                    window: window?,
                    up_to: up_to?,
                }
            }
            Rule::binds_statement => {
                ApprovalStatement::Binds(self.closed(parts.find(Rule::name)?)?)
            }
            Rule::escalate_statement => {
                let after = self.duration(parts.find(Rule::quantity)?);
                let to = self.principals(&mut parts)?;
                ApprovalStatement::Escalate { after: after?, to }
            }
            Rule::mandatory_statement => ApprovalStatement::Mandatory,
            Rule::reason_required => ApprovalStatement::ReasonRequired,
            Rule::comment_required => ApprovalStatement::CommentRequired,
            _ => ApprovalStatement::TicketRequired(
                parts.find(Rule::regex).map(|regex| self.regex(&regex)),
            ),
        })
    }

    /// A pattern without its slashes, `\/` resolved.
    pub(super) fn regex(&mut self, node: &Node<'_>) -> Text {
        let inner = node
            .as_str()
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'))
            .unwrap_or_default();
        self.spanned(node, unescape_slashes(inner))
    }

    fn trigger(&mut self, node: Node<'_>) -> Option<Trigger> {
        let mut parts = Parts::of(node);
        let names = parts.find(Rule::names)?;
        let span = self.span(&names);
        let on = self.trigger_on(names)?;
        let selector = match parts.find(Rule::selector) {
            Some(selector) => Some(self.selector(selector)?),
            None => None,
        };
        Some(Trigger {
            on: Spanned::new(on, span),
            selector,
        })
    }

    fn trigger_on(&mut self, names: Node<'_>) -> Option<TriggerOn> {
        let mut unlock = None;
        let mut others = 0usize;
        let actions = self.list(names, |builder, node| {
            if node.as_str() == "unlock" {
                unlock = Some(builder.span(&node));
                return None;
            }
            others += 1;
            builder.closed_or::<Action>(node, &["unlock"])
        });
        match unlock {
            None => Some(TriggerOn::Actions(actions)),
            Some(_) if others == 0 => Some(TriggerOn::Unlock),
            Some(span) => {
                self.diagnostics.push(
                    Diagnostic::new(
                        &codes::SYNTAX,
                        span,
                        "`unlock` cannot stand beside issuance actions",
                    )
                    .help("write a group for each"),
                );
                None
            }
        }
    }

    fn approvers(&mut self, mut parts: Parts<'_>) -> Approvers {
        let mut tier_above = None;
        let listed = parts
            .0
            .clone()
            .find(|part| part.as_rule() == Rule::principals);
        if let Some(tier) = parts.find(Rule::k_tier_above) {
            tier_above = Some(self.spanned(&tier, ()));
        }
        let listed = match listed {
            Some(list) => self.list(list, Self::principal),
            None => Vec::new(),
        };
        Approvers { tier_above, listed }
    }

    fn need(&mut self, mut parts: Parts<'_>) -> Option<Need> {
        if let Some(count) = parts.find(Rule::quantity) {
            return Some(Need::Count(self.integer(count)?));
        }
        let (clauses, count) = self.elements(parts, &mut Self::clause);
        (count > 0).then_some(Need::Clauses(clauses))
    }

    fn clause(&mut self, node: Node<'_>) -> Option<NeedClause> {
        let mut parts = Parts::of(node);
        let count = self.integer(parts.find(Rule::quantity)?);
        let team = Parts::of(parts.find(Rule::team_ref)?).find(Rule::name)?;
        let team = self.name(team);
        Some(NeedClause {
            count: count?,
            team,
        })
    }

    pub(super) fn bypass_item(&mut self, node: Node<'_>) -> Option<BypassItem> {
        let mut parts = Parts::of(node);
        let name = self.name(parts.find(Rule::name)?);
        let statements = self.statements(parts, Self::bypass_statement);
        Some(BypassItem { name, statements })
    }

    pub(in super::super) fn bypass_statement(&mut self, node: Node<'_>) -> Option<BypassStatement> {
        Some(match node.as_rule() {
            Rule::on_statement => BypassStatement::On(self.trigger(node)?),
            Rule::bypass_reason => {
                BypassStatement::Reason(self.text(Parts::of(node).find(Rule::text)?))
            }
            _ => BypassStatement::Until(self.moment(Parts::of(node).find(Rule::moment)?)?),
        })
    }
}

/// Resolves `\/` and leaves every other escape to the regular expression.
fn unescape_slashes(inner: &str) -> String {
    let mut pattern = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            pattern.push(character);
            continue;
        }
        match characters.next() {
            Some('/') => pattern.push('/'),
            Some(other) => pattern.extend(['\\', other]),
            None => pattern.push('\\'),
        }
    }
    pattern
}
