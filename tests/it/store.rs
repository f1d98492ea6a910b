//! The store: what is acknowledged is there again, and what does not belong
//! together is not taken for whole.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, mpsc};

use jiff::{Timestamp, ToSpan};
use panopol::durable::Hex;
use panopol::journal::{
    Actor, Event, Hash, HeadVerdict, JournalError, KeyRole, Medium, NewToken, PublicKey, verify,
};
use panopol::keyring::{KeyringError, MasterKey, SecretBytes};
use panopol::source::load::LoadedFile;
use panopol::store::{
    Context, EnrollBinding, Enrollment, LegacyImport, NewKeys, Refusal, Rows, Settings, Store,
    StoreError, StoreState, restore,
};
use panopol::vocabulary::DeviceState;
use sha2::{Digest, Sha256};

use crate::scarcity::{bound_by_modes, deaf_to_size, limit_files, set_writable};

pub(crate) const MASTER: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

pub(crate) fn now() -> Timestamp {
    "2026-11-22T09:00:00Z".parse().unwrap()
}

pub(crate) fn context() -> Context {
    Context {
        actor: Actor::person("maria"),
        time: now(),
        policy: None,
    }
}

pub(crate) fn settings(directory: &Path) -> Settings {
    Settings {
        directory: directory.to_owned(),
        master_key: MasterKey::parse(MASTER).unwrap(),
        anchor: None,
    }
}

pub(crate) fn open(directory: &Path) -> Result<Store, StoreError> {
    Store::open(settings(directory), now())
}

pub(crate) fn hash(text: &str) -> Hash {
    Hex(Sha256::digest(text).into())
}

pub(crate) fn new_keys(secret: &str) -> NewKeys {
    NewKeys {
        public: vec![PublicKey {
            role: KeyRole::Exchange,
            thumbprint: format!("thumbprint of {secret}"),
            jwk: "{}".to_owned(),
        }],
        secret: SecretBytes::new(secret.as_bytes().to_vec()),
    }
}

pub(crate) fn enrollment(name: &str) -> Enrollment {
    let binding = |id: &str| EnrollBinding {
        id: id.to_owned(),
        token: hash(&format!("token {name} {id}")),
        keys: new_keys(&format!("secret {name} {id}")),
    };
    Enrollment {
        name: name.to_owned(),
        tags: tags("env", "prod"),
        bindings: vec![binding("0"), binding("1")],
        enrollment_key: None,
    }
}

pub(crate) fn tags(key: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(key.to_owned(), value.to_owned())])
}

/// The secrets of a device's binding, newest first.
pub(crate) fn secrets(store: &Store, name: &str, binding: &str) -> Vec<String> {
    let device = store.device(name).unwrap();
    let keys = &device.binding(binding).unwrap().keys;
    let opened = keys
        .iter()
        .map(|keys| store.open_keys(name, binding, keys).unwrap());
    opened
        .map(|secret| String::from_utf8(secret.expose().to_vec()).unwrap())
        .collect()
}

