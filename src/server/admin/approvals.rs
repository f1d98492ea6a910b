//! Approval requests: who waits for whom, and what people say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::clock;
use super::super::policy::Loaded;
use super::super::problem::Problem;
use super::caller::Caller;
use super::page::{Body, Listed, Page, Query};
use crate::access::{AdminAction, Resource};
use crate::approval::{Act, ApprovalRequest, NewRequest, Refused, Requirement, Subject};
use crate::journal::Event;
use crate::store::{Concern, Context, Device, Refusal, Rows, StoreError};
use crate::unlock::{draw_id, required_now};
use crate::vocabulary::{ApprovalKind, ApprovalState, Verdict};

/// The longest note, in bytes.
const LONGEST_NOTE: usize = 4096;

/// The tags of the device that a request is about, as they are now.
fn tags_now(
    rows: &dyn Rows,
    request: &ApprovalRequest,
    legacy: Option<&BTreeMap<String, String>>,
) -> BTreeMap<String, String> {
    match request.new.subject.device() {
        None => BTreeMap::new(),
        Some(name) => match rows.device(name) {
            Some(device) => device.tags.clone(),
            None => legacy.cloned().unwrap_or_default(),
        },
    }
}

/// Everyone who may decide on it now.
fn approvers(
    request: &ApprovalRequest,
    current: Option<&Requirement>,
    now: Timestamp,
) -> BTreeSet<String> {
    let pending = now.duration_since(request.created);
    let recorded = request.requirement().approvers(pending);
    match current {
        Some(current) if current.digest() == request.new.required => {
            &recorded & &current.approvers(pending)
        }
        Some(_) | None => BTreeSet::new(),
    }
}

fn shown(
    app: &App,
    policy: &Loaded,
    rows: &dyn Rows,
    request: &ApprovalRequest,
    now: Timestamp,
) -> Value {
    let new = &request.new;
    let legacy = app.legacy_tags();
    let current = app.required_now(policy, rows, request, now);
    let tags = tags_now(rows, request, legacy.as_ref());
    let seen = app.sightings.of(request.id());
    let groups = request.requirement().groups.iter();
    let need: Vec<Value> = groups
        .clone()
        .map(|group| {
            let clauses = group.clauses.iter();
            let clauses = clauses.map(|one| json!({"count": one.count, "team": one.team}));
            json!({
                "group": group.name,
                "mandatory": group.mandatory,
                "clauses": clauses.collect::<Vec<_>>(),
            })
        })
        .collect();
    let satisfied = current
        .as_ref()
        .map(|current| request.satisfied(current, now))
        .unwrap_or_default();
    let (new_tags, asked) = match &new.subject {
        Subject::Unlock { .. } => (None, None),
        Subject::Tags { tags, .. } => (Some(tags), None),
        Subject::Issuance { .. } => (None, Some(&new.subject)),
    };
    json!({
        "id": request.id(),
        "kind": new.subject.kind(),
        "state": request.state_at(now),
        "device": new.subject.device(),
        "tags": tags,
        "new_tags": new_tags,
        "request": asked,
        "source": new.source,
        "good_for": new.good_for,
        "groups": groups.map(|group| &group.name).collect::<Vec<_>>(),
        "satisfied": satisfied,
        "approvers": approvers(request, current.as_ref(), now),
        "requesters": new.requesters,
        "reason": new.reason,
        "need": need,
        "terms": request.requirement().terms,
        "decisions": request.decisions,
        "exchanges": request.taken,
        "digest": request.shown(&tags),
        "created": request.created,
        "expires": request.expires,
        "until": request.until,
        "cause": request.cause,
        "seen": seen.map_or(1, |seen| seen.count),
        "last_seen": seen.map(|seen| seen.last),
    })
}

/// The requests of one device, the newest first.
pub(super) fn of_device(
    app: &App,
    policy: &Loaded,
    rows: &[Concern],
    now: Timestamp,
) -> Vec<Value> {
    let requests = rows.iter().filter_map(|row| match row {
        Concern::ApprovalRequest(request) => Some(request),
        Concern::TemporaryDenial(_) | Concern::AllowOnce(_) => None,
    });
    let mut requests: Vec<_> = requests.collect();
    requests.sort_by_key(|request| std::cmp::Reverse(request.version));
    app.store.read(|rows| {
        let shown = |request: &Arc<ApprovalRequest>| shown(app, policy, rows, request, now);
        requests.into_iter().map(shown).collect()
    })
}

