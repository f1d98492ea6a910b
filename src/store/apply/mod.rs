//! What an entry means: which rows it leaves changed. Pure; the same function
//! refuses a command, publishes it, and replays it at a start. `credentials`
//! has what tokens and enrollment keys do, `people` approval requests and
//! one-time unlocks, `issuance` jobs and certificates.

mod credentials;
mod issuance;
mod people;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::error::Refusal;
use super::look::Rows;
use super::rows::{
    Anchor, Binding, Device, EnrollmentKey, LegacyKey, PolicyInForce, Row, RowKey, System,
};
use crate::approval::Taken;
use crate::journal::{Draft, Event, Generation, ImportedKey, NewBinding};
use crate::keyring::KeyId;
use crate::vocabulary::DeviceState;

/// One row changed; none: it is gone.
pub(super) type Change = (RowKey, Option<Row>);

/// The rows that `draft`, as entry `seq`, leaves changed.
///
/// # Errors
/// It does not fit the rows it meets.
pub(super) fn apply(rows: &dyn Rows, seq: u64, draft: &Draft) -> Result<Vec<Change>, Refusal> {
    let at = At {
        rows,
        seq,
        time: draft.time,
    };
    match &draft.event {
        Event::JournalCreated { audit_key, secret } => at.begin(System {
            audit_key: *audit_key,
            audit_secret: secret.clone(),
            epoch: 0,
            grants_from: 0,
            policy: None,
            anchored: None,
            accepted: None,
            version: seq,
        }),
        Event::DeviceEnrolled {
            name,
            tags,
            bindings,
            enrollment_key,
        } => at.enroll(name, tags, bindings, enrollment_key.as_deref()),
        Event::DeviceTagged { name, tags } => at.device(name, |device| {
            device.tags.clone_from(tags);
            Ok(())
        }),
        Event::DeviceDisabled { name, .. } => {
            at.switch(name, DeviceState::Active, DeviceState::Disabled)
        }
        Event::DeviceEnabled { name, .. } => {
            at.switch(name, DeviceState::Disabled, DeviceState::Active)
        }
        Event::DeviceRevoked {
            name, destroyed, ..
        } => {
            let mut changes = at.device(name, |device| revoke(device, destroyed))?;
            changes.extend(at.end_grants(name)?);
            Ok(changes)
        }
        Event::KeyRotated {
            name,
            binding,
            keys,
        } => at.binding(name, binding, |binding| {
            binding.keys.insert(0, keys.clone());
            Ok(())
        }),
        Event::KeyRetired {
            name,
            binding,
            destroyed,
        } => at.binding(name, binding, |binding| retire(binding, destroyed)),
        Event::TokenCreated { token } => at.mint(token, draft),
        Event::TokenRevoked { id } => at.revoke_token(id),
        Event::EnrollmentKeyCreated {
            id,
            hash,
            tags,
            expires,
            uses,
        } => at.new_enrollment_key(EnrollmentKey {
            id: id.clone(),
            hash: *hash,
            tags: tags.clone(),
            expires: *expires,
            uses_left: *uses,
            revoked: false,
            version: seq,
        }),
        Event::EnrollmentKeyRevoked { id } => at.revoke_enrollment_key(id),
        Event::PolicyReloaded { digest, summary } => at.system(|system| {
            system.policy = Some(PolicyInForce {
                digest: digest.clone(),
                summary: summary.clone(),
                since: draft.time,
            });
        }),
        Event::PolicyRejected { .. }
        | Event::MasterKeyChanged {}
        | Event::ClockJumped { .. }
        | Event::ClockAccepted { .. } => Ok(Vec::new()),
        Event::ApprovalRequested { request } => at.request_approval(request),
        Event::ApprovalStepped { id, step } => at.step_approval(id, step),
        Event::ExchangeGranted {
            binding,
            source,
            approvals,
            allow_once,
            ..
        } => {
            let taken = Taken {
                binding: binding.clone(),
                source: *source,
                time: draft.time,
            };
            at.grant_exchange(approvals, allow_once, &taken)
        }
        Event::JobSubmitted { job, approval } => at.submit_job(job, approval.as_deref(), draft),
        Event::JobClaimed { id, claim } => at.claim_job(id, claim),
        Event::JobFinished { id, result } => at.finish_job(id, result),
        Event::JobEnded { id, cause } => at.end_job(id, cause),
        Event::AuthorityCreated { authority } => at.create_authority(authority),
        Event::RenewalScheduled { schedule } => at.schedule(schedule),
        Event::RenewalStopped { id, .. } => at.stop_schedule(id),
        Event::PermitKeyCreated { key } => at.create_permit_key(key),
        Event::DenialLifted { id, .. } => at.lift_denial(id),
        Event::AllowOnceArmed { arming, persons } => at.arm(arming, draft, persons),
        Event::AllowOnceJoined { id, persons } => at.join(id, draft, persons),
        Event::AllowOnceWithdrawn { id, .. } => at.withdraw(id),
        Event::ClaimIssued {
            hash,
            person,
            expires,
        } => at.issue_claim(hash, person, *expires),
        Event::Claimed { hash, token } => at.claim(hash, token, draft),
        Event::TangKeysImported { source, keys } => at.import(source, keys),
        Event::LegacyKeyDeleted {
            thumbprint,
            destroyed,
        } => at.delete_legacy(thumbprint, destroyed),
        Event::HeadAnchored { seq, hash } => at.system(|system| {
            system.anchored = Some(Anchor {
                seq: *seq,
                hash: *hash,
            });
        }),
        Event::HeadAccepted { seq, hash, .. } => at.system(|system| {
            system.accepted = Some(Anchor {
                seq: *seq,
                hash: *hash,
            });
        }),
        Event::EpochBumped { epoch, .. } | Event::BackupRestored { epoch, .. } => {
            at.bump_epoch(*epoch)
        }
    }
}

