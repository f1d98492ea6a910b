//! Where certificate requests are decided differently.
//!
//! Subjects are cut into parts by what covers them under both sets. Within a
//! part each set lets a product of fields pass, so they are compared field by
//! field, and a part that is covered alike is not looked at.

mod show;

use std::collections::BTreeMap;

use super::region::{Cause, Class, Extent, Kind, Region, Side};
use super::requirement::{Meaning, bypass_cause, bypasses_differ, cause, until_words};
use crate::analyze::issuance::{Cover, Excess, Issuances, Passing, Value};
use crate::ir::PolicySet;
use crate::space::diagram::{Diagram, FALSE, OverBudget};
use crate::vocabulary::Action;
use show::field_words;

/// Regions alike but for their subjects are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    class: Class,
    kind: Kind,
    before: String,
    after: String,
    rule: Option<Cause>,
    with: Option<String>,
}

struct Found {
    subjects: Diagram,
    /// The part that was found first, and what makes a request of it one of the
    /// region: another part may demand other values.
    first: Diagram,
    values: Vec<Value>,
}

/// Every difference between the certificate requests of two sets.
pub(super) fn compare<'a>(issuances: &mut Issuances<'a>, sets: [&'a PolicySet; 2]) -> Vec<Region> {
    let mut comparer = Comparer {
        sets,
        found: BTreeMap::new(),
        undecided: FALSE,
    };
    match comparer.parts(issuances) {
        Ok(()) => {}
        Err(OverBudget) => {
            return vec![Region::not_decided(
                Kind::Issuance,
                "any certificate request",
            )];
        }
    }
    let mut regions: Vec<Region> = std::mem::take(&mut comparer.found)
        .into_iter()
        .map(|(key, found)| comparer.region(issuances, key, found))
        .collect();
    if comparer.undecided != FALSE {
        let mut region = Region::not_decided(Kind::Issuance, "any certificate request");
        let (places, and_more) = comparer.places(issuances, comparer.undecided, None);
        region.places = places;
        region.and_more = and_more;
        region.extent = Extent::Issuance(comparer.undecided);
        regions.push(region);
    }
    regions
}

struct Comparer<'a> {
    sets: [&'a PolicySet; 2],
    found: BTreeMap<Key, Found>,
    undecided: Diagram,
}

impl<'a> Comparer<'a> {
    /// Looks at each part of the subjects, action by action.
    fn parts(&mut self, issuances: &mut Issuances<'a>) -> Result<(), OverBudget> {
        let (old, new) = (issuances.partition(0), issuances.partition(1));
        let known = [issuances.permitted(0), issuances.permitted(1)];
        for &action in Action::ALL {
            let of_action = issuances.actions(&[action])?;
            let d = &mut issuances.diagrams;
            let both = d.and(known[0], known[1])?;
            let both = d.and(both, of_action)?;
            for (pair, subjects) in pairs(issuances, old, new, both)? {
                self.part(issuances, action, pair, subjects)?;
            }
            for side in [Side::Old, Side::New] {
                let (own, other) = (*side.of(&known), *side.other().of(&known));
                let alone = issuances.diagrams.minus(own, other)?;
                let alone = issuances.diagrams.and(alone, of_action)?;
                self.declared_by_one(issuances, action, side, alone)?;
            }
        }
        Ok(())
    }

    fn part(
        &mut self,
        issuances: &mut Issuances<'a>,
        action: Action,
        pair: [u32; 2],
        subjects: Diagram,
    ) -> Result<(), OverBudget> {
        let covers = [issuances.cover(0, pair[0]), issuances.cover(1, pair[1])];
        let [before, after] = &covers;
        let passing = [
            issuances.passing(0, action, before),
            issuances.passing(1, action, after),
        ];
        let judged = self.judge(issuances, &covers, &passing, subjects);
        if judged.is_err() {
            self.undecided = issuances.diagrams.or(self.undecided, subjects)?;
        }
        Ok(())
    }

