//! What the local CA makes, as OpenSSL's command sees it.

use jiff::Timestamp;
use panopol::issuance::ca::{
    CaError, Curve, LocalCa, Order, Revoked, Serial, Validity, generate_key, pem,
};
use panopol::issuance::csr::Csr;
use panopol::vocabulary::RevocationReason;

use super::Openssl;

const NAMES: &str = "subjectAltName = DNS:api.example.com, DNS:*.Example.com, IP:192.0.2.7, \
                     IP:2001:db8::1, email:ops@example.com, URI:spiffe://prod/api";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-12-01T12:00:00.75Z")
}

fn days(days: u64) -> Validity {
    Validity::lasting(now(), days * 86_400).unwrap()
}

fn authority(curve: Curve) -> LocalCa {
    let key = generate_key(curve).unwrap();
    let serial = Serial::from_random([0xc5; 16]);
    let certificate = LocalCa::self_sign(&key, "Example CA", days(3650), serial).unwrap();
    LocalCa::open(&key, &certificate).unwrap()
}

fn order<'a>(csr: &'a Csr, validity: Validity) -> Order<'a> {
    Order {
        csr,
        names: csr.san(),
        validity,
        serial: Serial::from_random([7; 16]),
        crl_url: None,
    }
}

fn csr(openssl: &Openssl, subject: &str, extensions: &str, args: &[&str]) -> Csr {
    Csr::read(&openssl.csr(subject, extensions, args)).unwrap()
}

fn plain() -> Csr {
    let names = "subjectAltName = DNS:api.example.com";
    csr(Openssl::new().p256(), "CN = api.example.com", names, &[])
}

#[test]
fn a_certificate_has_exactly_what_was_approved() {
    for curve in [Curve::P256, Curve::P384] {
        let openssl = Openssl::new();
        let ca = authority(curve);
        let subject = "O = Not Judged\nCN = api.example.com";
        let csr = csr(openssl.p256(), subject, NAMES, &[]);
        let mut order = order(&csr, days(90));
        order.crl_url = Some("http://panopol.example/crl");
        let certificate = ca.issue(&order, now()).unwrap();
        openssl.write("ca.pem", pem("CERTIFICATE", &ca.certificate().unwrap()));
        openssl.write("cert.pem", pem("CERTIFICATE", &certificate));
        let inside = [
            "-attime",
            "1796126400",
            "-x509_strict",
            "-CAfile",
            "ca.pem",
            "cert.pem",
        ];
        for purpose in ["sslserver", "sslclient"] {
            let verify = [&["verify", "-purpose", purpose], &inside[..]].concat();
            assert_eq!(openssl.run(&verify), "cert.pem: OK\n");
        }
        let shown = openssl.run(&[
            "x509",
            "-in",
            "cert.pem",
            "-noout",
            "-serial",
            "-subject",
            "-issuer",
            "-startdate",
            "-enddate",
            "-ext",
            "basicConstraints,keyUsage,extendedKeyUsage,subjectAltName,crlDistributionPoints",
        ]);
        let text: Vec<&str> = shown.lines().map(str::trim).collect();
        for line in [
            "serial=47070707070707070707070707070707",
            "subject=CN = api.example.com",
            "issuer=CN = Example CA",
            "notBefore=Dec  1 12:00:00 2026 GMT",
            // The last second is in it: 90 days from the first on.
            "notAfter=Mar  1 11:59:59 2027 GMT",
            "CA:FALSE",
            "X509v3 Basic Constraints: critical",
            "X509v3 Key Usage: critical",
            "Digital Signature",
            "TLS Web Server Authentication, TLS Web Client Authentication",
            "DNS:api.example.com, DNS:*.example.com, IP Address:192.0.2.7, \
             IP Address:2001:DB8:0:0:0:0:0:1, email:ops@example.com, URI:spiffe://prod/api",
            "URI:http://panopol.example/crl",
        ] {
            assert!(text.contains(&line), "{line}\n{shown}");
        }
        openssl.run(&["pkey", "-in", "key.pem", "-pubout", "-out", "asked.pem"]);
        let certified = openssl.run(&["x509", "-in", "cert.pem", "-noout", "-pubkey"]);
        assert_eq!(certified.as_bytes(), openssl.read("asked.pem"));
    }
}

