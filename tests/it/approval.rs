//! The state machine of approval requests, walked in every order to a depth,
//! and the counting of persons held against plain enumeration.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};
use panopol::approval::{
    Act, ApprovalRequest, By, Clause, GroupRequirement, NewRequest, Refused, Requirement, Step,
    Subject, Taken, Terms,
};
use panopol::vocabulary::{ApprovalState, Binds, Verdict};

const START: i64 = 1_800_000_000;
const BINDINGS: [&str; 2] = ["1", "2"];
const PEOPLE: [&str; 3] = ["ann", "ben", "eve"];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).unwrap()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn group(name: &str, mandatory: bool, clauses: Vec<Clause>, people: &[&str]) -> GroupRequirement {
    GroupRequirement {
        name: name.to_owned(),
        mandatory,
        clauses,
        approvers: set(people),
        escalations: Vec::new(),
    }
}

fn clause(count: u32, people: &[&str]) -> Clause {
    Clause {
        count,
        team: None,
        eligible: set(people),
    }
}

fn required(groups: Vec<GroupRequirement>) -> Requirement {
    Requirement {
        groups,
        terms: Terms {
            expires_s: 10,
            claim_s: 5,
            collect_s: 5,
            up_to: 1,
            binds: Binds::Address,
            deny_for_s: 5,
            comment_required: false,
        },
    }
}

/// The same of a team.
fn of_team(count: u32, people: &[&str]) -> Clause {
    Clause {
        team: Some(people.concat()),
        ..clause(count, people)
    }
}

/// The policies that a reload may bring: the team as it was, without one of
/// them, with another, and one that asks for two.
fn policies() -> Vec<Requirement> {
    let one = |people: &[&str]| required(vec![group("g", false, vec![clause(1, people)], people)]);
    vec![
        one(&["ann", "ben"]),
        one(&["ben"]),
        one(&["ben", "eve"]),
        required(vec![group(
            "g",
            false,
            vec![clause(2, &["ann", "ben"])],
            &["ann", "ben"],
        )]),
    ]
}

fn new(requirement: Requirement) -> NewRequest {
    NewRequest {
        id: "r".to_owned(),
        subject: Subject::Unlock {
            device: "d".to_owned(),
        },
        source: None,
        good_for: None,
        required: requirement.digest(),
        requirement,
        requesters: BTreeSet::new(),
        reason: None,
    }
}

fn act(person: &str, verdict: Verdict) -> Act {
    Act {
        by: By {
            person: person.to_owned(),
            persons: set(&[person]),
            credential: None,
        },
        verdict,
        note: None,
        shown: String::new(),
        policy: String::new(),
    }
}

/// One moment of a walk.
#[derive(Clone)]
struct Moment {
    row: ApprovalRequest,
    steps: Vec<Step>,
    seconds: i64,
    policy: usize,
}

impl Moment {
    fn key(&self) -> String {
        let row = &self.row;
        let said = row.decisions.iter();
        let said = said.map(|one| (&one.person, one.verdict, one.time));
        let said: Vec<_> = said.collect();
        let taken: Vec<_> = row.taken.iter().map(|one| &one.binding).collect();
        let when = (row.until, self.seconds, self.policy);
        format!(
            "{:?} {:?} {said:?} {taken:?} {when:?}",
            row.state, row.cause
        )
    }

    /// The moment after `step`, through JSON as the journal has it.
    fn after(&self, step: &Step) -> Moment {
        let text = serde_json::to_string(step).unwrap();
        let step: Step = serde_json::from_str(&text).unwrap();
        let version = self.row.version + 1;
        let row = self.row.after(&step, version).unwrap();
        let mut steps = self.steps.clone();
        steps.push(step);
        Moment {
            row,
            steps,
            ..self.clone()
        }
    }

    /// Approvals that count: given by who was listed when it was made and is
    /// listed now. Said again here, in other words than the machine's.
    fn counted(&self, policies: &[Requirement]) -> usize {
        let then = &self.row.new.requirement.groups[0].approvers;
        let now = &policies[self.policy].groups[0].approvers;
        let approving = self.row.decisions.iter();
        let persons: BTreeSet<&String> = approving
            .filter(|said| said.verdict == Verdict::Approve)
            .map(|said| &said.person)
            .filter(|person| then.contains(*person) && now.contains(*person))
            .collect();
        persons.len()
    }

    fn needed(&self) -> usize {
        self.row.new.requirement.groups[0].clauses[0].count as usize
    }
}

