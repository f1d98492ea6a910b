//! Bearer tokens of persons and services, and the first owner's claim.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::claim;
use super::super::problem::Problem;
use super::caller::Caller;
use super::page::{Body, Listed, Page, Query};
use crate::access::{self, AdminAction, Resource};
use crate::journal::{Actor, NewToken};
use crate::store::Token;
use crate::unlock::{UnlockError, draw_credential, token_hash};

/// A token that was just drawn and is told this once.
pub(super) fn draw(person: &str) -> Result<(NewToken, String), UnlockError> {
    let (id, secret) = draw_credential()?;
    let secret = format!("pano_{secret}");
    let hash = token_hash(&secret);
    let token = NewToken {
        id,
        person: person.to_owned(),
        hash,
        expires: None,
    };
    Ok((token, secret))
}

fn told(token: &NewToken, secret: &str) -> Value {
    json!({"id": token.id, "person": token.person, "token": secret})
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mint {
    person: String,
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(mint): Body<Mint>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let set = &caller.policy.set;
    let actor = access::find_actor(set, &mint.person).ok_or_else(|| {
        Problem::invalid(format!(
            "the policy declares no person or service `{}`",
            mint.person
        ))
    })?;
    // Whoever mints a token counts as an actor of it, so nobody gains a second hand by it.
    let own = access::person_behind(set, actor) == access::person_behind(set, caller.actor);
    let action = if own {
        AdminAction::TokenCreateOwn
    } else {
        AdminAction::TokenCreate
    };
    caller.expect_may(&app, action, Resource::Org)?;
    // A service may mint for its owner and an admin for others, but nobody
    // comes to more standing by minting.
    if access::tier(set, actor) > access::tier(set, caller.actor) {
        return Err(Problem::forbidden(format!(
            "`{}` may do more than `{}`, who therefore cannot mint its token",
            mint.person,
            caller.name()
        )));
    }
    let (token, secret) = draw(&mint.person)?;
    let answer = told(&token, &secret);
    let minter = caller.journal_actor();
    app.blocking(move |app| Ok(app.store.create_token(app.context(minter), token)?))
        .await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Listed<Value>>, Problem> {
    caller.expect_may(&app, AdminAction::TokenListOwn, Resource::Org)?;
    let all = caller
        .expect_may(&app, AdminAction::TokenList, Resource::Org)
        .is_ok();
    let set = &caller.policy.set;
    let own = access::person_behind(set, caller.actor);
    let visible = |token: &Token| {
        all || access::find_actor(set, &token.person)
            .is_some_and(|actor| access::person_behind(set, actor) == own)
    };
    let limit = page.limit();
    let rows: Vec<Arc<Token>> = app
        .store
        .tokens(page.after.as_deref(), usize::MAX)
        .into_iter()
        .filter(|token| visible(token))
        .take(limit + 1)
        .collect();
    Ok(Json(Listed::new(
        rows,
        limit,
        |token| token.id.clone(),
        |token| {
            json!({
                "id": token.id,
                "person": token.person,
                "minter": token.minted_by.person,
                "created": token.created,
                "expires": token.expires,
                "revoked": token.revoked,
            })
        },
    )))
}

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let own = app
        .store
        .token(&id)
        .is_some_and(|token| token.person == caller.token.person);
    let action = if own {
        AdminAction::TokenRevokeOwn
    } else {
        AdminAction::TokenRevoke
    };
    caller.expect_may(&app, action, Resource::Org)?;
    let actor = caller.journal_actor();
    let answer = json!({"id": id});
    app.blocking(move |app| Ok(app.store.revoke_token(app.context(actor), &id)?))
        .await?;
    Ok(Json(answer))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimBody {
    claim: String,
}

pub(super) async fn claim(
    State(app): State<Arc<App>>,
    Body(body): Body<ClaimBody>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let hash = token_hash(body.claim.trim());
    let refused =
        || Problem::forbidden("the claim does not hold: it is unknown, used, or over an hour old");
    let person = app
        .store
        .claims()
        .iter()
        .find(|claim| claim.hash == hash && !claim.ended)
        .map(|claim| claim.person.clone())
        .ok_or_else(refused)?;
    let (token, secret) = draw(&person)?;
    let answer = told(&token, &secret);
    app.blocking(move |app| {
        let context = app.context(Actor::person(person));
        app.store.claim(context, hash, token)?;
        claim::tidy(app);
        Ok(())
    })
    .await?;
    Ok((StatusCode::CREATED, Json(answer)))
}