#[test]
fn key_identifiers_are_those_that_openssl_would_write() {
    let openssl = Openssl::new();
    let ca = authority(Curve::P256);
    let csr = csr(openssl.p256(), "CN = api.example.com", NAMES, &[]);
    let certificate = ca.issue(&order(&csr, days(1)), now()).unwrap();
    openssl.write("ca.pem", pem("CERTIFICATE", &ca.certificate().unwrap()));
    openssl.write("cert.pem", pem("CERTIFICATE", &certificate));
    let ids = |file: &str, which: &str| {
        let all = openssl.run(&["x509", "-in", file, "-noout", "-ext", which]);
        all.lines().nth(1).unwrap().trim().to_owned()
    };
    assert_eq!(
        ids("cert.pem", "authorityKeyIdentifier"),
        ids("ca.pem", "subjectKeyIdentifier")
    );
    let own = ["req", "-x509", "-config", "req.cnf", "-key", "key.pem"];
    let hash = ["-addext", "subjectKeyIdentifier = hash", "-out", "own.pem"];
    openssl.run(&[&own[..], &hash].concat());
    assert_eq!(
        ids("cert.pem", "subjectKeyIdentifier"),
        ids("own.pem", "subjectKeyIdentifier")
    );
}

#[test]
fn every_closed_key_type_can_be_certified_with_or_without_a_common_name() {
    let openssl = Openssl::new();
    let ca = authority(Curve::P384);
    openssl.write("ca.pem", pem("CERTIFICATE", &ca.certificate().unwrap()));
    for key in [
        &["-algorithm", "RSA"][..],
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
        &["-algorithm", "ED25519"],
    ] {
        openssl.key(key);
        for subject in ["/", "/CN=api.example.com"] {
            let csr = csr(&openssl, "CN = x", NAMES, &["-subj", subject]);
            let certificate = ca.issue(&order(&csr, days(1)), now()).unwrap();
            openssl.write("cert.pem", pem("CERTIFICATE", &certificate));
            let verify = ["verify", "-attime", "1796126400", "-x509_strict", "-CAfile"];
            let verify = [&verify[..], &["ca.pem", "cert.pem"]].concat();
            assert_eq!(openssl.run(&verify), "cert.pem: OK\n");
            let text = openssl.run(&["x509", "-in", "cert.pem", "-noout", "-text"]);
            let alone = text.contains("X509v3 Subject Alternative Name: critical");
            assert_eq!(alone, subject == "/", "{text}");
            let encipherment = text.contains("Digital Signature, Key Encipherment");
            assert_eq!(encipherment, key.contains(&"RSA"), "{text}");
        }
    }
}

#[test]
fn a_common_name_stands_as_the_name_that_it_is() {
    let ca = authority(Curve::P256);
    let openssl = Openssl::new();
    let subject = |common_name: &str, san: &str| {
        let csr = csr(
            openssl.p256(),
            &format!("CN = {common_name}"),
            &format!("subjectAltName = {san}"),
            &[],
        );
        let der = ca.issue(&order(&csr, days(1)), now())?;
        openssl.write("cert.pem", pem("CERTIFICATE", &der));
        Ok::<_, CaError>(openssl.run(&["x509", "-in", "cert.pem", "-noout", "-subject"]))
    };
    for (common_name, san, expected) in [
        ("API.Example.com.", "DNS:api.example.com", "api.example.com"),
        // A letter that nobody sees, a wide one, and another full stop.
        (
            "api\u{200b}.\u{ff45}xample\u{3002}com",
            "DNS:api.example.com",
            "api.example.com",
        ),
        (
            "b\u{fc}cher.example",
            "DNS:xn--bcher-kva.example",
            "xn--bcher-kva.example",
        ),
        ("2001:DB8:0::1", "IP:2001:db8::1", "2001:db8::1"),
        (
            "ops@EXAMPLE.com",
            "email:ops@example.com",
            "ops@example.com",
        ),
    ] {
        let subject = subject(common_name, san).unwrap();
        assert_eq!(subject, format!("subject=CN = {expected}\n"));
    }
    // No certificate has a longer one, and this one is long only as A-labels.
    let long = format!("{0}.{0}.example", "\u{fc}\u{4f8b}\u{3b1}".repeat(5));
    let san = "DNS:".to_owned() + &panopol::san::dns::normalise(&long).unwrap();
    let error = subject(&long, &san).unwrap_err();
    let message = "the common name, normalised, is too long";
    assert_eq!(error, CaError::NotApproved(message.to_owned()));
}

