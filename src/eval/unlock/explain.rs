//! A verdict on an unlock in words, with all that follows from it.

use super::lines::{Line, covering};
use super::{Case, Cause, Gate, Verdict, once};
use crate::decision::{Decision, Obligation, Reason, RuleRef};
use crate::eval::people::Asker;
use crate::eval::{Class, approval, describe, place};
use crate::ir::UnlockId;
use crate::ir::unlock::SourceLine;
use crate::vocabulary::{Outcome, Override, ReasonCode};

/// Says a verdict.
pub(crate) fn explain(case: &Case<'_>, verdict: Verdict) -> Decision {
    let set = &case.program.set;
    let outcome = verdict.outcome();
    let groups = match (outcome, case.class) {
        (Outcome::Pending, Ok(class)) => case.live().outstanding(&class.groups),
        (Outcome::Allow | Outcome::Deny | Outcome::Pending, _) => Vec::new(),
    };
    Decision {
        outcome,
        reasons: vec![reason(case, verdict)],
        obligations: match (outcome, case.class) {
            (Outcome::Allow, Ok(class)) => obligations(case, class, verdict),
            (Outcome::Allow | Outcome::Deny | Outcome::Pending, _) => Vec::new(),
        },
        approvers: approval::approvers(set, &groups, Asker::default(), case.at),
        groups: approval::group_names(set, &groups),
        policy: set.digest.clone(),
        trace: None,
    }
}

fn obligations(case: &Case<'_>, class: &Class, verdict: Verdict) -> Vec<Obligation> {
    let once = once::to_spend(case, class, verdict.overridden);
    let once = once
        .into_iter()
        .map(|one| Obligation::SpendAllowOnce { id: one.id.clone() });
    let mut all: Vec<Obligation> = once.collect();
    match verdict.gate {
        Gate::Approved => {
            let spent = case.live().spend(&class.groups).into_iter();
            all.extend(spent.map(|one| Obligation::SpendApproval { id: one.id.clone() }));
        }
        Gate::Bypassed(id) => all.push(Obligation::RecordBypass {
            name: case.program.set.bypasses.name(id).to_owned(),
        }),
        Gate::Open | Gate::Overridden | Gate::Waiting => {}
    }
    all
}

fn reason(case: &Case<'_>, verdict: Verdict) -> Reason {
    let place = Place::of(case, verdict.cause);
    let message = match verdict.code {
        ReasonCode::Allowed => allowed(case, verdict, &place),
        ReasonCode::ApprovalRequired => waiting(case),
        ReasonCode::DeviceRevoked => "the device is revoked, and nothing overrides that".to_owned(),
        ReasonCode::TemporarilyDenied => denial(case, verdict.cause),
        ReasonCode::SourceDenied => {
            format!("{} denied by `{}`", place.covered(case), place.name(case))
        }
        ReasonCode::DeviceDisabled => {
            "the device is disabled, and no live allow-once overrides that".to_owned()
        }
        ReasonCode::OutsideSchedule => outside(case, &place),
        ReasonCode::SourceNotAllowed => not_allowed(case, &place),
        ReasonCode::EvaluationIncomplete
        // The rest are a certificate request's.
        | ReasonCode::Unregulated
        | ReasonCode::KeyType
        | ReasonCode::IssuerType
        | ReasonCode::IssuerId
        | ReasonCode::SanMalformed
        | ReasonCode::SanCount
        | ReasonCode::SanDenied
        | ReasonCode::SanNotAllowed
        | ReasonCode::CommonName
        | ReasonCode::Naming
        | ReasonCode::Lifetime
        | ReasonCode::AutoRenew
        | ReasonCode::KeyExport
        | ReasonCode::UnsupportedField
        | ReasonCode::ReasonRequired
        | ReasonCode::TicketRequired => incomplete(case),
    };
    Reason {
        code: verdict.code,
        message,
        rule: rule(case, verdict, &place),
        network: place.network(case),
        violations: Vec::new(),
    }
}

/// The rule and line that a cause names.
struct Place<'a> {
    rule: Option<UnlockId>,
    line: Option<&'a SourceLine>,
}

impl<'a> Place<'a> {
    fn of(case: &Case<'a>, cause: Cause) -> Self {
        let (rule, line) = match cause {
            Cause::Plain | Cause::Denial(_) => (None, None),
            Cause::Rule(id) => (Some(id), None),
            Cause::Line(id) => {
                let line = case.program.lines.get(id);
                let written = line.and_then(|line| line.written(&case.program.set));
                (line.map(Line::rule), written)
            }
        };
        Place { rule, line }
    }

