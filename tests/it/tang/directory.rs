//! Tang key directories on disk.

use std::path::Path;
use std::process::Command;

use panopol::tang::*;

fn write(directory: &Path, name: &str, text: &str) {
    std::fs::write(directory.join(name), text).unwrap();
}

#[test]
fn a_directory_is_read_whole_and_what_is_bad_in_it_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let (signing, exchange, old) = (
        SigningKey::generate().unwrap(),
        ExchangeKey::generate().unwrap(),
        ExchangeKey::generate().unwrap(),
    );
    let s1 = old.public().thumbprints().text(Hash::S1);
    let s256 = signing.public().thumbprints().text(Hash::S256);
    write(directory.path(), &format!("{s256}.jwk"), &signing.to_jwk());
    write(directory.path(), &format!(".{s1}.jwk"), &old.to_jwk());
    write(
        directory.path(),
        "mine.jwk",
        &format!("{}\n", *exchange.to_jwk()),
    );
    write(directory.path(), "a-broken.jwk", "{");
    write(directory.path(), "b-empty.jwk", "");
    write(directory.path(), "c-large.jwk", &"x".repeat(65 * 1024));
    write(directory.path(), "README", "no key");
    write(directory.path(), "key.jwk.bak", "no key");
    std::fs::create_dir(directory.path().join("d-directory.jwk")).unwrap();
    std::os::unix::fs::symlink("/nowhere", directory.path().join("e-dangling.jwk")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(directory.path().join("f-pipe.jwk"))
            .status()
            .unwrap()
            .success()
    );

    let read = KeyDirectory::read(directory.path()).unwrap();
    let mut keys: Vec<_> = read
        .keys
        .iter()
        .map(|file| {
            (
                file.name.as_str(),
                file.standing,
                file.named_by,
                file.key.public().usage(),
            )
        })
        .collect();
    keys.sort_by_key(|(.., usage)| *usage);
    keys.sort_by_key(|(_, standing, ..)| *standing);
    let (s1_name, s256_name) = (format!(".{s1}.jwk"), format!("{s256}.jwk"));
    assert_eq!(
        keys,
        [
            (
                s256_name.as_str(),
                Standing::Current,
                Some(Hash::S256),
                Usage::Sign
            ),
            ("mine.jwk", Standing::Current, None, Usage::Exchange),
            (
                s1_name.as_str(),
                Standing::Hidden,
                Some(Hash::S1),
                Usage::Exchange
            ),
        ]
    );
    let skipped: Vec<String> = read
        .skipped
        .iter()
        .map(|file| format!("{}: {}", file.name, file.fault))
        .collect();
    insta::assert_snapshot!(skipped.join("\n"), @r"
    a-broken.jwk: holds no usable key: not a JSON object (line 1, column 1)
    b-empty.jwk: holds no usable key: not a JSON object (line 1, column 0)
    c-large.jwk: is longer than 64 KiB
    d-directory.jwk: is not a regular file
    e-dangling.jwk: cannot be read: No such file or directory (os error 2)
    f-pipe.jwk: is not a regular file
    ");
    let ring = read.into_ring().unwrap();
    assert!(ring.exchange_key(&s1).is_ok());
}

#[test]
fn an_empty_directory_gets_a_pair_and_keeps_it() {
    use std::os::unix::fs::MetadataExt;
    let directory = tempfile::tempdir().unwrap();
    write(
        directory.path(),
        ".old.jwk",
        &ExchangeKey::generate().unwrap().to_jwk(),
    );
    let names = |read: &KeyDirectory| {
        read.keys
            .iter()
            .map(|file| file.name.clone())
            .collect::<Vec<_>>()
    };
    let made = KeyDirectory::read_or_create(directory.path()).unwrap();
    assert_eq!(made.keys.len(), 3);
    assert!(made.skipped.is_empty());
    for file in made
        .keys
        .iter()
        .filter(|file| file.standing == Standing::Current)
    {
        assert_eq!(file.named_by, Some(Hash::S256));
        let mode = std::fs::metadata(directory.path().join(&file.name))
            .unwrap()
            .mode();
        assert_eq!(
            mode & 0o337,
            0,
            "never written to again, and not for others: {mode:o}"
        );
    }
    assert_eq!(
        names(&KeyDirectory::read_or_create(directory.path()).unwrap()),
        names(&made)
    );
    assert_eq!(
        std::fs::read_dir(directory.path()).unwrap().count(),
        3,
        "nothing unfinished is left"
    );
}

#[test]
fn a_directory_of_broken_current_keys_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "key.jwk", "{");
    let read = KeyDirectory::read_or_create(directory.path()).unwrap();
    assert!(read.keys.is_empty());
    assert_eq!(read.skipped.len(), 1);
    assert_eq!(read.into_ring().unwrap_err(), RingError::NoSigningKey);
    assert!(KeyDirectory::read(&directory.path().join("none")).is_err());
    assert!(KeyDirectory::read_or_create(&directory.path().join("none")).is_err());
}

#[test]
fn a_change_of_the_directory_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let read = || KeyDirectory::read_or_create(directory.path()).unwrap();
    let first = read();
    assert!(!first.seen.changed().unwrap());
    write(directory.path(), "notes.txt", "not a key");
    assert!(!first.seen.changed().unwrap());
    write(
        directory.path(),
        "new.jwk",
        &ExchangeKey::generate().unwrap().to_jwk(),
    );
    assert!(first.seen.changed().unwrap());
    let second = read();
    std::fs::rename(
        directory.path().join("new.jwk"),
        directory.path().join(".new.jwk"),
    )
    .unwrap();
    assert!(second.seen.changed().unwrap());
    let third = read();
    write(
        directory.path(),
        ".new.jwk",
        &ExchangeKey::generate().unwrap().to_jwk(),
    );
    assert!(
        third.seen.changed().unwrap(),
        "the same length, another key"
    );
    let fourth = read();
    std::fs::remove_file(directory.path().join(".new.jwk")).unwrap();
    assert!(fourth.seen.changed().unwrap());
    std::fs::remove_dir_all(directory.path()).unwrap();
    assert!(fourth.seen.changed().is_err());
}
