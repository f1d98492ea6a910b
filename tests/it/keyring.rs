//! The master key and the keys under it.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;

use panopol::durable::Hex;
use panopol::keyring::{DataKey, KeyArea, KeyringError, MasterKey, SecretBytes};

const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1dfeff";
const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd/v8=";
const JOURNAL: Hex<16> = Hex([1; 16]);

fn master() -> MasterKey {
    MasterKey::parse(HEX).unwrap()
}

/// Whether two master keys are the same, told by what they open.
fn same(a: MasterKey, b: MasterKey) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    KeyArea::create(&path, a, JOURNAL).unwrap();
    KeyArea::open(&path, b, JOURNAL).is_ok()
}

fn write_key(path: &Path, mode: u32) {
    fs::write(path, format!("{HEX}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_master_key_is_read_in_every_spelling() {
    let url_safe = BASE64.replace('+', "-").replace('/', "_");
    for text in [
        BASE64,
        BASE64.trim_end_matches('='),
        &url_safe,
        &HEX.to_uppercase(),
    ] {
        assert!(same(master(), MasterKey::parse(text).unwrap()), "{text}");
    }
    for text in [
        "",
        "00",
        &HEX[2..],
        "not a key at all",
        &format!("{HEX}00"),
        "AAECAw==",
    ] {
        assert!(MasterKey::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_master_key_that_others_may_read_is_refused_through_a_link_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master");
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o666, 0o601] {
        write_key(&path, mode);
        for name in [&path, &link] {
            let refused = MasterKey::read_file(name).unwrap_err();
            assert!(matches!(refused, KeyringError::ReadableByOthers { mode: m, .. } if m == mode));
        }
    }
    for mode in [0o600, 0o400] {
        write_key(&path, mode);
        assert!(same(master(), MasterKey::read_file(&path).unwrap()));
        assert!(same(master(), MasterKey::read_file(&link).unwrap()));
    }
    let refused = MasterKey::read_file(directory.path()).unwrap_err();
    assert!(matches!(refused, KeyringError::NotAFile(_)));
}

#[test]
fn a_credential_is_read_by_its_name_alone() {
    let directory = tempfile::tempdir().unwrap();
    write_key(&directory.path().join("master"), 0o440);
    assert!(MasterKey::read_credential(directory.path(), "master").is_ok());
    for name in ["../master", "/etc/passwd", "..", "", "a/b"] {
        let refused = MasterKey::read_credential(directory.path(), name).unwrap_err();
        assert!(matches!(refused, KeyringError::CredentialName(_)), "{name}");
    }
    write_key(&directory.path().join("open"), 0o444);
    assert!(MasterKey::read_credential(directory.path(), "open").is_err());
}

#[test]
fn nothing_secret_is_printed() {
    let secret = SecretBytes::new(b"hush".to_vec());
    let printed = format!(
        "{:?} {:?} {:?}",
        secret,
        master(),
        DataKey::generate().unwrap()
    );
    assert_eq!(printed, "SecretBytes(…) MasterKey(…) DataKey(…)");
}

#[test]
fn a_sealed_secret_opens_in_its_own_row_alone_and_unchanged_alone() {
    let key = DataKey::generate().unwrap();
    let sealed = key
        .seal("device/a/0", &SecretBytes::new(b"hush".to_vec()))
        .unwrap();
    assert_eq!(key.open("device/a/0", &sealed).unwrap().expose(), b"hush");
    assert!(key.open("device/b/0", &sealed).is_err());
    assert!(
        DataKey::generate()
            .unwrap()
            .open("device/a/0", &sealed)
            .is_err()
    );
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(key.open("device/a/0", &changed).is_err());
        assert!(key.open("device/a/0", &sealed[..at]).is_err());
    }
}

#[test]
fn the_area_keeps_keys_and_refuses_another_master_or_journal() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    let mut area = KeyArea::create(&path, master(), JOURNAL).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let made = area.create_keys(3).unwrap();
    let sealed = made[1]
        .key
        .seal("row", &SecretBytes::new(b"hush".to_vec()))
        .unwrap();
    drop(area);
    let area = KeyArea::open(&path, master(), JOURNAL).unwrap();
    assert_eq!(
        area.key(made[1].id)
            .unwrap()
            .open("row", &sealed)
            .unwrap()
            .expose(),
        b"hush"
    );
    assert!(area.key(made[0].id).unwrap().open("row", &sealed).is_err());
    let refused = KeyArea::open(&path, MasterKey::generate().unwrap(), JOURNAL).unwrap_err();
    assert!(
        matches!(refused, KeyringError::WrongMasterKey(_)),
        "{refused}"
    );
    let refused = KeyArea::open(&path, master(), Hex([2; 16])).unwrap_err();
    assert!(
        matches!(refused, KeyringError::ForeignKeys { .. }),
        "{refused}"
    );
}

#[test]
fn a_destroyed_key_leaves_no_byte_and_its_slot_is_used_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    let mut area = KeyArea::create(&path, master(), JOURNAL).unwrap();
    let made = area.create_keys(2).unwrap();
    let length = fs::metadata(&path).unwrap().len();
    area.destroy(&[made[0].id]).unwrap();
    assert!(
        fs::read(&path).unwrap()[128..256]
            .iter()
            .all(|&byte| byte == 0)
    );
    assert!(matches!(
        area.key(made[0].id),
        Err(KeyringError::NoSuchKey(_))
    ));
    area.destroy(&[made[0].id]).unwrap();
    let again = area.create_keys(1).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), length);
    drop(area);
    let area = KeyArea::open(&path, master(), JOURNAL).unwrap();
    assert!(area.key(made[0].id).is_err());
    assert!(area.key(made[1].id).is_ok() && area.key(again[0].id).is_ok());
}

#[test]
fn a_damaged_slot_costs_its_own_key_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    let mut area = KeyArea::create(&path, master(), JOURNAL).unwrap();
    let made = area.create_keys(3).unwrap();
    drop(area);
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&[0xff], 2 * 128 + 40).unwrap();
    file.set_len(4 * 128 + 5).unwrap();
    let area = KeyArea::open(&path, master(), JOURNAL).unwrap();
    assert_eq!(area.damaged(), 1);
    assert!(area.key(made[0].id).is_ok() && area.key(made[2].id).is_ok());
    assert!(area.key(made[1].id).is_err());
}

#[test]
fn another_master_key_takes_every_key_over_and_the_old_one_opens_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    let mut area = KeyArea::create(&path, master(), JOURNAL).unwrap();
    let made = area.create_keys(3).unwrap();
    let sealed = made[2]
        .key
        .seal("row", &SecretBytes::new(b"hush".to_vec()))
        .unwrap();
    area.destroy(&[made[0].id]).unwrap();
    let other = format!("ff{}", &HEX[2..]);
    area.change_master(MasterKey::parse(&other).unwrap())
        .unwrap();
    assert_eq!(
        area.key(made[2].id)
            .unwrap()
            .open("row", &sealed)
            .unwrap()
            .expose(),
        b"hush"
    );
    drop(area);
    assert!(KeyArea::open(&path, master(), JOURNAL).is_err());
    let area = KeyArea::open(&path, MasterKey::parse(&other).unwrap(), JOURNAL).unwrap();
    assert_eq!(area.ids().count(), 2);
    assert!(area.key(made[2].id).is_ok());
}
