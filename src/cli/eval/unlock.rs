//! `panopol eval unlock`

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::Timestamp;

use super::facts::{Fact, expect_possible, parse_facts};
use super::{Answer, Failure, Question};
use crate::address;
use crate::decision::Decision;
use crate::eval::{Program, given};
use crate::ir::test::UnlockSubject;
use crate::ir::{Domain, PolicySet};
use crate::vocabulary::DeviceState;

/// Ask whether a device may unlock its disk
#[derive(Args)]
#[command(after_help = "Examples:
  panopol eval unlock --policy policies/ --tag env=production --tag role=web --from 203.0.113.9
  panopol eval unlock --tag env=production --from 203.0.113.9 --given 'approved by prod-db' --expect allow")]
pub(super) struct Unlock {
    #[command(flatten)]
    question: Question,
    /// A tag of the device; repeat it for each
    #[arg(long = "tag", value_name = "K=V", value_parser = parse_tag)]
    tags: Vec<(String, String)>,
    /// The address it asks from
    #[arg(long, value_name = "ADDR", value_parser = address::parse_address)]
    from: IpAddr,
    /// A live fact: disabled, revoked, denied, 'approved by G', 'allow-once N'; repeat it for each
    #[arg(long, value_name = "FACT")]
    given: Vec<String>,
    /// The device's state
    #[arg(long, value_name = "STATE", value_parser = device_state())]
    state: Option<DeviceState>,
    /// The device's name
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    device: String,
}

fn parse_tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((tag, value)) if !tag.is_empty() => Ok((tag.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is not of the form TAG=VALUE")),
    }
}

fn device_state() -> impl TypedValueParser<Value = DeviceState> {
    PossibleValuesParser::new(DeviceState::ALL.iter().map(|state| state.word())).try_map(|word| {
        DeviceState::from_word(&word).ok_or_else(|| format!("`{word}` is not a state"))
    })
}

impl Unlock {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Answer, Failure> {
        self.question.ask(|set, at| self.decide(set, at))
    }

    fn decide(&self, set: Arc<PolicySet>, at: Timestamp) -> Result<Decision, Failure> {
        let subject = self.subject(&set)?;
        let (mut request, mut facts) = given::unlock(&set, &subject);
        request.device.clone_from(&self.device);
        facts.allow_bypass = self.question.allow_bypass;
        let program = Program::compile(set);
        expect_possible_facts(&program, &subject)?;
        Ok(program.trace_unlock(&request, &facts, at))
    }

    /// The device with the facts that hold for it, as a test block would have them.
    fn subject(&self, set: &PolicySet) -> Result<UnlockSubject, Failure> {
        let mut states: Vec<DeviceState> = self.state.into_iter().collect();
        let mut subject = UnlockSubject {
            tags: self.tags(set)?,
            state: DeviceState::Active,
            from: self.from,
            denied: false,
            approved: Vec::new(),
            allow_once: Vec::new(),
        };
        for (fact, _) in parse_facts(set, &self.given)? {
            match fact {
                Fact::Disabled => states.push(DeviceState::Disabled),
                Fact::Revoked => states.push(DeviceState::Revoked),
                Fact::Denied => subject.denied = true,
                Fact::ApprovedBy(group) => subject.approved.push(group),
                Fact::AllowOnce(name) => subject.allow_once.push(name),
            }
        }
        states.dedup();
        match states.as_slice() {
            [] => {}
            [state] => subject.state = *state,
            [one, other, ..] => {
                let message = format!("a device cannot be both {one} and {other}");
                return Err(Failure::new(message));
            }
        }
        Ok(subject)
    }

    /// The device's tags, each declared, with a value that it may have.
    fn tags(&self, set: &PolicySet) -> Result<BTreeMap<String, String>, Failure> {
        let mut tags = BTreeMap::new();
        for (tag, value) in &self.tags {
            let Some(id) = set.tags.find(tag) else {
                let failure = Failure::new(format!("no tag is named `{tag}`"));
                return Err(failure.nearest(tag, set.tags.names()));
            };
            if let Domain::Closed(values) = &set.tags[id].domain
                && !values.contains(value)
            {
                let failure = Failure::new(format!("`{value}` is not a value of tag `{tag}`"));
                return Err(failure.nearest(value, values.iter().map(String::as_str)));
            }
            if tags.insert(tag.clone(), value.clone()).is_some() {
                return Err(Failure::new(format!("tag `{tag}` is given twice")));
            }
        }
        Ok(tags)
    }
}

/// Refuses a fact that cannot hold for the device.
fn expect_possible_facts(program: &Program, subject: &UnlockSubject) -> Result<(), Failure> {
    // A device that enrollment would not permit is denied whatever is live.
    let Ok(class) = program.classify(&subject.tags) else {
        return Ok(());
    };
    let set = program.set();
    expect_possible(&subject.approved, &class.groups, |id| {
        let name = set.approvals.name(id);
        format!("`{name}` does not cover this device, so it cannot have approved it")
    })?;
    expect_possible(&subject.allow_once, &class.allow_onces, |id| {
        let name = set.allow_onces.name(id);
        format!("`{name}` cannot be armed for this device: its `where` does not match")
    })
}
