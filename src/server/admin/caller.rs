//! Who asks: the person or service behind a bearer token.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::super::app::App;
use super::super::clock;
use super::super::policy::Loaded;
use super::super::problem::Problem;
use crate::access::{self, AdminAction, Resource};
use crate::ir::selector::Actor;
use crate::journal;
use crate::store::Token;
use crate::unlock::token_hash;

/// A caller whose token holds and who is declared in the policy that decides.
pub(super) struct Caller {
    /// Declared as this.
    pub(super) actor: Actor,
    /// The token used.
    pub(super) token: Arc<Token>,
    /// The policy for the whole of this request.
    pub(super) policy: Arc<Loaded>,
}

impl Caller {
    /// Who acts, as the journal writes it.
    pub(super) fn journal_actor(&self) -> journal::Actor {
        journal::Actor {
            person: Some(access::actor_name(&self.policy.set, self.actor).to_owned()),
            credential: Some(self.token.id.clone()),
            minter: self.token.minted_by.person.clone(),
        }
    }

    /// The declared name.
    pub(super) fn name(&self) -> &str {
        access::actor_name(&self.policy.set, self.actor)
    }

    /// Refuses what the access policy does not permit.
    pub(super) fn expect_may(
        &self,
        app: &App,
        action: AdminAction,
        resource: Resource<'_>,
    ) -> Result<(), Problem> {
        app.access
            .authorize(&self.policy.set, self.actor, action, resource)
            .map_err(|refusal| Problem::forbidden(refusal.to_string()))
    }
}

/// The bearer token of a request's head.
pub(super) fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let token = bearer(parts).ok_or_else(Problem::unauthenticated)?;
        let token = app
            .store
            .token_by_hash(&token_hash(token))
            .filter(|token| token.holds(clock::now()))
            .ok_or_else(Problem::unauthenticated)?;
        let policy = app.policy.current();
        let actor =
            access::find_actor(&policy.set, &token.person).ok_or_else(Problem::unauthenticated)?;
        Ok(Caller {
            actor,
            token,
            policy,
        })
    }
}
