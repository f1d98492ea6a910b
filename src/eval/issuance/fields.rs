//! A request held against all of a policy but its names.

use super::report::violation;
use super::{Case, Scope};
use crate::decision::Violation;
use crate::eval::{describe, place};
use crate::ir::IssuanceId;
use crate::ir::issuance::{IssuancePolicy, Rule};
use crate::source::{Span, duration};
use crate::vocabulary::{IssuerType, KeyType, ReasonCode};

/// What no policy need say: closed words, and what is not judged at all.
pub(super) fn intrinsic(case: &Case<'_>) -> Vec<Violation> {
    let request = case.request;
    let mut found = Vec::new();
    if let Some(word) = &request.key_type
        && KeyType::from_word(word).is_none()
    {
        let message = format!("`{}` is no key type that is known", word.escape_debug());
        found.push(Violation {
            found: Some(word.clone()),
            allowed: words(KeyType::ALL, KeyType::word),
            ..violation(ReasonCode::KeyType, message)
        });
    }
    if let Some(word) = &request.issuer_type
        && IssuerType::from_word(word).is_none()
    {
        let message = format!("`{}` is no issuer type that is known", word.escape_debug());
        found.push(Violation {
            found: Some(word.clone()),
            allowed: words(IssuerType::ALL, IssuerType::word),
            ..violation(ReasonCode::IssuerType, message)
        });
    }
    for field in &request.unsupported {
        let message = format!(
            "the request has {}, which is not supported",
            field.escape_debug()
        );
        found.push(Violation {
            found: Some(field.clone()),
            ..violation(ReasonCode::UnsupportedField, message)
        });
    }
    found
}

fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> Vec<String> {
    all.iter().map(|&one| word(one).to_owned()).collect()
}

/// One policy's demands on the fields of a request.
pub(super) fn policy(case: &Case<'_>, id: IssuanceId) -> Vec<Violation> {
    let policy = &case.set.issuances[id];
    let request = case.request;
    let check = Check { case, id };
    [
        check.word(
            policy.key_types.as_ref(),
            |one| one.word(),
            (ReasonCode::KeyType, "key type"),
            request.key_type.as_deref(),
        ),
        check.word(
            policy.issuer_types.as_ref(),
            |one| one.word(),
            (ReasonCode::IssuerType, "issuer type"),
            request.issuer_type.as_deref(),
        ),
        check.word(
            policy.issuer_ids.as_ref(),
            String::as_str,
            (ReasonCode::IssuerId, "issuer"),
            request.issuer_id.as_deref(),
        ),
        check.naming(policy),
        check.lifetime(policy),
        check.auto_renew(policy),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// One policy held against one request.
struct Check<'a> {
    case: &'a Case<'a>,
    id: IssuanceId,
}

impl Check<'_> {
    fn fail(
        &self,
        code: ReasonCode,
        span: Span,
        message: String,
        found: Option<String>,
        allowed: Vec<String>,
    ) -> Option<Violation> {
        Some(Violation {
            rule: Some(place::issuance(self.case.set, self.id, Some(span))),
            found,
            allowed,
            ..violation(code, message)
        })
    }

    fn name(&self) -> &str {
        self.case.set.issuances.name(self.id)
    }

    /// A field that must be one of some words.
    fn word<T>(
        &self,
        rule: Option<&Rule<Vec<T>>>,
        word: impl Fn(&T) -> &str,
        (code, what): (ReasonCode, &str),
        found: Option<&str>,
    ) -> Option<Violation> {
        let rule = rule?;
        if found.is_some_and(|found| rule.value.iter().any(|one| word(one) == found)) {
            return None;
        }
        let allowed: Vec<String> = rule.value.iter().map(|one| word(one).to_owned()).collect();
        let listed = describe::list(allowed.iter().cloned());
        let name = self.name();
        let message = match found {
            Some(word) => {
                let word = word.escape_debug();
                format!("{what} `{word}` is not one that `{name}` allows: {listed}")
            }
            None => format!("the request names no {what}; `{name}` allows {listed}"),
        };
        self.fail(code, rule.span, message, found.map(str::to_owned), allowed)
    }

    fn naming(&self, policy: &IssuancePolicy) -> Option<Violation> {
        let rule = policy.naming.as_ref()?;
        let found = self.case.request.name.as_deref();
        if found.is_some_and(|name| rule.value.regex.is_match(name)) {
            return None;
        }
        let pattern = format!("/{}/", rule.value.text);
        let policy = self.name();
        let message = match found {
            Some(name) => {
                let name = name.escape_debug();
                format!("name `{name}` does not match {pattern} of `{policy}`")
            }
            None => format!("the request has no name; `{policy}` wants one like {pattern}"),
        };
        let found = found.map(str::to_owned);
        self.fail(ReasonCode::Naming, rule.span, message, found, vec![pattern])
    }

    fn lifetime(&self, policy: &IssuancePolicy) -> Option<Violation> {
        let Rule { value: max, span } = policy.lifetime_max.as_ref()?;
        let found = self.case.request.lifetime_s;
        if found.is_some_and(|seconds| seconds <= *max) {
            return None;
        }
        let (found, longest) = (found.map(duration), duration(*max));
        let name = self.name();
        let message = match &found {
            Some(found) => format!(
                "a lifetime of {found} is longer than {longest}, the most that `{name}` allows"
            ),
            None => format!("the request names no lifetime; `{name}` allows {longest} at most"),
        };
        let allowed = vec![format!("max {longest}")];
        self.fail(ReasonCode::Lifetime, *span, message, found, allowed)
    }

    fn auto_renew(&self, policy: &IssuancePolicy) -> Option<Violation> {
        let rule = policy.auto_renew_required.as_ref()?;
        let found = self.case.request.auto_renew;
        if found == Some(true) {
            return None;
        }
        let message = format!("`{}` requires automatic renewal", self.name());
        let found = found.map(|on| on.to_string());
        let allowed = vec!["true".to_owned()];
        self.fail(ReasonCode::AutoRenew, rule.span, message, found, allowed)
    }
}

