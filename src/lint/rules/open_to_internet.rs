//! Devices that open from anywhere, with nobody asked.

use std::cmp::Reverse;

use super::Rule;
use crate::analyze::unlock::Line;
use crate::analyze::witness::UnlockWitness;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lint::Context;
use crate::lint::exact::{Exact, test_block};
use crate::lint::undecided::not_decided;
use crate::space::diagram::{FALSE, OverBudget};
use crate::space::partition::{AddressClass, Range};
use crate::space::prefixes::PrefixSet;
use crate::vocabulary::Effect;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "open-to-internet",
    severity: Severity::Warning,
    summary: "devices open from about every address, and no approval group covers them",
    why: "Whoever has such a disk and its header needs nothing else: it opens wherever it is \
          plugged in. The lock is then worth no more than the hope that nobody takes it away. Told \
          of is a line that allows from half of all IPv4 addresses or more, or from a sixteenth of \
          all IPv6 ones, and devices that no approval group covers. For laptops that may be what \
          is meant, best with `during`; say so in a comment.",
    bad: r#"edition 2026

unlock laptops {
  allow from [0.0.0.0/0, ::/0]
}
"#,
    good: r#"edition 2026

person alice { role owner in org }
person bob   { role admin in org }

unlock laptops {
  allow from [0.0.0.0/0, ::/0]
}

approval gate {
  on        unlock
  approvers [person alice, person bob]
}
"#,
};

/// IPv4 addresses from which on it is about every one: half of them.
const MOST_V4: u128 = 1 << 31;
/// IPv6 addresses from which on it is: `2000::/3`, what is given out, is twice that.
const MOST_V6: u128 = 1 << 124;

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let asked = context.ask(|exact| look(context, exact, findings));
    if asked.is_err() {
        findings.push(not_decided(&CODE, "the set is too large or too entangled"));
    }
}

fn look(
    context: &Context<'_>,
    exact: &mut Exact<'_>,
    findings: &mut Vec<Diagnostic>,
) -> Result<(), OverBudget> {
    let lines = exact.unlocks.as_ref().ok_or(OverBudget)?.lines(0).to_vec();
    for line in lines {
        let rule = &context.set.unlocks[line.rule];
        let Some(tree) = rule.allow.get(line.index) else {
            continue;
        };
        if line.effect != Effect::Allow {
            continue;
        }
        let addresses = context.addresses().list(tree.sources.iter());
        let addresses = addresses.ok_or(OverBudget)?;
        if !is_wide(&addresses) {
            continue;
        }
        let Some(witness) = witness(exact, &line, &addresses)? else {
            continue;
        };
        let when = match tree.during.is_empty() {
            true => "at any time",
            false => "in its hours",
        };
        let message = format!(
            "devices of `{}` open from about every address, {when}, and nobody is asked",
            rule.header.name
        );
        let mut finding = Diagnostic::new(&CODE, tree.span, message)
            .label("anywhere")
            .help("name the networks, or let an approval group cover these devices");
        let title = format!("{} opens anywhere", rule.header.name);
        finding.witness = Some(test_block(context, &witness, &title));
        findings.push(finding);
    }
    Ok(())
}

fn is_wide(addresses: &PrefixSet) -> bool {
    let v4 = addresses.v4().iter();
    let v4: u128 = v4.map(|(first, last)| u128::from(last - first) + 1).sum();
    let v6 = addresses.v6().iter();
    // The whole space is one more than fits.
    let v6 = v6.fold(0_u128, |sum, (first, last)| {
        sum.saturating_add((last - first).saturating_add(1))
    });
    v4 >= MOST_V4 || v6 >= MOST_V6
}

/// An unlock that the line lets in at once, from the widest addresses where there is one.
fn witness(
    exact: &mut Exact<'_>,
    line: &Line,
    addresses: &PrefixSet,
) -> Result<Option<UnlockWitness>, OverBudget> {
    let unlocks = exact.unlocks.as_mut().ok_or(OverBudget)?;
    let (permitted, gated) = (unlocks.permitted(0), unlocks.gated(0));
    let care = unlocks.diagrams.and(line.now, permitted)?;
    let care = unlocks.diagrams.minus(care, gated)?;
    if care == FALSE {
        return Ok(None);
    }
    exact.with_classes(|exact, classes| {
        let covered = classes.iter().filter(|class| {
            let first = class.ranges.first();
            first.is_some_and(|range| addresses.contains(range.first_address()))
        });
        let mut covered: Vec<&AddressClass> = covered.collect();
        let widest = |class: &AddressClass| {
            let ranges = class.ranges.iter();
            ranges.map(|range| (!range.is_v6, size(range))).max()
        };
        covered.sort_by_cached_key(|class| Reverse(widest(class)));
        exact.witness(covered.into_iter(), care, |standings| standings.allowed)
    })
}

fn size(range: &Range) -> u128 {
    range.last - range.first
}
