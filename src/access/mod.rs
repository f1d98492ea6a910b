//! Who may do what on the admin plane, decided by Cedar.
//!
//! The vocabulary is `schema.cedarschema`, the shipped answer `default.cedar`;
//! an operator may replace the latter. People, roles and teams come from the
//! policy set of the moment. Knows no HTTP and no state. Two-person integrity
//! is not here: it is code, and no policy lifts it.

mod action;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};

pub use action::AdminAction;

use crate::ir;
use crate::ir::people::{RoleGrant, Scope};
use crate::ir::selector::Actor;

const SCHEMA: &str = include_str!("schema.cedarschema");
/// The policy set that holds until an operator replaces it.
pub const DEFAULT: &str = include_str!("default.cedar");

/// Why an access policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Not Cedar.
    #[error("the access policy does not parse: {0}")]
    Syntax(String),
    /// Cedar, but not of this schema.
    #[error("the access policy does not fit the schema: {0}")]
    Invalid(String),
}

/// Why an action is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No policy permits it, or one forbids it.
    #[error("`{actor}` may not `{action}`")]
    NotPermitted {
        /// The person or service.
        actor: String,
        /// What was asked.
        action: &'static str,
    },
    /// A policy could not be evaluated, which denies.
    #[error("`{action}` could not be decided, which denies: {cause}")]
    NotDecided {
        /// What was asked.
        action: &'static str,
        /// Cedar's own words.
        cause: String,
    },
}

/// What an action is done to.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'a> {
    /// The whole installation.
    Org,
    /// One device.
    Device {
        /// Its name.
        name: &'a str,
        /// Its state.
        state: &'a str,
        /// Its tags.
        tags: &'a BTreeMap<String, String>,
    },
}

/// A validated access policy.
pub struct Access {
    schema: Schema,
    policies: PolicySet,
    authorizer: Authorizer,
}

impl Access {
    /// Reads and validates an access policy.
    ///
    /// # Errors
    /// Not Cedar, or not of the shipped schema in Cedar's strict mode.
    pub fn new(text: &str) -> Result<Access, AccessError> {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA)
            .map_err(|error| AccessError::Invalid(error.to_string()))?;
        let policies =
            PolicySet::from_str(text).map_err(|error| AccessError::Syntax(error.to_string()))?;
        let result = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if !result.validation_passed() {
            let causes: Vec<String> = result
                .validation_errors()
                .map(ToString::to_string)
                .collect();
            return Err(AccessError::Invalid(causes.join("; ")));
        }
        Ok(Access {
            schema,
            policies,
            authorizer: Authorizer::new(),
        })
    }

    /// Decides whether `actor` may do `action` to `resource`.
    ///
    /// # Errors
    /// Why not; an error in any policy's evaluation refuses.
    pub fn authorize(
        &self,
        set: &ir::PolicySet,
        actor: Actor,
        action: AdminAction,
        resource: Resource<'_>,
    ) -> Result<(), Refusal> {
        let undecided = |cause: String| Refusal::NotDecided {
            action: action.word(),
            cause,
        };
        let (principal, mut entities) = principal(set, actor).map_err(undecided)?;
        let (target, others) = target(resource).map_err(undecided)?;
        entities.extend(others);
        let entities = Entities::from_entities(entities, Some(&self.schema))
            .map_err(|error| undecided(error.to_string()))?;
        let request = Request::new(
            principal,
            uid("Action", action.word()).map_err(undecided)?,
            target,
            Context::empty(),
            Some(&self.schema),
        )
        .map_err(|error| undecided(error.to_string()))?;
        let response = self
            .authorizer
            .is_authorized(&request, &self.policies, &entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(undecided(error.to_string()));
        }
        match response.decision() {
            Decision::Allow => Ok(()),
            Decision::Deny => Err(Refusal::NotPermitted {
                actor: actor_name(set, actor).to_owned(),
                action: action.word(),
            }),
        }
    }
}

/// The declared name of an actor.
pub fn actor_name(set: &ir::PolicySet, actor: Actor) -> &str {
    match actor {
        Actor::Person(id) => set.persons.name(id),
        Actor::Service(id) => set.services.name(id),
    }
}