fn journal(directory: &Path) -> PathBuf {
    directory.join("journal")
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) -> Refusal {
    match result.unwrap_err() {
        StoreError::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

#[test]
fn a_device_lives_as_its_changes_say_and_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    store.enroll(context(), enrollment("a")).unwrap();
    store.enroll(context(), enrollment("b")).unwrap();
    store.tag(context(), "a", tags("env", "lab"), None).unwrap();
    store
        .disable(context(), "a", Some("moved".to_owned()), None)
        .unwrap();
    store
        .rotate(context(), "b", "0", new_keys("newer"), None)
        .unwrap();
    let before = (store.device("a"), store.device("b"), store.link());
    drop(store);
    for rebuilt in [false, true] {
        if rebuilt {
            fs::remove_dir_all(directory.path().join("index")).unwrap();
        }
        let store = open(directory.path()).unwrap();
        assert_eq!((store.device("a"), store.device("b"), store.link()), before);
        assert_eq!(secrets(&store, "b", "0"), ["newer", "secret b 0"]);
        assert_eq!(secrets(&store, "a", "1"), ["secret a 1"]);
        let by_token = store.device_by_token(&hash("token a 1")).unwrap();
        assert_eq!(by_token.name, "a");
        assert_eq!(by_token.state, DeviceState::Disabled);
        assert_eq!(by_token.tags, tags("env", "lab"));
        assert!(store.device_by_token(&hash("token c 1")).is_none());
    }
}

#[test]
fn every_file_is_its_owners_alone() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let store = open(&state).unwrap();
    store.enroll(context(), enrollment("a")).unwrap();
    store.save_last_good("sha256:1", &[]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    assert_eq!(mode(&state.join("index")), 0o700);
    for name in ["journal", "journal.lock", "keys", "last-good"] {
        assert_eq!(mode(&state.join(name)), 0o600, "{name}");
    }
}

#[test]
fn a_revoked_devices_keys_are_gone_before_the_caller_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    store.enroll(context(), enrollment("a")).unwrap();
    let keys = store.device("a").unwrap().bindings[0].keys[0].clone();
    assert!(store.open_keys("a", "0", &keys).is_ok());
    store.revoke(context(), "a", None, None).unwrap();
    let area = fs::read(directory.path().join("keys")).unwrap();
    let contains = |bytes: &[u8]| area.windows(bytes.len()).any(|window| window == bytes);
    assert!(!contains(&keys.secret.key.0));
    assert!(store.open_keys("a", "0", &keys).is_err());
    let device = store.device("a").unwrap();
    assert_eq!(device.state, DeviceState::Revoked);
    assert!(
        device
            .bindings
            .iter()
            .all(|binding| binding.keys.is_empty())
    );
    let again = refused(store.enable(context(), "a", None, None));
    assert_eq!(again.to_string(), "device `a` is revoked");
    store.enroll(context(), enrollment("a")).unwrap();
    assert_eq!(secrets(&store, "a", "0"), ["secret a 0"]);
}

#[test]
fn retired_keys_are_destroyed_and_the_newest_stays() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    store.enroll(context(), enrollment("a")).unwrap();
    assert!(store.retire(context(), "a", "0", None).is_err());
    store
        .rotate(context(), "a", "0", new_keys("2"), None)
        .unwrap();
    store
        .rotate(context(), "a", "0", new_keys("3"), None)
        .unwrap();
    store.retire(context(), "a", "0", None).unwrap();
    assert_eq!(secrets(&store, "a", "0"), ["3"]);
    assert_eq!(secrets(&store, "a", "1"), ["secret a 1"]);
}

#[test]
fn a_change_of_what_has_changed_since_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    store.enroll(context(), enrollment("a")).unwrap();
    let read = store.device("a").unwrap().version;
    store
        .tag(context(), "a", tags("env", "lab"), Some(read))
        .unwrap();
    let stale = refused(store.disable(context(), "a", None, Some(read)));
    assert_eq!(
        stale.to_string(),
        format!("device `a` has changed: it is at version 3, not {read}")
    );
    let link = store.link();
    assert!(matches!(
        refused(store.enroll(context(), enrollment("a"))),
        Refusal::Exists { .. }
    ));
    assert!(matches!(
        refused(store.revoke(context(), "z", None, None)),
        Refusal::NotFound { .. }
    ));
    assert_eq!(store.link(), link, "a refusal writes nothing");
}

#[test]
fn of_many_at_once_exactly_one_wins_and_all_others_know() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path()).unwrap());
    store.enroll(context(), enrollment("a")).unwrap();
    let read = store.device("a").unwrap().version;
    let (told, results) = mpsc::channel();
    std::thread::scope(|scope| {
        for racer in 0..50 {
            let (store, told) = (Arc::clone(&store), told.clone());
            scope.spawn(move || {
                let tags = tags("racer", &racer.to_string());
                let result = store.tag(context(), "a", tags, Some(read));
                told.send((racer, result.is_ok())).unwrap();
            });
        }
    });
    drop(told);
    let winners: Vec<i32> = results.iter().filter(|r| r.1).map(|r| r.0).collect();
    assert_eq!(winners.len(), 1);
    let tags = &store.device("a").unwrap().tags;
    assert_eq!(tags["racer"], winners[0].to_string());
}

