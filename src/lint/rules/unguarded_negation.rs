//! A negated comparison that lets in devices without the tag.

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::{Context, Profile, selector};
use crate::source::Spanned;
use crate::syntax::tree::{
    AllowOnceStatement, BypassStatement, Item, ItemKind, Selector, TriggerOn, UnlockItem,
    UnlockStatement,
};
use crate::vocabulary::Effect;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "unguarded-negation",
    severity: Severity::Warning,
    summary: "a negated comparison also matches devices that lack the tag, and that widens access",
    why: "A comparison with an absent tag is false, so its negation is true: \
          `role != database` also matches a device that has no `role` at all. Where matching \
          gives access (an unlock rule with an `allow` line, an `allow-once`, a `bypass`), a \
          device somebody forgot to tag gets in. The rule is silent where the tag is `required`, \
          where the selector says `has role`, and where matching only takes access away (a rule \
          with `deny` lines alone, an approval group). In the production profile it is an error.",
    bad: r#"edition 2026

tag role = database | web

unlock all-but-databases {
  where role != database
  allow from 192.0.2.0/24
}
"#,
    good: r#"edition 2026

tag role = database | web

unlock all-but-databases {
  where has role and role != database
  allow from 192.0.2.0/24
}
"#,
};

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for item in context.checked.trees.iter().flat_map(|tree| &tree.items) {
        for selector in widening_selectors(item) {
            check_selector(context, selector, findings);
        }
    }
}

/// The selectors of an item under which a match gives access to a device.
fn widening_selectors(item: &Item) -> Vec<&Selector> {
    match &item.value {
        ItemKind::Unlock(unlock) if allows(unlock) => unlock
            .statements
            .iter()
            .filter_map(unlock_selector)
            .collect(),
        ItemKind::AllowOnce(allow_once) => allow_once
            .statements
            .iter()
            .filter_map(|statement| match &statement.value {
                AllowOnceStatement::Where(selector) => Some(selector),
                AllowOnceStatement::Overrides(_)
                | AllowOnceStatement::By(_)
                | AllowOnceStatement::Max(_) => None,
            })
            .collect(),
        ItemKind::Bypass(bypass) => bypass
            .statements
            .iter()
            .filter_map(|statement| match &statement.value {
                BypassStatement::On(on) if on.on.value == TriggerOn::Unlock => on.selector.as_ref(),
                BypassStatement::On(_) | BypassStatement::Reason(_) | BypassStatement::Until(_) => {
                    None
                }
            })
            .collect(),
        ItemKind::Unlock(_)
        | ItemKind::Tag(_)
        | ItemKind::Network(_)
        | ItemKind::Schedule(_)
        | ItemKind::Project(_)
        | ItemKind::Profile(_)
        | ItemKind::Defaults(_)
        | ItemKind::Person(_)
        | ItemKind::Service(_)
        | ItemKind::Team(_)
        | ItemKind::Approval(_)
        | ItemKind::Issuance(_)
        | ItemKind::Invariant(_)
        | ItemKind::Test(_) => Vec::new(),
    }
}

fn allows(unlock: &UnlockItem) -> bool {
    unlock.statements.iter().any(|statement| {
        matches!(&statement.value, UnlockStatement::Sources(line) if line.effect == Effect::Allow)
    })
}

fn unlock_selector(statement: &Spanned<UnlockStatement>) -> Option<&Selector> {
    match &statement.value {
        UnlockStatement::Where(selector) => Some(selector),
        UnlockStatement::Sources(_) => None,
    }
}

fn check_selector(context: &Context<'_>, selector: &Selector, findings: &mut Vec<Diagnostic>) {
    for (tag, span) in selector::unguarded(selector) {
        let declared = context.set.tags.find(tag);
        if declared.is_none_or(|id| context.set.tags[id].required) {
            continue;
        }
        let message = format!("this also matches a device that has no tag `{tag}`");
        let mut finding = Diagnostic::new(&CODE, span, message)
            .label(format!("true where `{tag}` is absent"))
            .help(format!(
                "add `has {tag} and`, or declare the tag `required`; if devices without it are meant, add `not has {tag} or`"
            ));
        finding.severity = match context.profile {
            Profile::Development => Severity::Warning,
            Profile::Production => Severity::Error,
        };
        findings.push(finding);
    }
}
