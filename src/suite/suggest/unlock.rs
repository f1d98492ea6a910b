//! Unlocks that reach a rule, a group, a network or an edge.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;

use super::exact::Exact;
use super::{Block, tags, text};
use crate::address::{covers, fold};
use crate::analyze::witness::UnlockWitness;
use crate::decision::Decision;
use crate::eval::{Program, given};
use crate::ir::selector::Selector;
use crate::ir::test::UnlockSubject;
use crate::ir::unlock::{Source, SourceLine, UnlockRule};
use crate::ir::{AllowOnceId, NetworkId, PolicySet};
use crate::space::schedule::{is_open, next_change};
use crate::suite::coverage::{Kind, Reached, Unreached};
use crate::suite::edges::{Edges, beside, samples};
use crate::suite::outcome;
use crate::vocabulary::{DeviceState, Outcome, Override};

/// How many decisions are made for one thing to be reached.
const BUDGET: usize = 600;
/// How many devices a selector is tried with, and addresses a line.
const DEVICES: usize = 8;
const ADDRESSES: usize = 16;
/// A Monday at noon, from which instants are looked for: the same in every run.
const NOON: Timestamp = Timestamp::constant(1_799_064_000, 0);

/// One question.
struct Probe {
    tags: BTreeMap<String, String>,
    from: IpAddr,
    at: Timestamp,
    once: Option<AllowOnceId>,
    disabled: bool,
}

/// A line that might be reached, and from where.
struct Aim<'a> {
    selector: &'a Selector,
    line: &'a SourceLine,
    addresses: Vec<IpAddr>,
}

/// A block that reaches `goal`: one that is not denied, if any is found.
pub(super) fn reach(program: &Program, exact: &mut Exact<'_>, goal: &Unreached) -> Option<Block> {
    let set = program.set();
    let mut second = None;
    for probe in probes_of(set, exact, goal) {
        let decision = ask(program, &probe);
        let mut reached = Reached::default();
        reached.add(program, Some(probe.from), &decision);
        if reached.has(program, goal.kind, &goal.name) {
            let block = block(program, &probe, decision);
            if is_telling(goal, &block.decision) {
                return Some(block);
            }
            second = second.or(Some(block));
        }
    }
    second
}

/// Whether a decision comes of the goal, and not of something beside it.
fn is_telling(goal: &Unreached, decision: &Decision) -> bool {
    let mut rules = decision.reasons.iter().filter_map(|one| one.rule.as_ref());
    let by_name = rules.any(|rule| rule.name == goal.name && rule.kind == goal.kind.word());
    match goal.kind {
        Kind::Unlock => by_name || decision.outcome == Outcome::Pending,
        Kind::Network => decision.reasons.iter().any(|reason| {
            reason.network.as_deref() == Some(&goal.name) || decision.outcome == Outcome::Pending
        }),
        Kind::Approval => decision.groups.contains(&goal.name),
        Kind::AllowOnce => !decision.obligations.is_empty(),
        Kind::Issuance => false,
    }
}

/// Questions that might reach `goal`.
fn probes_of(set: &PolicySet, exact: &mut Exact<'_>, goal: &Unreached) -> Vec<Probe> {
    let aims: Vec<Aim<'_>> = match goal.kind {
        Kind::Unlock => {
            let rule = set.unlocks.find(&goal.name).map(|id| &set.unlocks[id]);
            rule.into_iter().flat_map(|rule| lines(set, rule)).collect()
        }
        Kind::Network => {
            let id = set.networks.find(&goal.name);
            id.map_or(Vec::new(), |id| through(set, id))
        }
        Kind::Approval => {
            let found = set.approvals.find(&goal.name);
            let found = found.and_then(|id| exact.waiting(id));
            return found.map(Probe::of).into_iter().collect();
        }
        Kind::AllowOnce => {
            let found = set.allow_onces.find(&goal.name).and_then(|id| {
                let (witness, stop) = exact.overridden(&set.allow_onces[id])?;
                Some(Probe {
                    once: Some(id),
                    disabled: stop == Override::Disabled,
                    ..Probe::of(witness)
                })
            });
            return found.into_iter().collect();
        }
        Kind::Issuance => Vec::new(),
    };
    let probes = aims.iter().flat_map(|aim| probes(set, aim));
    probes.take(BUDGET).collect()
}

