//! Expected and found outcomes in the words of a policy file.

use crate::decision::{Decision, RuleRef, TraceEntry};
use crate::ir::PolicySet;
use crate::ir::test::Expect;
use crate::vocabulary::Outcome;

/// What a test expects.
pub(super) fn expected(set: &PolicySet, expect: &Expect) -> String {
    match expect {
        Expect::Allow => "allow".to_owned(),
        Expect::Deny(codes) => format!("deny {}", list(codes.iter().map(|code| code.word()))),
        Expect::Pending(groups) => {
            let names = groups.iter().map(|&id| set.approvals.name(id));
            format!("pending by {}", list(names))
        }
    }
}

/// What a decision came to.
pub(super) fn found(decision: &Decision) -> String {
    match decision.outcome {
        Outcome::Allow => "allow".to_owned(),
        Outcome::Deny => {
            let codes = decision.reasons.iter().map(|reason| reason.code.word());
            format!("deny {}", list(codes))
        }
        Outcome::Pending => {
            let groups = decision.groups.iter().map(String::as_str);
            format!("pending by {}", list(groups))
        }
    }
}

/// One bare, several in brackets.
fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    match words.as_slice() {
        [word] => (*word).to_owned(),
        words => format!("[{}]", words.join(", ")),
    }
}

/// One line for each entry: `+` took part, `-` did not, `>` came nearest.
pub(super) fn trace(entries: &[TraceEntry]) -> Vec<String> {
    let width = |text: fn(&TraceEntry) -> usize| entries.iter().map(text).max().unwrap_or(0);
    let steps = width(|entry| entry.step.chars().count());
    let rules = width(|entry| {
        entry
            .rule
            .as_ref()
            .map_or(0, |rule| rule_text(rule).chars().count())
    });
    let line = |entry: &TraceEntry| {
        let mark = match (entry.nearest, entry.matched) {
            (true, _) => '>',
            (false, true) => '+',
            (false, false) => '-',
        };
        let rule = entry.rule.as_ref().map(rule_text).unwrap_or_default();
        let nearest = if entry.nearest { " (nearest miss)" } else { "" };
        let line = format!(
            "{mark} {:steps$}  {rule:rules$}  {}{nearest}",
            entry.step, entry.detail
        );
        line.trim_end().to_owned()
    };
    entries.iter().map(line).collect()
}

fn rule_text(rule: &RuleRef) -> String {
    format!("{} {} ({}:{})", rule.kind, rule.name, rule.file, rule.line)
}
