//! One line, judged: whether the candidate decides it otherwise, and how.
//!
//! Most records come out as they did, and for them the verdict is enough: words
//! are made for those that do not.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::Replay;
use super::cause::{Cause, Lacking, cause, lacking};
use super::report::Class;
use crate::decision::{Decision, Obligation, RuleRef};
use crate::eval::unlock::Gate;
use crate::eval::{Classified, Program, Verdict};
use crate::record::line::{AskedLine, DecisionLine, Line, LineError, UnlockLine};
use crate::request::{UnlockFacts, UnlockRequest};
use crate::vocabulary::{Outcome, ReasonCode};

/// How many sets of tags are kept with what they fall under.
const KEPT: usize = 4096;

/// Judges lines, one after the other.
#[derive(Debug)]
pub struct Judge<'a> {
    replay: &'a Replay,
    /// By tags as they are written.
    classes: HashMap<Box<str>, Rc<Classes>>,
    /// The instants at which somebody begins or ends to stand in for another.
    turns: Vec<Timestamp>,
}

/// What a device of some tags falls under.
#[derive(Debug)]
struct Classes {
    candidate: Classified,
    baseline: Option<Classified>,
    /// For whom the candidate has it wait where nobody has approved, as records
    /// have it; with the stretch of time in which these persons may approve.
    waiting: RefCell<Option<(usize, Rc<Waiting>)>>,
}

/// The lists of a pending decision, as they are written.
#[derive(Debug)]
struct Waiting {
    groups: String,
    approvers: String,
}

/// What became of one line.
#[derive(Debug)]
pub struct Judged {
    /// For how many requests it stands.
    pub count: u64,
    /// How the candidate differs; none where it does not.
    pub flip: Option<Flip>,
}

/// A difference.
#[derive(Debug)]
pub struct Flip {
    /// In which direction.
    pub class: Class,
    /// Through which rule.
    pub cause: Cause,
    /// What the baseline decides; none where the record itself is compared.
    pub before: Option<Decision>,
    /// What the candidate decides.
    pub after: Decision,
}

/// An earlier decision, as far as it is known and compared.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) outcome: Outcome,
    pub(super) codes: Vec<ReasonCode>,
    pub(super) rule: Option<RuleRef>,
    pub(super) obligations: Option<Vec<Obligation>>,
    pub(super) groups: Option<Vec<String>>,
    pub(super) approvers: Option<Vec<String>>,
}

impl<'a> Judge<'a> {
    /// A judge by these policies.
    pub fn new(replay: &'a Replay) -> Self {
        let persons = replay.candidate.set().persons.iter();
        let periods = persons.flat_map(|(_, person)| &person.delegations);
        let mut turns: Vec<Timestamp> = periods
            .flat_map(|one| [one.period.from, one.period.until])
            .collect();
        turns.sort_unstable();
        Judge {
            replay,
            classes: HashMap::new(),
            turns,
        }
    }

    /// Judges one line, without its end.
    ///
    /// # Errors
    /// What makes the line no record.
    pub fn judge(&mut self, line: &[u8]) -> Result<Judged, LineError> {
        let line = Line::parse(line)?;
        let flip = match &line.asked {
            AskedLine::Unlock(asked, facts) => self.unlock(&line, asked, facts)?,
            AskedLine::Issuance(..) => self.issuance(&line)?,
        };
        Ok(Judged {
            count: line.count,
            flip,
        })
    }

    fn unlock(
        &mut self,
        line: &Line<'_>,
        asked: &UnlockLine<'_>,
        facts: &UnlockFacts,
    ) -> Result<Option<Flip>, LineError> {
        let classes = self.classes(asked.tags)?;
        let Replay {
            candidate,
            baseline,
        } = self.replay;
        // Tags are in the class, and the other texts decide nothing.
        let request = UnlockRequest {
            device: String::new(),
            tags: BTreeMap::new(),
            state: asked.state,
            source: asked.source,
            kid: None,
        };
        let class = &classes.candidate;
        let verdict = candidate.judge_unlock(class, &request, facts, line.time);
        let before = match (baseline, &classes.baseline) {
            (Some(program), Some(class)) => {
                let earlier = program.judge_unlock(class, &request, facts, line.time);
                if is_bare(verdict) && is_bare(earlier) && verdict.code == earlier.code {
                    return Ok(None);
                }
                Some(program.explain_unlock(class, &request, facts, line.time, earlier))
            }
            (Some(_) | None, _) => {
                let is_same = line.decision.as_ref().is_some_and(|recorded| {
                    is_as_recorded(verdict, recorded)
                        || self.waits_as_recorded(&classes, (&request, facts), line, verdict)
                });
                if is_same {
                    return Ok(None);
                }
                None
            }
        };
        let after = candidate.explain_unlock(class, &request, facts, line.time, verdict);
        let lacking = lacking::unlock(class, &after, line.has_facts);
        flip(line, before, after, lacking)
    }

