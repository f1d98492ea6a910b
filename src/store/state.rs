//! Every row in memory, with the ways in that the hot path needs; and the
//! rows that a batch of commands is about to leave behind.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::apply::Change;
use super::look::Rows;
use super::rows::{
    Authority, Certificate, Claim, Concern, Device, EnrollmentKey, Job, LegacyKey, PermitKey, Row,
    RowKey, Schedule, System, Token,
};
use crate::approval::{AllowOnce, ApprovalRequest, TemporaryDenial};
use crate::journal::Hash;
use crate::keyring::KeyId;

/// All that is on disk.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) system: Option<Arc<System>>,
    pub(super) devices: BTreeMap<String, Arc<Device>>,
    /// The device of each binding's token, revoked ones included.
    pub(super) bindings: HashMap<Hash, Arc<Device>>,
    pub(super) tokens: BTreeMap<String, Arc<Token>>,
    pub(super) token_hashes: HashMap<Hash, String>,
    pub(super) enrollment_keys: BTreeMap<String, Arc<EnrollmentKey>>,
    pub(super) enrollment_hashes: HashMap<Hash, String>,
    pub(super) claims: BTreeMap<String, Arc<Claim>>,
    pub(super) legacy_keys: BTreeMap<String, Arc<LegacyKey>>,
    pub(super) approvals: BTreeMap<String, Arc<ApprovalRequest>>,
    pub(super) denials: BTreeMap<String, Arc<TemporaryDenial>>,
    pub(super) allow_onces: BTreeMap<String, Arc<AllowOnce>>,
    pub(super) authorities: BTreeMap<String, Arc<Authority>>,
    pub(super) permit_keys: BTreeMap<String, Arc<PermitKey>>,
    pub(super) schedules: BTreeMap<String, Arc<Schedule>>,
    pub(super) jobs: BTreeMap<String, Arc<Job>>,
    pub(super) certificates: BTreeMap<String, Arc<Certificate>>,
    /// The rows of the three that concern each device.
    of_device: HashMap<String, BTreeSet<RowKey>>,
}

impl State {
    pub(super) fn put(&mut self, (key, row): Change) {
        self.note_concern(&key, row.as_ref());
        match (key, row) {
            (RowKey::System(_), Some(Row::System(row))) => self.system = Some(row),
            (RowKey::Device(name), row) => self.put_device(name, row),
            (RowKey::Token(id), Some(Row::Token(row))) => {
                self.token_hashes.insert(row.hash, id.clone());
                self.tokens.insert(id, row);
            }
            (RowKey::EnrollmentKey(id), Some(Row::EnrollmentKey(row))) => {
                self.enrollment_hashes.insert(row.hash, id.clone());
                self.enrollment_keys.insert(id, row);
            }
            (RowKey::Claim(id), Some(Row::Claim(row))) => {
                self.claims.insert(id, row);
            }
            (RowKey::LegacyKey(id), Some(Row::LegacyKey(row))) => {
                self.legacy_keys.insert(id, row);
            }
            (RowKey::LegacyKey(id), None) => {
                self.legacy_keys.remove(&id);
            }
            (RowKey::ApprovalRequest(id), Some(Row::ApprovalRequest(row))) => {
                self.approvals.insert(id, row);
            }
            (RowKey::ApprovalRequest(id), None) => {
                self.approvals.remove(&id);
            }
            (RowKey::TemporaryDenial(id), Some(Row::TemporaryDenial(row))) => {
                self.denials.insert(id, row);
            }
            (RowKey::TemporaryDenial(id), None) => {
                self.denials.remove(&id);
            }
            (RowKey::AllowOnce(id), Some(Row::AllowOnce(row))) => {
                self.allow_onces.insert(id, row);
            }
            (RowKey::AllowOnce(id), None) => {
                self.allow_onces.remove(&id);
            }
            (RowKey::Authority(id), Some(Row::Authority(row))) => {
                self.authorities.insert(id, row);
            }
            (RowKey::PermitKey(id), Some(Row::PermitKey(row))) => {
                self.permit_keys.insert(id, row);
            }
            (RowKey::Schedule(id), Some(Row::Schedule(row))) => {
                self.schedules.insert(id, row);
            }
            (RowKey::Job(id), Some(Row::Job(row))) => {
                self.jobs.insert(id, row);
            }
            (RowKey::Certificate(serial), Some(Row::Certificate(row))) => {
                self.certificates.insert(serial, row);
            }
            // `apply` deletes no other kind, and gives each row its own key.
            (
                RowKey::System(_)
                | RowKey::Token(_)
                | RowKey::EnrollmentKey(_)
                | RowKey::Claim(_)
                | RowKey::LegacyKey(_)
                | RowKey::ApprovalRequest(_)
                | RowKey::TemporaryDenial(_)
                | RowKey::AllowOnce(_)
                | RowKey::Authority(_)
                | RowKey::PermitKey(_)
                | RowKey::Schedule(_)
                | RowKey::Job(_)
                | RowKey::Certificate(_),
                _,
            ) => {}
        }
    }

    /// Keeps the way from a device to its rows; must see the row that goes.
    fn note_concern(&mut self, key: &RowKey, row: Option<&Row>) {
        let before = self.row(key);
        let concern = row.or(before.as_ref()).and_then(Row::concern);
        let Some(device) = concern.as_ref().and_then(Concern::device) else {
            return;
        };
        let keys = self.of_device.entry(device.to_owned()).or_default();
        match row {
            Some(_) => {
                keys.insert(key.clone());
            }
            None => {
                keys.remove(key);
            }
        }
        if keys.is_empty() {
            let device = device.to_owned();
            self.of_device.remove(&device);
        }
    }

