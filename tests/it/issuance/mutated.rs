//! CSRs that were altered, before and after they were signed.

use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::x509::{X509, X509Req};
use panopol::issuance::csr::Csr;
use proptest::prelude::*;

use super::Openssl;

const EXTENSIONS: &str = "subjectAltName = DNS:a.example.com, IP:192.0.2.7, email:o@example.com, URI:spiffe://x/y\n\
     basicConstraints = CA:FALSE\nkeyUsage = digitalSignature\nextendedKeyUsage = serverAuth";

#[test]
fn no_bit_of_a_csr_can_be_altered() {
    let der = Openssl::new()
        .p256()
        .csr("CN = a.example.com", EXTENSIONS, &[]);
    Csr::read(&der).unwrap();
    for at in 0..der.len() {
        for bit in 0..8 {
            let mut altered = der.clone();
            altered[at] ^= 1 << bit;
            assert!(Csr::read(&altered).is_err(), "byte {at}, bit {bit}");
        }
        assert!(Csr::read(&der[..at]).is_err(), "cut off at {at}");
    }
}

/// A CSR's content, and the key that signs it again.
struct Forge {
    info: Vec<u8>,
    key: PKey<Private>,
}

impl Forge {
    fn new() -> Self {
        let openssl = Openssl::new();
        let der = openssl.p256().csr("CN = a.example.com", EXTENSIONS, &[]);
        let key = PKey::private_key_from_pem(&openssl.read("key.pem")).unwrap();
        // The first item of the outer SEQUENCE, whose lengths have a byte or two.
        assert_eq!((der[1], der[4]), (0x82, 0x30));
        let end = match der[5] {
            0x81 => 7 + usize::from(der[6]),
            0x82 => 8 + (usize::from(der[6]) << 8 | usize::from(der[7])),
            other => panic!("the length of the content is {other:#x}"),
        };
        Forge {
            info: der[4..end].to_vec(),
            key,
        }
    }

    /// The altered content, signed as it is.
    fn sign(&self, info: &[u8]) -> Vec<u8> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key).unwrap();
        let signature = signer.sign_oneshot_to_vec(info).unwrap();
        let ecdsa_with_sha256 = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
        let bits = [b"\0", &signature[..]].concat();
        let all = [info, ecdsa_with_sha256, &wrap(0x03, &bits)].concat();
        wrap(0x30, &all)
    }
}

/// A tag, a length in DER and a content.
pub(super) fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let header = match length {
        0..128 => vec![tag, u8::try_from(length).unwrap()],
        128..256 => vec![tag, 0x81, u8::try_from(length).unwrap()],
        _ => {
            let length = u16::try_from(length).unwrap().to_be_bytes();
            vec![tag, 0x82, length[0], length[1]]
        }
    };
    [&header[..], content].concat()
}

/// The names as OpenSSL reads them, which neither parser is.
fn third_opinion(der: &[u8]) -> Vec<String> {
    let mut builder = X509::builder().unwrap();
    let extensions = X509Req::from_der(der).and_then(|csr| csr.extensions());
    for extension in extensions.iter().flatten() {
        builder.append_extension2(extension).unwrap();
    }
    let names = builder.build().subject_alt_names();
    let text = |name: &openssl::x509::GeneralNameRef| {
        let ip = |bytes: &[u8]| match bytes.len() {
            4 => format!(
                "ip:{}",
                std::net::Ipv4Addr::from(<[u8; 4]>::try_from(bytes).unwrap())
            ),
            _ => format!(
                "ip:{}",
                std::net::Ipv6Addr::from(<[u8; 16]>::try_from(bytes).unwrap())
            ),
        };
        name.dnsname()
            .map(|dns| format!("dns:{dns}"))
            .or_else(|| name.email().map(|email| format!("email:{email}")))
            .or_else(|| name.uri().map(|uri| format!("uri:{uri}")))
            .or_else(|| name.ipaddress().map(ip))
            .unwrap()
    };
    names.iter().flatten().map(text).collect()
}

#[test]
fn an_unaltered_content_signed_again_is_read() {
    let forge = Forge::new();
    let der = forge.sign(&forge.info);
    let csr = Csr::read(&der).unwrap();
    assert_eq!(csr.unsupported(), [] as [&str; 0]);
    assert_eq!(csr.san(), third_opinion(&der));
    assert_eq!(csr.san().len(), 4);
}

#[derive(Clone, Debug)]
enum Edit {
    Set(usize, u8),
    Flip(usize, u8),
    Remove(usize),
    Insert(usize, u8),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = 0..400_usize;
    prop_oneof![
        (at.clone(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (at.clone(), 0..8_u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        at.clone().prop_map(Edit::Remove),
        (at, any::<u8>()).prop_map(|(at, byte)| Edit::Insert(at, byte)),
    ]
}

fn apply(bytes: &mut Vec<u8>, edit: &Edit) {
    let length = bytes.len();
    match *edit {
        Edit::Set(at, byte) => bytes[at % length] = byte,
        Edit::Flip(at, bit) => bytes[at % length] ^= 1 << bit,
        Edit::Remove(at) => drop(bytes.remove(at % length)),
        Edit::Insert(at, byte) => bytes.insert(at % length, byte),
    }
}

#[test]
fn what_is_read_of_an_altered_and_signed_csr_is_what_openssl_reads() {
    let forge = Forge::new();
    let mut read = 0;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 4096,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let edits = prop::collection::vec(edit(), 1..4);
    let result = runner.run(&edits, |edits| {
        let mut info = forge.info.clone();
        for edit in &edits {
            apply(&mut info, edit);
        }
        let der = forge.sign(&info);
        if let Ok(csr) = Csr::read(&der)
            && csr.unsupported().is_empty()
        {
            prop_assert_eq!(csr.san(), third_opinion(&der));
        }
        Ok(())
    });
    result.unwrap();
    // Each single byte with each value: many of these are sound CSRs.
    for at in 0..forge.info.len() {
        for byte in [0, 1, 0x0c, 0x13, 0x16, 0x30, 0x7f, 0x80, 0x81, 0xff] {
            let mut info = forge.info.clone();
            info[at] = byte;
            let der = forge.sign(&info);
            if let Ok(csr) = Csr::read(&der) {
                read += 1;
                if csr.unsupported().is_empty() {
                    assert_eq!(csr.san(), third_opinion(&der), "byte {at} is {byte:#x}");
                }
            }
        }
    }
    assert!(read > 100, "only {read} were read: this tests too little");
}