impl Probe {
    fn of(witness: UnlockWitness) -> Self {
        Probe {
            tags: witness.tags,
            from: witness.source,
            at: witness.at.unwrap_or(NOON),
            once: None,
            disabled: false,
        }
    }
}

/// Every line of a rule.
fn lines<'a>(set: &'a PolicySet, rule: &'a UnlockRule) -> impl Iterator<Item = Aim<'a>> + use<'a> {
    rule.allow.iter().chain(&rule.deny).map(move |line| Aim {
        selector: &rule.selector,
        addresses: addresses(set, line),
        line,
    })
}

/// The lines that name a network, or one that names it, from its own addresses.
fn through(set: &PolicySet, id: NetworkId) -> Vec<Aim<'_>> {
    let network = &set.networks[id];
    let v4 = network.v4.iter().copied().map(IpNet::V4);
    let v6 = network.v6.iter().copied().map(IpNet::V6);
    let mut own: Vec<IpAddr> = v4.chain(v6).take(ADDRESSES).flat_map(samples).collect();
    if own.is_empty() {
        let parts = set.network_parts(id).into_iter().flat_map(|part| &part.v4);
        let parts = parts.copied().map(IpNet::V4).take(ADDRESSES);
        own = parts.flat_map(samples).collect();
    }
    let rules = set.unlocks.iter().map(|(_, rule)| rule);
    let aims = rules.flat_map(|rule| lines(set, rule));
    let naming = aims.filter(|aim| {
        let mut named = aim.line.sources.iter().filter_map(|source| match source {
            Source::Network(named) => Some(*named),
            Source::Prefix(_) => None,
        });
        named.any(|named| has_part(set, named, id))
    });
    let aims = naming.map(|aim| Aim {
        addresses: own.clone(),
        ..aim
    });
    aims.collect()
}

fn has_part(set: &PolicySet, whole: NetworkId, part: NetworkId) -> bool {
    let name = set.networks.name(part);
    let mut parts = set.network_parts(whole).into_iter();
    parts.any(|network| network.header.name == name)
}

/// Addresses that a line covers: edges of its sources, and what lies beside the
/// sources that some rule denies, for where it begins or ends it may be denied.
fn addresses(set: &PolicySet, line: &SourceLine) -> Vec<IpAddr> {
    let own: Vec<IpNet> = prefixes(set, line).take(2 * ADDRESSES).collect();
    let denying = set.unlocks.iter().flat_map(|(_, rule)| &rule.deny);
    let denied = denying.flat_map(|line| prefixes(set, line).take(ADDRESSES));
    let beside = denied.take(8 * ADDRESSES).flat_map(beside);
    let beside = beside.filter(|&address| own.iter().any(|&prefix| covers(prefix, address)));
    let mut found: Vec<IpAddr> = own.iter().copied().flat_map(samples).collect();
    found.extend(beside.take(ADDRESSES).collect::<Vec<_>>());
    found
}

/// Every prefix of a line's sources.
fn prefixes<'a>(set: &'a PolicySet, line: &'a SourceLine) -> impl Iterator<Item = IpNet> + use<'a> {
    line.sources.iter().flat_map(|source| match source {
        Source::Prefix(prefix) => vec![*prefix],
        Source::Network(id) => {
            let parts = set.network_parts(*id).into_iter();
            let each = parts.flat_map(|part| {
                let v4 = part.v4.iter().copied().map(IpNet::V4);
                v4.chain(part.v6.iter().copied().map(IpNet::V6))
            });
            each.take(ADDRESSES).collect()
        }
    })
}

/// The questions of one aim: some devices, each from some addresses.
fn probes(set: &PolicySet, aim: &Aim<'_>) -> Vec<Probe> {
    let at = open_at(set, aim.line);
    let mut probes = Vec::new();
    let mut devices = 0;
    tags::each_device(set, aim.selector, |tags| {
        let asked = aim.addresses.iter().map(|&from| Probe {
            tags: tags.clone(),
            from: fold(from),
            at,
            once: None,
            disabled: false,
        });
        probes.extend(asked);
        devices += 1;
        devices == DEVICES
    });
    probes
}