    /// Whether a device for which nobody has approved plainly waits for whom it
    /// was recorded to wait.
    fn waits_as_recorded(
        &self,
        classes: &Classes,
        (request, facts): (&UnlockRequest, &UnlockFacts),
        line: &Line<'_>,
        verdict: Verdict,
    ) -> bool {
        let Some(recorded) = &line.decision else {
            return false;
        };
        let is_plain = verdict.gate == Gate::Waiting
            && verdict.overridden.is_empty()
            && facts.approvals.is_empty()
            && recorded.outcome == Outcome::Pending
            && recorded.reasons.is_just(verdict.code)
            && is_empty(recorded.obligations);
        if !is_plain {
            return false;
        }
        let stretch = self.turns.partition_point(|&turn| turn <= line.time);
        let mut kept = classes.waiting.borrow_mut();
        let known = kept.as_ref().filter(|(of, _)| *of == stretch);
        let waiting = match known {
            Some((_, waiting)) => Rc::clone(waiting),
            None => {
                let (program, class) = (&self.replay.candidate, &classes.candidate);
                let said = program.explain_unlock(class, request, facts, line.time, verdict);
                let text = |list| serde_json::to_string(list).unwrap_or_default();
                let made = Rc::new(Waiting {
                    groups: text(&said.groups),
                    approvers: text(&said.approvers),
                });
                *kept = Some((stretch, Rc::clone(&made)));
                made
            }
        };
        let is = |list: Option<&RawValue>, text: &str| list.is_none_or(|list| list.get() == text);
        is(recorded.groups, &waiting.groups) && is(recorded.approvers, &waiting.approvers)
    }

    fn issuance(&mut self, line: &Line<'_>) -> Result<Option<Flip>, LineError> {
        let AskedLine::Issuance(request, facts) = &line.asked else {
            return Ok(None);
        };
        let Replay {
            candidate,
            baseline,
        } = self.replay;
        let allows = |program: &Program| program.plainly_allows_issuance(request, facts, line.time);
        let was_allowed = match (baseline, &line.decision) {
            (Some(program), _) => allows(program),
            (None, recorded) => recorded.as_ref().is_some_and(is_recorded_as_allowed),
        };
        if was_allowed && allows(candidate) {
            return Ok(None);
        }
        let decide = |program: &Program| program.decide_issuance(request, facts, line.time);
        let after = decide(candidate);
        let before = baseline.as_ref().map(decide);
        let lacking = lacking::issuance(&after, line.has_facts);
        flip(line, before, after, lacking)
    }

    /// What devices of these tags fall under.
    fn classes(&mut self, tags: Option<&RawValue>) -> Result<Rc<Classes>, LineError> {
        let text = tags.map_or("{}", RawValue::get);
        if let Some(known) = self.classes.get(text) {
            return Ok(Rc::clone(known));
        }
        let tags: BTreeMap<String, String> = serde_json::from_str(text)?;
        let baseline = self.replay.baseline.as_ref();
        let made = Rc::new(Classes {
            candidate: self.replay.candidate.classify(&tags),
            baseline: baseline.map(|program| program.classify(&tags)),
            waiting: RefCell::new(None),
        });
        if self.classes.len() >= KEPT {
            self.classes.clear();
        }
        self.classes.insert(text.into(), Rc::clone(&made));
        Ok(made)
    }
}

/// Whether a verdict's code says all: nobody is waited for, and nothing spent.
fn is_bare(verdict: Verdict) -> bool {
    verdict.gate == Gate::Open && verdict.overridden.is_empty()
}