    fn put_device(&mut self, name: String, row: Option<Row>) {
        if let Some(before) = self.devices.remove(&name) {
            for binding in &before.bindings {
                self.bindings.remove(&binding.token);
            }
        }
        if let Some(Row::Device(device)) = row {
            for binding in &device.bindings {
                self.bindings.insert(binding.token, Arc::clone(&device));
            }
            self.devices.insert(name, device);
        }
    }

    /// The data keys that some row needs.
    pub(super) fn key_ids(&self) -> impl Iterator<Item = KeyId> + '_ {
        let devices = self.devices.values();
        let generations = devices.flat_map(|device| &device.bindings);
        let of_devices = generations.flat_map(|binding| super::apply::key_ids(&binding.keys));
        let of_tang = self.legacy_keys.values().map(|key| key.secret.key);
        let own = self.system.iter().map(|system| system.audit_secret.key);
        let of_authorities = self.authorities.values().map(|row| row.new.secret.key);
        let of_permits = self.permit_keys.values().map(|row| row.new.secret.key);
        let of_issuance = of_authorities.chain(of_permits);
        of_devices.chain(of_tang).chain(of_issuance).chain(own)
    }
}

impl Rows for State {
    fn row(&self, key: &RowKey) -> Option<Row> {
        match key {
            RowKey::System(_) => self.system.clone().map(Row::System),
            RowKey::Device(name) => self.devices.get(name).cloned().map(Row::Device),
            RowKey::Token(id) => self.tokens.get(id).cloned().map(Row::Token),
            RowKey::EnrollmentKey(id) => {
                let key = self.enrollment_keys.get(id).cloned();
                key.map(Row::EnrollmentKey)
            }
            RowKey::Claim(id) => self.claims.get(id).cloned().map(Row::Claim),
            RowKey::LegacyKey(id) => self.legacy_keys.get(id).cloned().map(Row::LegacyKey),
            RowKey::ApprovalRequest(id) => {
                let request = self.approvals.get(id).cloned();
                request.map(Row::ApprovalRequest)
            }
            RowKey::TemporaryDenial(id) => self.denials.get(id).cloned().map(Row::TemporaryDenial),
            RowKey::AllowOnce(id) => self.allow_onces.get(id).cloned().map(Row::AllowOnce),
            RowKey::Authority(id) => self.authorities.get(id).cloned().map(Row::Authority),
            RowKey::PermitKey(id) => self.permit_keys.get(id).cloned().map(Row::PermitKey),
            RowKey::Schedule(id) => self.schedules.get(id).cloned().map(Row::Schedule),
            RowKey::Job(id) => self.jobs.get(id).cloned().map(Row::Job),
            RowKey::Certificate(serial) => {
                let certificate = self.certificates.get(serial).cloned();
                certificate.map(Row::Certificate)
            }
        }
    }

    fn grants(&self) -> Vec<RowKey> {
        let keys = self.enrollment_keys.keys().cloned();
        let claims = self.claims.keys().cloned();
        let approvals = self.approvals.keys().cloned();
        let onces = self.allow_onces.keys().cloned();
        keys.map(RowKey::EnrollmentKey)
            .chain(claims.map(RowKey::Claim))
            .chain(approvals.map(RowKey::ApprovalRequest))
            .chain(onces.map(RowKey::AllowOnce))
            .chain(self.jobs.keys().cloned().map(RowKey::Job))
            .collect()
    }

    fn of_device(&self, device: &str) -> Vec<Concern> {
        let keys = self.of_device.get(device).into_iter().flatten();
        keys.filter_map(|key| self.row(key)?.concern()).collect()
    }

    fn enrollment_key_by_hash(&self, hash: &Hash) -> Option<Arc<EnrollmentKey>> {
        let id = self.enrollment_hashes.get(hash)?;
        self.enrollment_keys.get(id).cloned()
    }
}

/// What is on disk, and over it what a batch will have written.
pub(super) struct Overlay<'a> {
    below: &'a State,
    changed: HashMap<RowKey, Option<Row>>,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(below: &'a State) -> Self {
        Overlay {
            below,
            changed: HashMap::new(),
        }
    }

    pub(super) fn put(&mut self, changes: &[Change]) {
        self.changed.extend(changes.iter().cloned());
    }
}

impl Rows for Overlay<'_> {
    fn row(&self, key: &RowKey) -> Option<Row> {
        match self.changed.get(key) {
            Some(row) => row.clone(),
            None => self.below.row(key),
        }
    }

    fn grants(&self) -> Vec<RowKey> {
        let mut grants = self.below.grants();
        for key in self.changed.keys() {
            let grant = matches!(
                key,
                RowKey::EnrollmentKey(_)
                    | RowKey::Claim(_)
                    | RowKey::ApprovalRequest(_)
                    | RowKey::AllowOnce(_)
                    | RowKey::Job(_)
            );
            if grant && !grants.contains(key) {
                grants.push(key.clone());
            }
        }
        grants
    }

    fn of_device(&self, device: &str) -> Vec<Concern> {
        let below = self.below.of_device.get(device).into_iter().flatten();
        let unchanged = below.filter(|key| !self.changed.contains_key(key));
        let changed = self.changed.values().flatten().filter_map(Row::concern);
        unchanged
            .filter_map(|key| self.below.row(key)?.concern())
            .chain(changed.filter(|concern| concern.device() == Some(device)))
            .collect()
    }

    fn enrollment_key_by_hash(&self, hash: &Hash) -> Option<Arc<EnrollmentKey>> {
        let changed = self.changed.values().find_map(|row| match row {
            Some(Row::EnrollmentKey(key)) if key.hash == *hash => Some(Arc::clone(key)),
            Some(_) | None => None,
        });
        changed.or_else(|| self.below.enrollment_key_by_hash(hash))
    }
}
