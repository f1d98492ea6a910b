//! The members of a JWK that mean something here, read once and strictly.
//!
//! Source: RFC 7517 section 4: a name that occurs twice may be refused, and here
//! it is. Members that mean nothing here are skipped without being kept, however
//! deep or large, so that what a body can cost is bounded by its length.

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use zeroize::Zeroize;

/// What is kept; all else is skipped.
const KNOWN: [&str; 8] = ["alg", "crv", "d", "key_ops", "kty", "use", "x", "y"];

/// The known members of a JWK as they were given; strings are wiped on drop,
/// because one of them may be `d`.
pub(super) struct Members {
    known: Vec<(&'static str, Value)>,
    /// The first known name that stands twice.
    twice: Option<&'static str>,
}

/// Why bytes are no JWK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MembersError {
    #[error("not UTF-8")]
    NotUtf8,
    #[error("not a JSON object (line {line}, column {column})")]
    NotAnObject { line: usize, column: usize },
    #[error("`{0}` stands twice")]
    Twice(&'static str),
}

impl Members {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, MembersError> {
        // Skipped strings are not checked for UTF-8 by serde_json, so all of it is here.
        let text = std::str::from_utf8(bytes).map_err(|_| MembersError::NotUtf8)?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let members = serde::Deserializer::deserialize_map(&mut reader, MembersVisitor)
            .and_then(|members| reader.end().map(|()| members))
            .map_err(|error| MembersError::NotAnObject {
                line: error.line(),
                column: error.column(),
            })?;
        match members.twice {
            Some(name) => Err(MembersError::Twice(name)),
            None => Ok(members),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.known
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// The member if it is a string.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Whether `use` and `key_ops` let the key do `operation`; where neither is
    /// given, all is permitted unless it must be said `explicit`ly.
    ///
    /// Source: jose `lib/jwk.c` `jose_jwk_prm`. `use` speaks for signatures only:
    /// no use stands for `deriveKey`.
    pub(super) fn permit(&self, operation: &str, explicit: bool) -> bool {
        let (usage, operations) = (self.get("use"), self.get("key_ops"));
        let usage = match usage {
            None if operations.is_none() => return !explicit,
            None => None,
            Some(Value::String(text)) => Some(text.as_str()),
            Some(_) => return false,
        };
        let listed = operations
            .and_then(Value::as_array)
            .is_some_and(|list| list.iter().any(|given| given.as_str() == Some(operation)));
        listed || (usage == Some("sig") && matches!(operation, "sign" | "verify"))
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        for (_, value) in &mut self.known {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members {
            known: Vec::new(),
            twice: None,
        };
        while let Some(name) = map.next_key::<String>()? {
            let Some(&known) = KNOWN.iter().find(|known| **known == name) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if members.get(known).is_some() {
                members.twice = members.twice.or(Some(known));
            }
            members.known.push((known, map.next_value()?));
        }
        Ok(members)
    }
}
