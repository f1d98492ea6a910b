//! Networks that name themselves, by whatever way.

use crate::diagnostic::Diagnostic;
use crate::ir::NetworkId;
use crate::ir::table::Id;
use crate::syntax::tree::{self, Name, NetworkBody, NetworkItem};

use super::codes::networks as codes;
use super::report::Report;
use super::scope::Scope;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done,
}

/// Reports each cycle once, at the reference that closes it.
pub(super) fn report_cycles(items: &[&NetworkItem], scope: &Scope, report: &mut Report) {
    let mut walk = Walk::new(items, scope);
    for start in 0..walk.edges.len() {
        if walk.mark(start) == Mark::New {
            walk.visit(start, report);
        }
    }
}

struct Walk<'a> {
    names: Vec<&'a str>,
    /// The networks that each network names, and where.
    edges: Vec<Vec<(usize, &'a Name)>>,
    marks: Vec<Mark>,
}

impl<'a> Walk<'a> {
    fn new(items: &[&'a NetworkItem], scope: &Scope) -> Self {
        let count = scope.names.count(super::names::Kind::Network);
        let mut walk = Walk {
            names: vec![""; count],
            edges: vec![Vec::new(); count],
            marks: vec![Mark::New; count],
        };
        for item in items {
            let find = |name: &str| scope.names.find::<NetworkId>(name).map(Id::index);
            let NetworkBody::List(elements) = &item.body else {
                continue;
            };
            let named = elements.iter().filter_map(|element| match element {
                tree::Source::Network(name) => Some((find(&name.value)?, name)),
                tree::Source::Prefix(_) => None,
            });
            if let Some(index) = find(&item.name.value)
                && let (Some(name), Some(edges)) =
                    (walk.names.get_mut(index), walk.edges.get_mut(index))
            {
                *name = &item.name.value;
                edges.extend(named);
            }
        }
        walk
    }

    fn mark(&self, index: usize) -> Mark {
        self.marks.get(index).copied().unwrap_or(Mark::Done)
    }

    fn set(&mut self, index: usize, mark: Mark) {
        if let Some(place) = self.marks.get_mut(index) {
            *place = mark;
        }
    }

    /// Walks from `start` in depth, without recursion: a chain may be long.
    fn visit(&mut self, start: usize, report: &mut Report) {
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        self.set(start, Mark::Open);
        while let Some((current, next)) = path.last_mut() {
            let edge = self.edges.get(*current).and_then(|edges| edges.get(*next));
            *next += 1;
            let Some(&(to, name)) = edge else {
                let done = *current;
                self.set(done, Mark::Done);
                path.pop();
                continue;
            };
            match self.mark(to) {
                Mark::New => {
                    self.set(to, Mark::Open);
                    path.push((to, 0));
                }
                Mark::Open => self.report(&path, to, name, report),
                Mark::Done => {}
            }
        }
    }

    fn report(&self, path: &[(usize, usize)], to: usize, name: &Name, report: &mut Report) {
        let cycle = path.iter().skip_while(|&&(index, _)| index != to);
        let mut names: Vec<&str> = cycle
            .filter_map(|&(index, _)| self.names.get(index).copied())
            .collect();
        names.push(&name.value);
        let message = match names.as_slice() {
            [_, _] => format!("the network `{}` names itself", name.value),
            _ => format!("these networks name each other: {}", joined(&names)),
        };
        let diagnostic = Diagnostic::new(&codes::NETWORK_CYCLE, name.span, message);
        report.push(diagnostic.help("take this name out of the list"));
    }
}

/// The names on the way round, in the middle of a very long one but counted.
fn joined(names: &[&str]) -> String {
    let (Some(first), Some(last)) = (names.first_chunk::<10>(), names.last_chunk::<10>()) else {
        return names.join(" → ");
    };
    match names.len().saturating_sub(first.len() + last.len()) {
        0 => names.join(" → "),
        left => format!("{} → {left} more → {}", first.join(" → "), last.join(" → ")),
    }
}
