//! The unlocks of a policy set as Cedar policies and their schema.
//!
//! Two actions say the three outcomes: `unlock` is permitted where the outcome
//! is allow, `reach` where it is allow or pending. Permits are the rules' allows;
//! everything that ends a decision before them is a forbid, annotated with the
//! code that it denies with. What Cedar cannot say, the one who asks works out
//! and gives as context: which schedules are open, which denials, approvals,
//! one-time unlocks and bypasses are live for this device, from here, now.

use std::fmt::Write;

use super::expression::{all, any, has, open, prefixes, selector, set_of, source, string, value};
use crate::ir::people::{ApprovalGroup, Coverage};
use crate::ir::selector::Selector;
use crate::ir::unlock::{SourceLine, UnlockRule};
use crate::ir::{Domain, Header, PolicySet};
use crate::source::Span;
use crate::vocabulary::{Effect, Override, ReasonCode};

/// How many prefixes one policy has; lines with more become several.
const PREFIXES: usize = 64;
/// What both actions have in common.
const BOTH: &str = "principal, action, resource";
/// What waits for people alone.
const UNLOCK: &str = "principal, action == Action::\"unlock\", resource";

/// Policies and their schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cedar {
    /// The schema, in Cedar's own syntax.
    pub schema: String,
    /// The policies.
    pub policies: String,
}

/// Writes the unlocks of `set`.
pub fn export(set: &PolicySet) -> Cedar {
    Cedar {
        schema: schema(set),
        policies: Writer::new(set).policies(),
    }
}

fn schema(set: &PolicySet) -> String {
    let tags = set
        .tags
        .names()
        .map(|name| format!("{}?: String", string(name)));
    let tags: Vec<String> = tags.collect();
    format!(
        "// Who asks: an enrolled device with its tags and its state.\n\
         entity Device {{ state: String, tags: {{ {} }} }};\n\
         entity Disk;\n\n\
         // `unlock` is permitted where the outcome is allow, `reach` where it is allow or pending.\n\
         action \"unlock\", \"reach\" appliesTo {{\n  \
           principal: Device,\n  \
           resource: Disk,\n  \
           context: {{\n    \
             // Where it asks from; an IPv4-mapped IPv6 address as the IPv4 one.\n    \
             source: ipaddr,\n    \
             // Whether a temporary denial of this device from this source is live.\n    \
             denied: Bool,\n    \
             // Groups that live approvals for this device and source satisfy.\n    \
             approved: Set<String>,\n    \
             // Allow-once rules with one that is live here, by what it was armed to override.\n    \
             armed: {{ source: Set<String>, disabled: Set<String>, approval: Set<String> }},\n    \
             // Schedules that are open now.\n    \
             open: Set<String>,\n    \
             // Bypasses that are in force: none, but on a server that lets them hold.\n    \
             bypasses: Set<String>,\n  \
           }},\n\
         }};\n",
        tags.join(", ")
    )
}

struct Writer<'a> {
    set: &'a PolicySet,
    text: String,
}

/// One policy.
struct Policy<'a> {
    effect: &'static str,
    reason: ReasonCode,
    /// The rule and where it says this; none for a step that has no rule.
    rule: Option<Rule<'a>>,
    scope: &'static str,
    when: String,
    unless: Option<String>,
}

/// A rule: its kind, its name, and the place to name.
type Rule<'a> = (&'static str, &'a str, Span);

/// A rule at its name.
fn at_name<'a>(kind: &'static str, header: &'a Header) -> Rule<'a> {
    (kind, &header.name, header.span)
}

impl<'a> Writer<'a> {
    fn new(set: &'a PolicySet) -> Self {
        let head = format!("// The unlocks of {} as Cedar.\n", set.digest);
        Writer { set, text: head }
    }

    fn policies(mut self) -> String {
        self.device();
        self.tags();
        for (_, rule) in self.set.unlocks.iter() {
            self.lines(rule, Effect::Deny);
        }
        self.disabled();
        for (_, rule) in self.set.unlocks.iter() {
            self.lines(rule, Effect::Allow);
        }
        self.once();
        self.groups();
        self.text
    }

    fn push(&mut self, policy: Policy<'_>) {
        let mut text = format!("\n@reason({})\n", string(policy.reason.word()));
        // Writing to a string cannot fail.
        if let Some((kind, name, span)) = policy.rule {
            let sources = &self.set.sources;
            let (file, place) = (sources.path(span), sources.position(span));
            let rule = string(&format!("{kind} {name}"));
            let place = string(&format!("{file}:{}", place.line));
            let _ = write!(text, "@rule({rule})\n@place({place})\n");
        }
        let (effect, scope) = (policy.effect, policy.scope);
        let _ = write!(text, "{effect} ({scope})\nwhen {{ {} }}", policy.when);
        if let Some(unless) = policy.unless {
            let _ = write!(text, "\nunless {{ {unless} }}");
        }
        text.push_str(";\n");
        self.text.push_str(&text);
    }

    fn forbid(&mut self, reason: ReasonCode, when: String, unless: Option<String>) {
        self.push(Policy {
            effect: "forbid",
            reason,
            rule: None,
            scope: BOTH,
            when,
            unless,
        });
    }

    /// What the device's state and a denial end, whatever rules say.
    fn device(&mut self) {
        let revoked = "principal.state == \"revoked\"".to_owned();
        self.forbid(ReasonCode::DeviceRevoked, revoked, None);
        let denied = "context.denied".to_owned();
        self.forbid(ReasonCode::TemporarilyDenied, denied, None);
    }