/// The actor declared as `name`; persons and services share one namespace.
pub fn find_actor(set: &ir::PolicySet, name: &str) -> Option<Actor> {
    set.persons
        .find(name)
        .map(Actor::Person)
        .or_else(|| set.services.find(name).map(Actor::Service))
}

/// The person behind an actor: a service's owner answers for it.
pub fn person_behind(set: &ir::PolicySet, actor: Actor) -> ir::PersonId {
    match actor {
        Actor::Person(id) => id,
        Actor::Service(id) => set.services[id].owner,
    }
}

/// How much an actor may do: 0 nothing, then by its highest role in org, 4 an owner.
pub fn tier(set: &ir::PolicySet, actor: Actor) -> i64 {
    match actor {
        Actor::Person(id) => highest(&set.persons[id].roles),
        Actor::Service(id) => highest(&set.services[id].roles),
    }
}

fn highest(roles: &[RoleGrant]) -> i64 {
    let in_org = roles.iter().filter(|grant| grant.scope == Scope::Org);
    in_org.map(|grant| grant.role as i64 + 1).max().unwrap_or(0)
}

fn uid(kind: &str, name: &str) -> Result<EntityUid, String> {
    let kind = cedar_policy::EntityTypeName::from_str(kind).map_err(|error| error.to_string())?;
    Ok(EntityUid::from_type_name_and_id(
        kind,
        cedar_policy::EntityId::new(name),
    ))
}

fn principal(set: &ir::PolicySet, actor: Actor) -> Result<(EntityUid, Vec<Entity>), String> {
    match actor {
        Actor::Person(id) => {
            let person = person_entity(set, id)?;
            Ok((person.uid(), vec![person]))
        }
        Actor::Service(id) => {
            let service = &set.services[id];
            let owner = person_entity(set, service.owner)?;
            let mut attributes = role_attributes(set, &service.roles);
            attributes.insert(
                "owner".to_owned(),
                RestrictedExpression::new_entity_uid(owner.uid()),
            );
            let entity = Entity::new(
                uid("Service", &service.header.name)?,
                attributes,
                HashSet::new(),
            )
            .map_err(|error| error.to_string())?;
            Ok((entity.uid(), vec![entity, owner]))
        }
    }
}

fn person_entity(set: &ir::PolicySet, id: ir::PersonId) -> Result<Entity, String> {
    let person = &set.persons[id];
    let teams = set
        .teams
        .iter()
        .filter(|(_, team)| team.members.contains(&id))
        .map(|(_, team)| uid("Team", &team.header.name))
        .collect::<Result<HashSet<_>, _>>()?;
    Entity::new(
        uid("Person", &person.header.name)?,
        role_attributes(set, &person.roles),
        teams,
    )
    .map_err(|error| error.to_string())
}

fn role_attributes(
    set: &ir::PolicySet,
    roles: &[RoleGrant],
) -> HashMap<String, RestrictedExpression> {
    let projects = roles.iter().filter_map(|grant| match grant.scope {
        Scope::Org => None,
        Scope::Project(id) => Some(RestrictedExpression::new_string(
            set.projects.name(id).to_owned(),
        )),
    });
    HashMap::from([
        (
            "tier".to_owned(),
            RestrictedExpression::new_long(highest(roles)),
        ),
        (
            "projects".to_owned(),
            RestrictedExpression::new_set(projects),
        ),
    ])
}

fn target(resource: Resource<'_>) -> Result<(EntityUid, Vec<Entity>), String> {
    let org = Entity::new_no_attrs(uid("Org", "org")?, HashSet::new());
    match resource {
        Resource::Org => Ok((org.uid(), vec![org])),
        Resource::Device { name, state, tags } => {
            let entity = Entity::new_with_tags(
                uid("Device", name)?,
                [(
                    "state".to_owned(),
                    RestrictedExpression::new_string(state.to_owned()),
                )],
                [org.uid()],
                tags.iter().map(|(tag, value)| {
                    (tag.clone(), RestrictedExpression::new_string(value.clone()))
                }),
            )
            .map_err(|error| error.to_string())?;
            Ok((entity.uid(), vec![entity, org]))
        }
    }
}