#[test]
fn an_asynchronous_caller_is_called_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let (told, wait) = mpsc::channel();
    for number in 0..20u64 {
        let told = told.clone();
        let token = token(&number.to_string());
        store.submit(
            context(),
            move |_| Ok(Event::TokenCreated { token }),
            move |result| told.send(result.unwrap().entry.seq).unwrap(),
        );
    }
    let seqs: Vec<u64> = wait.iter().take(20).collect();
    assert_eq!(seqs, (2..22).collect::<Vec<_>>());
}

#[test]
fn a_fault_while_a_change_is_made_stops_the_store_and_leaves_nobody_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    store.enroll(context(), enrollment("db-1")).unwrap();
    let fault = || store.commit(context(), |_| panic!("a fault of this test"));
    assert!(catch_unwind(AssertUnwindSafe(fault)).is_err());
    let late = store.enroll(context(), enrollment("db-2"));
    assert!(matches!(late, Err(StoreError::Stopped)), "{late:?}");
    let (told, wait) = mpsc::channel::<bool>();
    let unasked = |_: &dyn Rows| unreachable!("nothing is decided any more");
    store.submit(context(), unasked, move |done| {
        let _ = told.send(done.is_ok());
    });
    assert!(wait.recv().is_err(), "it is dropped");
    drop(store);
    let store = open(directory.path()).unwrap();
    assert!(store.device("db-1").is_some());
    assert!(store.device("db-2").is_none());
}

fn token(id: &str) -> NewToken {
    NewToken {
        id: id.to_owned(),
        person: "bob".to_owned(),
        hash: hash(id),
        expires: None,
    }
}

#[test]
fn tokens_are_found_by_their_hash_and_say_who_minted_them() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let mut short = token("b");
    short.expires = Some(now() + 1.hour());
    store.create_token(context(), token("a")).unwrap();
    store.create_token(context(), short).unwrap();
    store.revoke_token(context(), "a").unwrap();
    drop(store);
    let store = open(directory.path()).unwrap();
    let found = store.token_by_hash(&hash("b")).unwrap();
    assert_eq!(found.minted_by, Actor::person("maria"));
    assert!(found.holds(now()) && !found.holds(now() + 1.hour()));
    assert!(!store.token_by_hash(&hash("a")).unwrap().holds(now()));
    assert!(store.token_by_hash(&hash("c")).is_none());
    assert_eq!(store.tokens(Some("a"), 10).len(), 1);
}

#[test]
fn an_enrollment_key_enrolls_as_many_as_it_says_until_it_expires() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let expires = now() + 1.hour();
    let made = store.create_enrollment_key(context(), "k", hash("k"), tags("a", "b"), expires, 2);
    made.unwrap();
    let enroll = |name: &str, at: Timestamp| {
        let mut new = enrollment(name);
        new.enrollment_key = Some("k".to_owned());
        let mut context = context();
        context.time = at;
        store.enroll(context, new)
    };
    assert!(enroll("late", expires).is_err());
    enroll("one", now()).unwrap();
    enroll("two", now()).unwrap();
    assert!(enroll("three", now()).is_err());
    assert_eq!(
        store.enrollment_key_by_hash(&hash("k")).unwrap().uses_left,
        0
    );
    // The keys of those that were refused were wiped again: the audit key, and two bindings twice.
    let area = fs::read(directory.path().join("keys")).unwrap();
    let used = area
        .chunks(128)
        .skip(1)
        .filter(|slot| slot.iter().any(|&byte| byte != 0));
    assert_eq!(used.count(), 5);
}

