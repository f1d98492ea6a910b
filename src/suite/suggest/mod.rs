//! Test blocks for what no test reaches, ready to be pasted.
//!
//! A device or a request is looked for that reaches it, and is decided; what
//! comes out is what the block expects, so that it passes today and says when
//! that changes. Whether it is what was meant is for the reader to judge.
//!
//! [`exact`] finds what waits for people, [`tags`] other devices, [`unlock`] what
//! to ask of them; [`issuance`] builds requests, [`sample`] values that patterns
//! match; [`text`] writes blocks. The search has a budget, and what it does not
//! find is said.

mod exact;
mod issuance;
mod sample;
mod tags;
mod text;
mod unlock;

use super::coverage::{Coverage, Kind, Reached, Unreached};
use super::edges::Edges;
use crate::eval::Program;
use exact::Exact;

/// How many edges of one network or line a block asks from.
const EDGES: usize = 12;

/// A test block, and what it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What the block is for, and how it is called.
    pub name: String,
    /// The block.
    pub block: String,
}

/// What can be suggested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestions {
    /// The blocks.
    pub blocks: Vec<Suggestion>,
    /// What no block was found for.
    pub not_found: Vec<Unreached>,
    /// How many edges are left to be asked from, for there are many.
    pub edges_left: usize,
}

/// Suggests blocks for what `coverage` says is not reached.
pub fn suggest(program: &Program, coverage: &Coverage) -> Suggestions {
    let mut found = Suggestions::default();
    // A block for one thing often reaches another.
    let mut reached = Reached::default();
    let mut exact = Exact::of(program.set());
    for one in &coverage.unreached {
        if reached.has(program, one.kind, &one.name) {
            continue;
        }
        let block = match one.kind {
            Kind::Unlock | Kind::AllowOnce | Kind::Network => {
                unlock::reach(program, &mut exact, one)
            }
            Kind::Issuance => issuance::reach(program, one),
            Kind::Approval => {
                unlock::reach(program, &mut exact, one).or_else(|| issuance::reach(program, one))
            }
        };
        let Some(block) = block else {
            found.not_found.push(one.clone());
            continue;
        };
        reached.add(program, block.from, &block.decision);
        let name = format!("{} {}", one.kind.word(), one.name);
        let name = unused(program, &found.blocks, &name);
        found.blocks.push(Suggestion {
            block: text::test(&name, &block.subject, &[block.line]),
            name,
        });
    }
    for edges in &coverage.edges {
        let of = Edges {
            missing: edges.missing.iter().copied().take(EDGES).collect(),
            ..edges.clone()
        };
        let Some((subject, lines)) = unlock::edges(program, &of) else {
            found.edges_left += edges.missing.len();
            continue;
        };
        found.edges_left += edges.missing.len() - of.missing.len();
        let line = program.set().sources.position(edges.span).line;
        let place = match edges.kind {
            Kind::Network => String::new(),
            Kind::Unlock | Kind::AllowOnce | Kind::Approval | Kind::Issuance => {
                format!(", line {line}")
            }
        };
        let name = format!("edges of {} {}{place}", edges.kind.word(), edges.name);
        let name = unused(program, &found.blocks, &name);
        found.blocks.push(Suggestion {
            block: text::test(&name, &subject, &lines),
            name,
        });
    }
    found
}

/// A name that no test has yet, and no block.
fn unused(program: &Program, blocks: &[Suggestion], name: &str) -> String {
    let taken = |name: &str| {
        let mut tests = program.set().tests.iter();
        tests.any(|test| test.name == name) || blocks.iter().any(|block| block.name == name)
    };
    let mut free = name.to_owned();
    let mut number = 2;
    while taken(&free) {
        free = format!("{name} ({number})");
        number += 1;
    }
    free
}

/// A block of one line, and the decision it expects.
struct Block {
    subject: String,
    line: String,
    from: Option<std::net::IpAddr>,
    decision: crate::decision::Decision,
}