/// Whether a bare verdict is plainly the one recorded; where it is not, the
/// decisions are compared whole.
fn is_as_recorded(verdict: Verdict, recorded: &DecisionLine<'_>) -> bool {
    is_bare(verdict)
        && verdict.outcome() == recorded.outcome
        && recorded.reasons.is_just(verdict.code)
        && is_without_lists(recorded)
}

/// Whether it is recorded as allowed, with nobody asked and nothing done first.
fn is_recorded_as_allowed(recorded: &DecisionLine<'_>) -> bool {
    recorded.outcome == Outcome::Allow
        && recorded.reasons.is_just(ReasonCode::Allowed)
        && is_without_lists(recorded)
}

fn is_without_lists(recorded: &DecisionLine<'_>) -> bool {
    is_empty(recorded.obligations) && is_empty(recorded.groups) && is_empty(recorded.approvers)
}

/// Whether a list is recorded as empty, or not at all.
fn is_empty(list: Option<&RawValue>) -> bool {
    list.is_none_or(|list| list.get() == "[]")
}

/// Compares the decisions.
fn flip(
    line: &Line<'_>,
    before: Option<Decision>,
    after: Decision,
    lacking: Option<Lacking>,
) -> Result<Option<Flip>, LineError> {
    let said = match (&before, &line.decision) {
        (Some(before), _) => Said::decided(before),
        (None, Some(recorded)) => Said::recorded(recorded)?,
        (None, None) => {
            let missing = serde::de::Error::missing_field("decision");
            return Err(LineError::Json(missing));
        }
    };
    let Some(class) = class(&said, &after) else {
        return Ok(None);
    };
    let (class, cause) = match lacking {
        // It was lacking before, too, and is only said otherwise.
        Some(lacking) if said.codes.first() != Some(&lacking.code) => {
            (Class::Lacking, lacking.cause)
        }
        Some(_) | None => (class, cause(class, &said, &after, &line.asked)),
    };
    Ok(Some(Flip {
        class,
        cause,
        before,
        after,
    }))
}

/// In which direction the candidate differs.
fn class(before: &Said, after: &Decision) -> Option<Class> {
    let rank = |outcome: Outcome| match outcome {
        Outcome::Deny => 0,
        Outcome::Pending => 1,
        Outcome::Allow => 2,
    };
    match rank(after.outcome).cmp(&rank(before.outcome)) {
        std::cmp::Ordering::Greater => Some(Class::Widened),
        std::cmp::Ordering::Less => Some(Class::Narrowed),
        std::cmp::Ordering::Equal => (!is_same(before, after)).then_some(Class::Changed),
    }
}

/// Whether two decisions of one outcome give the same codes and require the
/// same. What an earlier one does not say is not compared.
fn is_same(before: &Said, after: &Decision) -> bool {
    let codes = after.reasons.iter().map(|reason| reason.code);
    let sorted = |list: &[Obligation]| {
        let mut list = list.to_vec();
        list.sort();
        list
    };
    (before.codes.is_empty() || before.codes.iter().copied().eq(codes))
        && (before.groups.as_ref()).is_none_or(|groups| *groups == after.groups)
        && (before.approvers.as_ref()).is_none_or(|persons| *persons == after.approvers)
        && (before.obligations.as_ref())
            .is_none_or(|obligations| sorted(obligations) == sorted(&after.obligations))
}

impl Said {
    fn decided(decision: &Decision) -> Said {
        let mut rules = decision.reasons.iter().filter_map(|one| one.rule.clone());
        Said {
            outcome: decision.outcome,
            codes: decision.reasons.iter().map(|one| one.code).collect(),
            rule: rules.next(),
            obligations: Some(decision.obligations.clone()),
            groups: Some(decision.groups.clone()),
            approvers: Some(decision.approvers.clone()),
        }
    }

    fn recorded(decision: &DecisionLine<'_>) -> Result<Said, LineError> {
        fn read<T: serde::de::DeserializeOwned>(
            raw: Option<&RawValue>,
        ) -> Result<Option<T>, LineError> {
            let read = raw.map(|raw| serde_json::from_str(raw.get()));
            Ok(read.transpose()?)
        }
        Ok(Said {
            outcome: decision.outcome,
            codes: decision.reasons.codes().collect(),
            rule: read(decision.reasons.rule)?,
            obligations: read(decision.obligations)?,
            groups: read(decision.groups)?,
            approvers: read(decision.approvers)?,
        })
    }
}