/// The place and time an entry is applied at.
struct At<'a> {
    rows: &'a dyn Rows,
    seq: u64,
    time: Timestamp,
}

type Changes = Result<Vec<Change>, Refusal>;

fn put(key: RowKey, row: impl Into<Row>) -> Change {
    (key, Some(row.into()))
}

fn not_found(what: &'static str, name: &str) -> Refusal {
    Refusal::NotFound {
        what,
        name: name.to_owned(),
    }
}

fn exists(what: &'static str, name: &str) -> Refusal {
    Refusal::Exists {
        what,
        name: name.to_owned(),
    }
}

fn in_state(what: &'static str, name: &str, state: &'static str) -> Refusal {
    Refusal::State {
        what,
        name: name.to_owned(),
        state,
    }
}

impl At<'_> {
    fn begin(&self, system: System) -> Changes {
        if self.seq != 1 {
            return Err(exists("beginning", "journal"));
        }
        Ok(vec![put(RowKey::system(), system)])
    }

    fn system(&self, change: impl FnOnce(&mut System)) -> Changes {
        let system = self.rows.system();
        let mut system =
            Arc::unwrap_or_clone(system.ok_or_else(|| not_found("beginning", "journal"))?);
        change(&mut system);
        system.version = self.seq;
        Ok(vec![put(RowKey::system(), system)])
    }

    fn enroll(
        &self,
        name: &str,
        tags: &BTreeMap<String, String>,
        bindings: &[NewBinding],
        enrollment_key: Option<&str>,
    ) -> Changes {
        // A revoked device's name is free again: the host was set up anew.
        let earlier = self.rows.device(name);
        if earlier.is_some_and(|device| device.state != DeviceState::Revoked) {
            return Err(exists("device", name));
        }
        for (at, binding) in bindings.iter().enumerate() {
            let same = |other: &NewBinding| other.id == binding.id || other.token == binding.token;
            if bindings.iter().take(at).any(same) {
                return Err(exists("binding", &binding.id));
            }
        }
        let mut changes = Vec::new();
        if let Some(id) = enrollment_key {
            changes.push(self.use_enrollment_key(id)?);
        }
        let bindings = bindings.iter().map(|binding| Binding {
            id: binding.id.clone(),
            token: binding.token,
            keys: vec![binding.keys.clone()],
        });
        let device = Device {
            name: name.to_owned(),
            tags: tags.clone(),
            state: DeviceState::Active,
            bindings: bindings.collect(),
            enrolled: self.time,
            enrollment_key: enrollment_key.map(str::to_owned),
            version: self.seq,
        };
        changes.push(put(RowKey::Device(name.to_owned()), device));
        Ok(changes)
    }

    /// Changes a device that was not revoked.
    fn device(
        &self,
        name: &str,
        change: impl FnOnce(&mut Device) -> Result<(), Refusal>,
    ) -> Changes {
        let device = self.rows.device(name);
        let mut device = Arc::unwrap_or_clone(device.ok_or_else(|| not_found("device", name))?);
        if device.state == DeviceState::Revoked {
            return Err(in_state("device", name, "revoked"));
        }
        change(&mut device)?;
        device.version = self.seq;
        Ok(vec![put(RowKey::Device(name.to_owned()), device)])
    }

    fn switch(&self, name: &str, from: DeviceState, to: DeviceState) -> Changes {
        self.device(name, |device| {
            if device.state != from {
                return Err(in_state("device", name, device.state.word()));
            }
            device.state = to;
            Ok(())
        })
    }

    fn binding(
        &self,
        name: &str,
        id: &str,
        change: impl FnOnce(&mut Binding) -> Result<(), Refusal>,
    ) -> Changes {
        self.device(name, |device| {
            let binding = device.bindings.iter_mut().find(|binding| binding.id == id);
            change(binding.ok_or_else(|| not_found("binding", id))?)
        })
    }

    fn import(&self, source: &str, keys: &[ImportedKey]) -> Changes {
        let import = |imported: &ImportedKey| {
            let name = &imported.public.thumbprint;
            let key = RowKey::LegacyKey(name.clone());
            if self.rows.row(&key).is_some() {
                return Err(exists("key", name));
            }
            let row = LegacyKey {
                public: imported.public.clone(),
                advertised: imported.advertised,
                secret: imported.secret.clone(),
                source: source.to_owned(),
                version: self.seq,
            };
            Ok(put(key, row))
        };
        keys.iter().map(import).collect()
    }

    fn delete_legacy(&self, thumbprint: &str, destroyed: &[KeyId]) -> Changes {
        let key = RowKey::LegacyKey(thumbprint.to_owned());
        match self.rows.row(&key) {
            Some(Row::LegacyKey(row)) if destroyed == [row.secret.key] => Ok(vec![(key, None)]),
            Some(_) => Err(wrong_keys()),
            None => Err(not_found("key", thumbprint)),
        }
    }

    /// Live grants made before now have ended.
    fn bump_epoch(&self, epoch: u64) -> Changes {
        let now = self.rows.system().map_or(0, |system| system.epoch);
        if epoch <= now {
            return Err(Refusal::Senseless(format!(
                "the epoch is {now} and cannot become {epoch}"
            )));
        }
        let mut changes = self.system(|system| {
            system.epoch = epoch;
            system.grants_from = self.seq;
        })?;
        for key in self.rows.grants() {
            match self.rows.row(&key) {
                Some(Row::EnrollmentKey(row)) => {
                    let mut row = Arc::unwrap_or_clone(row);
                    row.revoked = true;
                    row.version = self.seq;
                    changes.push(put(key, row));
                }
                Some(Row::Claim(row)) => {
                    let mut row = Arc::unwrap_or_clone(row);
                    row.ended = true;
                    row.version = self.seq;
                    changes.push(put(key, row));
                }
                Some(Row::ApprovalRequest(row)) => {
                    changes.extend(self.end_request(&row, "live grants were ended")?);
                }
                Some(Row::AllowOnce(row)) => changes.extend(self.end_once(row)),
                Some(Row::Job(row)) => changes.extend(self.abandon_job(row)),
                Some(
                    Row::System(_)
                    | Row::Device(_)
                    | Row::Token(_)
                    | Row::LegacyKey(_)
                    | Row::Authority(_)
                    | Row::PermitKey(_)
                    | Row::Schedule(_)
                    | Row::Certificate(_)
                    | Row::TemporaryDenial(_),
                )
                | None => {}
            }
        }
        Ok(changes)
    }
}

fn wrong_keys() -> Refusal {
    Refusal::Senseless("the keys to destroy are not those of the row".to_owned())
}

/// The data keys of these generations.
pub(super) fn key_ids(keys: &[Generation]) -> impl Iterator<Item = KeyId> + '_ {
    keys.iter().map(|keys| keys.secret.key)
}

fn revoke(device: &mut Device, destroyed: &[KeyId]) -> Result<(), Refusal> {
    let all = device
        .bindings
        .iter()
        .flat_map(|binding| key_ids(&binding.keys));
    if !all.eq(destroyed.iter().copied()) {
        return Err(wrong_keys());
    }
    device.state = DeviceState::Revoked;
    for binding in &mut device.bindings {
        binding.keys.clear();
    }
    Ok(())
}

fn retire(binding: &mut Binding, destroyed: &[KeyId]) -> Result<(), Refusal> {
    let earlier = binding.keys.get(1..).unwrap_or_default();
    if destroyed.is_empty() || !key_ids(earlier).eq(destroyed.iter().copied()) {
        return Err(wrong_keys());
    }
    binding.keys.truncate(1);
    Ok(())
}
