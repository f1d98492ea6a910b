//! Which words begin declarations and statements.

use super::grammar::Rule;

/// The keyword that each kind of declaration begins with.
pub(super) const ITEMS: &[&str] = &[
    "edition",
    "tag",
    "network",
    "schedule",
    "project",
    "profile",
    "defaults",
    "person",
    "service",
    "team",
    "unlock",
    "allow-once",
    "approval",
    "issuance",
    "invariant",
    "bypass",
    "test",
];

/// Words that go on with a statement when they stand first on a line.
pub(super) const CONTINUATIONS: &[&str] = &[
    "and",
    "or",
    "not",
    "in",
    "has",
    "from",
    "outside",
    "during",
    "to",
    "of",
    "up",
    "by",
    "at",
    "given",
    "expect",
    "until",
    "with",
    "without",
    "required",
    "forbidden",
    "max",
    "after",
    "tier-above",
    "team",
    "person",
    "project",
    "org",
];

/// How the block of one kind of declaration is read statement by statement.
pub(super) struct Block {
    /// As many good statements as there are.
    pub(super) some: Rule,
    /// Exactly one statement.
    pub(super) one: Rule,
    /// What its statements begin with.
    pub(super) keywords: &'static [&'static str],
}

/// `word`, if it begins a declaration.
pub(super) fn item_keyword(word: &str) -> Option<&'static str> {
    ITEMS.iter().copied().find(|&keyword| keyword == word)
}

/// The block that a declaration of `keyword` has; none for those without one.
pub(super) fn block(keyword: &str) -> Option<Block> {
    let (some, one, keywords): (Rule, Rule, &'static [&'static str]) = match keyword {
        "project" | "profile" => (
            Rule::some_project_statements,
            Rule::one_project_statement,
            &["tags"],
        ),
        "defaults" => (
            Rule::some_defaults_statements,
            Rule::one_defaults_statement,
            &["issuance"],
        ),
        "person" => (
            Rule::some_person_statements,
            Rule::one_person_statement,
            &["email", "role", "delegate"],
        ),
        "service" => (
            Rule::some_service_statements,
            Rule::one_service_statement,
            &["owner", "role"],
        ),
        "unlock" => (
            Rule::some_unlock_statements,
            Rule::one_unlock_statement,
            &["where", "allow", "deny"],
        ),
        "allow-once" => (
            Rule::some_allow_once_statements,
            Rule::one_allow_once_statement,
            &["where", "overrides", "by", "max"],
        ),
        "approval" => (
            Rule::some_approval_statements,
            Rule::one_approval_statement,
            &[
                "on",
                "approvers",
                "need",
                "expires",
                "claim",
                "collect",
                "binds",
                "deny-for",
                "escalate",
                "mandatory",
                "reason",
                "comment",
                "ticket",
            ],
        ),
        "issuance" => (
            Rule::some_issuance_statements,
            Rule::one_issuance_statement,
            &[
                "where",
                "key-types",
                "issuer-types",
                "issuer-ids",
                "san",
                "naming",
                "lifetime",
                "auto-renew",
                "key-export",
            ],
        ),
        "invariant" => (
            Rule::some_invariant_statements,
            Rule::one_invariant_statement,
            &["never", "always"],
        ),
        "bypass" => (
            Rule::some_bypass_statements,
            Rule::one_bypass_statement,
            &["on", "reason", "until"],
        ),
        "test" => (
            Rule::some_test_statements,
            Rule::one_test_statement,
            &["device", "request", "unlock", "issuance"],
        ),
        _ => return None,
    };
    Some(Block {
        some,
        one,
        keywords,
    })
}