    fn judge(
        &mut self,
        issuances: &mut Issuances<'a>,
        covers: &[Cover; 2],
        passing: &[Passing<'a>; 2],
        subjects: Diagram,
    ) -> Result<(), OverBudget> {
        let [old, new] = passing;
        if old.is_alike(new) {
            return self.gate(issuances, covers, passing, subjects);
        }
        let simplest = [issuances.simplest(old)?, issuances.simplest(new)?];
        let words = covers.clone().map(|cover| match cover.groups.is_empty() {
            true => "allow",
            false => "pending",
        });
        match simplest {
            [None, None] => {
                if old.never() != new.never() {
                    let code = |passing: &Passing<'_>| match passing.never() {
                        Some(code) => format!("deny {code}"),
                        None => "deny".to_owned(),
                    };
                    let rule = self.policy_cause(covers);
                    self.add(
                        issuances,
                        Key {
                            class: Class::Relabelled,
                            kind: Kind::Issuance,
                            before: code(old),
                            after: code(new),
                            rule,
                            with: None,
                        },
                        subjects,
                        Vec::new(),
                    )?;
                }
            }
            [None, Some(values)] => {
                let rule = self.policy_cause(covers);
                self.outcome(issuances, ("deny", words[1]), rule, None, subjects, values)?;
            }
            [Some(values), None] => {
                let rule = self.policy_cause(covers);
                self.outcome(issuances, (words[0], "deny"), rule, None, subjects, values)?;
            }
            [Some(before), Some(after)] => {
                // What both let pass shows a difference best: nothing else fails.
                let common = issuances.common(old, new)?;
                let before = common.clone().unwrap_or(before);
                let after = common.unwrap_or(after);
                for excess in issuances.beyond(new, old)? {
                    let rule = self.refusal(Side::Old, &excess, covers);
                    let values = replaced(&after, &excess.value);
                    self.outcome(
                        issuances,
                        ("deny", words[1]),
                        rule,
                        Some(&excess),
                        subjects,
                        values,
                    )?;
                }
                for excess in issuances.beyond(old, new)? {
                    let rule = self.refusal(Side::New, &excess, covers);
                    let values = replaced(&before, &excess.value);
                    self.outcome(
                        issuances,
                        (words[0], "deny"),
                        rule,
                        Some(&excess),
                        subjects,
                        values,
                    )?;
                }
                self.relabelled(issuances, covers, passing, (subjects, &after))?;
                self.gate(issuances, covers, passing, subjects)?;
            }
        }
        Ok(())
    }