/// Every moment that one act leads to from here; what each may do is asserted.
fn successors(moment: &Moment, policies: &[Requirement]) -> Vec<Moment> {
    let now = at(moment.seconds);
    let current = &policies[moment.policy];
    let same = current.digest() == moment.row.new.required;
    let mut next = Vec::new();
    for person in PEOPLE {
        for verdict in [Verdict::Approve, Verdict::Deny, Verdict::Defer] {
            let state = moment.row.state_at(now);
            let Ok(step) = moment.row.judge(&act(person, verdict), Some(current), now) else {
                continue;
            };
            assert!(state.is_open(), "a decision on what is {state}");
            let entitled = [&moment.row.new.requirement, current]
                .iter()
                .all(|one| one.groups[0].approvers.contains(person));
            assert!(
                entitled && same,
                "a decision of {person}, who is not entitled"
            );
            let after = moment.after(&step);
            if after.row.state == ApprovalState::Approved {
                assert!(after.counted(policies) >= moment.needed());
            }
            next.push(after);
        }
    }
    for binding in BINDINGS {
        if !moment.row.holds(current, now) {
            continue;
        }
        let taken = Taken {
            binding: binding.to_owned(),
            source: "192.0.2.1".parse().unwrap(),
            time: now,
        };
        let all = BINDINGS.map(str::to_owned);
        let Ok(step) = moment.row.spend(taken, &all) else {
            continue;
        };
        let said = |verdict| {
            moment
                .row
                .decisions
                .iter()
                .any(|one| one.verdict == verdict)
        };
        assert!(!said(Verdict::Deny), "an allow after a deny");
        assert!(same && moment.counted(policies) >= moment.needed());
        let after = moment.after(&step);
        let uses = after.row.taken.iter().filter(|one| one.binding == binding);
        assert_eq!(uses.count(), 1, "two spends of one binding");
        next.push(after);
    }
    if let Some(step) = moment.row.lapse(Some(current), now) {
        next.push(moment.after(&step));
    }
    for seconds in [1, 6] {
        next.push(Moment {
            seconds: moment.seconds + seconds,
            ..moment.clone()
        });
    }
    for policy in 0..policies.len() {
        if policy != moment.policy {
            next.push(Moment {
                policy,
                ..moment.clone()
            });
        }
    }
    next
}

/// What must hold wherever a walk has come to.
fn check(moment: &Moment, policies: &[Requirement]) {
    // A crash: the row that its steps give again is the row.
    let begun = ApprovalRequest::begin(moment.row.new.clone(), at(0), 1);
    let again = moment
        .steps
        .iter()
        .fold(begun, |row, step| row.after(step, row.version + 1).unwrap());
    assert_eq!(again, moment.row);
    if moment.row.state.is_open() {
        return;
    }
    // No exit from a terminal state, by any word, by time or by policy.
    for policy in policies {
        for seconds in [0, 3, 30] {
            let now = at(moment.seconds + seconds);
            for person in PEOPLE {
                for verdict in [Verdict::Approve, Verdict::Deny, Verdict::Defer] {
                    let judged = moment.row.judge(&act(person, verdict), Some(policy), now);
                    assert!(matches!(
                        judged,
                        Err(Refused::Late { .. } | Refused::Repeated(_))
                    ));
                }
            }
            assert_eq!(moment.row.lapse(Some(policy), now), None);
        }
    }
    for step in &moment.steps {
        assert!(moment.row.after(step, 99).is_err(), "{step:?}");
    }
}

fn walk(first: usize, depth: usize) -> (usize, BTreeMap<ApprovalState, usize>) {
    let policies = policies();
    let row = ApprovalRequest::begin(new(policies[first].clone()), at(0), 1);
    let start = Moment {
        row,
        steps: Vec::new(),
        seconds: 0,
        policy: first,
    };
    let mut seen = HashSet::from([start.key()]);
    let mut states = BTreeMap::new();
    let mut layer = vec![start];
    for _ in 0..depth {
        let mut next = Vec::new();
        for moment in &layer {
            check(moment, &policies);
            *states.entry(moment.row.state).or_insert(0) += 1;
            for after in successors(moment, &policies) {
                if seen.insert(after.key()) {
                    next.push(after);
                }
            }
        }
        layer = next;
    }
    layer.iter().for_each(|moment| check(moment, &policies));
    (seen.len(), states)
}

#[test]
fn no_order_of_acts_spends_twice_revives_or_counts_who_is_not_entitled() {
    let depth = crate::support::asked("PANOPOL_MODEL_DEPTH", 6);
    for first in [0, 3] {
        let (moments, states) = walk(first, depth);
        assert!(moments > 10_000, "{moments} moments show little");
        use ApprovalState as S;
        for state in [
            S::Pending,
            S::Approved,
            S::Denied,
            S::Expired,
            S::Superseded,
        ] {
            assert!(states.contains_key(&state), "{state} is never reached");
        }
        if first == 0 {
            assert!(states.contains_key(&S::Collecting) && states.contains_key(&S::Spent));
        }
    }
}