#[test]
fn a_claim_is_good_once_and_for_its_person() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    store
        .issue_claim(context(), hash("c"), "bob", now() + 1.hour())
        .unwrap();
    let mut other = token("x");
    other.person = "eve".to_owned();
    assert!(store.claim(context(), hash("c"), other).is_err());
    let mut late = context();
    late.time = now() + 1.hour();
    assert!(store.claim(late, hash("c"), token("y")).is_err());
    store.claim(context(), hash("c"), token("t")).unwrap();
    assert!(store.claim(context(), hash("c"), token("u")).is_err());
    assert!(store.token_by_hash(&hash("t")).unwrap().holds(now()));
}

#[test]
fn keys_of_tang_are_taken_over_used_and_destroyed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let import = |name: &str| LegacyImport {
        public: PublicKey {
            role: KeyRole::Exchange,
            thumbprint: name.to_owned(),
            jwk: "{}".to_owned(),
        },
        advertised: true,
        secret: SecretBytes::new(name.as_bytes().to_vec()),
    };
    store
        .import_tang_keys(context(), "/var/db/tang", vec![import("k1"), import("k2")])
        .unwrap();
    assert!(
        store
            .import_tang_keys(context(), "again", vec![import("k2")])
            .is_err()
    );
    let source = "192.0.2.7".parse().unwrap();
    store.note_legacy_use("k1", source, now());
    store.note_legacy_use("k1", source, now() + 5.seconds());
    store.save_legacy_uses();
    drop(store);
    let store = open(directory.path()).unwrap();
    let uses = store.legacy_uses();
    assert_eq!(
        (uses.len(), uses[0].count, uses[0].last),
        (1, 2, now() + 5.seconds())
    );
    let keys = store.legacy_keys();
    assert_eq!(store.open_legacy_key(&keys[1]).unwrap().expose(), b"k2");
    store.delete_legacy_key(context(), "k2").unwrap();
    assert!(store.open_legacy_key(&keys[1]).is_err());
    assert!(store.open_legacy_key(&keys[0]).is_ok());
    assert!(store.delete_legacy_key(context(), "k2").is_err());
}

#[test]
fn the_last_good_policy_is_kept_byte_for_byte_and_damage_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    assert_eq!(store.load_last_good().unwrap(), None);
    let files = vec![LoadedFile {
        path: "nets/office.txt".to_owned(),
        bytes: vec![0, 255, 10],
    }];
    store.save_last_good("sha256:1", &[]).unwrap();
    store.save_last_good("sha256:2", &files).unwrap();
    let kept = store.load_last_good().unwrap().unwrap();
    assert_eq!((kept.digest.as_str(), &kept.files), ("sha256:2", &files));
    let path = directory.path().join("last-good");
    let sound = fs::read(&path).unwrap();
    for at in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[at] ^= 4;
        fs::write(&path, &bytes).unwrap();
        assert!(store.load_last_good().is_err());
        fs::write(&path, &sound[..at]).unwrap();
        assert!(store.load_last_good().is_err());
    }
}

#[test]
fn the_audit_is_read_in_pages() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    for number in 0..600 {
        let token = token(&number.to_string());
        store.submit(context(), |_| Ok(Event::TokenCreated { token }), |_| ());
    }
    store.create_token(context(), token("last")).unwrap();
    let check = |store: &Store| {
        for after in [0, 1, 255, 256, 257, 511, 600, 602] {
            let page = store.audit(after, 10).unwrap();
            let seqs: Vec<u64> = page.iter().map(|entry| entry.seq).collect();
            let expected: Vec<u64> = (after + 1..=602).take(10).collect();
            assert_eq!(seqs, expected);
        }
    };
    check(&store);
    drop(store);
    check(&open(directory.path()).unwrap());
}

#[test]
fn two_servers_do_not_share_a_state_directory() {
    let directory = tempfile::tempdir().unwrap();
    let _held = open(directory.path()).unwrap();
    let refused = open(directory.path()).unwrap_err();
    assert!(
        refused.to_string().contains("in use by another process"),
        "{refused}"
    );
}

