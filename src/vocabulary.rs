//! The closed words of the language: each an enum, its spelling and its order.
//!
//! Knows no syntax and no meaning. A word's spelling in policy files, in JSON
//! and in messages is the same, and stands here once.

/// Declares an enum of words with their spellings.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident ($what:literal) { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`")] #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// What such a word is called in messages.
            pub const WHAT: &'static str = $what;
            /// Every word, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word as it is spelled.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// The word spelled `text`, exactly.
            pub fn from_word(text: &str) -> Option<Self> {
                match text { $($word => Some($name::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What a line or a default does.
    Effect ("effect") { Allow = "allow", Deny = "deny" }
}
words! {
    /// A day of the week, Monday first.
    Weekday ("day") { Mon = "mon", Tue = "tue", Wed = "wed", Thu = "thu", Fri = "fri", Sat = "sat", Sun = "sun" }
}
words! {
    /// Tiers of entitlement, weakest first.
    Role ("role") { Viewer = "viewer", Operator = "operator", Admin = "admin", Owner = "owner" }
}
words! {
    /// What a one-time unlock may override.
    Override ("override") { Source = "source", Disabled = "disabled", Approval = "approval" }
}
words! {
    /// What is asked of the certificate side.
    Action ("action") {
        Issue = "issue", Renew = "renew", Reissue = "reissue",
        Revoke = "revoke", Export = "export", Distribute = "distribute",
    }
}
words! {
    /// What an approval is good for, narrowest first: one address, its network
    /// (IPv4 /24, IPv6 /64), or the device from anywhere.
    Binds ("binding") { Address = "address", Network = "network", Device = "device" }
}
words! {
    /// A type of key, with its size or curve.
    KeyType ("key type") {
        Rsa2048 = "RSA-2048", Rsa3072 = "RSA-3072", Rsa4096 = "RSA-4096",
        EcdsaP256 = "ECDSA-P256", EcdsaP384 = "ECDSA-P384", EcdsaP521 = "ECDSA-P521",
        Ed25519 = "Ed25519",
    }
}
words! {
    /// A type of issuer.
    IssuerType ("issuer type") { Acme = "acme", Msca = "msca", LocalCa = "local-ca", Webhook = "webhook" }
}
words! {
    /// A type of subject alternative name.
    SanType ("name type") { Dns = "dns", Ip = "ip", Email = "email", Uri = "uri" }
}
words! {
    /// What is to become of a lint's findings.
    Level ("level") { Allow = "allow", Warn = "warn", Deny = "deny" }
}
words! {
    /// What a decision comes to.
    Outcome ("outcome") { Allow = "allow", Deny = "deny", Pending = "pending" }
}
words! {
    /// The state of an enrolled device.
    DeviceState ("device state") { Active = "active", Disabled = "disabled", Revoked = "revoked" }
}
words! {
    /// What an approval request is about.
    ApprovalKind ("kind of request") { Unlock = "unlock", Tags = "tags", Issuance = "issuance" }
}
words! {
    /// Where an approval request stands.
    ApprovalState ("request state") {
        Pending = "pending", Approved = "approved", Collecting = "collecting",
        Executing = "executing", Spent = "spent", Executed = "executed", Denied = "denied",
        Rejected = "rejected", Expired = "expired", Cancelled = "cancelled",
        Superseded = "superseded",
    }
}
words! {
    /// Where a job of the certificate side stands.
    JobState ("job state") {
        Waiting = "waiting", Queued = "queued", Executing = "executing", Executed = "executed",
        Failed = "failed", Ended = "ended",
    }
}
words! {
    /// What a person says of an approval request.
    Verdict ("verdict") {
        Approve = "approve", Deny = "deny", Defer = "defer", Reject = "reject", Cancel = "cancel",
    }
}
words! {
    /// What a notification tells of.
    Topic ("event") {
        ApprovalRequested = "approval.requested", ApprovalEscalated = "approval.escalated",
        ApprovalApproved = "approval.approved", ApprovalDenied = "approval.denied",
        ApprovalRejected = "approval.rejected", ApprovalCancelled = "approval.cancelled",
        ApprovalExpired = "approval.expired", ApprovalSuperseded = "approval.superseded",
        PolicyReloaded = "policy.reloaded", PolicyRejected = "policy.rejected",
        ClockJumped = "clock.jumped",
    }
}
words! {
    /// Why a certificate is revoked. Source: RFC 5280, section 5.3.1.
    RevocationReason ("reason of a revocation") {
        Unspecified = "unspecified", KeyCompromise = "key-compromise",
        AffiliationChanged = "affiliation-changed", Superseded = "superseded",
        CessationOfOperation = "cessation-of-operation",
        PrivilegeWithdrawn = "privilege-withdrawn",
    }
}

impl ApprovalState {
    /// Whether anything may still become of it: a terminal state has no exit.
    pub const fn is_open(self) -> bool {
        match self {
            ApprovalState::Pending
            | ApprovalState::Approved
            | ApprovalState::Collecting
            | ApprovalState::Executing => true,
            ApprovalState::Spent
            | ApprovalState::Executed
            | ApprovalState::Denied
            | ApprovalState::Rejected
            | ApprovalState::Expired
            | ApprovalState::Cancelled
            | ApprovalState::Superseded => false,
        }
    }

    /// Whether a request that stands here may come to stand there.
    pub const fn may_become(self, to: ApprovalState) -> bool {
        use ApprovalState as S;
        match self {
            S::Pending => matches!(
                to,
                S::Approved
                    | S::Executed
                    | S::Denied
                    | S::Rejected
                    | S::Expired
                    | S::Cancelled
                    | S::Superseded
            ),
            S::Approved => matches!(
                to,
                S::Collecting | S::Spent | S::Executing | S::Denied | S::Expired | S::Superseded
            ),
            S::Collecting => matches!(to, S::Spent | S::Denied),
            S::Executing => matches!(to, S::Executed),
            S::Spent
            | S::Executed
            | S::Denied
            | S::Rejected
            | S::Expired
            | S::Cancelled
            | S::Superseded => false,
        }
    }
}
words! {
    /// Why a decision came out as it did; issuance codes stand in the order they are reported.
    ReasonCode ("reason code") {
        Allowed = "allowed",
        ApprovalRequired = "approval-required",
        DeviceRevoked = "device-revoked",
        TemporarilyDenied = "temporarily-denied",
        SourceDenied = "source-denied",
        DeviceDisabled = "device-disabled",
        SourceNotAllowed = "source-not-allowed",
        OutsideSchedule = "outside-schedule",
        EvaluationIncomplete = "evaluation-incomplete",
        Unregulated = "unregulated",
        KeyType = "key-type",
        IssuerType = "issuer-type",
        IssuerId = "issuer-id",
        SanMalformed = "san-malformed",
        SanCount = "san-count",
        SanDenied = "san-denied",
        SanNotAllowed = "san-not-allowed",
        CommonName = "common-name",
        Naming = "naming",
        Lifetime = "lifetime",
        AutoRenew = "auto-renew",
        KeyExport = "key-export",
        UnsupportedField = "unsupported-field",
        ReasonRequired = "reason-required",
        TicketRequired = "ticket-required",
    }
}

/// The nearest of `candidates` to a misspelled `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= limit || candidate.eq_ignore_ascii_case(word))
        .min()
        .map(|(_, candidate)| candidate)
}
