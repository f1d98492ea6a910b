//! Issuance policies.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::ir::issuance::{IssuancePolicy, Naming, Rule, SanRule};
use crate::ir::selector::Selector;
use crate::source::{Span, Spanned};
use crate::syntax::tree::{self, IssuanceItem, IssuanceStatement, Text};
use crate::vocabulary::{IssuerType, KeyType, SanType};

use super::codes::issuance as codes;
use super::lists::{Once, expect_distinct};
use super::report::Report;
use super::san::resolve_patterns;
use super::scope::{Scope, header};
use super::selector::{Path, resolve_where};
use super::text::{expect_text, resolve_regex};

pub(super) fn resolve_issuance(
    item: &IssuanceItem,
    scope: &Scope,
    report: &mut Report,
) -> Option<IssuancePolicy> {
    let mut draft = Draft::new();
    for statement in &item.statements {
        draft.take(&statement.value, statement.span, scope, report);
    }
    draft.finish(item)
}

/// The statements of a block.
struct Draft {
    selector: Once<Option<Selector>>,
    key_types: Once<Vec<KeyType>>,
    issuer_types: Once<Vec<IssuerType>>,
    issuer_ids: Once<Vec<String>>,
    san: BTreeMap<SanType, (Span, Option<SanRule>)>,
    san_max: Once<u64>,
    naming: Once<Option<Naming>>,
    lifetime: Once<u64>,
    auto_renew: Once<()>,
    key_export: Once<()>,
}

impl Draft {
    fn new() -> Self {
        Draft {
            selector: Once::new("where"),
            key_types: Once::new("key-types"),
            issuer_types: Once::new("issuer-types"),
            issuer_ids: Once::new("issuer-ids"),
            san: BTreeMap::new(),
            san_max: Once::new("san max"),
            naming: Once::new("naming"),
            lifetime: Once::new("lifetime"),
            auto_renew: Once::new("auto-renew"),
            key_export: Once::new("key-export"),
        }
    }

    fn take(
        &mut self,
        statement: &IssuanceStatement,
        at: Span,
        scope: &Scope,
        report: &mut Report,
    ) {
        match statement {
            IssuanceStatement::Where(written) => {
                let resolved = resolve_where(Some(written), Path::Issuance, scope, report);
                self.selector.set(resolved, at, report);
            }
            IssuanceStatement::KeyTypes(words) => {
                self.key_types.set(distinct(words, report), at, report);
            }
            IssuanceStatement::IssuerTypes(words) => {
                self.issuer_types.set(distinct(words, report), at, report);
            }
            IssuanceStatement::IssuerIds(texts) => {
                self.issuer_ids.set(issuer_ids(texts, report), at, report);
            }
            IssuanceStatement::San { kind, allow, deny } => {
                self.take_san(*kind, allow, deny, at, report);
            }
            IssuanceStatement::SanMax(max) => {
                expect_some_names(max, report);
                self.san_max.set(max.value, at, report);
            }
            IssuanceStatement::Naming(text) => {
                let naming = resolve_regex(text, report).map(|regex| Naming {
                    text: text.value.clone(),
                    regex,
                });
                self.naming.set(naming, at, report);
            }
            IssuanceStatement::LifetimeMax(time) => self.lifetime.set(time.seconds, at, report),
            IssuanceStatement::AutoRenewRequired => self.auto_renew.set((), at, report),
            IssuanceStatement::KeyExportForbidden => self.key_export.set((), at, report),
        }
    }

    fn take_san(
        &mut self,
        kind: Spanned<SanType>,
        allow: &[tree::SanPattern],
        deny: &[tree::SanPattern],
        at: Span,
        report: &mut Report,
    ) {
        let allow = resolve_patterns(kind.value, allow, report);
        let deny = resolve_patterns(kind.value, deny, report);
        if let Some(&(first, _)) = self.san.get(&kind.value) {
            let message = format!("`san {}` is given twice in this policy", kind.value);
            report.push(
                Diagnostic::new(&codes::REPEATED_SAN_TYPE, kind.span, message)
                    .also(first, "first given here")
                    .help("write all its patterns in one list"),
            );
            return;
        }
        let rule = match (allow, deny) {
            (Some(allow), Some(deny)) => Some(SanRule {
                kind: kind.value,
                allow: (!allow.is_empty()).then_some(allow),
                deny,
                span: at,
            }),
            (Some(_) | None, _) => None,
        };
        self.san.insert(kind.value, (at, rule));
    }

    fn finish(self, item: &IssuanceItem) -> Option<IssuancePolicy> {
        let naming = match self.naming.into_found() {
            Some((value, span)) => Some(Rule {
                value: value?,
                span,
            }),
            None => None,
        };
        let san: Option<Vec<SanRule>> = self.san.into_values().map(|(_, rule)| rule).collect();
        Some(IssuancePolicy {
            header: header(&item.name),
            selector: self.selector.take_or(Selector::Any)?,
            key_types: rule(self.key_types),
            issuer_types: rule(self.issuer_types),
            issuer_ids: rule(self.issuer_ids),
            san: san?,
            san_max: rule(self.san_max),
            naming,
            lifetime_max: rule(self.lifetime),
            auto_renew_required: rule(self.auto_renew),
            key_export_forbidden: rule(self.key_export),
        })
    }
}

fn rule<T>(statement: Once<T>) -> Option<Rule<T>> {
    let (value, span) = statement.into_found()?;
    Some(Rule { value, span })
}

/// Closed words without repeats, sorted.
pub(super) fn distinct<T>(words: &[Spanned<T>], report: &mut Report) -> Vec<T>
where
    T: Copy + Ord + std::hash::Hash + ToString,
{
    let elements = words.iter().map(|word| (word.value, word.span));
    expect_distinct(elements, T::to_string, report);
    let mut words: Vec<T> = words.iter().map(|word| word.value).collect();
    words.sort();
    words.dedup();
    words
}

fn issuer_ids(texts: &[Text], report: &mut Report) -> Vec<String> {
    let elements = texts.iter().map(|text| (text.value.as_str(), text.span));
    expect_distinct(elements, |text| (*text).to_owned(), report);
    for text in texts {
        expect_text("the issuer", text, report);
    }
    let mut ids: Vec<String> = texts.iter().map(|text| text.value.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

fn expect_some_names(max: &Spanned<u64>, report: &mut Report) {
    if max.value == 0 {
        let message = "`san max 0` lets no request pass: each must have a name";
        let diagnostic = Diagnostic::new(
            &super::codes::approvals::NUMBER_OUT_OF_RANGE,
            max.span,
            message,
        );
        report.push(diagnostic.help("write a number from 1 on, or leave the line out"));
    }
}