#[test]
fn another_master_key_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()).unwrap());
    let settings = Settings {
        master_key: MasterKey::generate().unwrap(),
        ..settings(directory.path())
    };
    let refused = Store::open(settings, now()).unwrap_err();
    assert!(
        refused.to_string().contains("not the master key"),
        "{refused}"
    );
}

#[test]
fn a_changed_master_key_opens_everything_and_the_old_one_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    store.enroll(context(), enrollment("a")).unwrap();
    let other = MASTER.replace("00", "ff");
    store
        .change_master_key(context(), MasterKey::parse(&other).unwrap())
        .unwrap();
    assert_eq!(secrets(&store, "a", "0"), ["secret a 0"]);
    drop(store);
    assert!(open(directory.path()).is_err());
    let settings = Settings {
        master_key: MasterKey::parse(&other).unwrap(),
        ..settings(directory.path())
    };
    let store = Store::open(settings, now()).unwrap();
    assert_eq!(secrets(&store, "a", "0"), ["secret a 0"]);
}

#[test]
fn a_master_key_whose_change_cannot_be_written_down_stays() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    store.enroll(context(), enrollment("a")).unwrap();
    store.replace_medium(Box::new(FullDisk));
    let other = MasterKey::parse(&MASTER.replace("00", "ff")).unwrap();
    assert!(store.change_master_key(context(), other).is_err());
    assert_eq!(secrets(&store, "a", "0"), ["secret a 0"]);
    drop(store);
    let store = open(directory.path()).unwrap();
    assert_eq!(secrets(&store, "a", "0"), ["secret a 0"]);
}

/// Takes nothing.
struct FullDisk;

impl Medium for FullDisk {
    fn append(&mut self, _: &[u8]) -> std::io::Result<()> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn sync(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn cut(&mut self, _: u64) -> std::io::Result<()> {
        Ok(())
    }
}

/// Two state directories with a device each, closed.
fn two_states() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let (one, two) = (directory.path().join("one"), directory.path().join("two"));
    for (path, name) in [(&one, "a"), (&two, "b")] {
        open(path)
            .unwrap()
            .enroll(context(), enrollment(name))
            .unwrap();
    }
    (directory, one, two)
}

#[test]
fn a_journal_with_the_keys_of_another_is_refused() {
    let (_held, one, two) = two_states();
    fs::copy(journal(&two), journal(&one)).unwrap();
    let refused = open(&one).unwrap_err();
    assert!(
        refused.to_string().contains("different state directories"),
        "{refused}"
    );
}

#[test]
fn the_index_of_another_journal_is_made_again() {
    let (_held, one, two) = two_states();
    fs::remove_dir_all(one.join("index")).unwrap();
    copy_tree(&two.join("index"), &one.join("index"));
    let store = open(&one).unwrap();
    assert!(
        store.notices()[0].contains("made again from the journal"),
        "{:?}",
        store.notices()
    );
    assert!(store.device("a").is_some() && store.device("b").is_none());
    assert_eq!(secrets(&store, "a", "0"), ["secret a 0"]);
    drop(store);
    assert!(open(&one).unwrap().notices().is_empty());
}

#[test]
fn a_truncated_journal_is_refused_while_the_index_remembers() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    store.enroll(context(), enrollment("a")).unwrap();
    let end = store.link().end;
    store.disable(context(), "a", None, None).unwrap();
    drop(store);
    let sound = fs::read(journal(directory.path())).unwrap();
    fs::write(journal(directory.path()), &sound[..end as usize]).unwrap();
    let refused = open(directory.path()).unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::JournalTooShort {
                reached: 2,
                seen: 3,
                ..
            }
        ),
        "{refused}"
    );
    fs::write(journal(directory.path()), &sound).unwrap();
    let state = open(directory.path()).unwrap().device("a").unwrap().state;
    assert_eq!(state, DeviceState::Disabled);
}