    /// Tags that enrollment would not permit. One that is not declared at all is
    /// refused by the schema.
    fn tags(&mut self) {
        for (_, tag) in self.set.tags.iter() {
            let name = &tag.header.name;
            if tag.required {
                let when = format!("!({})", has(name));
                self.forbid(ReasonCode::EvaluationIncomplete, when, None);
            }
            if let Domain::Closed(values) = &tag.domain {
                let values = set_of(values.iter().map(String::as_str));
                let when = format!("{} && !{values}.contains({})", has(name), value(name));
                self.forbid(ReasonCode::EvaluationIncomplete, when, None);
            }
        }
    }

    fn lines(&mut self, rule: &UnlockRule, effect: Effect) {
        let (lines, word, reason) = match effect {
            Effect::Allow => (&rule.allow, "permit", ReasonCode::Allowed),
            Effect::Deny => (&rule.deny, "forbid", ReasonCode::SourceDenied),
        };
        for line in lines {
            for when in self.conditions(&rule.selector, line) {
                self.push(Policy {
                    effect: word,
                    reason,
                    rule: Some(("unlock", &rule.header.name, line.span)),
                    scope: BOTH,
                    when,
                    unless: None,
                });
            }
        }
    }

    /// When a line holds, in parts of which each is small.
    fn conditions(&self, devices: &Selector, line: &SourceLine) -> Vec<String> {
        let (set, prefixes) = (self.set, prefixes(self.set, line));
        let parts = prefixes.chunks(PREFIXES).map(|prefixes| {
            let mut parts = Vec::new();
            if *devices != Selector::Any {
                parts.push(selector(set, devices));
            }
            parts.extend(open(set, &line.during));
            parts.push(source(prefixes));
            all(&parts)
        });
        parts.collect()
    }

    /// The allow-once rules that may override `what`, each with when it does.
    fn overriding(&self, what: Override) -> Vec<(&'a Header, String)> {
        let rules = self.set.allow_onces.iter().map(|(_, rule)| rule);
        let granting = rules.filter(|rule| rule.overrides.contains(&what));
        let each = granting.map(|rule| {
            let name = string(&rule.header.name);
            let armed = format!("context.armed.{what}.contains({name})");
            let when = all(&[selector(self.set, &rule.selector), armed]);
            (&rule.header, when)
        });
        each.collect()
    }

    fn disabled(&mut self) {
        let overriding = self.overriding(Override::Disabled).into_iter();
        let overriding: Vec<String> = overriding.map(|(_, when)| when).collect();
        let unless = (!overriding.is_empty()).then(|| any(&overriding));
        let when = "principal.state == \"disabled\"".to_owned();
        self.forbid(ReasonCode::DeviceDisabled, when, unless);
    }

    fn once(&mut self) {
        for (header, when) in self.overriding(Override::Source) {
            self.push(Policy {
                effect: "permit",
                reason: ReasonCode::Allowed,
                rule: Some(at_name("allow-once", header)),
                scope: BOTH,
                when,
                unless: None,
            });
        }
    }

    /// What waits for people: every mandatory group, or any one where no
    /// mandatory one covers the device.
    fn groups(&mut self) {
        let unless = self.standing_in();
        let (mut mandatory, mut others) = (Vec::new(), Vec::new());
        for (_, group) in self.set.approvals.iter() {
            let Coverage::Unlock(devices) = &group.covers else {
                continue;
            };
            let covers = selector(self.set, devices);
            match group.mandatory {
                true => mandatory.push((group, covers)),
                false => others.push((group, covers)),
            }
        }
        for (group, covers) in &mandatory {
            let when = all(&[covers.clone(), format!("!{}", approved(group))]);
            self.waits(
                Some(at_name("approval", &group.header)),
                when,
                unless.clone(),
            );
        }
        if others.is_empty() {
            return;
        }
        let covering: Vec<String> = others.iter().map(|(_, covers)| covers.clone()).collect();
        let satisfied = others
            .iter()
            .map(|(group, covers)| all(&[covers.clone(), approved(group)]));
        let satisfied: Vec<String> = satisfied.collect();
        let mut parts = vec![any(&covering), format!("!({})", any(&satisfied))];
        if !mandatory.is_empty() {
            let each: Vec<String> = mandatory.into_iter().map(|(_, covers)| covers).collect();
            parts.push(format!("!({})", any(&each)));
        }
        let rule = match others.as_slice() {
            [(group, _)] => Some(at_name("approval", &group.header)),
            _ => None,
        };
        self.waits(rule, all(&parts), unless);
    }

    fn waits(&mut self, rule: Option<Rule<'_>>, when: String, unless: Option<String>) {
        self.push(Policy {
            effect: "forbid",
            reason: ReasonCode::ApprovalRequired,
            rule,
            scope: UNLOCK,
            when,
            unless,
        });
    }

    /// When approval is not asked for: a bypass, or an allow-once.
    fn standing_in(&self) -> Option<String> {
        let set = self.set;
        let bypasses = set.bypasses.iter().filter_map(|(_, bypass)| {
            let Coverage::Unlock(devices) = &bypass.covers else {
                return None;
            };
            let name = string(&bypass.header.name);
            let in_force = format!("context.bypasses.contains({name})");
            Some(all(&[selector(set, devices), in_force]))
        });
        let overriding = self.overriding(Override::Approval).into_iter();
        let each: Vec<String> = bypasses.chain(overriding.map(|(_, when)| when)).collect();
        (!each.is_empty()).then(|| any(&each))
    }
}

/// Whether a group is satisfied.
fn approved(group: &ApprovalGroup) -> String {
    format!("context.approved.contains({})", string(&group.header.name))
}
