//! What a requester is warned of before people are asked, and has to
//! acknowledge to go on.

use jiff::Timestamp;
use serde::Serialize;

use super::super::problem::Problem;
use crate::eval::Program;
use crate::issuance::csr::Csr;
use crate::issuance::execute::public_key_der;
use crate::request::IssuanceRequest;
use crate::store::Certificate;
use crate::vocabulary::Action;

/// A certificate with more than this part of its life left is renewed early.
const EARLY: i64 = 3;

/// What the requester should know before people are asked.
#[derive(Debug, Serialize)]
pub(super) struct Warning {
    /// What to send as `acknowledge`.
    pub(super) code: &'static str,
    message: String,
}

/// A predecessor with much of its life left, and a renewal with another key.
pub(super) fn warn(found: &Certificate, csr: &Csr, action: Action, now: Timestamp) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let life = found.not_after.duration_since(found.not_before).as_secs();
    let left = found.not_after.duration_since(now).as_secs();
    if left > life / EARLY {
        warnings.push(Warning {
            code: "days-left",
            message: format!(
                "the certificate that it follows has {} days left",
                left / 86_400
            ),
        });
    }
    let same_key = public_key_der(&found.pem).is_ok_and(|known| known == csr.public_key_der());
    if action == Action::Renew && !same_key {
        warnings.push(Warning {
            code: "key-changes",
            message: "the key is another than that of the certificate that it follows".to_owned(),
        });
    }
    warnings
}

/// The policy wants such certificates to go on by themselves, and one that is
/// revoked does not.
pub(super) fn warn_of_revoking(program: &Program, request: &IssuanceRequest) -> Option<Warning> {
    let issued = IssuanceRequest {
        action: Action::Issue,
        ..request.clone()
    };
    let names = program.wanting_auto_renew(&issued);
    (!names.is_empty()).then(|| Warning {
        code: "auto-renew",
        message: format!(
            "`{}` requires automatic renewal, and nothing follows a certificate that is revoked",
            names.join("`, `")
        ),
    })
}

/// Holds that each warning was seen.
pub(super) fn expect_acknowledged(
    warnings: &[Warning],
    acknowledged: &[String],
) -> Result<(), Problem> {
    let unseen: Vec<&Warning> = warnings
        .iter()
        .filter(|one| !acknowledged.iter().any(|code| code == one.code))
        .collect();
    if unseen.is_empty() {
        return Ok(());
    }
    let codes: Vec<&str> = unseen.iter().map(|one| one.code).collect();
    let messages: Vec<&str> = unseen.iter().map(|one| one.message.as_str()).collect();
    Err(Problem::invalid(format!(
        "{}; if that is meant, send `acknowledge` with {codes:?}",
        messages.join("; ")
    )))
}