/// What forbids an export.
pub(super) fn export(case: &Case<'_>, scope: &Scope<'_>) -> Vec<Violation> {
    let forbidding = scope.policies.iter().filter_map(|&id| {
        let rule = case.set.issuances[id].key_export_forbidden.as_ref()?;
        let check = Check { case, id };
        let message = format!("`{}` forbids that a private key leaves", check.name());
        check.fail(ReasonCode::KeyExport, rule.span, message, None, Vec::new())
    });
    forbidding.collect()
}

/// What the groups that cover the request demand of it.
pub(super) fn demands(case: &Case<'_>, scope: &Scope<'_>) -> Vec<Violation> {
    let has_reason = |text: &&String| !text.trim().is_empty();
    let reason = case.request.reason.as_ref().filter(has_reason);
    let ticket = case.request.ticket.as_ref().filter(has_reason);
    let mut found = Vec::new();
    for &id in &scope.groups {
        let group = &case.set.approvals[id];
        let name = case.set.approvals.name(id);
        if group.reason_required && reason.is_none() {
            let message = format!("`{name}` requires a reason");
            found.push(Violation {
                rule: Some(place::approval(case.set, id, None)),
                ..violation(ReasonCode::ReasonRequired, message)
            });
        }
        let Some(rule) = &group.ticket else { continue };
        let wanted = rule.pattern.as_ref();
        if ticket.is_some_and(|text| wanted.is_none_or(|pattern| pattern.is_match(text))) {
            continue;
        }
        let message = match ticket {
            Some(text) => {
                let text = text.escape_debug();
                format!("ticket `{text}` is not of the form that `{name}` requires")
            }
            None => format!("`{name}` requires a ticket"),
        };
        found.push(Violation {
            rule: Some(place::approval(case.set, id, Some(rule.span))),
            found: ticket.cloned(),
            allowed: wanted.map(written).into_iter().collect(),
            ..violation(ReasonCode::TicketRequired, message)
        });
    }
    found
}

/// A pattern as the policy has it, without the anchors that `check` puts around it.
fn written(pattern: &regex::Regex) -> String {
    let text = pattern.as_str();
    let inner = text
        .strip_prefix(r"\A(?:")
        .and_then(|text| text.strip_suffix(r")\z"));
    format!("/{}/", inner.unwrap_or(text))
}
