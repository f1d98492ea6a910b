//! Any bytes as a CSR. Few altered ones have a good signature, so an input that
//! begins with `S` is a CSR's content, which is signed before it is read.
#![no_main]

use std::net::IpAddr;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::x509::{GeneralNameRef, X509, X509Req};
use panopol::issuance::csr::Csr;
use panopol::request::IssuanceRequest;

/// Whose public half stands in the seeds that begin with `S`.
static KEY: LazyLock<PKey<Private>> = LazyLock::new(|| {
    PKey::private_key_from_pem(include_bytes!("../csr_key.pem")).expect("a key")
});

fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("inputs are bounded").to_be_bytes();
    let mut bytes = match content.len() {
        0..128 => vec![tag, length[1]],
        128..256 => vec![tag, 0x81, length[1]],
        _ => vec![tag, 0x82, length[0], length[1]],
    };
    bytes.extend(content);
    bytes
}

fn sign(info: &[u8]) -> Vec<u8> {
    let mut signer = Signer::new(MessageDigest::sha256(), &KEY).expect("a signer");
    let signature = signer.sign_oneshot_to_vec(info).expect("a signature");
    let ecdsa_with_sha256 = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let bits = [b"\0", &signature[..]].concat();
    wrap(0x30, &[info, ecdsa_with_sha256, &wrap(0x03, &bits)].concat())
}

fn openssl_name(name: &GeneralNameRef) -> String {
    let ip = |bytes: &[u8]| {
        let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
        let address = v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
        format!("ip:{}", address.expect("4 or 16 bytes"))
    };
    name.dnsname()
        .map(|text| format!("dns:{text}"))
        .or_else(|| name.email().map(|text| format!("email:{text}")))
        .or_else(|| name.uri().map(|text| format!("uri:{text}")))
        .or_else(|| name.ipaddress().map(ip))
        .expect("a kind that is judged")
}

/// The names that OpenSSL reads, by way of a certificate.
fn openssl_reads(der: &[u8]) -> Vec<String> {
    let mut builder = X509::builder().expect("memory");
    let extensions = X509Req::from_der(der).and_then(|csr| csr.extensions());
    for extension in extensions.iter().flatten() {
        builder.append_extension2(extension).expect("memory");
    }
    let names = builder.build().subject_alt_names();
    names.iter().flatten().map(openssl_name).collect()
}

fuzz_target!(|input: &[u8]| {
    let signed = input.strip_prefix(b"S").map(sign);
    let Ok(csr) = Csr::read(signed.as_deref().unwrap_or(input)) else {
        return;
    };
    let mut request: IssuanceRequest =
        serde_json::from_str(r#"{"action":"issue"}"#).expect("a request");
    csr.into_request_fields(&mut request).expect("nothing contradicts it");
    csr.into_request_fields(&mut request).expect("it says the same again");
    assert_eq!(request.san, csr.san());
    assert_eq!(Csr::read(csr.der()).as_ref(), Ok(&csr));
    if csr.unsupported().is_empty() {
        assert_eq!(csr.san(), openssl_reads(csr.der()));
    }
});
