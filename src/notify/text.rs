//! A message in words, for forms that show text to people.

use super::message::{ApprovalFacts, Message};
use crate::vocabulary::{ApprovalKind, Topic};

/// A line of a few words.
pub fn title(message: &Message) -> String {
    let what = match message.topic {
        Topic::ApprovalRequested => "waits for approval",
        Topic::ApprovalEscalated => "still waits for approval",
        Topic::ApprovalApproved => "approved",
        Topic::ApprovalDenied => "denied",
        Topic::ApprovalRejected => "rejected",
        Topic::ApprovalCancelled => "cancelled",
        Topic::ApprovalExpired => "expired",
        Topic::ApprovalSuperseded => "superseded",
        Topic::PolicyReloaded => return "policy reloaded".to_owned(),
        Topic::PolicyRejected => return "policy refused, the old one stays".to_owned(),
        Topic::ClockJumped => return "the server's clock jumped".to_owned(),
    };
    match &message.device {
        Some(device) => format!("{device}: {what}"),
        None => format!("approval request: {what}"),
    }
}

/// All that a person needs, in a few lines.
pub fn text(message: &Message) -> String {
    let mut lines = vec![title(message)];
    if let Some(facts) = &message.approval {
        lines.push(approval(message.topic, facts));
    }
    if let Some(policy) = &message.policy {
        lines.push(policy.summary.clone());
    }
    if let Some(clock) = &message.clock {
        let (now, trusted) = (message.time, clock.trusted);
        lines.push(format!(
            "it says {now}, and {trusted} was the last that is trusted; timed grants are frozen"
        ));
    }
    if message.held_back > 0 {
        let held = message.held_back;
        lines.push(format!("held back before this by the budget: {held}"));
    }
    lines.join("\n")
}

fn approval(topic: Topic, facts: &ApprovalFacts) -> String {
    let mut parts = Vec::new();
    let kind = facts.kind.map(|kind| match kind {
        ApprovalKind::Unlock => "unlock",
        ApprovalKind::Tags => "change of tags",
        ApprovalKind::Issuance => "certificate",
    });
    parts.extend(kind.map(str::to_owned));
    parts.extend(facts.source.map(|source| format!("from {source}")));
    if !facts.groups.is_empty() {
        parts.push(format!("group {}", facts.groups.join(", ")));
    }
    match topic {
        Topic::ApprovalRequested | Topic::ApprovalEscalated => {
            let names: Vec<&str> = facts.approvers.iter().map(String::as_str).collect();
            parts.push(format!("may decide: {}", names.join(", ")));
            parts.extend(facts.expires.map(|at| format!("until {at}")));
        }
        Topic::ApprovalApproved
        | Topic::ApprovalDenied
        | Topic::ApprovalRejected
        | Topic::ApprovalCancelled
        | Topic::ApprovalExpired
        | Topic::ApprovalSuperseded
        | Topic::PolicyReloaded
        | Topic::PolicyRejected
        | Topic::ClockJumped => {}
    }
    parts.extend(facts.decided_by.as_ref().map(|name| format!("by {name}")));
    parts.extend(facts.cause.clone());
    parts.extend(facts.note.as_ref().map(|note| format!("“{note}”")));
    parts.push(format!("request {}", facts.id));
    parts.join("; ")
}