/// An instant at which one of a line's schedules is open.
fn open_at(set: &PolicySet, line: &SourceLine) -> Timestamp {
    let mut schedules = line.during.iter().map(|&id| &set.schedules[id]);
    if line.during.is_empty() || schedules.clone().any(|one| is_open(one, NOON)) {
        return NOON;
    }
    let opens = schedules.find_map(|one| next_change(one, NOON));
    opens.unwrap_or(NOON)
}

fn subject(probe: &Probe) -> UnlockSubject {
    UnlockSubject {
        tags: probe.tags.clone(),
        state: if probe.disabled {
            DeviceState::Disabled
        } else {
            DeviceState::Active
        },
        from: probe.from,
        denied: false,
        approved: Vec::new(),
        allow_once: probe.once.into_iter().collect(),
    }
}

fn ask(program: &Program, probe: &Probe) -> Decision {
    let (request, facts) = given::unlock(program.set(), &subject(probe));
    program.trace_unlock(&request, &facts, probe.at)
}

/// Whether a test of this question must say when: a line that covers its
/// source, of a rule that matches, has a schedule.
fn needs_time(program: &Program, probe: &Probe) -> bool {
    let set = program.set();
    let Ok(class) = program.classify(&probe.tags) else {
        return false;
    };
    let rules = class.rules.iter().map(|&id| &set.unlocks[id]);
    let lines = rules.flat_map(|rule| rule.allow.iter().chain(&rule.deny));
    let scheduled = lines.filter(|line| !line.during.is_empty());
    scheduled
        .flat_map(|line| &line.sources)
        .any(|source| match source {
            Source::Network(id) => program.covers(*id, probe.from),
            Source::Prefix(prefix) => covers(*prefix, probe.from),
        })
}

/// One expectation.
fn line(program: &Program, probe: &Probe, decision: &Decision) -> String {
    let at = needs_time(program, probe).then_some(probe.at);
    let mut facts = Vec::new();
    if probe.disabled {
        facts.push("disabled".to_owned());
    }
    let once = probe.once.map(|id| program.set().allow_onces.name(id));
    facts.extend(once.map(|name| format!("allow-once {name}")));
    let given = match facts.as_slice() {
        [] => String::new(),
        facts => format!(" given {}", facts.join(", ")),
    };
    let expected = outcome::found(decision);
    let (from, at) = (probe.from, text::at(at));
    format!("unlock from {from}{at}{given} expect {expected}")
}

fn block(program: &Program, probe: &Probe, decision: Decision) -> Block {
    Block {
        subject: text::device(program.set(), &probe.tags),
        line: line(program, probe, &decision),
        from: Some(probe.from),
        decision,
    }
}

/// A device for which the edges matter, and an expectation from each of them.
pub(super) fn edges(program: &Program, edges: &Edges) -> Option<(String, Vec<String>)> {
    let set = program.set();
    let inside = edges.missing.first()?.address;
    let aims = match edges.kind {
        Kind::Network => through(set, set.networks.find(&edges.name)?),
        Kind::Unlock | Kind::AllowOnce | Kind::Approval | Kind::Issuance => {
            let rule = &set.unlocks[set.unlocks.find(&edges.name)?];
            let of_line = |aim: &Aim<'_>| aim.line.span == edges.span;
            lines(set, rule).filter(of_line).collect()
        }
    };
    let mut probes = aims.iter().flat_map(|aim| {
        let aim = Aim {
            addresses: vec![inside],
            ..*aim
        };
        probes(set, &aim)
    });
    let probe = probes.next()?;
    let lines = edges.missing.iter().map(|edge| {
        let probe = Probe {
            tags: probe.tags.clone(),
            from: edge.address,
            ..probe
        };
        line(program, &probe, &ask(program, &probe))
    });
    let lines = lines.collect();
    Some((text::device(set, &probe.tags), lines))
}
