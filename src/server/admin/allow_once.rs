//! One-time unlocks: armed within what the policy lets, joined, withdrawn.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::app::App;
use super::super::clock;
use super::super::policy::Loaded;
use super::super::problem::Problem;
use super::caller::Caller;
use super::idempotency::Repeat;
use super::page::Body;
use crate::access::{AdminAction, Resource};
use crate::address::{display_prefix, parse_prefix};
use crate::approval::{AllowOnce, Arming, By, Requirement};
use crate::eval::may_arm;
use crate::ir::AllowOnceId;
use crate::journal::Event;
use crate::store::{Concern, Device, Refusal, Rows, StoreError};
use crate::unlock::{current_requirement, draw_id};
use crate::vocabulary::{DeviceState, Override};

/// The most addresses of one arming.
const MOST_ADDRESSES: usize = 64;

fn shown(policy: &Loaded, once: &AllowOnce, now: Timestamp) -> Value {
    let arming = &once.arming;
    let entitled = |person: &str| may_arm(&policy.set, &arming.rule, person, now);
    let state = if once.spent.is_some() {
        "spent"
    } else if once.withdrawn {
        "withdrawn"
    } else if !once.is_open(now) {
        "expired"
    } else if once.holds(now, entitled) {
        "armed"
    } else {
        "waiting"
    };
    json!({
        "id": arming.id,
        "device": arming.device,
        "rule": arming.rule,
        "state": state,
        "overrides": arming.overrides,
        "addresses": arming.addresses.iter().map(|&one| display_prefix(one)).collect::<Vec<_>>(),
        "until": arming.until,
        "needs": arming.needs,
        "armed_by": once.armed_by.iter().map(|(person, _)| person).collect::<Vec<_>>(),
        "note": arming.note,
        "spent": once.spent,
        "created": once.created,
    })
}

/// The one-time unlocks of one device, the newest first.
pub(super) fn of_device(policy: &Loaded, rows: &[Concern], now: Timestamp) -> Vec<Value> {
    let mut all: Vec<_> = rows
        .iter()
        .filter_map(|row| match row {
            Concern::AllowOnce(once) => Some(once),
            Concern::ApprovalRequest(_) | Concern::TemporaryDenial(_) => None,
        })
        .collect();
    all.sort_by_key(|once| std::cmp::Reverse(once.created));
    all.into_iter()
        .map(|once| shown(policy, once, now))
        .collect()
}

fn find_device(app: &App, caller: &Caller, name: &str) -> Result<Arc<Device>, Problem> {
    caller.expect_may(app, AdminAction::DeviceAllowOnce, Resource::Org)?;
    let device = app.store.device(name);
    device.ok_or_else(|| Problem::not_found(format!("there is no device `{name}`")))
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::DeviceShow, Resource::Org)?;
    let now = clock::now();
    let onces = app.store.allow_onces(&name);
    let items: Vec<_> = onces
        .iter()
        .map(|one| shown(&caller.policy, one, now))
        .collect();
    Ok(Json(json!({"items": items, "next": null})))
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arm {
    /// The policy's rule; may be left out where only one fits.
    rule: Option<String>,
    /// All that the rule grants, but never approval, where nothing is named.
    #[serde(default)]
    overrides: Vec<Override>,
    #[serde(default)]
    addresses: Vec<String>,
    /// Seconds; the rule's `max` where nothing is named.
    for_s: Option<u64>,
    note: Option<String>,
}

