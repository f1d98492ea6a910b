//! A concrete request that shows something, as policy files write it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

use super::unlock::Unlocks;
use crate::ir::{Domain, PolicySet};
use crate::request::{IssuanceRequest, UnlockRequest};
use crate::source::{duration, quoted};
use crate::space::diagram::Diagram;
use crate::space::partition::AddressClass;
use crate::vocabulary::DeviceState;

/// One unlock of an active device without any live fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UnlockWitness {
    /// The device's tags.
    pub tags: BTreeMap<String, String>,
    /// From where.
    pub source: IpAddr,
    /// When; none where no schedule matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl UnlockWitness {
    /// The simplest unlock from `class` that is in `set`; none where there is none.
    pub fn of(unlocks: &Unlocks<'_>, set: Diagram, class: &AddressClass) -> Option<Self> {
        let time = unlocks.axes.time();
        // Fewest tags; then the earliest moment.
        let cost = |coordinate, _| if coordinate == time { 1 } else { 16 };
        let point = unlocks.diagrams.cheapest(set, &cost)?;
        let (tags, at) = unlocks.axes.point(&point);
        let source = class.ranges.first()?.example();
        let timed = unlocks.depends_on_time(&class.members, &point);
        Some(UnlockWitness {
            tags,
            source,
            at: timed.then_some(at),
        })
    }

    /// As a request of a device that is called `witness`.
    pub fn request(&self) -> UnlockRequest {
        UnlockRequest {
            device: "witness".to_owned(),
            tags: self.tags.clone(),
            state: DeviceState::Active,
            source: self.source,
            kid: None,
        }
    }

    /// As a `test` block of `set`, expecting `expected`: `allow`, `deny source-denied`.
    pub fn test_block(&self, set: &PolicySet, name: &str, expected: &str) -> String {
        let tags = self
            .tags
            .iter()
            .map(|(name, value)| format!("{name} = {}", tag_value(set, name, value)));
        let tags: Vec<_> = tags.collect();
        let device = match tags.is_empty() {
            true => "device {}".to_owned(),
            false => format!("device {{ {} }}", tags.join(", ")),
        };
        let at = self.at.map(|at| format!(" at {at}")).unwrap_or_default();
        format!(
            "test {} {{\n  {device}\n  unlock from {}{at} expect {expected}\n}}\n",
            quoted(name),
            self.source
        )
    }
}

/// A tag's value as a policy file writes it.
fn tag_value(set: &PolicySet, name: &str, value: &str) -> String {
    let domain = set.tags.find(name).map(|id| &set.tags[id].domain);
    match domain {
        Some(Domain::Closed(_)) => value.to_owned(),
        Some(Domain::Text) | None => quoted(value),
    }
}

/// A certificate request as a `test` block of a policy file, expecting `expected`.
pub fn issuance_test_block(request: &IssuanceRequest, name: &str, expected: &str) -> String {
    let bare = |member: &str, value: &Option<String>| {
        let value = value.as_ref();
        value.map(|value| format!("{member} = {value}"))
    };
    let text = |member: &str, value: &Option<String>| {
        let value = value.as_ref();
        value.map(|value| format!("{member} = {}", quoted(value)))
    };
    let mut members = vec![format!("action = {}", request.action)];
    let fields = [
        bare("project", &request.project),
        bare("profile", &request.profile),
        bare("requester", &request.requester),
        text("name", &request.name),
        bare("key-type", &request.key_type),
        bare("issuer-type", &request.issuer_type),
        text("issuer-id", &request.issuer_id),
    ];
    members.extend(fields.into_iter().flatten());
    if !request.san.is_empty() {
        members.push(format!("san = {}", texts(&request.san)));
    }
    members.extend(text("common-name", &request.common_name));
    members.extend(
        request
            .lifetime_s
            .map(|seconds| format!("lifetime = {}", duration(seconds))),
    );
    members.extend(request.auto_renew.map(|on| format!("auto-renew = {on}")));
    members.extend(text("reason", &request.reason));
    members.extend(text("ticket", &request.ticket));
    if let Some(predecessor) = &request.predecessor {
        members.push(format!(
            "predecessor = {{ id = {}, san = {} }}",
            quoted(&predecessor.id),
            texts(&predecessor.san)
        ));
    }
    let members = members.join(", ");
    format!(
        "test {} {{\n  request {{ {members} }}\n  issuance expect {expected}\n}}\n",
        quoted(name)
    )
}

fn texts(texts: &[String]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}
