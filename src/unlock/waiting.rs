//! An attempt that waits for people: the request it belongs to, or the one to
//! make; and what time and policy do to requests that are open.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use jiff::Timestamp;

use super::Attempt;
use crate::address::{covers, fold, network_range};
use crate::approval::{ApprovalRequest, NewRequest, Requirement, Step, Subject};
use crate::eval::people::Asker;
use crate::eval::{Class, Program, requirement, second_person};
use crate::ir::{ApprovalId, UnlockId};
use crate::store::{Concern, Rows};
use crate::vocabulary::{ApprovalState, Binds, Outcome};

/// The most requests of one device that are open at once.
const MOST_OPEN: usize = 8;
/// The same of all hosts of a legacy Tang server together, which share a name.
const MOST_OPEN_LEGACY: usize = 256;

/// What an attempt that waits for people comes to.
#[derive(Clone, Debug)]
pub enum Waiting {
    /// This request stands for it already.
    Known(String),
    /// This one is to be made.
    Ask(Box<NewRequest>),
    /// This one no longer says what is required, and ends first.
    Supersede(String, Step),
    /// The device has as many open requests as it may.
    TooMany,
    /// Nothing is required any more: the next attempt will be judged anew.
    Nothing,
}

/// What the policy requires of an unlock of a device with these tags; none
/// where no group covers it. The hosts of a legacy Tang server share one name,
/// so an approval is for one of them at most: for one address.
pub fn current_requirement(
    program: &Program,
    tags: &BTreeMap<String, String>,
    legacy: bool,
    now: Timestamp,
) -> Option<Requirement> {
    let known = program.known(tags);
    let class = known.class().as_ref().ok()?;
    let mut required = requirement(program.set(), &class.groups, Asker::default(), now)?;
    if legacy {
        required.terms.binds = Binds::Address;
    }
    Some(required)
}

fn good_for(source: std::net::IpAddr, binds: Binds) -> Option<IpNet> {
    match binds {
        Binds::Address => Some(IpNet::from(fold(source))),
        Binds::Network => Some(network_range(source)),
        Binds::Device => None,
    }
}

impl Attempt {
    /// Finds the request that stands for this attempt, or the one to make
    /// under `id`.
    pub fn wait(&self, rows: &dyn Rows, id: &str, now: Timestamp) -> Waiting {
        let judged = self.judge(rows, now);
        // A denial or a revocation that came meanwhile asks nobody.
        if judged.decision.outcome != Outcome::Pending {
            return Waiting::Nothing;
        }
        let legacy = self.endpoint.device.is_none();
        let tags = &judged.request.tags;
        let Some(required) = current_requirement(&self.program, tags, legacy, now) else {
            return Waiting::Nothing;
        };
        let digest = required.digest();
        let mut open = 0;
        for row in rows.of_device(&self.endpoint.name) {
            let Concern::ApprovalRequest(request) = row else {
                continue;
            };
            let waits = request.state_at(now) == ApprovalState::Pending
                && matches!(request.new.subject, Subject::Unlock { .. });
            if !waits {
                continue;
            }
            let here = (request.new.good_for).is_none_or(|net| covers(net, fold(self.source)));
            if request.new.required != digest {
                if let Some(step) = request.lapse(Some(&required), now) {
                    return Waiting::Supersede(request.id().to_owned(), step);
                }
            } else if here {
                return Waiting::Known(request.id().to_owned());
            }
            open += 1;
        }
        let most = match legacy {
            true => MOST_OPEN_LEGACY,
            false => MOST_OPEN,
        };
        if open >= most {
            return Waiting::TooMany;
        }
        Waiting::Ask(Box::new(NewRequest {
            id: id.to_owned(),
            subject: Subject::Unlock {
                device: self.endpoint.name.clone(),
            },
            source: Some(fold(self.source)),
            good_for: good_for(self.source, required.terms.binds),
            requirement: required,
            required: digest,
            requesters: BTreeSet::new(),
            reason: None,
        }))
    }
}

/// What the policy of the moment requires for the subject of `request`; none
/// where nothing, or where the device is gone. `legacy` has the tags of the
/// hosts of a legacy Tang server, where they are served.
pub fn required_now(
    request: &ApprovalRequest,
    program: &Program,
    rows: &dyn Rows,
    legacy: Option<&BTreeMap<String, String>>,
    now: Timestamp,
) -> Option<Requirement> {
    let tagged = |device: &str| rows.device(device);
    match &request.new.subject {
        Subject::Unlock { device } => match tagged(device) {
            Some(device) => current_requirement(program, &device.tags, false, now),
            None => current_requirement(program, legacy?, true, now),
        },
        Subject::Tags {
            device,
            tags,
            version,
        } => {
            let device = tagged(device).filter(|device| device.version == *version)?;
            tag_change(program, &device.tags, tags, now)
        }
        Subject::Issuance { request, .. } => program.requirement_of(request, now),
    }
}

/// What a change of a device's tags needs of a second person: where it widens
/// what a covered device may do, one who speaks for each group that covers it;
/// else, where it takes the device out of approval groups, one who speaks for
/// each of those. None where nobody need be asked.
pub fn tag_change(
    program: &Program,
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
    now: Timestamp,
) -> Option<Requirement> {
    let set = program.set();
    let (old, new) = (program.classify(old).ok()?, program.classify(new).ok()?);
    let shed: Vec<ApprovalId> = without(&old.groups, &new.groups);
    let asked = match widens(program, &old, &new) {
        true => old.groups,
        false => shed,
    };
    second_person(set, &asked, now)
}

/// Whether a device of the class `new` may do anything that one of `old` may
/// not. Said of the rules as written, so in doubt it does.
fn widens(program: &Program, old: &Class, new: &Class) -> bool {
    let set = program.set();
    let allows = |&id: &UnlockId| !set.unlocks[id].allow.is_empty();
    let denies = |&id: &UnlockId| !set.unlocks[id].deny.is_empty();
    let optional = |&id: &ApprovalId| !set.approvals[id].mandatory;
    // Of several groups any one is enough, so one more is one more way in; and
    // the first that is mandatory decides instead of all others.
    let undecided = old.groups.iter().all(optional);
    let another = |id: &ApprovalId| optional(id) || undecided;
    without(&new.rules, &old.rules).iter().any(allows)
        || without(&old.rules, &new.rules).iter().any(denies)
        || without(&new.groups, &old.groups).iter().any(another)
        || !without(&new.allow_onces, &old.allow_onces).is_empty()
        || !without(&new.bypasses, &old.bypasses).is_empty()
}

fn without<T: Copy + PartialEq>(all: &[T], these: &[T]) -> Vec<T> {
    let rest = all.iter().filter(|one| !these.contains(one));
    rest.copied().collect()
}
