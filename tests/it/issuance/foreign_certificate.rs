//! What another CA made, held against what was approved: here what few CAs
//! would make, and what some readers would take for more than others do.
#![allow(
    clippy::disallowed_methods,
    reason = "OpenSSL's command dates a certificate by the clock"
)]

use jiff::{SignedDuration, Timestamp};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::x509::X509;
use panopol::issuance::csr::Csr;
use panopol::issuance::foreign::{Approved, Foreign, ForeignError, read};

use super::Openssl;
use super::mutated::wrap;

const NAMES: &str = "subjectAltName = DNS:api.example.com";
const PURPOSES: &str = "extendedKeyUsage = serverAuth";

/// A CA in `ca.pem` and `ca.key`, and a CSR for `api.example.com`.
struct Corp {
    openssl: Openssl,
    csr: Csr,
}

impl Corp {
    fn new() -> Self {
        let openssl = Openssl::new();
        openssl.p256().run(&[
            "req",
            "-x509",
            "-key",
            "key.pem",
            "-out",
            "ca.pem",
            "-subj",
            "/CN=Corp CA",
        ]);
        openssl.write("ca.key", openssl.read("key.pem"));
        let der = openssl.p256().csr("CN = api.example.com", NAMES, &[]);
        let csr = Csr::read(&der).unwrap();
        Corp { openssl, csr }
    }

    /// A certificate for the CSR, PEM, with these lines of extensions.
    fn sign(&self, extensions: &str) -> String {
        self.openssl.write("ext.cnf", extensions);
        self.openssl.run(&[
            "x509", "-req", "-inform", "DER", "-in", "csr.der", "-CA", "ca.pem", "-CAkey",
            "ca.key", "-days", "30", "-extfile", "ext.cnf",
        ])
    }

    fn read(&self, answer: &str) -> Result<Foreign, String> {
        let anchors = X509::stack_from_pem(&self.openssl.read("ca.pem")).unwrap();
        let now = Timestamp::now();
        let approved = Approved {
            csr: &self.csr,
            names: self.csr.san(),
            not_before: now,
            not_after: now + SignedDuration::from_hours(24 * 31),
            anchors: &anchors,
        };
        read(answer, &approved, now).map_err(|error| match error {
            ForeignError::Unreadable(what) => what,
            ForeignError::Other { what, .. } => what,
        })
    }
}

#[test]
fn an_extension_that_only_some_can_read_is_refused() {
    let corp = Corp::new();
    let good = corp.sign(&format!("{NAMES}\n{PURPOSES}"));
    assert_eq!(corp.read(&good).unwrap().pem, good);
    for (extensions, fault) in [
        // CA:TRUE of indefinite length, which OpenSSL reads as that.
        (
            format!("{NAMES}\n{PURPOSES}\n2.5.29.19 = DER:30800101ff0000"),
            "its extension 2.5.29.19 cannot be read",
        ),
        (
            format!("{NAMES}\n{PURPOSES}\n2.5.29.19 = DER:3003010101"),
            "its extension 2.5.29.19 cannot be read",
        ),
        // keyCertSign, in a string of parts.
        (
            format!("{NAMES}\n{PURPOSES}\n2.5.29.15 = DER:230403020204"),
            "its extension 2.5.29.15 cannot be read",
        ),
        // More names behind the names.
        (
            format!("{PURPOSES}\n2.5.29.17 = DER:3011820f6170692e6578616d706c652e636f6d3003820161"),
            "its extension 2.5.29.17 cannot be read",
        ),
        // No purpose, which is none to some and any to others.
        (
            format!("{NAMES}\n2.5.29.37 = DER:3000"),
            "it does not say what it is for",
        ),
    ] {
        let made = corp.sign(&extensions);
        assert_eq!(corp.read(&made).unwrap_err(), fault, "{extensions}");
    }
}

/// The content of a certificate's SEQUENCE at `at`, and where it ends.
fn content(der: &[u8], at: usize) -> (usize, usize) {
    assert_eq!((der[at], der[at + 1]), (0x30, 0x82));
    let length = usize::from(u16::from_be_bytes([der[at + 2], der[at + 3]]));
    (at + 4, at + 4 + length)
}

#[test]
fn extensions_of_a_certificate_that_can_have_none_are_refused() {
    let corp = Corp::new();
    let good = corp.sign(&format!("{NAMES}\n{PURPOSES}"));
    let der = X509::from_pem(good.as_bytes()).unwrap().to_der().unwrap();
    let (start, end) = content(&der, 4);
    // Without its version it is of the first.
    assert_eq!(&der[start..start + 5], b"\xa0\x03\x02\x01\x02");
    let info = wrap(0x30, &der[start + 5..end]);
    let key = PKey::private_key_from_pem(&corp.openssl.read("ca.key")).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    let signature = signer.sign_oneshot_to_vec(&info).unwrap();
    let ecdsa_with_sha256 = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let bits = wrap(0x03, &[b"\0", &signature[..]].concat());
    let first = wrap(0x30, &[&info, &ecdsa_with_sha256[..], &bits].concat());
    let pem = panopol::issuance::ca::pem("CERTIFICATE", &first);
    assert_eq!(
        corp.read(&pem).unwrap_err(),
        "it has extensions that its version does not"
    );
}

#[test]
fn a_common_name_that_only_looks_right_is_refused() {
    let corp = Corp::new();
    let extensions = format!("{NAMES}\n{PURPOSES}");
    for (common_name, fault) in [
        ("API.example.com", None),
        (
            "api\u{200b}.example.com",
            Some("its common name `api\\u{200b}.example.com` is none of its names"),
        ),
    ] {
        // Another CSR by the same key, which the CA has its subject from.
        corp.openssl.csr(&format!("CN = {common_name}"), NAMES, &[]);
        let read = corp.read(&corp.sign(&extensions)).err();
        assert_eq!(read.as_deref(), fault, "{common_name}");
    }
}

#[test]
fn what_stands_behind_a_certificate_and_did_not_sign_it_is_not_given_out() {
    let corp = Corp::new();
    let extensions = format!("{NAMES}\n{PURPOSES}");
    let (good, other) = (corp.sign(&extensions), corp.sign(&extensions));
    let ca = String::from_utf8(corp.openssl.read("ca.pem")).unwrap();
    let stranger = Corp::new();
    let unknown = String::from_utf8(stranger.openssl.read("ca.pem")).unwrap();
    let answer = format!("{good}{other}{ca}{unknown}{ca}");
    assert_eq!(corp.read(&answer).unwrap().pem, format!("{good}{ca}"));
}