    /// What both let pass, and whom it waits for.
    fn gate(
        &mut self,
        issuances: &mut Issuances<'a>,
        covers: &[Cover; 2],
        passing: &[Passing<'a>; 2],
        subjects: Diagram,
    ) -> Result<(), OverBudget> {
        let groups = [covers[0].groups.as_slice(), covers[1].groups.as_slice()];
        let meanings = [
            Meaning::of(self.sets[0], groups[0]),
            Meaning::of(self.sets[1], groups[1]),
        ];
        let bypasses = [covers[0].bypasses.as_slice(), covers[1].bypasses.as_slice()];
        let gated = groups.iter().any(|groups| !groups.is_empty());
        let bypassed = gated && bypasses_differ(self.sets, bypasses);
        if meanings[0] == meanings[1] && !bypassed {
            return Ok(());
        }
        let Some(values) = issuances.common(&passing[0], &passing[1])? else {
            return Ok(());
        };
        if bypassed {
            self.add(
                issuances,
                Key {
                    class: Class::Changed,
                    kind: Kind::Bypass,
                    before: until_words(self.sets[0], bypasses[0]),
                    after: until_words(self.sets[1], bypasses[1]),
                    rule: bypass_cause(self.sets, bypasses),
                    with: None,
                },
                subjects,
                values.clone(),
            )?;
        }
        let rule = cause(self.sets, groups);
        match meanings {
            [None, None] => Ok(()),
            [None, Some(_)] => self.outcome(
                issuances,
                ("allow", "pending"),
                rule,
                None,
                subjects,
                values,
            ),
            [Some(_), None] => self.outcome(
                issuances,
                ("pending", "allow"),
                rule,
                None,
                subjects,
                values,
            ),
            [Some(old), Some(new)] if old != new => self.add(
                issuances,
                Key {
                    class: Class::Changed,
                    kind: Kind::Requirement,
                    before: old.words(&new),
                    after: new.words(&old),
                    rule,
                    with: None,
                },
                subjects,
                values,
            ),
            [Some(_), Some(_)] => Ok(()),
        }
    }

    /// Names that both refuse, one as denied and the other as not allowed.
    fn relabelled(
        &mut self,
        issuances: &mut Issuances<'a>,
        covers: &[Cover; 2],
        passing: &[Passing<'_>; 2],
        (subjects, values): (Diagram, &[Value]),
    ) -> Result<(), OverBudget> {
        for (name, [before, after]) in passing[0].relabelled_names(&passing[1])? {
            let rule = self.policy_cause(covers);
            self.add(
                issuances,
                Key {
                    class: Class::Relabelled,
                    kind: Kind::Issuance,
                    before: format!("deny {before}"),
                    after: format!("deny {after}"),
                    rule,
                    with: Some(format!("san such as {name}")),
                },
                subjects,
                replaced(values, &Value::San(vec![name])),
            )?;
        }
        Ok(())
    }

    /// Subjects with a name that only one of the sets declares: the other denies
    /// them `evaluation-incomplete`.
    fn declared_by_one(
        &mut self,
        issuances: &mut Issuances<'a>,
        action: Action,
        side: Side,
        alone: Diagram,
    ) -> Result<(), OverBudget> {
        let partition = issuances.partition(side.index());
        for (pair, subjects) in pairs(issuances, partition, Diagram::constant(0), alone)? {
            let cover = issuances.cover(side.index(), pair[0]);
            let passing = issuances.passing(side.index(), action, &cover);
            let word = if cover.groups.is_empty() {
                "allow"
            } else {
                "pending"
            };
            let mut covers = [Cover::default(), Cover::default()];
            *side.of_mut(&mut covers) = cover;
            let rule = self.policy_cause(&covers);
            match issuances.simplest(&passing) {
                Ok(Some(values)) => {
                    let words = if side == Side::New {
                        ("deny", word)
                    } else {
                        (word, "deny")
                    };
                    self.outcome(issuances, words, rule, None, subjects, values)?;
                }
                Ok(None) => {}
                Err(OverBudget) => {
                    self.undecided = issuances.diagrams.or(self.undecided, subjects)?;
                }
            }
        }
        Ok(())
    }

    fn outcome(
        &mut self,
        issuances: &mut Issuances<'a>,
        (before, after): (&str, &str),
        rule: Option<Cause>,
        excess: Option<&Excess>,
        subjects: Diagram,
        values: Vec<Value>,
    ) -> Result<(), OverBudget> {
        let rank = |word: &str| match word {
            "allow" => 2,
            "pending" => 1,
            _ => 0,
        };
        let class = match rank(before) < rank(after) {
            true => Class::Widened,
            false => Class::Narrowed,
        };
        let key = Key {
            class,
            kind: Kind::Issuance,
            before: before.to_owned(),
            after: after.to_owned(),
            rule,
            with: excess.map(field_words),
        };
        self.add(issuances, key, subjects, values)
    }

    fn add(
        &mut self,
        issuances: &mut Issuances<'a>,
        key: Key,
        subjects: Diagram,
        values: Vec<Value>,
    ) -> Result<(), OverBudget> {
        let found = self.found.entry(key).or_insert(Found {
            subjects: FALSE,
            first: subjects,
            values,
        });
        found.subjects = issuances.diagrams.or(found.subjects, subjects)?;
        Ok(())
    }
}

/// The values that pass, with one field's replaced.
fn replaced(values: &[Value], by: &Value) -> Vec<Value> {
    let same = std::mem::discriminant(by);
    let others = values
        .iter()
        .filter(|value| std::mem::discriminant(*value) != same);
    others.cloned().chain([by.clone()]).collect()
}

/// The parts of `care` by the pair of numbers that two partitions map them to.
fn pairs(
    issuances: &mut Issuances<'_>,
    old: Diagram,
    new: Diagram,
    care: Diagram,
) -> Result<Vec<([u32; 2], Diagram)>, OverBudget> {
    let mut known: std::collections::HashMap<[u32; 2], u32> = std::collections::HashMap::new();
    let mut pairs: Vec<[u32; 2]> = Vec::new();
    let d = &mut issuances.diagrams;
    let joined = d.combine(old, new, &mut |a, b| {
        *known.entry([a, b]).or_insert_with(|| {
            pairs.push([a, b]);
            u32::try_from(pairs.len()).unwrap_or(u32::MAX >> 1)
        })
    })?;
    // 0 is outside of `care`; pairs are numbered from 1.
    let within = d.combine(joined, care, &mut |number, inside| {
        if inside == 0 { 0 } else { number }
    })?;
    let mut parts = Vec::new();
    for number in d.numbers(within).into_iter().filter(|&number| number != 0) {
        let Some(&pair) = pairs.get(number as usize - 1) else {
            continue;
        };
        parts.push((pair, d.part(within, &|one| one == number)?));
    }
    Ok(parts)
}
