//! Looking at rows, wherever they stand.

use std::sync::Arc;

use super::rows::{
    Authority, Certificate, Concern, Device, EnrollmentKey, Job, Row, RowKey, Schedule, System,
};
use crate::approval::{AllowOnce, ApprovalRequest, TemporaryDenial};
use crate::journal::Hash;

/// Rows to look at: those on disk, or those and what is about to be written.
pub trait Rows {
    /// The row of that key.
    fn row(&self, key: &RowKey) -> Option<Row>;

    /// The keys of all that a restore ends: enrollment keys, claims, approval
    /// requests, one-time unlocks and jobs.
    fn grants(&self) -> Vec<RowKey>;

    /// The requests, denials and one-time unlocks of a device, ended ones included.
    fn of_device(&self, device: &str) -> Vec<Concern>;

    /// The enrollment key with that hash.
    fn enrollment_key_by_hash(&self, hash: &Hash) -> Option<Arc<EnrollmentKey>>;
}

impl dyn Rows + '_ {
    /// The device of that name.
    pub fn device(&self, name: &str) -> Option<Arc<Device>> {
        match self.row(&RowKey::Device(name.to_owned())) {
            Some(Row::Device(device)) => Some(device),
            Some(_) | None => None,
        }
    }

    /// The approval request of that id.
    pub fn approval(&self, id: &str) -> Option<Arc<ApprovalRequest>> {
        match self.row(&RowKey::ApprovalRequest(id.to_owned())) {
            Some(Row::ApprovalRequest(request)) => Some(request),
            Some(_) | None => None,
        }
    }

    /// The one-time unlock of that id.
    pub fn allow_once(&self, id: &str) -> Option<Arc<AllowOnce>> {
        match self.row(&RowKey::AllowOnce(id.to_owned())) {
            Some(Row::AllowOnce(once)) => Some(once),
            Some(_) | None => None,
        }
    }

    /// The job of that id.
    pub fn job(&self, id: &str) -> Option<Arc<Job>> {
        match self.row(&RowKey::Job(id.to_owned())) {
            Some(Row::Job(job)) => Some(job),
            Some(_) | None => None,
        }
    }

    /// The standing order to renew of that id.
    pub fn schedule(&self, id: &str) -> Option<Arc<Schedule>> {
        match self.row(&RowKey::Schedule(id.to_owned())) {
            Some(Row::Schedule(schedule)) => Some(schedule),
            Some(_) | None => None,
        }
    }

    /// The certificate of that serial number.
    pub fn certificate(&self, serial: &str) -> Option<Arc<Certificate>> {
        match self.row(&RowKey::Certificate(serial.to_owned())) {
            Some(Row::Certificate(certificate)) => Some(certificate),
            Some(_) | None => None,
        }
    }

    /// The certification authority of that id.
    pub fn authority(&self, id: &str) -> Option<Arc<Authority>> {
        match self.row(&RowKey::Authority(id.to_owned())) {
            Some(Row::Authority(authority)) => Some(authority),
            Some(_) | None => None,
        }
    }

    /// The temporary denial of that id.
    pub fn denial(&self, id: &str) -> Option<Arc<TemporaryDenial>> {
        match self.row(&RowKey::TemporaryDenial(id.to_owned())) {
            Some(Row::TemporaryDenial(denial)) => Some(denial),
            Some(_) | None => None,
        }
    }

    /// The row about the store itself.
    pub fn system(&self) -> Option<Arc<System>> {
        match self.row(&RowKey::system()) {
            Some(Row::System(system)) => Some(system),
            Some(_) | None => None,
        }
    }
}