#[test]
fn a_journal_that_went_another_way_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let one = directory.path().join("one");
    open(&one)
        .unwrap()
        .enroll(context(), enrollment("a"))
        .unwrap();
    let two = directory.path().join("two");
    copy_tree(&one, &two);
    open(&one)
        .unwrap()
        .disable(context(), "a", None, None)
        .unwrap();
    open(&two)
        .unwrap()
        .tag(context(), "a", tags("x", "y"), None)
        .unwrap();
    fs::copy(journal(&two), journal(&one)).unwrap();
    let refused = open(&one).unwrap_err();
    assert!(
        matches!(refused, StoreError::JournalForked { seq: 3 }),
        "{refused}"
    );
}

#[test]
fn a_state_without_its_journal_or_its_keys_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()).unwrap());
    let aside = directory.path().join("aside");
    fs::rename(directory.path().join("keys"), &aside).unwrap();
    let refused = open(directory.path()).unwrap_err();
    assert!(matches!(refused, StoreError::NoKeys(_)), "{refused}");
    fs::rename(aside, directory.path().join("keys")).unwrap();
    fs::remove_file(journal(directory.path())).unwrap();
    let refused = open(directory.path()).unwrap_err();
    assert!(matches!(refused, StoreError::NoJournal { .. }), "{refused}");
}

#[test]
fn a_flipped_bit_in_the_journal_is_refused_and_in_the_index_mended() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    for name in ["a", "b", "c"] {
        store.enroll(context(), enrollment(name)).unwrap();
    }
    let device = store.device("b");
    drop(store);
    let sound = fs::read(journal(directory.path())).unwrap();
    for at in (0..sound.len()).step_by(97) {
        let mut bytes = sound.clone();
        bytes[at] ^= 16;
        fs::write(journal(directory.path()), &bytes).unwrap();
        assert!(
            matches!(open(directory.path()), Err(StoreError::Journal(_))),
            "{at}"
        );
    }
    fs::write(journal(directory.path()), &sound).unwrap();
    let index = directory.path().join("index/db");
    let length = fs::metadata(&index).unwrap().len() as usize;
    for at in (0..length).step_by(length / 40) {
        let mut bytes = fs::read(&index).unwrap();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 16;
        }
        fs::write(&index, bytes).unwrap();
        let store = open(directory.path()).unwrap();
        assert_eq!(store.device("b"), device, "{at}");
        assert_eq!(store.device_count(), 3);
        assert_eq!(secrets(&store, "b", "0"), ["secret b 0"]);
    }
}

/// Runs the test of that name again as a process of its own, in which
/// `PANOPOL_STORE_STATE` names `state`; asserts that it passes there.
fn run_alone(name: &str, state: &Path, wrap: fn(&Command) -> Command) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg(format!("store::{name}"))
        .env("PANOPOL_STORE_STATE", state);
    let output = wrap(&command).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn state_alone() -> Option<PathBuf> {
    std::env::var_os("PANOPOL_STORE_STATE").map(PathBuf::from)
}

#[test]
fn on_a_full_disk_changes_fail_nothing_is_lost_and_room_heals_it() {
    let Some(state) = state_alone() else {
        let directory = tempfile::tempdir().unwrap();
        let name = "on_a_full_disk_changes_fail_nothing_is_lost_and_room_heals_it";
        return run_alone(name, &directory.path().join("state"), deaf_to_size);
    };
    let store = open(&state).unwrap();
    store.enroll(context(), enrollment("a")).unwrap();
    limit_files(std::process::id(), Some(1 << 20));
    let long = "x".repeat(4096);
    let mut acknowledged = 0;
    let failed = loop {
        let value = format!("{acknowledged}{long}");
        match store.tag(context(), "a", tags("n", &value), None) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 1000);
    };
    assert!(acknowledged > 100);
    assert!(!failed.is_outcome_unknown(), "{failed}");
    assert!(
        failed.to_string().contains("nothing was changed"),
        "{failed}"
    );
    let long = tags("n", &long);
    assert!(store.tag(context(), "a", long.clone(), None).is_err());
    let mut large = enrollment("b");
    large.tags = long;
    assert!(store.enroll(context(), large).is_err());
    let before = store.device("a");
    limit_files(std::process::id(), None);
    store.enroll(context(), enrollment("c")).unwrap();
    drop(store);
    let store = open(&state).unwrap();
    assert_eq!(store.device("a"), before);
    assert!(store.device("b").is_none());
    assert_eq!(secrets(&store, "c", "1"), ["secret c 1"]);
    assert!(verify(&journal(&state), None).unwrap().holds());
}

