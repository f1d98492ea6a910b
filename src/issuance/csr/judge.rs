//! From what parsers read to what policies judge, and to what never passes.

use std::net::{Ipv4Addr, Ipv6Addr};

use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::request::CertReq;

use super::reading::{
    CHALLENGE_PASSWORD, COMMON_NAME, EMAIL_ADDRESS, EXTENSION_REQUEST, Extension, Meaning, Part,
    Reading,
};
use super::signature::shown;

/// What stands in a request, apart from the key.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) san: Vec<String>,
    pub(super) common_name: Option<String>,
    pub(super) unsupported: Vec<String>,
    pub(super) key_usage: Vec<&'static str>,
    pub(super) extended_key_usage: Vec<String>,
}

/// The bits of keyUsage in their order, and whether panopol takes them.
/// Source: RFC 5280, section 4.2.1.3.
const USAGES: &[(&str, bool)] = &[
    ("digitalSignature", true),
    ("nonRepudiation", true),
    ("keyEncipherment", true),
    ("dataEncipherment", true),
    ("keyAgreement", true),
    ("keyCertSign", false),
    ("cRLSign", false),
    ("encipherOnly", false),
    ("decipherOnly", false),
];

const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";

/// The longest common name. Source: RFC 5280, `ub-common-name`.
const MAX_COMMON_NAME: usize = 64;

/// Judges everything but the key, whose identifier is `key_id`.
pub(super) fn judge(csr: &CertReq, reading: &Reading, key_id: &[u8]) -> Judged {
    let mut judged = Judged::default();
    judged.subject(&reading.parts);
    judged.attributes(csr);
    let oids = reading.extensions.iter().map(|one| one.oid);
    judged.repeated("extension", oids);
    for extension in &reading.extensions {
        judged.extension(extension, key_id);
    }
    judged
}

impl Judged {
    fn refuse(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.unsupported.contains(&what) {
            self.unsupported.push(what);
        }
    }

    /// Refuses each OID that comes again.
    fn repeated(&mut self, what: &str, oids: impl Iterator<Item = ObjectIdentifier>) {
        let mut seen = Vec::new();
        for oid in oids {
            if seen.contains(&oid) {
                self.refuse(format!("the {what} {} several times", shown(&oid)));
            }
            seen.push(oid);
        }
    }

    fn subject(&mut self, parts: &[Part]) {
        let mut names = parts.iter().filter(|part| part.oid == COMMON_NAME);
        if let Some(part) = names.next() {
            match common_name(part) {
                Ok(text) => self.common_name = Some(text),
                Err(what) => self.refuse(what),
            }
        }
        if names.next().is_some() {
            self.refuse("several common names");
        }
        if parts.iter().any(|part| part.oid == EMAIL_ADDRESS) {
            self.refuse("an e-mail address in its subject instead of a SAN");
        }
    }

    fn attributes(&mut self, csr: &CertReq) {
        let attributes = &csr.info.attributes;
        self.repeated("attribute", attributes.iter().map(|one| one.oid));
        for attribute in attributes.iter() {
            match attribute.oid {
                EXTENSION_REQUEST | CHALLENGE_PASSWORD if attribute.values.len() == 1 => {}
                EXTENSION_REQUEST | CHALLENGE_PASSWORD => {
                    let many = attribute.values.len();
                    let oid = shown(&attribute.oid);
                    self.refuse(format!("the attribute {oid} with {many} values"));
                }
                unknown => self.refuse(format!("the attribute {}", shown(&unknown))),
            }
        }
    }

    fn extension(&mut self, extension: &Extension, key_id: &[u8]) {
        match &extension.meaning {
            None => self.refuse(format!(
                "the extension {}, which cannot be read",
                shown(&extension.oid)
            )),
            Some(Meaning::Unknown) => {
                self.refuse(format!("the extension {}", shown(&extension.oid)));
            }
            Some(Meaning::Names(names)) => self.names(names),
            Some(Meaning::Constraints(true, _)) => self.refuse("basicConstraints with CA:TRUE"),
            Some(Meaning::Constraints(false, Some(_))) => {
                self.refuse("basicConstraints with a path length");
            }
            Some(Meaning::Constraints(false, None)) => {}
            Some(Meaning::KeyUsage(bits)) => self.key_usage(*bits),
            Some(Meaning::ExtendedKeyUsage(purposes)) => self.purposes(purposes),
            Some(Meaning::KeyId(id)) => {
                if id != key_id {
                    self.refuse("a subjectKeyIdentifier that is not the key's SHA-1");
                }
            }
        }
    }

