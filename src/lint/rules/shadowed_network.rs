//! An element of a list that another element of the list covers.

use ipnet::IpNet;

use super::Rule;
use crate::address::{display_prefix, range_v4, range_v6};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::ir::PolicySet;
use crate::lint::Context;
use crate::lint::addresses::{Addresses, covers};
use crate::lint::undecided::not_decided;
use crate::source::Span;
use crate::space::prefixes::PrefixSet;
use crate::syntax::tree::{ItemKind, NetworkBody, Source, UnlockStatement};

pub(super) static RULE: Rule = Rule { code: &CODE, check };

static CODE: Code = Code {
    name: "shadowed-network",
    severity: Severity::Warning,
    summary: "an element of a list of addresses lies wholly in another element of it",
    why: "The element has no effect: what it allows or denies, the wider one does already. \
          Somebody who takes it out believes to have closed something, and somebody who narrows \
          the wider one will not expect the hole to stay. The lines of network files are left \
          alone; those come from elsewhere, and overlap as they like.",
    bad: r#"edition 2026

network office = [203.0.113.0/24, 2001:db8:10::/48]

unlock servers {
  allow from [office, 203.0.113.7]
}
"#,
    good: r#"edition 2026

network office = [203.0.113.0/24, 2001:db8:10::/48]

unlock servers {
  allow from office
}
"#,
};

/// Elements held against others before the lint gives up.
const BUDGET: usize = 2_000_000;

fn check(context: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let mut lint = Shadows {
        set: context.set,
        addresses: context.addresses(),
        left: BUDGET,
        findings,
    };
    let items = context.checked.trees.iter().flat_map(|tree| &tree.items);
    for item in items {
        match &item.value {
            ItemKind::Network(network) => match &network.body {
                NetworkBody::List(list) => lint.list(list),
                NetworkBody::File(_) => {}
            },
            ItemKind::Unlock(unlock) => {
                for statement in &unlock.statements {
                    match &statement.value {
                        UnlockStatement::Sources(line) => lint.list(&line.sources),
                        UnlockStatement::Where(_) => {}
                    }
                }
            }
            ItemKind::Tag(_)
            | ItemKind::Schedule(_)
            | ItemKind::Project(_)
            | ItemKind::Profile(_)
            | ItemKind::Defaults(_)
            | ItemKind::Person(_)
            | ItemKind::Service(_)
            | ItemKind::Team(_)
            | ItemKind::AllowOnce(_)
            | ItemKind::Approval(_)
            | ItemKind::Issuance(_)
            | ItemKind::Invariant(_)
            | ItemKind::Bypass(_)
            | ItemKind::Test(_) => {}
        }
    }
    if lint.left == 0 || !context.addresses().is_whole {
        findings.push(not_decided(&CODE, "there are too many networks in lists"));
    }
}

/// An element, its text as written, and its addresses.
struct Element<'a> {
    name: String,
    span: Span,
    addresses: &'a PrefixSet,
}

struct Shadows<'a, 'b> {
    set: &'a PolicySet,
    addresses: &'a Addresses,
    left: usize,
    findings: &'b mut Vec<Diagnostic>,
}

impl<'a> Shadows<'a, '_> {
    fn list(&mut self, list: &[Source]) {
        let mut prefixes: Vec<(IpNet, Span)> = Vec::new();
        let mut networks = Vec::new();
        for source in list {
            match source {
                Source::Prefix(prefix) => prefixes.push((prefix.value, prefix.span)),
                Source::Network(name) => networks.extend(self.network(&name.value, name.span)),
            }
        }
        self.prefixes_in_prefixes(&mut prefixes);
        if networks.is_empty() {
            return;
        }
        let together = PrefixSet::from_prefixes(prefixes.iter().map(|(prefix, _)| *prefix));
        for outer in &networks {
            for (prefix, span) in &prefixes {
                self.prefix_in_network(*prefix, *span, outer);
            }
            for inner in &networks {
                self.network_in_network(inner, outer);
            }
        }
        for inner in &networks {
            self.network_in_prefixes(inner, &prefixes, &together);
        }
    }

    fn prefix_in_network(&mut self, prefix: IpNet, span: Span, outer: &Element<'_>) {
        if !self.spend() {
            return;
        }
        let lies_in = match prefix {
            IpNet::V4(net) => covers(outer.addresses.v4(), &[range_v4(net)]),
            IpNet::V6(net) => covers(outer.addresses.v6(), &[range_v6(net)]),
        };
        if lies_in {
            let name = format!("`{}`", outer.name);
            self.report(&display_prefix(prefix), span, &name, outer.span);
        }
    }

    fn network_in_network(&mut self, inner: &Element<'_>, outer: &Element<'_>) {
        if !self.spend() || outer.span == inner.span {
            return;
        }
        // Of two that are equal, the later one is said.
        let is_first = inner.addresses == outer.addresses && inner.span.start < outer.span.start;
        if !is_first && lies_in(inner.addresses, outer.addresses) {
            let name = format!("`{}`", outer.name);
            self.report(&inner.name, inner.span, &name, outer.span);
        }
    }

    /// One prefix may hold the network's IPv4 addresses and another its IPv6 ones.
    fn network_in_prefixes(
        &mut self,
        inner: &Element<'_>,
        prefixes: &[(IpNet, Span)],
        together: &PrefixSet,
    ) {
        if self.spend()
            && lies_in(inner.addresses, together)
            && let Some((_, at)) = prefixes.first()
        {
            self.report(&inner.name, inner.span, "the prefixes", *at);
        }
    }

    /// Whether the budget lasts for one step more.
    fn spend(&mut self) -> bool {
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or(0);
        left.is_some()
    }

    fn network(&self, name: &str, span: Span) -> Option<Element<'a>> {
        let id = self.set.networks.find(name)?;
        Some(Element {
            name: name.to_owned(),
            span,
            addresses: self.addresses.network(id)?,
        })
    }

    /// Prefixes lie in each other or apart: sorted, each lies in the last one
    /// that lies in none, or in none.
    fn prefixes_in_prefixes(&mut self, prefixes: &mut [(IpNet, Span)]) {
        prefixes.sort_by_key(|(prefix, _)| (prefix.network(), prefix.prefix_len()));
        let mut widest: Option<(IpNet, Span)> = None;
        for &(prefix, span) in &*prefixes {
            match widest {
                Some((outer, at)) if outer.contains(&prefix) => {
                    let name = format!("`{}`", display_prefix(outer));
                    self.report(&display_prefix(prefix), span, &name, at);
                }
                Some(_) | None => widest = Some((prefix, span)),
            }
        }
    }

    fn report(&mut self, inner: &str, span: Span, outer: &str, at: Span) {
        let message = format!("`{inner}` lies wholly in {outer} that the list has too");
        self.findings.push(
            Diagnostic::new(&CODE, span, message)
                .label("has no effect")
                .also(at, "this is there already")
                .help("remove it, or narrow the other"),
        );
    }
}

/// Whether every address of `inner`, at least one, is one of `outer`'s.
fn lies_in(inner: &PrefixSet, outer: &PrefixSet) -> bool {
    !inner.is_empty() && covers(outer.v4(), inner.v4()) && covers(outer.v6(), inner.v6())
}
