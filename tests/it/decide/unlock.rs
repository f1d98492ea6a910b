//! Rows of `unlock/`: `tags | source | facts | expectation`.

use panopol::request::{ArmedAllowOnce, Denial, UnlockFacts, UnlockRequest};
use panopol::vocabulary::{DeviceState, Override};

use super::rows::{Expected, Fact, NOW, columns, time, words};
use super::{Answers, Table};

pub(super) fn failures(table: &Table) -> Vec<String> {
    super::failures(table, |line| {
        let [tags, source, facts, expected] = columns(line)[..] else {
            panic!("{}: four columns, not `{line}`", table.path.display());
        };
        let mut request = UnlockRequest {
            device: String::new(),
            tags: words(tags).iter().map(|word| pair(word)).collect(),
            state: DeviceState::Active,
            source: source.parse().unwrap(),
            kid: None,
        };
        let mut live = UnlockFacts::default();
        let mut at = time(NOW);
        for fact in Fact::all(facts) {
            match fact.word(0) {
                "at" => at = time(fact.word(1)),
                state @ ("disabled" | "revoked") => {
                    request.state = DeviceState::from_word(state).unwrap();
                }
                "denied" => {
                    live.denials
                        .extend(fact.prefixes("denied").into_iter().map(|source| Denial {
                            source,
                            until: fact.until(),
                        }))
                }
                "armed" => live.allow_once.push(armed(&fact)),
                "approved" => live.approvals.push(fact.approved()),
                "bypasses-on" => live.allow_bypass = true,
                other => panic!("`{other}` is no fact: {line}"),
            }
        }
        let answers = Answers {
            decision: table.program.decide_unlock(&request, &live, at),
            traced: table.program.trace_unlock(&request, &live, at),
            twin: table.twin.unlock(&request, &live, at),
        };
        Some((answers, Expected::read(expected)))
    })
}

/// `armed ID of NAME for source,disabled at ADDRESS,… until TIME`
fn armed(fact: &Fact) -> ArmedAllowOnce {
    let overrides = fact.list("for").into_iter();
    ArmedAllowOnce {
        id: fact.word(1).to_owned(),
        name: fact.after("of").unwrap().to_owned(),
        overrides: overrides
            .map(|one| Override::from_word(one).unwrap())
            .collect(),
        addresses: fact.prefixes("at"),
        until: fact.until(),
    }
}

fn pair(word: &str) -> (String, String) {
    let (name, value) = word.split_once('=').unwrap();
    (name.to_owned(), value.to_owned())
}
