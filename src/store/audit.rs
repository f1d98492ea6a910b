//! The journal as the audit: pages of it, and signed heads.

use std::path::Path;

use jiff::Timestamp;

use super::error::{Refusal, StoreError};
use super::look::Rows;
use super::open::{StoreState, journal_path};
use super::rows::Anchor;
use super::{Committed, Context, Store, lock};
use crate::journal::{AuditPublicKey, Entry, Event, Head, SignedHead, Start, read_page};

impl Store {
    /// Up to `limit` entries, in order, after number `after`.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn audit(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let last = self.link().seq;
        let limit = limit.min(usize::try_from(last.saturating_sub(after)).unwrap_or(usize::MAX));
        let start = {
            let starts = lock(&self.shared.starts);
            let before = starts.partition_point(|start| start.seq <= after + 1);
            before.checked_sub(1).and_then(|at| starts.get(at)).copied()
        };
        let path = journal_path(&self.shared.directory);
        Ok(read_page(
            &path,
            start.unwrap_or(Start::FIRST),
            after,
            limit,
        )?)
    }

    /// The public key that this journal's heads are signed under.
    pub fn audit_public_key(&self) -> AuditPublicKey {
        self.shared.audit_public
    }

    /// How often live grants were ended.
    pub fn epoch(&self) -> u64 {
        let state = self.shared.read();
        state.system.as_ref().map_or(0, |system| system.epoch)
    }

    /// Signs how far the journal goes now.
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub fn sign_head(&self, time: Timestamp) -> Result<SignedHead, StoreError> {
        let link = self.link();
        let head = Head {
            journal: self.journal(),
            epoch: self.epoch(),
            seq: link.seq,
            hash: link.hash,
            time,
        };
        Ok(self.shared.audit_key.sign(head)?)
    }

    /// Signs the head, puts it in the place of the file at `path`, and records
    /// that it was.
    ///
    /// # Errors
    /// The disk said no.
    pub fn anchor_head(&self, context: Context, path: &Path) -> Result<SignedHead, StoreError> {
        let signed = self.sign_head(context.time)?;
        signed.write(path)?;
        let (seq, hash) = (signed.head.seq, signed.head.hash);
        self.commit(context, move |_| Ok(Event::HeadAnchored { seq, hash }))?;
        Ok(signed)
    }

    /// Accepts, by name, that the journal does not hold what the anchored head
    /// covers; the store is ready then.
    ///
    /// # Errors
    /// Nothing waits for that, nobody accepts it, or the disk said no.
    pub fn accept_head(&self, context: Context, note: String) -> Result<Committed, StoreError> {
        let StoreState::HeadOlderThanAnchor { anchored, .. } = self.state() else {
            let nothing = "no anchored head waits to be accepted";
            return Err(Refusal::Senseless(nothing.to_owned()).into());
        };
        if context.actor.person.is_none() {
            let nobody = "an anchored head is accepted by a person";
            return Err(Refusal::Senseless(nobody.to_owned()).into());
        }
        let Anchor { seq, hash } = anchored;
        let committed = self.commit(context, move |_| {
            Ok(Event::HeadAccepted { seq, hash, note })
        })?;
        *lock(&self.shared.standing) = StoreState::Ready;
        Ok(committed)
    }

    /// Ends every live grant made before now.
    ///
    /// # Errors
    /// The disk said no.
    pub fn bump_epoch(&self, context: Context, reason: String) -> Result<Committed, StoreError> {
        self.commit(context, move |rows: &dyn Rows| {
            let epoch = rows.system().map_or(0, |system| system.epoch) + 1;
            Ok(Event::EpochBumped { epoch, reason })
        })
    }
}