    fn key_usage(&mut self, bits: u16) {
        if bits == 0 {
            self.refuse("an empty keyUsage");
        }
        for bit in 0..16_usize {
            if bits >> bit & 1 == 0 {
                continue;
            }
            match USAGES.get(bit) {
                Some((name, true)) => self.key_usage.push(name),
                Some((name, false)) => self.refuse(format!("keyUsage {name}")),
                None => self.refuse(format!("bit {bit} of keyUsage")),
            }
        }
    }

    fn purposes(&mut self, purposes: &[ObjectIdentifier]) {
        if purposes.is_empty() {
            self.refuse("an empty extendedKeyUsage");
        }
        for purpose in purposes {
            match purpose.to_string().as_str() {
                SERVER_AUTH => self.extended_key_usage.push("serverAuth".to_owned()),
                CLIENT_AUTH => self.extended_key_usage.push("clientAuth".to_owned()),
                _ => self.refuse(format!("extendedKeyUsage {}", shown(purpose))),
            }
        }
    }

    fn names(&mut self, names: &[(u32, Vec<u8>)]) {
        if names.is_empty() {
            self.refuse("a subjectAltName without a name");
        }
        for (number, content) in names {
            let read = match number {
                1 => text("email", "an e-mail address", content),
                2 => text("dns", "a DNS name", content),
                6 => text("uri", "a URI", content),
                7 => address(content),
                other => Err(kind(*other)),
            };
            match read {
                Ok(name) => self.san.push(name),
                Err(what) => self.refuse(what),
            }
        }
    }
}

/// What a kind of name that is not judged is called. Source: RFC 5280, section 4.2.1.6.
fn kind(number: u32) -> String {
    let name = match number {
        0 => "otherName",
        3 => "x400Address",
        4 => "directoryName",
        5 => "ediPartyName",
        8 => "registeredID",
        unknown => return format!("a SAN of the unknown kind {unknown}"),
    };
    format!("a SAN of the kind {name}")
}

/// An IA5String of visible characters, under the word of its type.
fn text(word: &str, what: &str, content: &[u8]) -> Result<String, String> {
    match std::str::from_utf8(content) {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(format!("{word}:{text}"))
        }
        Ok(_) | Err(_) => {
            let shown = short(&String::from_utf8_lossy(content));
            Err(format!(
                "{what} that is not of visible ASCII characters, `{shown}`"
            ))
        }
    }
}

/// The start of a hostile text, fit to be shown.
fn short(text: &str) -> String {
    let mut shown: String = text.chars().take(64).collect();
    if text.chars().nth(64).is_some() {
        shown.push('…');
    }
    shown.escape_debug().to_string()
}

fn address(content: &[u8]) -> Result<String, String> {
    if let Ok(octets) = <[u8; 4]>::try_from(content) {
        return Ok(format!("ip:{}", Ipv4Addr::from(octets)));
    }
    match <[u8; 16]>::try_from(content) {
        Ok(octets) => Ok(format!("ip:{}", Ipv6Addr::from(octets))),
        Err(_) => Err(format!("an IP address of {} bytes", content.len())),
    }
}

/// A common name as text, where its type leaves one reading.
fn common_name(part: &Part) -> Result<String, String> {
    let kind = match part.tag {
        12 => None,
        // PrintableString and IA5String
        19 | 22 if part.value.is_ascii() => None,
        19 => Some("a PrintableString beyond ASCII".to_owned()),
        22 => Some("an IA5String beyond ASCII".to_owned()),
        20 => Some("a TeletexString".to_owned()),
        28 => Some("a UniversalString".to_owned()),
        30 => Some("a BMPString".to_owned()),
        other => Some(format!("of the ASN.1 type {other}")),
    };
    if let Some(kind) = kind {
        return Err(format!("a common name that is {kind}"));
    }
    let Ok(text) = std::str::from_utf8(&part.value) else {
        return Err("a common name that is not UTF-8".to_owned());
    };
    if text.chars().any(char::is_control) {
        let shown = short(text);
        return Err(format!("a common name with control characters, `{shown}`"));
    }
    if text.chars().count() > MAX_COMMON_NAME {
        return Err(format!(
            "a common name of more than {MAX_COMMON_NAME} characters"
        ));
    }
    Ok(text.to_owned())
}
