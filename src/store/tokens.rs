//! Bearer tokens, enrollment keys and claims: hashes of what their holders keep.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;

use super::error::StoreError;
use super::look::Rows;
use super::rows::{Claim, EnrollmentKey, Token};
use super::{Committed, Context, Store};
use crate::journal::{Event, Hash, NewToken};

impl Store {
    /// Makes a bearer token of a person or a service.
    ///
    /// # Errors
    /// There is one of that id, or the disk said no.
    pub fn create_token(&self, context: Context, token: NewToken) -> Result<Committed, StoreError> {
        self.commit(context, |_| Ok(Event::TokenCreated { token }))
    }

    /// Ends a bearer token.
    ///
    /// # Errors
    /// No such token, revoked already, or the disk said no.
    pub fn revoke_token(&self, context: Context, id: &str) -> Result<Committed, StoreError> {
        let id = id.to_owned();
        self.commit(context, |_| Ok(Event::TokenRevoked { id }))
    }

    /// The token of that hash, whether it still holds or not ([`Token::holds`]).
    pub fn token_by_hash(&self, hash: &Hash) -> Option<Arc<Token>> {
        let state = self.shared.read();
        let id = state.token_hashes.get(hash)?;
        state.tokens.get(id).cloned()
    }

    /// The token of that id, whether it still holds or not ([`Token::holds`]).
    pub fn token(&self, id: &str) -> Option<Arc<Token>> {
        self.shared.read().tokens.get(id).cloned()
    }

    /// Up to `limit` tokens in the order of their ids, after `after`.
    pub fn tokens(&self, after: Option<&str>, limit: usize) -> Vec<Arc<Token>> {
        page(&self.shared.read().tokens, after, limit)
    }

    /// Makes a key that up to `uses` devices enroll themselves with.
    ///
    /// # Errors
    /// There is one of that id, or the disk said no.
    pub fn create_enrollment_key(
        &self,
        context: Context,
        id: &str,
        hash: Hash,
        tags: BTreeMap<String, String>,
        expires: Timestamp,
        uses: u32,
    ) -> Result<Committed, StoreError> {
        let id = id.to_owned();
        self.commit(context, move |_| {
            Ok(Event::EnrollmentKeyCreated {
                id,
                hash,
                tags,
                expires,
                uses,
            })
        })
    }

    /// Ends an enrollment key.
    ///
    /// # Errors
    /// No such key, revoked already, or the disk said no.
    pub fn revoke_enrollment_key(
        &self,
        context: Context,
        id: &str,
    ) -> Result<Committed, StoreError> {
        let id = id.to_owned();
        self.commit(context, |_| Ok(Event::EnrollmentKeyRevoked { id }))
    }

    /// The enrollment key of that hash, whether it still holds or not
    /// ([`EnrollmentKey::holds`]).
    pub fn enrollment_key_by_hash(&self, hash: &Hash) -> Option<Arc<EnrollmentKey>> {
        self.shared.read().enrollment_key_by_hash(hash)
    }

    /// Up to `limit` enrollment keys in the order of their ids, after `after`.
    pub fn enrollment_keys(&self, after: Option<&str>, limit: usize) -> Vec<Arc<EnrollmentKey>> {
        page(&self.shared.read().enrollment_keys, after, limit)
    }

    /// Records that a one-time claim was written to a file for a person.
    ///
    /// # Errors
    /// The disk said no.
    pub fn issue_claim(
        &self,
        context: Context,
        hash: Hash,
        person: &str,
        expires: Timestamp,
    ) -> Result<Committed, StoreError> {
        let person = person.to_owned();
        self.commit(context, move |_| {
            Ok(Event::ClaimIssued {
                hash,
                person,
                expires,
            })
        })
    }

    /// Turns a claim into a token, once.
    ///
    /// # Errors
    /// No such claim, used or expired, another person's, or the disk said no.
    pub fn claim(
        &self,
        context: Context,
        hash: Hash,
        token: NewToken,
    ) -> Result<Committed, StoreError> {
        self.commit(context, move |_| Ok(Event::Claimed { hash, token }))
    }

    /// The claims that were ever issued.
    pub fn claims(&self) -> Vec<Arc<Claim>> {
        page(&self.shared.read().claims, None, usize::MAX)
    }
}

/// A part of a map, in order.
pub(super) fn page<T>(
    rows: &BTreeMap<String, Arc<T>>,
    after: Option<&str>,
    limit: usize,
) -> Vec<Arc<T>> {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    let rows = rows.range::<str, _>((from, Bound::Unbounded));
    rows.take(limit).map(|(_, row)| Arc::clone(row)).collect()
}
