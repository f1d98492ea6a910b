//! Approval requests, denials and one-time unlocks, to be read. What changes
//! them is decided where the policy is known, and committed from there.

use std::sync::Arc;

use super::Store;
use crate::approval::{AllowOnce, ApprovalRequest, TemporaryDenial};

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
