//! Texts that some regular expressions match and another does not, shortest
//! first: a search through the product of their automata, capped.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use regex_automata::dfa::{Automaton, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};

use crate::space::diagram::OverBudget;

/// Bytes that one automaton may take.
const AUTOMATON: usize = 4 << 20;
/// States of a product that are looked at before the question is given up.
const STATES: usize = 100_000;

type Dfa = dense::DFA<Vec<u32>>;

/// Automata of regular expressions, each made once.
#[derive(Default)]
pub(super) struct Automata {
    known: HashMap<String, Option<Rc<Dfa>>>,
}

/// Any text at all: keeps the search within UTF-8.
const TEXT: &str = r"\A(?s:.)*\z";

impl Automata {
    /// The shortest text that each of `wanted` matches and `unwanted`, if given,
    /// does not; none where there is none. Each expression is anchored at both ends.
    ///
    /// # Errors
    /// The automata, or their product, are too large.
    pub(super) fn shortest(
        &mut self,
        wanted: &[&str],
        unwanted: Option<&str>,
    ) -> Result<Option<String>, OverBudget> {
        let mut parts = vec![self.automaton(TEXT)?];
        for pattern in wanted {
            parts.push(self.automaton(pattern)?);
        }
        let positive = parts.len();
        if let Some(pattern) = unwanted {
            parts.push(self.automaton(pattern)?);
        }
        Product { parts, positive }.shortest()
    }

    fn automaton(&mut self, pattern: &str) -> Result<Rc<Dfa>, OverBudget> {
        if let Some(known) = self.known.get(pattern) {
            return known.clone().ok_or(OverBudget);
        }
        let config = dense::Config::new()
            .match_kind(MatchKind::All)
            .minimize(false)
            .dfa_size_limit(Some(AUTOMATON))
            .determinize_size_limit(Some(AUTOMATON));
        let made = dense::Builder::new().configure(config).build(pattern);
        let made = made.ok().map(Rc::new);
        self.known.insert(pattern.to_owned(), made.clone());
        made.ok_or(OverBudget)
    }
}

struct Product {
    parts: Vec<Rc<Dfa>>,
    /// How many of the first must match; the others must not.
    positive: usize,
}

impl Product {
    /// Breadth first, so that what is found is shortest; letters first, so that it reads well.
    fn shortest(&self) -> Result<Option<String>, OverBudget> {
        let anchored = start::Config::new().anchored(Anchored::Yes);
        let start: Result<Vec<StateID>, _> = (self.parts.iter())
            .map(|part| part.start_state(&anchored))
            .collect();
        let start = start.map_err(|_| OverBudget)?;
        let bytes = self.telling_bytes();
        let mut came_from: HashMap<Vec<StateID>, Option<(Vec<StateID>, u8)>> = HashMap::new();
        let mut open = VecDeque::from([start.clone()]);
        came_from.insert(start, None);
        while let Some(here) = open.pop_front() {
            if self.accepts(&here) {
                return Ok(spelled(&came_from, here));
            }
            if came_from.len() > STATES {
                return Err(OverBudget);
            }
            for &byte in &bytes {
                let next = self.step(&here, byte);
                if self.is_lost(&next) || came_from.contains_key(&next) {
                    continue;
                }
                came_from.insert(next.clone(), Some((here.clone(), byte)));
                open.push_back(next);
            }
        }
        Ok(None)
    }

    fn step(&self, states: &[StateID], byte: u8) -> Vec<StateID> {
        let parts = self.parts.iter().zip(states);
        parts
            .map(|(part, &state)| part.next_state(state, byte))
            .collect()
    }

    fn accepts(&self, states: &[StateID]) -> bool {
        let parts = self.parts.iter().zip(states).enumerate();
        let mut verdicts = parts.map(|(at, (part, &state))| {
            let matches = part.is_match_state(part.next_eoi_state(state));
            matches == (at < self.positive)
        });
        verdicts.all(|fits| fits)
    }

    /// Whether nothing that follows can match one that must.
    fn is_lost(&self, states: &[StateID]) -> bool {
        let mut must = self.parts.iter().zip(states).take(self.positive);
        must.any(|(part, &state)| part.is_dead_state(state) || part.is_quit_state(state))
    }

    /// One byte of each sort that the automata tell apart, the most readable first.
    fn telling_bytes(&self) -> Vec<u8> {
        let mut seen = std::collections::HashSet::new();
        let letters = b'a'..=b'z';
        let order = letters
            .chain(b'0'..=b'9')
            .chain(*b"-_. @/:")
            .chain(b'!'..=b'~')
            .chain(0..=255);
        let sort = |byte: u8| -> Vec<u8> {
            let classes = self.parts.iter();
            classes.map(|part| part.byte_classes().get(byte)).collect()
        };
        order.filter(|&byte| seen.insert(sort(byte))).collect()
    }
}

fn spelled(
    came_from: &HashMap<Vec<StateID>, Option<(Vec<StateID>, u8)>>,
    end: Vec<StateID>,
) -> Option<String> {
    let mut bytes = Vec::new();
    let mut here = &end;
    while let Some(Some((before, byte))) = came_from.get(here) {
        bytes.push(*byte);
        here = before;
    }
    bytes.reverse();
    String::from_utf8(bytes).ok()
}
