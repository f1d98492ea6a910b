//! Rows of `issuance/`: `members | facts | expectation`.

use panopol::request::{IssuanceFacts, IssuanceRequest, Predecessor};
use panopol::vocabulary::Action;

use super::rows::{Expected, Fact, NOW, columns, time, words};
use super::{Answers, Table};

pub(super) fn failures(table: &Table) -> Vec<String> {
    let mut base = Vec::new();
    super::failures(table, |line| {
        if let Some(members) = line.strip_prefix("base ") {
            base = words(members);
            return None;
        }
        let [members, facts, expected] = columns(line)[..] else {
            panic!("{}: three columns, not `{line}`", table.path.display());
        };
        let mut request = empty();
        for word in base.iter().chain(&words(members)) {
            set(&mut request, word);
        }
        let mut live = IssuanceFacts::default();
        let mut at = time(NOW);
        for fact in Fact::all(facts) {
            match fact.word(0) {
                "at" => at = time(fact.word(1)),
                "approved" => live.approvals.push(fact.approved()),
                "bypasses-on" => live.allow_bypass = true,
                other => panic!("`{other}` is no fact: {line}"),
            }
        }
        let answers = Answers {
            decision: table.program.decide_issuance(&request, &live, at),
            traced: table.program.trace_issuance(&request, &live, at),
            twin: table.twin.issuance(&request, &live, at),
        };
        Some((answers, Expected::read(expected)))
    })
}

fn empty() -> IssuanceRequest {
    serde_json::from_value(serde_json::json!({ "action": "issue" })).unwrap()
}

/// Sets one member, `name=value`, or takes it away, `-name`.
fn set(request: &mut IssuanceRequest, word: &str) {
    let (name, value) = match (word.strip_prefix('-'), word.split_once('=')) {
        (Some(name), _) => (name, None),
        (None, Some((name, value))) => (name, Some(value.to_owned())),
        (None, None) => panic!("`{word}` is no member"),
    };
    let list = || {
        value
            .iter()
            .flat_map(|list| list.split(','))
            .map(str::to_owned)
            .collect()
    };
    match name {
        "action" => request.action = Action::from_word(value.as_deref().unwrap()).unwrap(),
        "project" => request.project = value,
        "profile" => request.profile = value,
        "requester" => request.requester = value,
        "name" => request.name = value,
        "key-type" => request.key_type = value,
        "issuer-type" => request.issuer_type = value,
        "issuer-id" => request.issuer_id = value,
        "san" => request.san = list(),
        "common-name" => request.common_name = value,
        "lifetime" => request.lifetime_s = value.as_deref().map(seconds),
        "auto-renew" => request.auto_renew = value.map(|value| value == "true"),
        "reason" => request.reason = value,
        "ticket" => request.ticket = value,
        "predecessor" => {
            let id = "earlier".to_owned();
            request.predecessor = value.is_some().then(|| Predecessor { id, san: list() });
        }
        "unsupported" => request.unsupported = list(),
        other => panic!("`{other}` is no member"),
    }
}

/// `90d` or plain seconds.
fn seconds(text: &str) -> u64 {
    match text.strip_suffix('d') {
        Some(days) => days.parse::<u64>().unwrap() * 24 * 3600,
        None => text.parse().unwrap(),
    }
}