#[test]
fn nothing_is_signed_that_was_not_approved_or_not_judged() {
    let ca = authority(Curve::P256);
    let csr = plain();
    for names in [
        vec![],
        vec!["dns:www.example.com".to_owned()],
        vec![
            "dns:api.example.com".to_owned(),
            "dns:www.example.com".to_owned(),
        ],
    ] {
        let order = Order {
            names: &names,
            ..order(&csr, days(1))
        };
        let error = ca.issue(&order, now()).unwrap_err();
        let message = "the CSR does not ask for exactly the names that were approved";
        assert_eq!(error, CaError::NotApproved(message.to_owned()));
    }
    // The same name in another spelling is the same name.
    let names = ["dns:API.example.com.".to_owned()];
    let spelled = Order {
        names: &names,
        ..order(&csr, days(1))
    };
    ca.issue(&spelled, now()).unwrap();
    let openssl = Openssl::new();
    let refused = |subject: &str, extensions: &str, key: &[&str]| {
        let csr = self::csr(openssl.key(key), subject, extensions, &[]);
        ca.issue(&order(&csr, days(1)), now())
            .unwrap_err()
            .to_string()
    };
    let ec = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let names = "subjectAltName = DNS:api.example.com";
    assert_eq!(
        refused(
            "CN = api.example.com",
            &format!("{names}\nbasicConstraints = CA:TRUE"),
            &ec
        ),
        "the CSR has basicConstraints with CA:TRUE, which is not supported"
    );
    assert_eq!(
        refused("CN = www.example.com", names, &ec),
        "the common name is none of the names that were approved"
    );
    let small = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"];
    assert_eq!(
        refused("CN = api.example.com", names, &small),
        "the CSR has a key of the type RSA-1024, which is not supported"
    );
}

#[test]
fn no_certificate_outlives_its_ca_or_ends_before_it_begins() {
    let ca = authority(Curve::P256);
    let csr = plain();
    let end = |validity: Validity| ca.issue(&order(&csr, validity), now());
    end(days(3650)).unwrap();
    let one_more = Validity::lasting(now(), 3650 * 86_400 + 1).unwrap();
    let outlives = "the certificate would outlive the local CA's own, or begin before it";
    assert_eq!(end(one_more), Err(CaError::Time(outlives.to_owned())));
    let early = Validity::lasting(at("2026-12-01T11:59:59Z"), 60).unwrap();
    assert_eq!(end(early), Err(CaError::Time(outlives.to_owned())));
    let later = ca.issue(&order(&csr, days(1)), at("2026-12-02T12:00:00Z"));
    let ended = "the certificate would have ended already".to_owned();
    assert_eq!(later, Err(CaError::Time(ended)));
    let after = ca.issue(&order(&csr, days(1)), at("2046-01-01T00:00:00Z"));
    let own = "the local CA's own certificate is not valid now".to_owned();
    assert_eq!(after, Err(CaError::Time(own)));
    assert!(Validity::lasting(now(), 0).is_err());
    assert!(Validity::lasting(now(), u64::MAX).is_err());
    assert!(Validity::lasting(now(), 9_000 * 366 * 86_400).is_err());
}

