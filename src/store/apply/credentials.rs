//! What entries about tokens, enrollment keys and claims mean.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::error::Refusal;
use super::super::rows::{Claim, EnrollmentKey, Row, RowKey, Token};
use super::{At, Change, Changes, exists, in_state, not_found, put};
use crate::journal::{Draft, Hash, NewToken};

impl At<'_> {
    pub(super) fn mint(&self, token: &NewToken, draft: &Draft) -> Changes {
        let key = RowKey::Token(token.id.clone());
        if self.rows.row(&key).is_some() {
            return Err(exists("token", &token.id));
        }
        let token = Token {
            id: token.id.clone(),
            person: token.person.clone(),
            hash: token.hash,
            minted_by: draft.actor.clone(),
            created: draft.time,
            expires: token.expires,
            revoked: false,
            version: self.seq,
        };
        Ok(vec![put(key, token)])
    }

    pub(super) fn revoke_token(&self, id: &str) -> Changes {
        let key = RowKey::Token(id.to_owned());
        let Some(Row::Token(token)) = self.rows.row(&key) else {
            return Err(not_found("token", id));
        };
        if token.revoked {
            return Err(in_state("token", id, "revoked"));
        }
        let mut token = Arc::unwrap_or_clone(token);
        token.revoked = true;
        token.version = self.seq;
        Ok(vec![put(key, token)])
    }

    pub(super) fn new_enrollment_key(&self, new: EnrollmentKey) -> Changes {
        let key = RowKey::EnrollmentKey(new.id.clone());
        if self.rows.row(&key).is_some() {
            return Err(exists("enrollment key", &new.id));
        }
        Ok(vec![put(key, new)])
    }

    pub(super) fn use_enrollment_key(&self, id: &str) -> Result<Change, Refusal> {
        let mut key = self.enrollment_key(id)?;
        if !key.holds(self.time) {
            return Err(in_state(
                "enrollment key",
                id,
                "revoked, expired or used up",
            ));
        }
        key.uses_left -= 1;
        key.version = self.seq;
        Ok(put(RowKey::EnrollmentKey(id.to_owned()), key))
    }

    pub(super) fn revoke_enrollment_key(&self, id: &str) -> Changes {
        let mut key = self.enrollment_key(id)?;
        if key.revoked {
            return Err(in_state("enrollment key", id, "revoked"));
        }
        key.revoked = true;
        key.version = self.seq;
        Ok(vec![put(RowKey::EnrollmentKey(id.to_owned()), key)])
    }

    fn enrollment_key(&self, id: &str) -> Result<EnrollmentKey, Refusal> {
        match self.rows.row(&RowKey::EnrollmentKey(id.to_owned())) {
            Some(Row::EnrollmentKey(key)) => Ok(Arc::unwrap_or_clone(key)),
            Some(_) | None => Err(not_found("enrollment key", id)),
        }
    }

    pub(super) fn issue_claim(&self, hash: &Hash, person: &str, expires: Timestamp) -> Changes {
        let claim = Claim {
            hash: *hash,
            person: person.to_owned(),
            expires,
            ended: false,
            version: self.seq,
        };
        Ok(vec![put(RowKey::Claim(hash.to_string()), claim)])
    }

    pub(super) fn claim(&self, hash: &Hash, token: &NewToken, draft: &Draft) -> Changes {
        let key = RowKey::Claim(hash.to_string());
        let Some(Row::Claim(claim)) = self.rows.row(&key) else {
            return Err(not_found("claim", "given"));
        };
        if claim.ended || self.time >= claim.expires {
            return Err(in_state("claim", "given", "used or expired"));
        }
        if claim.person != token.person {
            return Err(Refusal::Senseless(format!(
                "the claim is bound to `{}`",
                claim.person
            )));
        }
        let mut claim = Arc::unwrap_or_clone(claim);
        claim.ended = true;
        claim.version = self.seq;
        let mut changes = self.mint(token, draft)?;
        changes.push(put(key, claim));
        Ok(changes)
    }
}
