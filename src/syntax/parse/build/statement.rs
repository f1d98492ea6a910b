//! One statement put into the block it belongs to.

use super::{Builder, Node};
use crate::source::{Span, Spanned};
use crate::syntax::parse::grammar::Rule;
use crate::syntax::tree::ItemKind;

impl Builder {
    /// Builds a statement of a broken block, read by the rule `some`, for its complaints, and
    /// keeps it where the block could be kept.
    pub(in super::super) fn statement(
        &mut self,
        item: Option<&mut ItemKind>,
        some: Rule,
        node: Node<'_>,
    ) {
        let span = self.span(&node);
        match item {
            Some(item) => self.statement_of(item, span, node),
            None => self.statement_alone(some, node),
        }
    }

    fn statement_of(&mut self, item: &mut ItemKind, span: Span, node: Node<'_>) {
        fn keep<T>(into: &mut Vec<Spanned<T>>, statement: Option<T>, span: Span) {
            into.extend(statement.map(|value| Spanned::new(value, span)));
        }
        match item {
            ItemKind::Project(item) | ItemKind::Profile(item) => {
                keep(&mut item.tags, self.tags(node), span);
            }
            ItemKind::Defaults(item) => {
                keep(&mut item.issuance, self.default_issuance(node), span);
            }
            ItemKind::Person(item) => {
                keep(&mut item.statements, self.person_statement(node), span);
            }
            ItemKind::Service(item) => {
                keep(&mut item.statements, self.service_statement(node), span);
            }
            ItemKind::Unlock(item) => {
                keep(&mut item.statements, self.unlock_statement(node), span);
            }
            ItemKind::AllowOnce(item) => {
                keep(&mut item.statements, self.allow_once_statement(node), span);
            }
            ItemKind::Approval(item) => {
                keep(&mut item.statements, self.approval_statement(node), span);
            }
            ItemKind::Issuance(item) => {
                keep(&mut item.statements, self.issuance_statement(node), span);
            }
            ItemKind::Invariant(item) => {
                keep(&mut item.lines, self.invariant_line(node), span);
            }
            ItemKind::Bypass(item) => {
                keep(&mut item.statements, self.bypass_statement(node), span);
            }
            ItemKind::Test(item) => {
                keep(&mut item.statements, self.test_statement(node), span);
            }
            ItemKind::Tag(_) | ItemKind::Network(_) | ItemKind::Schedule(_) | ItemKind::Team(_) => {
            }
        }
    }

    /// The statement of a block whose head could not be read.
    fn statement_alone(&mut self, some: Rule, node: Node<'_>) {
        match some {
            Rule::some_project_statements => drop(self.tags(node)),
            Rule::some_defaults_statements => drop(self.default_issuance(node)),
            Rule::some_person_statements => drop(self.person_statement(node)),
            Rule::some_service_statements => drop(self.service_statement(node)),
            Rule::some_unlock_statements => drop(self.unlock_statement(node)),
            Rule::some_allow_once_statements => drop(self.allow_once_statement(node)),
            Rule::some_approval_statements => drop(self.approval_statement(node)),
            Rule::some_issuance_statements => drop(self.issuance_statement(node)),
            Rule::some_invariant_statements => drop(self.invariant_line(node)),
            Rule::some_bypass_statements => drop(self.bypass_statement(node)),
            _ => drop(self.test_statement(node)),
        }
    }
}
