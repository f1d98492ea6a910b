//! Approval requests, denials, one-time unlocks, jobs and certificates, to be
//! read. What changes them is decided where the policy is known, and committed
//! from there; an authority's key alone is sealed here.

use std::sync::Arc;

use super::error::StoreError;
use super::rows::{Authority, Certificate, Job, PermitKey, Schedule};
use super::tokens::page;
use super::{Committed, Context, Store};
use crate::approval::{AllowOnce, ApprovalRequest, TemporaryDenial};
use crate::durable::HexBytes;
use crate::journal::{Event, NewAuthority, NewPermitKey, SealedSecret};
use crate::keyring::SecretBytes;
use crate::vocabulary::JobState;

/// What an authority's key is sealed as.
fn authority_row(id: &str) -> String {
    format!("authority/{id}")
}

/// What a key for permits is sealed as.
fn permit_row(id: &str) -> String {
    format!("permit-key/{id}")
}

impl Store {
    /// The approval request of that id.
    pub fn approval(&self, id: &str) -> Option<Arc<ApprovalRequest>> {
        self.read(|rows| rows.approval(id))
    }

    /// Every approval request that is kept, the newest first.
    pub fn approvals(&self) -> Vec<Arc<ApprovalRequest>> {
        let mut all: Vec<_> = self.shared.read().approvals.values().cloned().collect();
        all.sort_by(|a, b| (b.created, b.id()).cmp(&(a.created, a.id())));
        all
    }

    /// The ids of the approval requests whose row is open.
    pub fn open_approvals(&self) -> Vec<String> {
        let state = self.shared.read();
        let open = state.approvals.values().filter(|one| one.state.is_open());
        open.map(|one| one.id().to_owned()).collect()
    }

    /// The ids of the jobs that are to be carried out, or are being.
    pub fn unfinished_jobs(&self) -> Vec<String> {
        let state = self.shared.read();
        let open = |job: &&Arc<Job>| matches!(job.state, JobState::Queued | JobState::Executing);
        let open = state.jobs.values().filter(open);
        open.map(|job| job.new.id.clone()).collect()
    }

    /// Every standing order to renew, stopped ones included, by id.
    pub fn schedules(&self) -> Vec<Arc<Schedule>> {
        self.shared.read().schedules.values().cloned().collect()
    }

    /// Up to `limit` certificates in the order of their serial numbers, after `after`.
    pub fn certificates(&self, after: Option<&str>, limit: usize) -> Vec<Arc<Certificate>> {
        page(&self.shared.read().certificates, after, limit)
    }

    /// Makes a certification authority: its key sealed, then the entry.
    ///
    /// # Errors
    /// There is one of that id, or the disk said no.
    pub fn create_authority(
        &self,
        context: Context,
        id: &str,
        certificate: String,
        key: &SecretBytes,
    ) -> Result<Committed, StoreError> {
        let data_keys = self.create_keys(1)?;
        let new = data_keys.first().ok_or(StoreError::Stopped)?;
        let sealed = HexBytes(new.key.seal(&authority_row(id), key)?);
        let authority = NewAuthority {
            id: id.to_owned(),
            certificate,
            secret: SealedSecret {
                key: new.id,
                sealed,
            },
        };
        let event = Event::AuthorityCreated { authority };
        self.commit_with_keys(context, &[new.id], move |_| Ok(event))
    }

    /// Opens the private key of an authority.
    ///
    /// # Errors
    /// It is damaged.
    pub fn open_authority_key(&self, authority: &Authority) -> Result<SecretBytes, StoreError> {
        self.open_secret(&authority_row(&authority.new.id), &authority.new.secret)
    }

    /// The key that permits are signed with, the newest; none before the first.
    pub fn permit_key(&self) -> Option<Arc<PermitKey>> {
        let state = self.shared.read();
        let keys = state.permit_keys.values();
        keys.max_by_key(|key| key.version).cloned()
    }

    /// Every key that permits were ever signed with, by id.
    pub fn permit_keys(&self) -> Vec<Arc<PermitKey>> {
        self.shared.read().permit_keys.values().cloned().collect()
    }

    /// Takes a key that permits are signed with from now on.
    ///
    /// # Errors
    /// There is one of that id, or the disk said no.
    pub fn create_permit_key(
        &self,
        context: Context,
        id: &str,
        jwk: String,
        key: &SecretBytes,
    ) -> Result<Committed, StoreError> {
        let data_keys = self.create_keys(1)?;
        let new = data_keys.first().ok_or(StoreError::Stopped)?;
        let sealed = HexBytes(new.key.seal(&permit_row(id), key)?);
        let key = NewPermitKey {
            id: id.to_owned(),
            jwk,
            secret: SealedSecret {
                key: new.id,
                sealed,
            },
        };
        let event = Event::PermitKeyCreated { key };
        self.commit_with_keys(context, &[new.id], move |_| Ok(event))
    }

    /// Opens the private half of a key that permits are signed with.
    ///
    /// # Errors
    /// It is damaged.
    pub fn open_permit_key(&self, key: &PermitKey) -> Result<SecretBytes, StoreError> {
        self.open_secret(&permit_row(&key.new.id), &key.new.secret)
    }

    /// Every temporary denial that is kept, the newest first.
    pub fn denials(&self) -> Vec<Arc<TemporaryDenial>> {
        let mut all: Vec<_> = self.shared.read().denials.values().cloned().collect();
        all.sort_by(|a, b| (b.since, &b.id).cmp(&(a.since, &a.id)));
        all
    }

    /// The one-time unlocks of a device that are kept, the newest first.
    pub fn allow_onces(&self, device: &str) -> Vec<Arc<AllowOnce>> {
        let state = self.shared.read();
        let mut all: Vec<_> = (state.allow_onces.values())
            .filter(|one| one.arming.device == device)
            .cloned()
            .collect();
        all.sort_by(|a, b| (b.created, &b.arming.id).cmp(&(a.created, &a.arming.id)));
        all
    }
}
