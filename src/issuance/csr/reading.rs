//! What a parser made of a CSR, so that two of them can be compared.

use x509_cert::der::oid::ObjectIdentifier;

use super::CsrError;

/// Everything of a CSR that is judged, in the CSR's own order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// The SubjectPublicKeyInfo, as DER.
    pub(super) key: Vec<u8>,
    /// The subject, as DER.
    pub(super) subject: Vec<u8>,
    /// The subject's parts, over all of its sets.
    pub(super) parts: Vec<Part>,
    /// The types of the attributes.
    pub(super) attributes: Vec<ObjectIdentifier>,
    /// The extensions asked for, over all attributes that ask for some.
    pub(super) extensions: Vec<Extension>,
    /// The signature's algorithm and its parameters' content.
    pub(super) algorithm: (ObjectIdentifier, Option<Vec<u8>>),
}

/// One type and value of a subject.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) oid: ObjectIdentifier,
    /// The universal tag's number.
    pub(super) tag: u32,
    pub(super) value: Vec<u8>,
}

/// One extension asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) oid: ObjectIdentifier,
    pub(super) critical: bool,
    pub(super) value: Vec<u8>,
    /// None: it cannot be read.
    pub(super) meaning: Option<Meaning>,
}

/// What an extension says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The number of each name's kind and its content, which is left out for
    /// the kinds that are never judged.
    Names(Vec<(u32, Vec<u8>)>),
    /// Whether it is a CA's, and the length of paths below it.
    Constraints(bool, Option<u32>),
    /// Bit 0 is `digitalSignature`.
    KeyUsage(u16),
    /// Sorted, each once.
    ExtendedKeyUsage(Vec<ObjectIdentifier>),
    /// The identifier of the key.
    KeyId(Vec<u8>),
    /// It is not one that panopol knows.
    Unknown,
}

/// Which kinds of name have contents that are compared: e-mail, DNS, URI, address.
pub(super) const JUDGED_NAMES: &[u32] = &[1, 2, 6, 7];

pub(super) const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
pub(super) const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
pub(super) const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
pub(super) const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
pub(super) const SUBJECT_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
pub(super) const EXTENSION_REQUEST: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");
pub(super) const CHALLENGE_PASSWORD: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.7");
pub(super) const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
pub(super) const EMAIL_ADDRESS: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");

/// The extensions whose meaning is compared.
pub(super) const JUDGED_EXTENSIONS: &[ObjectIdentifier] = &[
    SUBJECT_ALT_NAME,
    BASIC_CONSTRAINTS,
    KEY_USAGE,
    EXTENDED_KEY_USAGE,
    SUBJECT_KEY_ID,
];

impl Reading {
    /// Holds this reading against another parser's.
    pub(super) fn expect_same(&self, other: &Reading) -> Result<(), CsrError> {
        let parts = [
            ("the public key", self.key == other.key),
            (
                "the subject",
                self.subject == other.subject && self.parts == other.parts,
            ),
            ("the attributes", self.attributes == other.attributes),
            ("the extensions", self.extensions == other.extensions),
            ("the signature algorithm", self.algorithm == other.algorithm),
        ];
        match parts.iter().find(|(_, same)| !same) {
            Some(&(part, _)) => Err(CsrError::Disagreement { part }),
            None => Ok(()),
        }
    }
}