/// Whether some assignment of distinct persons fills every clause: by trying all.
fn brute(seats: &[&BTreeSet<String>], persons: &[&str], used: &mut Vec<usize>) -> bool {
    let Some((seat, rest)) = seats.split_first() else {
        return true;
    };
    (0..persons.len()).any(|index| {
        if used.contains(&index) || !seat.contains(persons[index]) {
            return false;
        }
        used.push(index);
        let fits = brute(rest, persons, used);
        used.pop();
        fits
    })
}

/// The subset of four persons that the bits of `mask` name.
fn some_of(mask: u32) -> Vec<&'static str> {
    let all = ["ann", "ben", "cid", "dot"];
    let chosen = (0..4).filter(|bit| mask & (1 << bit) != 0);
    chosen.map(|bit| all[bit]).collect()
}

#[test]
fn clauses_are_filled_by_distinct_persons_and_not_greedily() {
    let everyone = some_of(15);
    for (a, b) in (1..16).flat_map(|a| (1..16).map(move |b| (a, b))) {
        for (x, y) in [(1, 1), (2, 1), (1, 2), (2, 2)] {
            let clauses = vec![of_team(x, &some_of(a)), of_team(y, &some_of(b))];
            let one = required(vec![group("g", false, clauses.clone(), &everyone)]);
            // Two mandatory groups are filled as two clauses are: one person counts once.
            let split = clauses.into_iter().enumerate();
            let split = split.map(|(index, one)| {
                let name = if index == 0 { "g" } else { "h" };
                group(name, true, vec![one], &everyone)
            });
            let two = required(split.collect());
            for approving in 0..16 {
                let persons = some_of(approving);
                let (first, second) = (set(&some_of(a)), set(&some_of(b)));
                let mut seats = vec![&first; x as usize];
                seats.extend(std::iter::repeat_n(&second, y as usize));
                let expected = brute(&seats, &persons, &mut Vec::new());
                for requirement in [&one, &two] {
                    let found = approved_by(requirement, &persons);
                    assert_eq!(found, expected, "{requirement:?} by {persons:?}");
                }
            }
        }
    }
}

/// Whether these persons, one after another, get a request approved.
fn approved_by(requirement: &Requirement, persons: &[&str]) -> bool {
    let mut row = ApprovalRequest::begin(new(requirement.clone()), at(0), 1);
    for person in persons {
        match row.judge(&act(person, Verdict::Approve), Some(requirement), at(1)) {
            Ok(step) => row = row.after(&step, row.version + 1).unwrap(),
            Err(Refused::Late { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    row.state == ApprovalState::Approved
}

#[test]
fn any_one_group_is_enough_where_none_is_mandatory() {
    let requirement = required(vec![
        group(
            "g",
            false,
            vec![clause(2, &["ann", "ben"])],
            &["ann", "ben"],
        ),
        group("h", false, vec![clause(1, &["cid"])], &["cid"]),
    ]);
    assert_eq!(requirement.persons(), 1);
    assert!(approved_by(&requirement, &["cid"]));
    assert!(!approved_by(&requirement, &["ann"]));
    assert!(approved_by(&requirement, &["ann", "ben"]));
    let row = ApprovalRequest::begin(new(requirement.clone()), at(0), 1);
    let denied = row.judge(&act("ann", Verdict::Deny), Some(&requirement), at(1));
    assert_eq!(denied.unwrap().to(), Some(ApprovalState::Denied));
}

#[test]
fn an_escalation_adds_approvers_and_never_lowers_the_need() {
    let mut requirement = required(vec![group("g", false, vec![clause(2, &["ann"])], &["ann"])]);
    requirement.groups[0].escalations = vec![panopol::approval::Escalation {
        after_s: 3,
        to: set(&["eve"]),
    }];
    let row = ApprovalRequest::begin(new(requirement.clone()), at(0), 1);
    let approve = |row: &ApprovalRequest, person: &str, seconds| {
        row.judge(
            &act(person, Verdict::Approve),
            Some(&requirement),
            at(seconds),
        )
    };
    assert!(matches!(
        approve(&row, "eve", 2),
        Err(Refused::NotEntitled(_))
    ));
    assert_eq!(row.escalates(at(2)), None);
    let announced = row.escalates(at(3)).unwrap();
    let row = row.after(&announced, 2).unwrap();
    assert_eq!(row.escalates(at(4)), None);
    let row = row.after(&approve(&row, "eve", 4).unwrap(), 3).unwrap();
    assert_eq!(row.state, ApprovalState::Pending);
    let row = row.after(&approve(&row, "ann", 5).unwrap(), 4).unwrap();
    assert_eq!(row.state, ApprovalState::Approved);
    assert_eq!(row.until, Some(at(5) + SignedDuration::from_secs(5)));
}
