//! What can be done on the admin plane. Each word is an action of the Cedar schema.

/// Declares the actions with their words.
macro_rules! actions {
    ($($variant:ident = $word:literal),+ $(,)?) => {
        /// One thing that can be done on the admin plane.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum AdminAction {
            $(#[doc = concat!("`", $word, "`")] $variant,)+
        }

        impl AdminAction {
            /// Every action.
            pub const ALL: &'static [AdminAction] = &[$(AdminAction::$variant),+];

            /// The action's id in the Cedar schema.
            pub const fn word(self) -> &'static str {
                match self { $(AdminAction::$variant => $word),+ }
            }
        }
    };
}

actions! {
    DeviceList = "device-list",
    DeviceShow = "device-show",
    DeviceWhy = "device-why",
    PolicyShow = "policy-show",
    PolicyEval = "policy-eval",
    ApprovalList = "approval-list",
    DenialList = "denial-list",
    RecordList = "record-list",
    KeyList = "key-list",
    TokenListOwn = "token-list-own",
    DeviceEnroll = "device-enroll",
    DeviceTag = "device-tag",
    DeviceDisable = "device-disable",
    DeviceEnable = "device-enable",
    DeviceAllowOnce = "device-allow-once",
    ApprovalDecide = "approval-decide",
    IssuanceSubmit = "issuance-submit",
    CertificateList = "certificate-list",
    PolicyReload = "policy-reload",
    TokenCreateOwn = "token-create-own",
    TokenRevokeOwn = "token-revoke-own",
    DenialLift = "denial-lift",
    DeviceRevoke = "device-revoke",
    EnrollmentKeyList = "enrollment-key-list",
    EnrollmentKeyCreate = "enrollment-key-create",
    EnrollmentKeyRevoke = "enrollment-key-revoke",
    TokenList = "token-list",
    TokenCreate = "token-create",
    TokenRevoke = "token-revoke",
    KeyImport = "key-import",
    KeyRotate = "key-rotate",
    AuditRead = "audit-read",
    KeyDelete = "key-delete",
    Backup = "backup",
    HeadAccept = "head-accept",
    AuthorityCreate = "authority-create",
    ClockAccept = "clock-accept",
}
