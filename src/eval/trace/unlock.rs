//! The trace of an unlock.

use super::{Rank, entry, gate, mark_nearest, step};
use crate::decision::TraceEntry;
use crate::eval::subject::Subject;
use crate::eval::unlock::lines::{covering, written};
use crate::eval::unlock::{Case, Verdict, once};
use crate::eval::{Class, describe, place};
use crate::ir::UnlockId;
use crate::vocabulary::{DeviceState, Effect, Outcome, ReasonCode};

/// The rules of an unlock, in the order of decision, up to the step that ended
/// it. Where a source or the device's state is refused, what would have allowed
/// it follows, so that the nearest can be told.
pub(crate) fn unlock(case: &Case<'_>, verdict: Verdict) -> Vec<TraceEntry> {
    let revoked = verdict.code == ReasonCode::DeviceRevoked;
    let state = format!("the device is {}", case.request.state);
    let mut entries = vec![step("device-state", revoked, state)];
    if revoked {
        return entries;
    }
    entries.extend(denials(case));
    if verdict.code == ReasonCode::TemporarilyDenied {
        return entries;
    }
    match (
        case.class,
        Subject::device(&case.program.set, &case.request.tags),
    ) {
        (Ok(class), Ok(device)) => rules(case, verdict, class, &device, &mut entries),
        (Err(incomplete), _) => entries.push(step("tags", true, incomplete.to_string())),
        // The class was made of the same tags.
        (Ok(_), Err(incomplete)) => entries.push(step("tags", true, incomplete.to_string())),
    }
    entries
}

fn rules(
    case: &Case<'_>,
    verdict: Verdict,
    class: &Class,
    device: &Subject<'_>,
    entries: &mut Vec<TraceEntry>,
) {
    let set = &case.program.set;
    for (id, rule) in set.unlocks.iter() {
        if !rule.deny.is_empty() {
            entries.push(source_rule(case, id, Effect::Deny, device).0);
        }
    }
    entries.extend(armed(case, class));
    let mut ranked = Vec::new();
    for (id, rule) in set.unlocks.iter() {
        if !rule.allow.is_empty() {
            let (allow, rank) = source_rule(case, id, Effect::Allow, device);
            ranked.push((entries.len(), rank));
            entries.push(allow);
        }
    }
    match verdict.outcome() {
        Outcome::Allow | Outcome::Pending => {
            entries.extend(gate::groups(set, device, case.live()));
            let switched_on = case.facts.allow_bypass;
            entries.extend(gate::bypasses(set, device, switched_on, case.at));
        }
        Outcome::Deny => {
            mark_nearest(entries, &ranked);
            let beaten = match case.request.state {
                _ if verdict.code == ReasonCode::SourceDenied => "; but a deny beats it",
                DeviceState::Disabled => "; but the device is disabled",
                DeviceState::Active | DeviceState::Revoked => "",
            };
            let allowing = entries
                .iter_mut()
                .filter(|entry| entry.nearest && entry.matched);
            allowing.for_each(|entry| entry.detail.push_str(beaten));
        }
    }
}

fn denials(case: &Case<'_>) -> Vec<TraceEntry> {
    let given = case.facts.denials.iter().map(|denial| {
        let (from, until) = (crate::address::display_prefix(denial.source), denial.until);
        let detail = format!("this device is denied from {from} until {until}");
        step("denials", case.denied_by(denial), detail)
    });
    given.collect()
}

/// The allow-onces that somebody armed, and what each still overrides.
fn armed(case: &Case<'_>, class: &Class) -> Vec<TraceEntry> {
    let set = &case.program.set;
    let given = case.facts.allow_once.iter().map(|one| {
        let standing = once::standing(case, class, one);
        let detail = match standing {
            Ok(mask) => {
                let what = describe::list(mask.iter().map(|what| what.word().to_owned()));
                format!("`{}` overrides {what}", one.id)
            }
            Err(idle) => format!("`{}` overrides nothing: {idle}", one.id),
        };
        let rule = set.allow_onces.find(&one.name);
        TraceEntry {
            rule: rule.map(|id| place::allow_once(set, id)),
            ..step("allow-once", standing.is_ok(), detail)
        }
    });
    given.collect()
}

/// One rule's lines of one effect: whether the rule takes part, and how far it is from that.
fn source_rule(
    case: &Case<'_>,
    id: UnlockId,
    effect: Effect,
    device: &Subject<'_>,
) -> (TraceEntry, Rank) {
    let set = &case.program.set;
    let mut failed = describe::failures(set, &set.unlocks[id].selector, device);
    let own = failed.len();
    let (covered, source) = source_condition(case, id, effect);
    if !covered {
        failed.push(source.clone());
    }
    let detail = if failed.is_empty() {
        source
    } else {
        failed.join("; ")
    };
    let rule = place::unlock(set, id, None);
    let made = entry(effect.word(), rule, failed.is_empty(), detail);
    (made, (failed.len(), own))
}

/// Whether a rule's lines cover the source now, and which source does or why none.
fn source_condition(case: &Case<'_>, id: UnlockId, effect: Effect) -> (bool, String) {
    let set = &case.program.set;
    let networks = &case.program.networks;
    let address = case.source;
    let covering_lines = || {
        let lines = case.program.lines.of(id, effect).map(|(_, line)| line);
        lines.filter(|line| line.covers(networks, address))
    };
    let open = covering_lines().find(|line| line.is_open(set, case.at));
    if let Some(line) = open {
        let source = line
            .written(set)
            .and_then(|line| covering(line, networks, address));
        let source = source.map_or(String::new(), |one| describe::source(set, one));
        return (true, format!("source {address} is in {source}"));
    }
    if let Some(line) = covering_lines().find_map(|line| line.written(set)) {
        let schedules = describe::schedules(set, &line.during);
        let opens = describe::opens(set, &line.during, case.at);
        let opens = opens.map_or(String::new(), |when| format!(", {when}"));
        return (false, format!("outside schedule {schedules}{opens}"));
    }
    let lines = written(&set.unlocks[id], effect).iter();
    let sources = lines.flat_map(|line| &line.sources);
    let listed: Vec<String> = sources.map(|&one| describe::source(set, one)).collect();
    let detail = match listed.as_slice() {
        [one] => format!("source {address} is not in {one}"),
        _ => format!("source {address} is in none of {}", describe::list(listed)),
    };
    (false, detail)
}