#[test]
fn what_reads_back_otherwise_is_refused_by_what_differs() {
    let ca = authority(Curve::P256);
    let (csr, other) = (plain(), plain());
    let asked = order(&csr, days(90));
    let der = ca.issue(&asked, now()).unwrap();
    ca.read_back(&der, &asked).unwrap();
    let differs = |der: &[u8], order: &Order<'_>| match ca.read_back(der, order) {
        Err(CaError::ReadBack(what)) => what,
        found => panic!("{found:?}"),
    };
    let serial = Serial::from_random([8; 16]);
    assert_eq!(
        differs(&der, &Order { serial, ..asked }),
        "its serial number"
    );
    let validity = days(89);
    assert_eq!(differs(&der, &Order { validity, ..asked }), "its lifetime");
    assert_eq!(
        differs(
            &der,
            &Order {
                csr: &other,
                ..asked
            }
        ),
        "its key"
    );
    let crl_url = Some("http://panopol.example/crl");
    assert_eq!(
        differs(&der, &Order { crl_url, ..asked }),
        "its list of extensions"
    );
    let long = Openssl::new();
    let names = "subjectAltName = DNS:api.example.com, DNS:www.example.com";
    let more = self::csr(long.p256(), "CN = api.example.com", names, &[]);
    let widened = ca.issue(&order(&more, days(90)), now()).unwrap();
    assert_eq!(differs(&widened, &asked), "its key");
    // Another CA of the same name: only the signature tells.
    let twin = authority(Curve::P256);
    let forged = twin.issue(&asked, now()).unwrap();
    assert_eq!(differs(&forged, &asked), "its signature");
    for at in 0..der.len() {
        let mut altered = der.clone();
        altered[at] ^= 1;
        assert!(ca.read_back(&altered, &asked).is_err(), "byte {at}");
    }
    assert_eq!(
        differs(&[&der[..], b"\0"].concat(), &asked),
        "there are bytes after its end"
    );
}

#[test]
fn a_ca_opens_only_with_a_certificate_of_its_own() {
    let key = generate_key(Curve::P256).unwrap();
    let serial = Serial::from_random([1; 16]);
    let certificate = LocalCa::self_sign(&key, "Example CA", days(3650), serial).unwrap();
    let ca = LocalCa::open(&key, &certificate).unwrap();
    assert_eq!(ca.validity(), days(3650));
    assert_eq!(ca.certificate().unwrap(), certificate);
    let why = |key: &[u8], certificate: &[u8]| match LocalCa::open(key, certificate) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it opens"),
    };
    let other = generate_key(Curve::P256).unwrap();
    let said = |what: &str| format!("the local CA cannot be used: {what}");
    assert_eq!(
        why(&other, &certificate),
        said("its certificate is for another key")
    );
    assert_eq!(
        why(b"no key", &certificate),
        said("its key is not PKCS#8 as DER")
    );
    assert_eq!(
        why(&key, b"none"),
        said("its certificate is not one as DER")
    );
    for (name, what) in [
        ("", "its name has no character, or more than 64"),
        ("Example\0CA", "its name has a control character"),
    ] {
        let made = LocalCa::self_sign(&key, name, days(1), serial);
        assert_eq!(made.unwrap_err().to_string(), said(what));
    }
    // A leaf for the CA's own key, and a self-signed one that is no CA's.
    let openssl = Openssl::new();
    openssl.write("key.der", key.as_slice());
    openssl.run(&[
        "pkey", "-inform", "DER", "-in", "key.der", "-out", "key.pem",
    ]);
    let csr = csr(
        &openssl,
        "CN = a.example.com",
        "subjectAltName = DNS:a.example.com",
        &[],
    );
    let leaf = ca.issue(&order(&csr, days(1)), now()).unwrap();
    assert_eq!(why(&key, &leaf), said("its certificate is not one of a CA"));
    openssl.run(&[
        "req",
        "-x509",
        "-config",
        "req.cnf",
        "-key",
        "key.pem",
        "-extensions",
        "ext",
        "-outform",
        "DER",
        "-out",
        "own.der",
    ]);
    let own = openssl.read("own.der");
    assert_eq!(why(&key, &own), said("its certificate is not one of a CA"));
    assert!(LocalCa::self_sign(&key, "", days(1), serial).is_err());
    assert!(LocalCa::self_sign(&key, &"x".repeat(65), days(1), serial).is_err());
}