#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    state: Option<ApprovalState>,
    kind: Option<ApprovalKind>,
    device: Option<String>,
}

/// All of them to who may read; to others those that they may decide.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(filter): Query<Filter>,
    Query(page): Query<Page>,
) -> Result<Json<Listed<Value>>, Problem> {
    caller.expect_may(&app, AdminAction::ApprovalDecide, Resource::Org)?;
    let all = caller.may(&app, AdminAction::ApprovalList, Resource::Org);
    let now = app.clock.moment();
    let wanted = |request: &ApprovalRequest| {
        filter
            .state
            .is_none_or(|state| request.state_at(now) == state)
            && filter
                .kind
                .is_none_or(|kind| request.new.subject.kind() == kind)
            && (filter.device.as_deref())
                .is_none_or(|name| request.new.subject.device() == Some(name))
            && (all || entitled(&caller, request, now))
    };
    let limit = page.limit();
    let after = page.after.as_deref().map(place).transpose()?;
    let comes = |one: &ApprovalRequest| after.is_none_or(|after| (one.created, one.id()) < after);
    let requests = app.store.approvals().into_iter();
    let rows: Vec<_> = requests
        .filter(|request| comes(request) && wanted(request))
        .take(limit + 1)
        .collect();
    let listed = app.store.read(|read| {
        Listed::new(
            rows,
            limit,
            |request| format!("{}/{}", request.created, request.id()),
            |request| shown(&app, &caller.policy, read, &request, now),
        )
    });
    Ok(Json(listed))
}

/// Where a page comes after, whether or not what stood there is kept still.
fn place(cursor: &str) -> Result<(Timestamp, &str), Problem> {
    let place = cursor.split_once('/');
    place
        .and_then(|(created, id)| Some((created.parse().ok()?, id)))
        .ok_or_else(|| Problem::malformed(format!("`{cursor}` is no `next` of this list")))
}

fn entitled(caller: &Caller, request: &ApprovalRequest, now: Timestamp) -> bool {
    let pending = now.duration_since(request.created);
    let name = caller.name();
    request.new.requesters.contains(name) || request.requirement().approvers(pending).contains(name)
}

fn missing(id: &str) -> Problem {
    Problem::not_found(format!("there is no approval request `{id}`"))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    caller.expect_may(&app, AdminAction::ApprovalDecide, Resource::Org)?;
    let request = app.store.approval(&id).ok_or_else(|| missing(&id))?;
    let now = app.clock.moment();
    if !entitled(&caller, &request, now) {
        caller.expect_may(&app, AdminAction::ApprovalList, Resource::Org)?;
    }
    Ok(Json(shown_now(&app, &caller.policy, &request, now)))
}

fn shown_now(app: &App, policy: &Loaded, request: &ApprovalRequest, now: Timestamp) -> Value {
    app.store
        .read(|rows| shown(app, policy, rows, request, now))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Said {
    note: Option<String>,
    digest: Option<String>,
}

/// What somebody says of a request. Said again by the same person it changes
/// nothing and is no error.
pub(super) async fn decide(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, verdict)): Path<(String, String)>,
    Body(said): Body<Said>,
) -> Result<Json<Value>, Problem> {
    let verdict = Verdict::from_word(&verdict).ok_or_else(|| {
        Problem::not_found("one of approve, deny, defer, reject and cancel is said of a request")
    })?;
    caller.expect_may(&app, AdminAction::ApprovalDecide, Resource::Org)?;
    let by = caller.expect_person()?;
    if said
        .note
        .as_ref()
        .is_some_and(|note| note.len() > LONGEST_NOTE)
    {
        return Err(Problem::invalid(format!(
            "a note has at most {LONGEST_NOTE} bytes"
        )));
    }
    let now = app.clock.moment();
    if verdict == Verdict::Approve && !app.clock.trusts(clock::now()) {
        return Err(Problem::unavailable(
            "the server's clock has jumped, and nothing that ends by the clock is granted until it is right again or accepted",
        ));
    }
    let digest = match (said.digest, verdict) {
        (Some(digest), _) => digest,
        (None, Verdict::Deny | Verdict::Defer | Verdict::Reject | Verdict::Cancel) => String::new(),
        (None, Verdict::Approve) => {
            return Err(Problem::invalid(
                "send the `digest` of the request that you were shown",
            ));
        }
    };
    let before = app.store.approval(&id).ok_or_else(|| missing(&id))?;
    let act = Act {
        by,
        verdict,
        note: said.note,
        shown: digest,
        policy: caller.policy.set.digest.clone(),
    };
    let result = commit(&app, &caller, id.clone(), act, now).await;
    match result {
        Ok(event) => {
            app.count_step(&event, Some(&before), now);
            if let Subject::Issuance { job, .. } = &before.new.subject {
                app.run_job(job).await;
            }
        }
        Err(StoreError::Refused(Refusal::Approval(Refused::Repeated(_)))) => {}
        Err(error) => {
            // What is superseded ends at once, not when somebody comes by.
            if let StoreError::Refused(Refusal::Approval(Refused::Superseded)) = &error {
                app.sweep().await;
            }
            return Err(error.into());
        }
    }
    let request = app.store.approval(&id).ok_or_else(|| missing(&id))?;
    Ok(Json(shown_now(&app, &caller.policy, &request, now)))
}

