//! A CSR into a request: what the CSR says stands, and nobody may say otherwise.

use std::collections::BTreeSet;

use super::Csr;
use crate::request::IssuanceRequest;
use crate::san::parse_name;

/// A requester says of a CSR what it does not say itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{member}` of the request is {said}, and the CSR says {found}")]
pub struct Contradiction {
    /// The request's member.
    pub member: &'static str,
    /// What stands there.
    pub said: String,
    /// What the CSR says.
    pub found: String,
}

impl Contradiction {
    /// How to mend it.
    pub fn help(&self) -> String {
        format!("leave `{}` out: the CSR says it", self.member)
    }

    fn of(member: &'static str, said: &[String], found: &[String]) -> Self {
        Contradiction {
            member,
            said: listed(said),
            found: listed(found),
        }
    }
}

fn listed(words: &[String]) -> String {
    const MOST: usize = 8;
    if words.is_empty() {
        return "nothing".to_owned();
    }
    let shown = words.iter().take(MOST);
    let mut shown: Vec<String> = shown
        .map(|word| format!("`{}`", word.escape_debug()))
        .collect();
    if words.len() > MOST {
        shown.push(format!("{} more", words.len() - MOST));
    }
    shown.join(", ")
}

impl Csr {
    /// Writes what the CSR says into `request`: its names, its key, its common
    /// name, and what never passes.
    ///
    /// # Errors
    /// The first member that the request has already and that says something
    /// else; names may stand in another order and spelling. The request is as
    /// it was then.
    pub fn into_request_fields(&self, request: &mut IssuanceRequest) -> Result<(), Contradiction> {
        let key_type = std::slice::from_ref(&self.key_type);
        let said = request.key_type.as_slice();
        if !said.is_empty() && said != key_type {
            return Err(Contradiction::of("key_type", said, key_type));
        }
        if !request.san.is_empty() && normalised(&request.san) != normalised(&self.san) {
            return Err(Contradiction::of("san", &request.san, &self.san));
        }
        let common_name = self.common_name.as_slice();
        let said = request.common_name.as_slice();
        if !said.is_empty() && said != common_name {
            return Err(Contradiction::of("common_name", said, common_name));
        }
        let said = &request.unsupported;
        if !said.is_empty() && *said != self.unsupported {
            return Err(Contradiction::of("unsupported", said, &self.unsupported));
        }
        request.key_type = Some(self.key_type.clone());
        request.san.clone_from(&self.san);
        request.common_name.clone_from(&self.common_name);
        request.unsupported.clone_from(&self.unsupported);
        Ok(())
    }
}

/// Names as a policy compares them; what is none stays as it is written.
fn normalised(names: &[String]) -> BTreeSet<String> {
    let read =
        |name: &String| parse_name(name).map_or_else(|_| name.clone(), |san| san.to_string());
    names.iter().map(read).collect()
}