#[test]
fn a_directory_that_may_not_be_written_is_refused_by_name() {
    let Some(state) = state_alone() else {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        drop(open(&state).unwrap());
        set_writable(&state, false);
        let name = "a_directory_that_may_not_be_written_is_refused_by_name";
        run_alone(name, &state, bound_by_modes);
        set_writable(&state, true);
        drop(open(&state).unwrap());
        return;
    };
    let refused = open(&state).unwrap_err().to_string();
    assert!(refused.contains("Permission denied"), "{refused}");
    assert!(refused.contains(state.to_str().unwrap()), "{refused}");
}

#[test]
fn a_restored_backup_ends_live_grants_and_bumps_the_epoch() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let file = directory.path().join("backup");
    let store = open(&state).unwrap();
    store.enroll(context(), enrollment("a")).unwrap();
    let expires = now() + 24.hours();
    store
        .create_enrollment_key(context(), "k", hash("k"), tags("a", "b"), expires, 2)
        .unwrap();
    store
        .issue_claim(context(), hash("c"), "bob", expires)
        .unwrap();
    store.save_last_good("sha256:1", &[]).unwrap();
    store.backup(&file).unwrap();
    store.disable(context(), "a", None, None).unwrap();
    let head = store
        .anchor_head(context(), &directory.path().join("head"))
        .unwrap();
    let public = store.audit_public_key();
    drop(store);

    let master = || MasterKey::parse(MASTER).unwrap();
    let occupied = restore(&file, &state, master(), context()).unwrap_err();
    assert!(matches!(occupied, StoreError::NotEmpty(_)));
    let target = directory.path().join("restored");
    let wrong = MasterKey::generate().unwrap();
    assert!(restore(&file, &target, wrong, context()).is_err());
    assert!(!target.exists());
    assert_eq!(restore(&file, &target, master(), context()).unwrap(), 1);

    let anchored = || Settings {
        anchor: Some(head.clone()),
        ..settings(&target)
    };
    let store = Store::open(anchored(), now()).unwrap();
    assert_eq!(store.epoch(), 1);
    assert_eq!(secrets(&store, "a", "0"), ["secret a 0"]);
    assert!(
        !store
            .enrollment_key_by_hash(&hash("k"))
            .unwrap()
            .holds(now())
    );
    assert!(store.claim(context(), hash("c"), token("t")).is_err());
    assert_eq!(store.load_last_good().unwrap().unwrap().digest, "sha256:1");
    assert!(
        matches!(store.state(), StoreState::HeadOlderThanAnchor { .. }),
        "{:?}",
        store.state()
    );
    assert!(
        store
            .accept_head(
                Context {
                    actor: Actor::server(),
                    ..context()
                },
                String::new()
            )
            .is_err()
    );
    store
        .accept_head(context(), "the old disk died".to_owned())
        .unwrap();
    assert_eq!(store.state(), StoreState::Ready);
    drop(store);
    assert_eq!(
        Store::open(anchored(), now()).unwrap().state(),
        StoreState::Ready
    );
    let report = verify(&journal(&target), Some((&head, &public))).unwrap();
    assert!(report.faults.is_empty());
    assert!(
        matches!(report.head, HeadVerdict::Rewritten { .. }),
        "{}",
        report.head
    );
    assert_eq!(report.epoch, 1);
}