    fn name(&self, case: &Case<'a>) -> &'a str {
        let unlocks = &case.program.set.unlocks;
        self.rule.map_or("", |id| unlocks.name(id))
    }

    /// The source that covers the address, as the rule names it.
    fn network(&self, case: &Case<'_>) -> Option<String> {
        let found = covering(self.line?, &case.program.networks, case.source)?;
        Some(describe::source(&case.program.set, found))
    }

    /// What stands before "allowed by": `203.0.113.9 is in `office`,`
    fn covered(&self, case: &Case<'_>) -> String {
        match self.network(case) {
            Some(network) if network != case.source.to_string() => {
                format!("{} is in `{network}`,", case.source)
            }
            Some(_) | None => format!("{} is", case.source),
        }
    }
}

fn rule(case: &Case<'_>, verdict: Verdict, place: &Place<'_>) -> Option<RuleRef> {
    let set = &case.program.set;
    if let (Gate::Waiting, Ok(class)) = (verdict.gate, case.class) {
        let open = case.live().outstanding(&class.groups);
        return open.first().map(|&id| place::approval(set, id, None));
    }
    if let (true, Ok(class)) = (verdict.overridden.has(Override::Source), case.class) {
        let spent = once::to_spend(case, class, verdict.overridden);
        let mut overriding = spent
            .into_iter()
            .filter(|one| once::effective(case, class, one).has(Override::Source));
        let id = overriding.find_map(|one| set.allow_onces.find(&one.name));
        return id.map(|id| place::allow_once(set, id));
    }
    let line = place.line.map(|line| line.span);
    place.rule.map(|id| place::unlock(set, id, line))
}

fn allowed(case: &Case<'_>, verdict: Verdict, place: &Place<'_>) -> String {
    let mut parts = Vec::new();
    if !verdict.overridden.has(Override::Source) {
        let name = place.name(case);
        parts.push(format!("{} allowed by `{name}`", place.covered(case)));
    }
    if let (false, Ok(class)) = (verdict.overridden.is_empty(), case.class) {
        let spent = once::to_spend(case, class, verdict.overridden);
        let names = describe::ticked(spent.iter().map(|one| &one.name));
        let what = describe::list(verdict.overridden.iter().map(|one| one.word().to_owned()));
        parts.push(format!("allow-once {names} overrides {what}"));
    }
    match (verdict.gate, case.class) {
        (Gate::Approved, Ok(class)) => {
            let spent = case.live().spend(&class.groups);
            let ids = describe::ticked(spent.iter().map(|one| &one.id));
            parts.push(format!("approved ({ids})"));
        }
        (Gate::Bypassed(id), _) => {
            let name = case.program.set.bypasses.name(id);
            parts.push(format!("bypass `{name}` stands in for approval"));
        }
        (Gate::Approved | Gate::Open | Gate::Overridden | Gate::Waiting, _) => {}
    }
    parts.join("; ")
}

fn waiting(case: &Case<'_>) -> String {
    let Ok(class) = case.class else {
        return String::new();
    };
    approval::waits_for(case.live(), &class.groups, Asker::default(), case.at)
}

fn incomplete(case: &Case<'_>) -> String {
    let why = match case.class {
        Err(incomplete) => format!(": {incomplete}"),
        Ok(_) => String::new(),
    };
    format!("the evaluation cannot be completed{why}")
}

fn denial(case: &Case<'_>, cause: Cause) -> String {
    let denial = match cause {
        Cause::Denial(index) => case.facts.denials.get(index),
        Cause::Plain | Cause::Line(_) | Cause::Rule(_) => None,
    };
    match denial {
        Some(denial) => format!(
            "this device is denied from {} until {}",
            crate::address::display_prefix(denial.source),
            denial.until
        ),
        None => "this device is denied from here".to_owned(),
    }
}

fn outside(case: &Case<'_>, place: &Place<'_>) -> String {
    let set = &case.program.set;
    let during = place.line.map_or(&[][..], |line| &line.during);
    let schedules = describe::schedules(set, during);
    let opens = describe::opens(set, during, case.at);
    format!(
        "{} allowed by `{}` during {schedules} alone{}",
        place.covered(case),
        place.name(case),
        opens.map_or(String::new(), |when| format!(", which {when}")),
    )
}

/// Why no rule allows the source.
fn not_allowed(case: &Case<'_>, place: &Place<'_>) -> String {
    let set = &case.program.set;
    if let Some(id) = place.rule {
        let lines = set.unlocks[id].allow.iter();
        let sources = lines.flat_map(|line| &line.sources);
        let listed = describe::list(sources.map(|&one| describe::source(set, one)));
        let name = set.unlocks.name(id);
        return format!(
            "{} is in none of the sources that `{name}` allows: {listed}",
            case.source
        );
    }
    match case.class {
        Ok(class) if !class.rules.is_empty() => {
            "no unlock rule that matches this device allows any source".to_owned()
        }
        Ok(_) | Err(_) => "no unlock rule matches this device".to_owned(),
    }
}
