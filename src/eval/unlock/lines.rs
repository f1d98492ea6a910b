//! The source lines of an unlock rule, compiled.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::ir::unlock::{Source, SourceLine, UnlockRule};
use crate::ir::{NetworkId, PolicySet, ScheduleId};
use crate::space::networks::Networks;
use crate::space::prefixes::PrefixSet;
use crate::space::schedule::is_open;
use crate::vocabulary::Effect;

/// The lines of one rule, in the order written.
#[derive(Debug)]
pub(crate) struct Lines {
    allow: Vec<Line>,
    deny: Vec<Line>,
}

impl Lines {
    /// Compiles the lines of a rule.
    pub(crate) fn compile(rule: &UnlockRule) -> Self {
        Lines {
            allow: rule.allow.iter().map(Line::compile).collect(),
            deny: rule.deny.iter().map(Line::compile).collect(),
        }
    }

    /// Those of one effect.
    pub(crate) fn of(&self, effect: Effect) -> &[Line] {
        match effect {
            Effect::Allow => &self.allow,
            Effect::Deny => &self.deny,
        }
    }
}

/// One `allow from` or `deny from`.
#[derive(Debug)]
pub(crate) struct Line {
    networks: Vec<NetworkId>,
    literals: PrefixSet,
    during: Vec<ScheduleId>,
}

impl Line {
    fn compile(line: &SourceLine) -> Self {
        let mut networks = Vec::new();
        let mut literals = Vec::new();
        for source in &line.sources {
            match source {
                Source::Network(id) => networks.push(*id),
                Source::Prefix(prefix) => literals.push(*prefix),
            }
        }
        Line {
            networks,
            literals: PrefixSet::from_prefixes(literals),
            during: line.during.clone(),
        }
    }

    /// Whether one of its sources is `address`'s.
    pub(crate) fn covers(&self, networks: &Networks, address: IpAddr) -> bool {
        self.literals.contains(address)
            || (self.networks.iter()).any(|&id| networks.contains(id, address))
    }

    /// The addresses of its literals, and of those of its networks that are `wanted`.
    pub(crate) fn addresses(
        &self,
        networks: &Networks,
        mut wanted: impl FnMut(NetworkId) -> bool,
    ) -> PrefixSet {
        let named = self.networks.iter().filter(|&&id| wanted(id));
        let named = named.flat_map(|&id| networks.parts(id));
        PrefixSet::union(std::iter::once(&self.literals).chain(named))
    }

    /// In which schedules it is open, any of them; empty: always.
    pub(crate) fn during(&self) -> &[ScheduleId] {
        &self.during
    }

    /// Whether it has no schedule, or one of its schedules is open.
    pub(crate) fn is_open(&self, set: &PolicySet, at: Timestamp) -> bool {
        self.during.is_empty() || (self.during.iter()).any(|&id| is_open(&set.schedules[id], at))
    }
}

/// The rule's line that a compiled one was made from.
pub(crate) fn written(rule: &UnlockRule, effect: Effect, index: usize) -> Option<&SourceLine> {
    match effect {
        Effect::Allow => rule.allow.get(index),
        Effect::Deny => rule.deny.get(index),
    }
}

/// The first source of a line, as written, that covers `address`.
pub(crate) fn covering(line: &SourceLine, networks: &Networks, address: IpAddr) -> Option<Source> {
    let mut sources = line.sources.iter().copied();
    sources.find(|source| match source {
        Source::Network(id) => networks.contains(*id, address),
        Source::Prefix(prefix) => crate::address::covers(*prefix, address),
    })
}