#[test]
fn a_damaged_backup_restores_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("backup");
    let store = open(&directory.path().join("state")).unwrap();
    store.enroll(context(), enrollment("a")).unwrap();
    store.backup(&file).unwrap();
    let sound = fs::read(&file).unwrap();
    let target = directory.path().join("restored");
    for at in (0..sound.len()).step_by(173) {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        fs::write(&file, bytes).unwrap();
        let master = MasterKey::parse(MASTER).unwrap();
        assert!(restore(&file, &target, master, context()).is_err(), "{at}");
        assert!(!target.exists() && !directory.path().join("restored.new").exists());
    }
}

#[test]
fn a_head_of_somebody_elses_says_nothing() {
    let (_held, one, two) = two_states();
    let head = open(&one).unwrap().sign_head(now()).unwrap();
    let with_anchor = |path: &Path| {
        let settings = Settings {
            anchor: Some(head.clone()),
            ..settings(path)
        };
        Store::open(settings, now()).unwrap().state()
    };
    assert_eq!(with_anchor(&one), StoreState::Ready);
    assert_eq!(with_anchor(&two), StoreState::ForeignAnchor);
}

#[test]
fn a_first_start_that_was_cut_short_is_begun_again_and_a_later_one_is_not() {
    for left in [0, 6, 900] {
        let directory = tempfile::tempdir().unwrap();
        drop(open(directory.path()).unwrap());
        let cut = |left: usize| {
            let sound = fs::read(journal(directory.path())).unwrap();
            let end = sound.len().min(64 + left);
            fs::write(journal(directory.path()), &sound[..end]).unwrap();
            fs::remove_dir_all(directory.path().join("index")).unwrap();
        };
        cut(left);
        let store = open(directory.path()).unwrap();
        store.enroll(context(), enrollment("a")).unwrap();
        assert_eq!(secrets(&store, "a", "0"), ["secret a 0"]);
        drop(store);
        cut(0);
        let keys = fs::read(directory.path().join("keys")).unwrap();
        let refused = open(directory.path()).unwrap_err();
        assert!(matches!(refused, StoreError::NoBeginning), "{refused}");
        assert_eq!(fs::read(directory.path().join("keys")).unwrap(), keys);
    }
}

#[test]
fn a_lost_slot_is_said_and_costs_one_binding() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    store.enroll(context(), enrollment("a")).unwrap();
    drop(store);
    let path = directory.path().join("keys");
    let mut bytes = fs::read(&path).unwrap();
    bytes[2 * 128 + 30] ^= 1;
    fs::write(&path, bytes).unwrap();
    let store = open(directory.path()).unwrap();
    assert!(
        store.notices()[0].contains("1 private keys are lost"),
        "{:?}",
        store.notices()
    );
    let device = store.device("a").unwrap();
    let open_key =
        |at: usize| store.open_keys("a", &device.bindings[at].id, &device.bindings[at].keys[0]);
    match open_key(0) {
        Err(StoreError::Keyring(error)) => assert!(matches!(*error, KeyringError::NoSuchKey(_))),
        other => panic!("{other:?}"),
    }
    assert!(open_key(1).is_ok());
}

#[test]
fn an_unknown_kind_of_entry_keeps_the_store_shut() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()).unwrap());
    let mut bytes = fs::read(journal(directory.path())).unwrap();
    let previous = bytes[bytes.len() - 32..].to_vec();
    let payload = r#"{"time":"2026-01-01T00:00:00Z","actor":{},"event":{"kind":"no-such-kind"}}"#;
    bytes.extend(crate::journal::hand_made(2, &previous, payload));
    fs::write(journal(directory.path()), bytes).unwrap();
    match open(directory.path()) {
        Err(StoreError::Journal(error)) => {
            assert!(
                matches!(*error, JournalError::UnknownKind { entry: 2, .. }),
                "{error}"
            );
        }
        other => panic!("{other:?}"),
    }
}
