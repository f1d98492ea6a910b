//! Any bytes as a key file of a Tang directory: a key that is taken survives
//! being written and read, keeps its thumbprints, and stands in the directory
//! as its file name says. What comes before a NUL, which no JSON holds, is
//! that name.
#![no_main]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use base64ct::{Base64UrlUnpadded, Encoding};
use libfuzzer_sys::fuzz_target;
use panopol::tang::{Hash, Key, KeyDirectory, KeyRing, Standing};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn jwk(key: &Key) -> String {
    match key {
        Key::Signing(key) => key.to_jwk().to_string(),
        Key::Exchange(key) => key.to_jwk().to_string(),
    }
}

/// Source: RFC 7638.
fn thumbprint(jwk: &Value) -> String {
    let (x, y) = (&jwk["x"], &jwk["y"]);
    let canonical = format!(r#"{{"crv":"P-521","kty":"EC","x":{x},"y":{y}}}"#);
    Base64UrlUnpadded::encode_string(&Sha256::digest(canonical))
}

fn survives(key: &Key) {
    let text = jwk(key);
    let again = Key::from_jwk(text.as_bytes()).expect("a key that was written");
    assert_eq!(jwk(&again), text);
    assert_eq!(again.public(), key.public());
    let public = key.public();
    for hash in Hash::ALL {
        assert_eq!(
            public
                .thumbprints()
                .hash_of(&public.thumbprints().text(hash)),
            Some(hash)
        );
    }
    let written: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        public.thumbprints().text(Hash::S256),
        thumbprint(&written),
        "another thumbprint"
    );
    let secret = written["d"].as_str().expect("a scalar");
    for shown in [format!("{key:?}"), public.to_jwk()] {
        assert!(!shown.contains(secret), "the secret is shown");
    }
}

fn advertises(key: Key) {
    let thumbprint = key.public().thumbprints().text(Hash::S256);
    let signs = matches!(key, Key::Signing(_));
    match KeyRing::new([(key, Standing::Current)]) {
        Ok(ring) => {
            assert!(signs);
            assert!(
                ring.advertise(Some(&thumbprint))
                    .expect("a signature")
                    .is_some()
            );
            assert!(ring.exchange_key(&thumbprint).is_err());
        }
        Err(_) => assert!(!signs, "a signing key that does not advertise"),
    }
}

/// The directory of this one file, against what its name must mean.
fn stands(name: &[u8], content: &[u8], key: Option<&Key>) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(OsStr::from_bytes(name));
    // Not every name is one: a path, a dot alone, or too long.
    if name.contains(&b'/') || fs::write(&path, content).is_err() {
        return;
    }
    let read = KeyDirectory::read(directory.path()).expect("a directory that is there");
    assert!(!read.seen.changed().expect("it is there"));
    if !name.ends_with(b".jwk") {
        assert!(read.keys.is_empty() && read.skipped.is_empty());
        return;
    }
    assert_eq!(
        (read.keys.len(), read.skipped.len()),
        if key.is_some() { (1, 0) } else { (0, 1) }
    );
    for (file, key) in read.keys.iter().zip(key) {
        assert_eq!(file.key.public(), key.public());
        let hidden = name.starts_with(b".");
        assert_eq!(file.standing == Standing::Hidden, hidden);
        let stem = name[usize::from(hidden)..].strip_suffix(b".jwk");
        let thumbprints = key.public().thumbprints();
        let named = Hash::ALL
            .into_iter()
            .find(|hash| Some(thumbprints.text(*hash).as_bytes()) == stem);
        assert_eq!(file.named_by, named, "{:?}", file.name);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let nul = bytes.iter().position(|&byte| byte == 0);
    let (name, content) = match nul {
        Some(nul) => (&bytes[..nul], &bytes[nul + 1..]),
        None => (b"key.jwk".as_slice(), bytes),
    };
    let key = Key::from_jwk(content).ok();
    if key.is_some() || nul.is_some() {
        stands(name, content, key.as_ref());
    }
    if let Some(key) = key {
        survives(&key);
        advertises(key);
    }
});
