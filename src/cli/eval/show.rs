//! A decision for a person: the outcome, why, what it takes, and the trace.

use std::fmt::Write;

use jiff::Timestamp;

use crate::decision::{Decision, Obligation, Reason, RuleRef};
use crate::diagnostic::human::clean;
use crate::suite;

/// Renders a decision made for the instant `at`.
pub(super) fn render(decision: &Decision, at: Timestamp) -> String {
    let mut text = format!("{}\n", decision.outcome);
    for reason in &decision.reasons {
        render_reason(&mut text, reason);
    }
    let mut line = |title: &str, values: &[String]| {
        if !values.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {title:<11} {}", values.join(", "));
        }
    };
    line("groups", &decision.groups);
    line("approvers", &decision.approvers);
    let obligations: Vec<String> = decision.obligations.iter().map(obligation).collect();
    line("obligations", &obligations);
    line("at", &[at.to_string()]);
    line("policy", std::slice::from_ref(&decision.policy));
    let trace = decision.trace.as_deref().unwrap_or_default();
    if !trace.is_empty() {
        text.push_str("\ntrace: + took part, - did not, > came nearest\n");
        for line in suite::trace_lines(trace) {
            let _ = writeln!(text, "  {line}");
        }
    }
    clean(&text)
}

fn render_reason(text: &mut String, reason: &Reason) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  {}: {}", reason.code, reason.message);
    if let Some(rule) = &reason.rule {
        let _ = writeln!(text, "    by {}", rule_text(rule));
    }
    if let Some(network) = &reason.network {
        let _ = writeln!(text, "    network {network}");
    }
    // A single one is what the message says.
    if reason.violations.len() < 2 {
        return;
    }
    for violation in &reason.violations {
        let _ = write!(text, "    - {}", violation.message);
        if let Some(rule) = &violation.rule {
            let _ = write!(text, ", by {}", rule_text(rule));
        }
        text.push('\n');
    }
}

fn rule_text(rule: &RuleRef) -> String {
    format!("{} {} ({}:{})", rule.kind, rule.name, rule.file, rule.line)
}

fn obligation(obligation: &Obligation) -> String {
    match obligation {
        Obligation::SpendAllowOnce { id } => format!("spend allow-once {id}"),
        Obligation::SpendApproval { id } => format!("spend approval {id}"),
        Obligation::RecordBypass { name } => format!("record bypass {name}"),
    }
}
