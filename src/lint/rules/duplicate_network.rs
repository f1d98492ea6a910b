//! Two networks with the same addresses.

use std::collections::{BTreeSet, HashMap};

use super::Rule;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::ir::{Network, NetworkId};
use crate::lint::Context;
use crate::lint::undecided::not_decided;

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "duplicate-network",
    severity: Severity::Warning,
    summary: "two networks have the same addresses under two names",
    why: "Whoever changes one of them will not think of the other, and the rules that name the \
          other stay as they were. A network whose whole list is the other's name is no \
          duplicate but a second name for it, and follows its changes.",
    bad: r#"edition 2026

network office       = [203.0.113.0/25, 203.0.113.128/25]
network headquarters = 203.0.113.0/24

unlock servers {
  allow from office
}

unlock laptops {
  allow from headquarters
}
"#,
    good: r#"edition 2026

network office       = [203.0.113.0/25, 203.0.113.128/25]
network headquarters = office

unlock servers {
  allow from office
}

unlock laptops {
  allow from headquarters
}
"#,
};

/// IPv4 and IPv6 ranges.
type Ranges<'a> = (&'a [(u32, u32)], &'a [(u128, u128)]);

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let set = context.set;
    let mut known: HashMap<Ranges<'_>, NetworkId> = HashMap::new();
    let mut in_order: BTreeSet<_> = BTreeSet::new();
    for (id, network) in set.networks.iter() {
        let at = network.header.span;
        in_order.insert(((at.file, at.start), id));
    }
    for (_, id) in in_order {
        let network = &set.networks[id];
        let Some(addresses) = context.addresses().network(id) else {
            continue;
        };
        if is_second_name(network) {
            continue;
        }
        let key = (addresses.v4(), addresses.v6());
        let Some(&first) = known.get(&key) else {
            known.insert(key, id);
            continue;
        };
        let first = &set.networks[first].header;
        let name = &network.header.name;
        let message = format!("`{name}` has the very addresses of `{}`", first.name);
        findings.push(
            Diagnostic::new(&CODE, network.header.span, message)
                .also(first.span, "the same addresses")
                .help(format!(
                    "write `network {name} = {}`, or keep one of them",
                    first.name
                )),
        );
    }
    if !context.addresses().is_whole {
        findings.push(not_decided(&CODE, "there are too many networks"));
    }
}

/// Whether it is nothing but another network.
fn is_second_name(network: &Network) -> bool {
    network.v4.is_empty() && network.v6.is_empty() && network.includes.len() == 1
}
