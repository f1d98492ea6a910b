//! Unlock rules, one-time unlocks and selectors.

use super::{Builder, Node, Parts};
use crate::diagnostic::Diagnostic;
use crate::source::{Span, Spanned};
use crate::syntax::codes;
use crate::syntax::parse::grammar::Rule;
use crate::syntax::parse::split::MAX_NESTING;
use crate::syntax::tree::{
    AllowOnceItem, AllowOnceStatement, Approver, Compare, CompareOp, Selector, SourceLine,
    UnlockItem, UnlockStatement,
};
use crate::vocabulary::Effect;

impl Builder {
    pub(super) fn unlock_item(&mut self, node: Node<'_>) -> Option<UnlockItem> {
        let mut parts = Parts::of(node);
        let name = self.name(parts.find(Rule::name)?);
        let statements = self.statements(parts, Self::unlock_statement);
        Some(UnlockItem { name, statements })
    }

    pub(in super::super) fn unlock_statement(&mut self, node: Node<'_>) -> Option<UnlockStatement> {
        Some(match node.as_rule() {
            Rule::where_statement => UnlockStatement::Where(self.selector_in(node)?),
            _ => UnlockStatement::Sources(self.source_line(node)?),
        })
    }

    fn source_line(&mut self, node: Node<'_>) -> Option<SourceLine> {
        let mut parts = Parts::of(node);
        let effect = match parts.find(Rule::k_allow) {
            Some(_) => Effect::Allow,
            None => Effect::Deny,
        };
        let sources = self.list(parts.find(Rule::sources)?, Self::source);
        let during = match parts.find(Rule::names) {
            Some(names) => self.list(names, Self::some_name),
            None => Vec::new(),
        };
        Some(SourceLine {
            effect,
            sources,
            during,
        })
    }

    pub(super) fn allow_once_item(&mut self, node: Node<'_>) -> Option<AllowOnceItem> {
        let mut parts = Parts::of(node);
        let name = self.name(parts.find(Rule::name)?);
        let statements = self.statements(parts, Self::allow_once_statement);
        Some(AllowOnceItem { name, statements })
    }

    pub(in super::super) fn allow_once_statement(
        &mut self,
        node: Node<'_>,
    ) -> Option<AllowOnceStatement> {
        let rule = node.as_rule();
        if rule == Rule::where_statement {
            return Some(AllowOnceStatement::Where(self.selector_in(node)?));
        }
        let mut parts = Parts::of(node);
        Some(match rule {
            Rule::overrides_statement => {
                AllowOnceStatement::Overrides(self.list(parts.find(Rule::names)?, Self::closed))
            }
            Rule::by_statement => AllowOnceStatement::By(self.principals(&mut parts)?),
            _ => AllowOnceStatement::Max(self.duration(parts.find(Rule::quantity)?)?),
        })
    }

    /// The next list of teams and persons.
    pub(super) fn principals(&mut self, parts: &mut Parts<'_>) -> Option<Vec<Approver>> {
        Some(self.list(parts.find(Rule::principals)?, Self::principal))
    }

    pub(super) fn principal(&mut self, node: Node<'_>) -> Option<Approver> {
        let is_team = node.as_rule() == Rule::team_ref;
        let name = self.name(Parts::of(node).find(Rule::name)?);
        Some(if is_team {
            Approver::Team(name)
        } else {
            Approver::Person(name)
        })
    }

    /// The selector inside a `where` or a group.
    pub(super) fn selector_in(&mut self, node: Node<'_>) -> Option<Selector> {
        let selector = Parts::of(node).find(Rule::selector)?;
        self.selector(selector)
    }

    /// A chain of terms under one connective.
    pub(super) fn selector(&mut self, node: Node<'_>) -> Option<Selector> {
        let mut terms = Vec::new();
        let mut connective: Option<Rule> = None;
        let mut mixed: Option<Span> = None;
        let mut complete = true;
        for part in Parts::of(node) {
            let rule = part.as_rule();
            if matches!(rule, Rule::k_and | Rule::k_or) {
                if connective.is_some_and(|first| first != rule) && mixed.is_none() {
                    mixed = Some(self.span(&part));
                }
                connective.get_or_insert(rule);
                continue;
            }
            match self.term(part) {
                Some(term) => terms.push(term),
                None => complete = false,
            }
        }
        if let Some(span) = mixed {
            self.diagnostics.push(
                Diagnostic::new(
                    &codes::MIXED_CONNECTIVES,
                    span,
                    "`and` beside `or` needs parentheses",
                )
                .help("say which belongs together: `a and (b or c)`"),
            );
            return None;
        }
        if !complete {
            return None;
        }
        match connective {
            None => terms.pop(),
            Some(Rule::k_and) => Some(Selector::And(terms)),
            Some(_) => Some(Selector::Or(terms)),
        }
    }

    fn term(&mut self, node: Node<'_>) -> Option<Selector> {
        match node.as_rule() {
            Rule::negation => self.negation(node),
            Rule::group => {
                self.nesting += 1;
                let inner = self.selector_in(node);
                self.nesting -= 1;
                inner
            }
            Rule::has_test => Some(Selector::Has(self.name(Parts::of(node).find(Rule::name)?))),
            _ => self.compare(node),
        }
    }

    fn negation(&mut self, node: Node<'_>) -> Option<Selector> {
        let span = self.span(&node);
        let mut nots = Vec::new();
        let mut inner = None;
        for part in Parts::of(node) {
            if part.as_rule() == Rule::k_not {
                nots.push(self.span(&part));
                self.nesting += 1;
            } else if self.nesting > MAX_NESTING {
                self.diagnostics.push(
                    Diagnostic::new(
                        &codes::NESTING,
                        span,
                        format!("nesting goes deeper than {MAX_NESTING}"),
                    )
                    .help("two `not` beside each other say nothing"),
                );
            } else {
                inner = self.term(part);
            }
        }
        self.nesting -= nots.len();
        let negate = |inner, span| Selector::Not(Spanned::new((), span), Box::new(inner));
        Some(nots.into_iter().rev().fold(inner?, negate))
    }

    fn compare(&mut self, node: Node<'_>) -> Option<Selector> {
        let mut parts = Parts::of(node);
        let subject = self.name(parts.find(Rule::name)?);
        let op_node = parts.next()?;
        let op = match op_node.as_rule() {
            Rule::equal => CompareOp::Equal,
            Rule::unequal => CompareOp::NotEqual,
            _ => CompareOp::In,
        };
        let operand = parts.next()?;
        let values = if op == CompareOp::In {
            self.list(operand, Self::value)
        } else {
            vec![self.value(operand)?]
        };
        Some(Selector::Compare(Compare {
            subject,
            op: self.spanned(&op_node, op),
            values,
        }))
    }
}
