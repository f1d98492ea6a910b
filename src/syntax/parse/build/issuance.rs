//! Issuance policies and invariants.

use super::{Builder, Node, Parts};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::codes;
use crate::syntax::parse::grammar::Rule;
use crate::syntax::tree::{
    InvariantItem, InvariantLine, IssuanceItem, IssuanceRegion, IssuanceStatement, RegionSources,
    SanPattern, Selector, UnlockRegion, WithoutApproval,
};

impl Builder {
    pub(super) fn issuance_item(&mut self, node: Node<'_>) -> Option<IssuanceItem> {
        let mut parts = Parts::of(node);
        let name = self.name(parts.find(Rule::name)?);
        let statements = self.statements(parts, Self::issuance_statement);
        Some(IssuanceItem { name, statements })
    }

    pub(in super::super) fn issuance_statement(
        &mut self,
        node: Node<'_>,
    ) -> Option<IssuanceStatement> {
        let rule = node.as_rule();
        let mut parts = Parts::of(node.clone());
        Some(match rule {
            Rule::where_statement => IssuanceStatement::Where(self.selector_in(node)?),
            Rule::key_types => {
                IssuanceStatement::KeyTypes(self.list(parts.find(Rule::names)?, Self::closed))
            }
            Rule::issuer_types => {
                IssuanceStatement::IssuerTypes(self.list(parts.find(Rule::names)?, Self::closed))
            }
            Rule::issuer_ids => {
                IssuanceStatement::IssuerIds(self.list(parts.find(Rule::texts)?, Self::some_text))
            }
            Rule::san_max => IssuanceStatement::SanMax(self.integer(parts.find(Rule::quantity)?)?),
            Rule::san_statement => self.san_statement(parts)?,
            Rule::naming => IssuanceStatement::Naming(self.regex(&parts.find(Rule::regex)?)),
            Rule::lifetime_max => {
                IssuanceStatement::LifetimeMax(self.duration(parts.find(Rule::quantity)?)?)
            }
            Rule::auto_renew => IssuanceStatement::AutoRenewRequired,
            _ => IssuanceStatement::KeyExportForbidden,
        })
    }

    fn san_statement(&mut self, mut parts: Parts<'_>) -> Option<IssuanceStatement> {
        let kind = self.closed(parts.find(Rule::name)?);
        let mut allow: Option<Vec<SanPattern>> = None;
        let mut deny: Option<Vec<SanPattern>> = None;
        for clause in parts {
            let span = self.span(&clause);
            let mut inner = Parts::of(clause);
            let is_allow = inner.has(Rule::k_allow);
            let patterns = self.list(inner.find(Rule::patterns)?, Self::pattern);
            let slot = if is_allow { &mut allow } else { &mut deny };
            if slot.replace(patterns).is_some() {
                self.twice(span, if is_allow { "allow" } else { "deny" });
            }
        }
        Some(IssuanceStatement::San {
            kind: kind?,
            allow: allow.unwrap_or_default(),
            deny: deny.unwrap_or_default(),
        })
    }

    fn twice(&mut self, span: Span, what: &str) {
        self.diagnostics.push(
            Diagnostic::new(
                &codes::SYNTAX,
                span,
                format!("`{what}` stands twice in this statement"),
            )
            .help("put all of it in one list"),
        );
    }

    fn pattern(&mut self, node: Node<'_>) -> Option<SanPattern> {
        match node.as_rule() {
            Rule::text => Some(SanPattern::Text(self.text(node))),
            _ => self.prefix(&node).map(SanPattern::Prefix),
        }
    }

    pub(super) fn invariant_item(&mut self, node: Node<'_>) -> Option<InvariantItem> {
        let mut parts = Parts::of(node);
        let name = self.name(parts.find(Rule::name)?);
        let lines = self.statements(parts, Self::invariant_line);
        Some(InvariantItem { name, lines })
    }

    pub(in super::super) fn invariant_line(&mut self, node: Node<'_>) -> Option<InvariantLine> {
        let rule = node.as_rule();
        let parts = Parts::of(node);
        Some(match rule {
            Rule::never_unlock => InvariantLine::NeverAllowUnlock(self.unlock_region(parts)?),
            Rule::always_unlock => InvariantLine::AlwaysReachableUnlock(self.unlock_region(parts)?),
            _ => InvariantLine::NeverAllowIssuance(self.issuance_region(parts)?),
        })
    }

    /// The `where` among `parts`: `None` when it is there but faulty.
    fn region_selector(&mut self, parts: &mut Parts<'_>) -> Option<Option<Selector>> {
        match parts.find(Rule::where_statement) {
            Some(clause) => self.selector_in(clause).map(Some),
            None => Some(None),
        }
    }

    fn unlock_region(&mut self, mut parts: Parts<'_>) -> Option<UnlockRegion> {
        let selector = self.region_selector(&mut parts);
        let from = match parts.find(Rule::region_sources) {
            Some(clause) => {
                let mut inner = Parts::of(clause);
                Some(RegionSources {
                    outside: inner.has(Rule::k_outside),
                    sources: self.list(inner.find(Rule::sources)?, Self::source),
                })
            }
            None => None,
        };
        let without_approval = parts.find(Rule::without_approval).map(|clause| {
            let by = Parts::of(clause).find(Rule::name);
            WithoutApproval {
                by: by.map(|by| self.name(by)),
            }
        });
        Some(UnlockRegion {
            selector: selector?,
            from,
            without_approval,
        })
    }

    fn issuance_region(&mut self, mut parts: Parts<'_>) -> Option<IssuanceRegion> {
        let selector = self.region_selector(&mut parts);
        let mut key_types = Vec::new();
        let mut san = None;
        for part in parts {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::with_key_type => {
                    if !key_types.is_empty() {
                        self.twice(span, "with key-type");
                    }
                    key_types = self.list(Parts::of(part).find(Rule::names)?, Self::closed);
                }
                Rule::with_san => {
                    let mut inner = Parts::of(part);
                    let kind = self.closed(inner.find(Rule::name)?);
                    let patterns = self.list(inner.find(Rule::patterns)?, Self::pattern);
                    if san.replace((kind?, patterns)).is_some() {
                        self.twice(span, "with san");
                    }
                }
                _ => {}
            }
        }
        Some(IssuanceRegion {
            selector: selector?,
            key_types,
            san,
        })
    }
}