async fn commit(
    app: &Arc<App>,
    caller: &Caller,
    id: String,
    act: Act,
    now: Timestamp,
) -> Result<Event, StoreError> {
    let program = Arc::clone(&caller.policy.program);
    let legacy = app.legacy_tags();
    let context = Context {
        time: now,
        ..app.context(caller.journal_actor())
    };
    let committed = app.submit_and_wait(context, move |rows| {
        let request = rows.approval(&id).ok_or_else(|| Refusal::NotFound {
            what: "approval request",
            name: id.clone(),
        })?;
        let current = required_now(&request, &program, rows, legacy.as_ref(), now);
        let step = request.judge(&act, current.as_ref(), now);
        let step = step.map_err(Refusal::Approval)?;
        let tags = tags_now(rows, &request, legacy.as_ref());
        if !act.shown.is_empty() && act.shown != request.shown(&tags) {
            return Err(Refusal::Unseen.into());
        }
        Ok(Event::ApprovalStepped { id, step })
    });
    Ok(committed.await?.entry.event().clone())
}

/// Asks a second person for a change of a device's tags.
pub(super) async fn ask_for_tags(
    app: &Arc<App>,
    caller: &Caller,
    device: &Device,
    tags: BTreeMap<String, String>,
    required: Requirement,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let by = caller.expect_person()?;
    let groups: Vec<_> = required
        .groups
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    let now = app.clock.moment();
    let eligible = required.approvers(jiff::SignedDuration::ZERO);
    if eligible.is_subset(&by.persons) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "two-person-integrity",
            "This takes a second person",
            format!(
                "two-person integrity: these tags take the device out of approval, or widen what it may do, which a second person of {} permits, and there is none but you",
                groups.join(", ")
            ),
        ));
    }
    let id = draw_id()?;
    let request = NewRequest {
        id: id.clone(),
        subject: Subject::Tags {
            device: device.name.clone(),
            tags,
            version: device.version,
        },
        source: None,
        good_for: None,
        required: required.digest(),
        requirement: required,
        requesters: by.persons,
        reason: None,
    };
    let context = Context {
        time: now,
        ..app.context(caller.journal_actor())
    };
    app.submit_and_wait(context, move |rows| {
        expect_one_change(rows, &request, now)?;
        Ok(Event::ApprovalRequested { request })
    })
    .await?;
    let request = app.store.approval(&id).ok_or_else(|| missing(&id))?;
    let told = shown_now(app, &caller.policy, &request, now);
    Ok((StatusCode::ACCEPTED, Json(told)))
}

/// One change of a device's tags waits at a time.
fn expect_one_change(rows: &dyn Rows, new: &NewRequest, now: Timestamp) -> Result<(), Refusal> {
    let device = new.subject.device().unwrap_or_default();
    let waits = |row: &Concern| match row {
        Concern::ApprovalRequest(request) => {
            request.new.subject.kind() == ApprovalKind::Tags
                && request.state_at(now) == ApprovalState::Pending
        }
        Concern::TemporaryDenial(_) | Concern::AllowOnce(_) => false,
    };
    match rows.of_device(device).iter().any(waits) {
        true => Err(Refusal::State {
            what: "device",
            name: device.to_owned(),
            state: "waiting for a second person on another change of its tags",
        }),
        false => Ok(()),
    }
}
