//! The journal: what a crash may leave, what a hand may do to it, and what is said.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use panopol::durable::Hex;
use panopol::journal::{
    Actor, AuditKey, Draft, Entry, Event, FaultKind, Head, HeadVerdict, Journal, JournalError,
    Medium, SignedHead, Torn, read_entries, verify,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const HEAD: usize = 64;

fn draft(number: u64) -> Draft {
    Draft {
        time: Timestamp::from_second(1_800_000_000 + number as i64).unwrap(),
        actor: Actor::person("maria"),
        policy: Some("sha256:00".to_owned()),
        event: Event::DeviceTagged {
            name: format!("host-{number}"),
            tags: BTreeMap::from([("env".to_owned(), "prod".to_owned())]),
        },
    }
}

struct Scene {
    directory: tempfile::TempDir,
    /// Where each frame begins, and the end.
    frames: Vec<usize>,
    bytes: Vec<u8>,
}

impl Scene {
    fn path(&self) -> PathBuf {
        self.directory.path().join("journal")
    }

    fn write(&self, bytes: &[u8]) {
        fs::write(self.path(), bytes).unwrap();
    }

    fn frame(&self, number: usize) -> &[u8] {
        &self.bytes[self.frames[number - 1]..self.frames[number]]
    }

    /// The file made of these entries, in this order.
    fn arrange(&self, numbers: &[usize]) -> Vec<u8> {
        let mut bytes = self.bytes[..HEAD].to_vec();
        for &number in numbers {
            bytes.extend(self.frame(number));
        }
        bytes
    }
}

fn scene(entries: u64) -> Scene {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal");
    let mut journal = Journal::create(&path, Hex([7; 16])).unwrap();
    let mut frames = vec![HEAD];
    for number in 1..=entries {
        journal.append(vec![draft(number)]).unwrap();
        frames.push(journal.link().end as usize);
    }
    drop(journal);
    let bytes = fs::read(&path).unwrap();
    Scene {
        directory,
        frames,
        bytes,
    }
}

fn open(path: &Path) -> Result<(Journal, Option<Torn>, Vec<Entry>), JournalError> {
    let mut entries = Vec::new();
    let (journal, torn) = Journal::open(path, |scanned| {
        entries.push(scanned.entry()?);
        Ok::<(), JournalError>(())
    })?;
    Ok((journal, torn, entries))
}

fn faults(path: &Path) -> Vec<(u64, u64, FaultKind)> {
    let report = verify(path, None).unwrap();
    let faults = report.faults.into_iter();
    faults
        .map(|fault| (fault.entry, fault.offset, fault.kind))
        .collect()
}

#[test]
fn entries_come_back_in_order_and_the_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let scene = scene(5);
    let (_, torn, entries) = open(&scene.path()).unwrap();
    assert_eq!(torn, None);
    let drafts: Vec<_> = entries.into_iter().map(|entry| entry.draft).collect();
    assert_eq!(drafts, (1..=5).map(draft).collect::<Vec<_>>());
    let mode = fs::metadata(scene.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_edited_entry_is_found_where_it_is() {
    let scene = scene(6);
    for number in 1..=6 {
        let mut bytes = scene.bytes.clone();
        let begin = scene.frames[number - 1];
        bytes[begin + 70] ^= 1;
        scene.write(&bytes);
        let place = (number as u64, begin as u64);
        let found = faults(&scene.path());
        assert_eq!(found, [(place.0, place.1, FaultKind::Edited)]);
        match open(&scene.path()) {
            Err(JournalError::Broken { entry, offset, .. }) => assert_eq!((entry, offset), place),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_dropped_entry_is_found_where_it_was() {
    let scene = scene(6);
    scene.write(&scene.arrange(&[1, 2, 5, 6]));
    let at = scene.frames[2] as u64;
    let dropped = FaultKind::Dropped { first: 3, last: 4 };
    assert_eq!(faults(&scene.path()), [(5, at, dropped)]);
    let refused = open(&scene.path()).unwrap_err().to_string();
    assert_eq!(
        refused,
        format!("journal entry 3 at byte {at}: entry 5 stands here: entries are missing or moved")
    );
}

#[test]
fn reordered_entries_are_found_where_they_stand() {
    let scene = scene(6);
    scene.write(&scene.arrange(&[1, 2, 4, 3, 5, 6]));
    let first = scene.frames[2];
    let second = first + scene.frame(4).len();
    let found = faults(&scene.path());
    assert_eq!(
        found[0],
        (4, first as u64, FaultKind::Moved { expected: 3 })
    );
    assert_eq!(
        found[1],
        (3, second as u64, FaultKind::Moved { expected: 5 })
    );
    assert_eq!(found.len(), 2);
    assert!(open(&scene.path()).is_err());
}

#[test]
fn a_replaced_entry_does_not_follow_the_one_before() {
    let scene = scene(4);
    let other = {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let mut journal = Journal::create(&path, Hex([7; 16])).unwrap();
        journal.append(vec![draft(90), draft(91)]).unwrap();
        drop(journal);
        let mut begin = 0;
        Journal::open(&path, |scanned| {
            begin = scanned.offset as usize;
            Ok::<(), JournalError>(())
        })
        .unwrap();
        fs::read(&path).unwrap()[begin..].to_vec()
    };
    let mut bytes = scene.arrange(&[1]);
    bytes.extend(other);
    bytes.extend(scene.frame(3));
    scene.write(&bytes);
    let kinds: Vec<_> = faults(&scene.path())
        .into_iter()
        .map(|f| (f.0, f.2))
        .collect();
    assert_eq!(
        kinds,
        [(2, FaultKind::Unchained), (3, FaultKind::Unchained)]
    );
}

fn head_of(scene: &Scene, seq: usize, key: &AuditKey) -> SignedHead {
    let end = scene.frames[seq];
    let hash: [u8; 32] = scene.bytes[end - 32..end].try_into().unwrap();
    key.sign(Head {
        journal: Hex([7; 16]),
        epoch: 0,
        seq: seq as u64,
        hash: Hex(hash),
        time: Timestamp::UNIX_EPOCH,
    })
    .unwrap()
}

#[test]
fn a_trusted_head_finds_what_was_cut_off_and_what_was_rewritten() {
    let scene = scene(6);
    let key = AuditKey::generate().unwrap();
    let public = key.public().unwrap();
    let head = head_of(&scene, 5, &key);
    let verdict = |head: &SignedHead| verify(&scene.path(), Some((head, &public))).unwrap().head;
    assert_eq!(verdict(&head), HeadVerdict::Covered);

    scene.write(&scene.arrange(&[1, 2, 3]));
    assert!(verify(&scene.path(), None).unwrap().holds());
    assert_eq!(verdict(&head), HeadVerdict::Truncated { seq: 5 });

    fs::remove_file(scene.path()).unwrap();
    let mut journal = Journal::create(&scene.path(), Hex([7; 16])).unwrap();
    journal.append((11..=16).map(draft).collect()).unwrap();
    drop(journal);
    assert!(verify(&scene.path(), None).unwrap().holds());
    assert_eq!(verdict(&head), HeadVerdict::Rewritten { seq: 5 });

    let mut forged = head.clone();
    forged.head.seq = 3;
    assert_eq!(verdict(&forged), HeadVerdict::BadSignature);
    let mut other = head.head.clone();
    other.journal = Hex([8; 16]);
    assert_eq!(
        verdict(&key.sign(other).unwrap()),
        HeadVerdict::OtherJournal
    );
}

#[test]
fn a_head_survives_its_file() {
    let scene = scene(2);
    let key = AuditKey::generate().unwrap();
    let head = head_of(&scene, 2, &key);
    let path = scene.directory.path().join("head.json");
    head.write(&path).unwrap();
    let read = SignedHead::read(&path).unwrap();
    assert_eq!(read, head);
    assert!(read.is_signed_by(&key.public().unwrap()));
    let restored = AuditKey::from_secret(&key.secret().unwrap()).unwrap();
    assert_eq!(restored.public().unwrap(), key.public().unwrap());
    assert!(!read.is_signed_by(&AuditKey::generate().unwrap().public().unwrap()));
}

#[test]
fn a_last_write_cut_anywhere_is_taken_off_and_said() {
    let scene = scene(3);
    let begin = scene.frames[2];
    for end in begin + 1..scene.bytes.len() {
        scene.write(&scene.bytes[..end]);
        let (mut journal, torn, entries) = open(&scene.path()).unwrap();
        let expected = Torn {
            offset: begin as u64,
            bytes: (end - begin) as u64,
        };
        assert_eq!(torn, Some(expected));
        assert_eq!(entries.len(), 2);
        journal.append(vec![draft(3)]).unwrap();
        drop(journal);
        assert_eq!(fs::read(scene.path()).unwrap(), scene.bytes);
    }
}

#[test]
fn zeros_that_a_file_system_left_are_taken_off_and_other_bytes_are_not() {
    let scene = scene(3);
    for kept in [0, 10, 50, 80] {
        let mut bytes = scene.bytes[..scene.frames[2] + kept].to_vec();
        bytes.resize(scene.frames[2] + 9000, 0);
        scene.write(&bytes);
        let (_, torn, entries) = open(&scene.path()).unwrap();
        assert_eq!(torn.map(|torn| torn.offset), Some(scene.frames[2] as u64));
        assert_eq!(entries.len(), 2);
        *bytes.last_mut().unwrap() = 1;
        scene.write(&bytes);
        assert!(open(&scene.path()).is_err(), "{kept}");
    }
}

#[test]
fn a_flipped_length_is_damage_and_never_a_torn_end() {
    let scene = scene(3);
    for bit in 0..32 {
        let mut bytes = scene.bytes.clone();
        bytes[scene.frames[2] + bit / 8] ^= 1 << (bit % 8);
        scene.write(&bytes);
        let refused = open(&scene.path()).unwrap_err();
        assert!(matches!(refused, JournalError::Broken { entry: 3, .. }));
    }
}

#[test]
fn two_openers_do_not_share_a_journal() {
    let scene = scene(1);
    let (_held, _, _) = open(&scene.path()).unwrap();
    let refused = open(&scene.path()).unwrap_err();
    assert!(matches!(refused, JournalError::InUse(_)), "{refused}");
}

/// A frame written from the format's description, not by the code under test.
pub(crate) fn hand_made(seq: u64, previous: &[u8], payload: &str) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_le_bytes().to_vec();
    frame.extend(1u32.to_le_bytes());
    frame.extend(seq.to_le_bytes());
    frame.extend(previous);
    let check = Sha256::digest(&frame);
    frame.extend(&check[..8]);
    frame.extend(payload.as_bytes());
    let hash = Sha256::digest(&frame);
    frame.extend(hash);
    frame
}

#[test]
fn an_entry_of_an_unknown_kind_is_refused_by_name() {
    let scene = scene(1);
    let mut bytes = scene.bytes.clone();
    let last = bytes[bytes.len() - 32..].to_vec();
    let payload = r#"{"time":"2026-01-01T00:00:00Z","actor":{},"event":{"kind":"device-painted","name":"a"}}"#;
    bytes.extend(hand_made(2, &last, payload));
    scene.write(&bytes);
    let refused = open(&scene.path()).unwrap_err().to_string();
    assert_eq!(
        refused,
        format!(
            "journal entry 2 at byte {} is of kind `device-painted`, which this panopol does not know: use the newer one that wrote it",
            scene.bytes.len()
        )
    );
}

#[test]
fn an_entry_with_an_unknown_member_is_refused() {
    let scene = scene(1);
    let mut bytes = scene.bytes.clone();
    let last = bytes[bytes.len() - 32..].to_vec();
    let payload = r#"{"time":"2026-01-01T00:00:00Z","actor":{},"event":{"kind":"token-revoked","id":"a","why":"b"}}"#;
    bytes.extend(hand_made(2, &last, payload));
    scene.write(&bytes);
    let refused = open(&scene.path()).unwrap_err();
    assert!(
        matches!(refused, JournalError::Malformed { entry: 2, .. }),
        "{refused}"
    );
}

/// The format is for good: a journal written by the first version still opens,
/// and the same entries still have the same hash.
#[test]
fn the_first_versions_journal_still_reads() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/journal/v1.journal");
    let mut entries = Vec::new();
    read_entries(&golden, |entry| {
        entries.push(entry);
        Ok::<(), JournalError>(())
    })
    .unwrap();
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[2].draft, draft(3));
    let written_now = scene(3);
    assert_eq!(written_now.bytes, fs::read(&golden).unwrap());
}

/// A disk that fails when told to.
struct Failing {
    file: fs::File,
    write: Arc<AtomicBool>,
    sync: Arc<AtomicBool>,
    cut: Arc<AtomicBool>,
}

impl Medium for Failing {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.write.load(Ordering::Relaxed) {
            self.file.append(&bytes[..bytes.len() / 2])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.sync.load(Ordering::Relaxed) {
            return Err(io::Error::other("a sector died"));
        }
        self.file.sync()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if self.cut.load(Ordering::Relaxed) {
            return Err(io::Error::other("read-only now"));
        }
        self.file.cut(length)
    }
}

/// The journal of `scene` on a failing disk, and its three switches: write, sync, cut.
fn failing(scene: &Scene) -> (Journal, [Arc<AtomicBool>; 3]) {
    let (mut journal, _, _) = open(&scene.path()).unwrap();
    let file = fs::OpenOptions::new().append(true).open(scene.path());
    let switches = [(); 3].map(|()| Arc::new(AtomicBool::new(false)));
    let [write, sync, cut] = switches.clone();
    journal.replace_medium(Box::new(Failing {
        file: file.unwrap(),
        write,
        sync,
        cut,
    }));
    (journal, switches)
}

#[test]
fn a_full_disk_fails_the_entry_and_leaves_no_part_of_it() {
    let scene = scene(2);
    let (mut journal, [write, ..]) = failing(&scene);
    write.store(true, Ordering::Relaxed);
    let refused = journal.append(vec![draft(3)]).unwrap_err();
    assert!(matches!(refused, JournalError::NotWritten(_)), "{refused}");
    assert_eq!(fs::read(scene.path()).unwrap(), scene.bytes);
    write.store(false, Ordering::Relaxed);
    assert_eq!(journal.append(vec![draft(3)]).unwrap()[0].seq, 3);
}

#[test]
fn after_a_failed_sync_nothing_is_written_any_more() {
    let scene = scene(2);
    let (mut journal, [_, sync, _]) = failing(&scene);
    sync.store(true, Ordering::Relaxed);
    let refused = journal.append(vec![draft(3)]).unwrap_err();
    assert!(matches!(refused, JournalError::Poisoned(_)), "{refused}");
    sync.store(false, Ordering::Relaxed);
    let length = fs::metadata(scene.path()).unwrap().len();
    let refused = journal.append(vec![draft(4)]).unwrap_err().to_string();
    assert!(refused.contains("a sector died"), "{refused}");
    assert_eq!(fs::metadata(scene.path()).unwrap().len(), length);
}

#[test]
fn a_write_that_cannot_be_taken_back_poisons() {
    let scene = scene(2);
    let (mut journal, [write, _, cut]) = failing(&scene);
    write.store(true, Ordering::Relaxed);
    cut.store(true, Ordering::Relaxed);
    let refused = journal.append(vec![draft(3)]).unwrap_err();
    assert!(matches!(refused, JournalError::Poisoned(_)), "{refused}");
    write.store(false, Ordering::Relaxed);
    assert!(journal.append(vec![draft(3)]).is_err());
    drop(journal);
    let (_, torn, entries) = open(&scene.path()).unwrap();
    assert!(torn.is_some());
    assert_eq!(entries.len(), 2);
}

fn judge(path: &Path, bytes: &[u8]) -> bool {
    fs::write(path, bytes).unwrap();
    let holds = verify(path, None).is_ok_and(|report| report.holds() && report.torn.is_none());
    let opens = open(path).is_ok_and(|(_, torn, _)| torn.is_none());
    assert_eq!(holds, opens, "verification and opening disagree");
    holds
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_flipped_bits_pass(flips in prop::collection::btree_set(0usize..8 * 1200, 1..4)) {
        let scene = scene(4);
        let mut bytes = scene.bytes.clone();
        for flip in flips {
            let at = flip / 8 % bytes.len();
            bytes[at] ^= 1 << (flip % 8);
        }
        prop_assume!(bytes != scene.bytes);
        prop_assert!(!judge(&scene.path(), &bytes));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), after in 0usize..5) {
        let scene = scene(4);
        let mut whole = scene.bytes[..scene.frames[after]].to_vec();
        whole.extend(&bytes);
        prop_assert_eq!(judge(&scene.path(), &whole), bytes.is_empty());
    }
}