#[test]
fn a_list_of_revoked_certificates_is_one_to_openssl() {
    let openssl = Openssl::new();
    let ca = authority(Curve::P384);
    let csr = csr(openssl.p256(), "CN = api.example.com", NAMES, &[]);
    let asked = order(&csr, days(90));
    let certificate = ca.issue(&asked, now()).unwrap();
    openssl.write("ca.pem", pem("CERTIFICATE", &ca.certificate().unwrap()));
    openssl.write("cert.pem", pem("CERTIFICATE", &certificate));
    let list = |revoked: &[Revoked]| {
        let next = at("2026-12-08T12:00:00Z");
        let der = ca.crl(revoked, 300, now(), next).unwrap();
        openssl.write("crl.pem", pem("X509 CRL", &der));
        openssl.run(&[
            "crl", "-in", "crl.pem", "-CAfile", "ca.pem", "-noout", "-text",
        ])
    };
    let verify = [
        "verify",
        "-attime",
        "1796126400",
        "-crl_check",
        "-CRLfile",
        "crl.pem",
        "-CAfile",
        "ca.pem",
        "cert.pem",
    ];
    let empty = list(&[]);
    assert!(empty.contains("No Revoked Certificates."), "{empty}");
    assert_eq!(openssl.run(&verify), "cert.pem: OK\n");
    let one = |serial: Serial, reason: RevocationReason| Revoked {
        serial,
        at: at("2026-12-01T11:00:00Z"),
        reason,
    };
    let other = Serial::from_random([9; 16]);
    let text = list(&[
        one(other, RevocationReason::Unspecified),
        one(asked.serial, RevocationReason::KeyCompromise),
    ]);
    for line in [
        "Version 2 (0x1)",
        "Signature Algorithm: ecdsa-with-SHA384",
        "Issuer: CN = Example CA",
        "Last Update: Dec  1 12:00:00 2026 GMT",
        "Next Update: Dec  8 12:00:00 2026 GMT",
        "Serial Number: 47070707070707070707070707070707",
        "Serial Number: 49090909090909090909090909090909",
        "Revocation Date: Dec  1 11:00:00 2026 GMT",
        "Key Compromise",
        "300",
    ] {
        let found = text.lines().any(|found| found.trim() == line);
        assert!(found, "{line}\n{text}");
    }
    assert_eq!(text.matches("CRL Reason Code").count(), 1, "{text}");
    let output = std::process::Command::new("openssl")
        .current_dir(openssl.path())
        .args(verify)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("certificate revoked"), "{said}");
    let twice = [one(other, RevocationReason::Superseded); 2];
    let error = ca
        .crl(&twice, 1, now(), at("2026-12-08T12:00:00Z"))
        .unwrap_err();
    assert_eq!(error.to_string(), format!("{other} is revoked twice"));
    assert!(ca.crl(&[], 1, now(), now()).is_err());
}

#[test]
fn a_serial_keeps_its_random_bits_and_is_read_as_it_is_written() {
    for byte in [0, 1, 0x7f, 0x80, 0xff] {
        let serial = Serial::from_random([byte; 16]);
        assert!((0x40..0x80).contains(&serial.bytes()[0]));
        assert_eq!(serial.bytes()[1..], [byte; 15]);
        assert_eq!(Serial::from_hex(&serial.to_string()), Some(serial));
    }
    for text in [
        "",
        "47",
        "00000000000000000000000000000001",
        "4707070707070707070707070707070G",
    ] {
        assert_eq!(Serial::from_hex(text), None, "{text}");
    }
}
