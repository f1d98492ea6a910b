//! Who asks: the person or service behind a bearer token.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::super::app::App;
use super::super::clock;
use super::super::policy::Loaded;
use super::super::problem::Problem;
use crate::access::{self, AdminAction, Resource};
use crate::approval::By;
use crate::ir;
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

    /// Who acts, where only a person may: whatever the credential, and with
    /// whoever minted it.
    pub(super) fn expect_person(&self) -> Result<By, Problem> {
        let set = &self.policy.set;
        let Actor::Person(_) = self.actor else {
            return Err(Problem::forbidden(format!(
                "`{}` is a service, and this takes a person",
                self.name()
            )));
        };
        Ok(By {
            person: self.name().to_owned(),
            persons: self.persons(set),
            credential: Some(self.token.id.clone()),
        })
    }

    /// Every person who counts as the actor: the bearer, whoever minted the
    /// token, and the owners of both where they are services.
    pub(super) fn persons(&self, set: &ir::PolicySet) -> BTreeSet<String> {
        let bearer = Some(self.name());
        let minter = self.token.minted_by.person.as_deref();
        let all = bearer.into_iter().chain(minter);
        all.map(|name| behind(set, name)).collect()
    }

    /// Whether the access policy permits it.
    pub(super) fn may(&self, app: &App, action: AdminAction, resource: Resource<'_>) -> bool {
        self.expect_may(app, action, resource).is_ok()
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

/// The person behind a declared name: a service's owner; the name itself where
/// nobody is declared as that any more.
pub(super) fn behind(set: &ir::PolicySet, name: &str) -> String {
    match access::find_actor(set, name) {
        Some(actor) => {
            let person = access::person_behind(set, actor);
            set.persons.name(person).to_owned()
        }
        None => name.to_owned(),
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