pub(super) async fn arm(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    Body(body): Body<Arm>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let device = find_device(&app, &caller, &name)?;
    let by = caller.expect_person()?;
    let asked = json!({"device": name, "body": body});
    let repeat = Repeat::new(&headers, None, by.person.clone(), asked);
    if let Some(answer) = repeat.answered(&app)? {
        return Ok((StatusCode::CREATED, Json(answer)));
    }
    if device.state == DeviceState::Revoked {
        return Err(Problem::conflict(format!(
            "`{name}` is revoked, and nothing overrides that"
        )));
    }
    let now = clock::now();
    if !app.clock.trusts(now) {
        return Err(Problem::unavailable(
            "the server's clock has jumped: nothing that ends by the clock is granted",
        ));
    }
    let mut arming = arming(&caller, &device, body, &by, now)?;
    if let Some(id) = repeat.own_id() {
        arming.id = id;
    }
    let id = arming.id.clone();
    arm_now(&app, &caller, arming, by.persons, device.version, now).await?;
    let answer = told(&app, &caller, &id, now)?;
    repeat.remember(&app, &answer);
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Arms it, unless a call with its idempotency key has done so: also one that
/// is not answered yet, or that an earlier run of the server answered.
async fn arm_now(
    app: &Arc<App>,
    caller: &Caller,
    arming: Arming,
    persons: BTreeSet<String>,
    version: u64,
    now: Timestamp,
) -> Result<(), Problem> {
    let context = app.context(caller.journal_actor());
    let wanted = arming.clone();
    let committed = app.submit_and_wait(context, move |rows| {
        // It was held against the device as it was then.
        let found = rows.device(&arming.device).map_or(0, |now| now.version);
        if rows.allow_once(&arming.id).is_none() && found != version {
            return Err(StoreError::Refused(Refusal::Stale {
                what: "device",
                name: arming.device,
                expected: version,
                found,
            }));
        }
        Ok(Event::AllowOnceArmed { arming, persons })
    });
    match committed.await {
        Ok(_) => Ok(()),
        Err(StoreError::Refused(Refusal::Exists { .. })) => {
            let there = app.store.read(|rows| rows.allow_once(&wanted.id));
            match there.is_some_and(|there| there.is_what_asks(&wanted, now)) {
                true => Ok(()),
                false => Err(Problem::conflict(
                    "that idempotency key was used for another request",
                )),
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn told(app: &App, caller: &Caller, id: &str, now: Timestamp) -> Result<Value, Problem> {
    let once = app.store.read(|rows| rows.allow_once(id));
    let once =
        once.ok_or_else(|| Problem::not_found(format!("there is no one-time unlock `{id}`")))?;
    Ok(shown(&caller.policy, &once, now))
}

/// Holds what is asked against the rule that it is asked under.
fn arming(
    caller: &Caller,
    device: &Device,
    body: Arm,
    by: &By,
    now: Timestamp,
) -> Result<Arming, Problem> {
    let set = &caller.policy.set;
    let id = rule(caller, device, body.rule.as_deref(), by, now)?;
    let (rule, name) = (&set.allow_onces[id], set.allow_onces.name(id));
    let addresses = addresses(&body.addresses)?;
    let mut overrides = body.overrides;
    if overrides.is_empty() {
        let usual = rule.overrides.iter().copied();
        overrides = usual.filter(|&what| what != Override::Approval).collect();
        if overrides.is_empty() {
            return Err(Problem::invalid(format!(
                "`{name}` overrides `approval` alone, which is to be named in `overrides`"
            )));
        }
    }
    overrides.sort_unstable();
    overrides.dedup();
    if let Some(what) = overrides.iter().find(|what| !rule.overrides.contains(what)) {
        return Err(Problem::forbidden(format!(
            "`{name}` does not let `{what}` be overridden"
        )));
    }
    if overrides.contains(&Override::Source) && addresses.is_empty() {
        return Err(Problem::invalid(
            "overriding `source` takes the `addresses` that it is for",
        ));
    }
    let seconds = body.for_s.unwrap_or(rule.max);
    if seconds == 0 || seconds > rule.max {
        return Err(Problem::invalid(format!(
            "`for_s` is 1 to {}, as `{name}` has it",
            rule.max
        )));
    }
    let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let needs = match overrides.contains(&Override::Approval) {
        true => current_requirement(&caller.policy.program, &device.tags, false, now)
            .as_ref()
            .map_or(1, Requirement::persons),
        false => 1,
    };
    Ok(Arming {
        id: draw_id()?,
        device: device.name.clone(),
        rule: name.to_owned(),
        overrides,
        addresses,
        until: now.checked_add(span).unwrap_or(Timestamp::MAX),
        needs,
        note: body.note,
    })
}

fn addresses(texts: &[String]) -> Result<Vec<IpNet>, Problem> {
    if texts.len() > MOST_ADDRESSES {
        return Err(Problem::invalid(format!(
            "at most {MOST_ADDRESSES} `addresses`"
        )));
    }
    let parsed = texts.iter().map(|text| parse_prefix(text));
    let parsed: Result<BTreeSet<IpNet>, _> = parsed.collect();
    let parsed = parsed.map_err(|error| Problem::invalid(error.to_string()))?;
    Ok(parsed.into_iter().collect())
}

/// The rule that is named, or the only one that fits device and person.
fn rule(
    caller: &Caller,
    device: &Device,
    named: Option<&str>,
    by: &By,
    now: Timestamp,
) -> Result<AllowOnceId, Problem> {
    let set = &caller.policy.set;
    let class = caller.policy.program.classify(&device.tags);
    let class = class.map_err(|incomplete| Problem::invalid(incomplete.to_string()))?;
    let may = |id: &AllowOnceId| may_arm(set, set.allow_onces.name(*id), &by.person, now);
    if let Some(name) = named {
        let id = set.allow_onces.find(name);
        let id =
            id.ok_or_else(|| Problem::invalid(format!("the policy has no `allow-once {name}`")))?;
        if !class.allow_onces.contains(&id) {
            return Err(Problem::invalid(format!(
                "`allow-once {name}` does not match `{}`",
                device.name
            )));
        }
        return match may(&id) {
            true => Ok(id),
            false => Err(Problem::forbidden(format!(
                "`allow-once {name}` is not armed by `{}`",
                by.person
            ))),
        };
    }
    let fitting: Vec<_> = class.allow_onces.iter().copied().filter(may).collect();
    match fitting.as_slice() {
        [one] => Ok(*one),
        [] => Err(Problem::forbidden(format!(
            "no `allow-once` of the policy matches `{}` and is armed by `{}`",
            device.name, by.person
        ))),
        [..] => Err(Problem::invalid("several rules fit: name one as `rule`")),
    }
}

/// The one-time unlock of that id, of that device.
fn of(rows: &dyn Rows, device: &str, id: &str) -> Result<Arc<AllowOnce>, Refusal> {
    let once = rows.allow_once(id);
    let once = once.filter(|once| once.arming.device == device);
    once.ok_or_else(|| Refusal::NotFound {
        what: "one-time unlock",
        name: id.to_owned(),
    })
}

/// One more person arms it, for an approval that takes several.
pub(super) async fn join(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    find_device(&app, &caller, &name)?;
    let by = caller.expect_person()?;
    let now = clock::now();
    let (policy, joined) = (Arc::clone(&caller.policy), id.clone());
    let context = app.context(caller.journal_actor());
    app.submit_and_wait(context, move |rows| {
        let id = joined;
        let once = of(rows, &name, &id)?;
        if !may_arm(&policy.set, &once.arming.rule, &by.person, now) {
            let refused = crate::approval::Refused::NotEntitled(by.person);
            return Err(Refusal::Approval(refused).into());
        }
        if once
            .armed_by
            .iter()
            .any(|(_, persons)| !persons.is_disjoint(&by.persons))
        {
            let refused = crate::approval::Refused::OwnRequest(by.person);
            return Err(Refusal::Approval(refused).into());
        }
        Ok(Event::AllowOnceJoined {
            id,
            persons: by.persons,
        })
    })
    .await?;
    told(&app, &caller, &id, now).map(Json)
}

pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    find_device(&app, &caller, &name)?;
    let by = caller.expect_person()?;
    let now = clock::now();
    // Who may disable the device may do less than that.
    let operates = caller.may(&app, AdminAction::DeviceDisable, Resource::Org);
    let (policy, withdrawn) = (Arc::clone(&caller.policy), id.clone());
    let context = app.context(caller.journal_actor());
    app.submit_and_wait(context, move |rows| {
        let id = withdrawn;
        let once = of(rows, &name, &id)?;
        let armed = once.armed_by.iter().any(|(person, _)| *person == by.person);
        if !operates && !armed && !may_arm(&policy.set, &once.arming.rule, &by.person, now) {
            let refused = crate::approval::Refused::NotEntitled(by.person);
            return Err(Refusal::Approval(refused).into());
        }
        Ok(Event::AllowOnceWithdrawn { id, note: None })
    })
    .await?;
    told(&app, &caller, &id, now).map(Json)
}
