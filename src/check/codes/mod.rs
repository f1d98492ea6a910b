//! The faults that the checker finds, by area.
//!
//! Each has a whole small policy that has this fault and no other, and the
//! same one mended; a test holds them to it. A line `# file: NAME` begins
//! another file of the set.

pub(super) mod approvals;
pub(super) mod blocks;
pub(super) mod files;
pub(super) mod issuance;
pub(super) mod names;
pub(super) mod networks;
pub(super) mod people;
pub(super) mod schedules;
pub(super) mod tags;
pub(super) mod tests;

use crate::diagnostic::Code;

/// Every code of the checker, by area.
pub static CODES: &[&Code] = &[
    &files::EMPTY_SET,
    &files::UNREADABLE_FILE,
    &files::NOT_TEXT,
    &names::UNKNOWN_TAG,
    &names::UNKNOWN_NETWORK,
    &names::UNKNOWN_SCHEDULE,
    &names::UNKNOWN_PROJECT,
    &names::UNKNOWN_PROFILE,
    &names::UNKNOWN_PERSON,
    &names::UNKNOWN_TEAM,
    &names::UNKNOWN_RULE,
    &names::WRONG_KIND,
    &names::DUPLICATE_NAME,
    &blocks::DUPLICATE_ELEMENT,
    &blocks::MISSING_STATEMENT,
    &blocks::REPEATED_STATEMENT,
    &blocks::EMPTY_TEXT,
    &blocks::INVALID_REGEX,
    &tags::RESERVED_TAG_NAME,
    &tags::UNKNOWN_VALUE,
    &tags::QUOTED_VALUE,
    &tags::BARE_VALUE,
    &tags::ATTRIBUTE_AS_TAG,
    &tags::ATTRIBUTE_ON_UNLOCK,
    &tags::TAG_CONFLICT,
    &networks::NETWORK_CYCLE,
    &networks::RESERVED_NETWORK_NAME,
    &networks::NETWORK_FILE,
    &networks::NETWORK_FILE_LINE,
    &networks::EMPTY_NETWORK_FILE,
    &schedules::UNKNOWN_ZONE,
    &people::REVERSED_PERIOD,
    &people::SELF_DELEGATION,
    &approvals::NUMBER_OUT_OF_RANGE,
    &approvals::UNMEETABLE_NEED,
    &approvals::TERM_ON_WRONG_PATH,
    &approvals::TIER_ABOVE_ON_UNLOCK,
    &approvals::GROUP_OF_OTHER_PATH,
    &issuance::SAN_PATTERN_KIND,
    &issuance::MALFORMED_SAN_PATTERN,
    &issuance::REPEATED_SAN_TYPE,
    &tests::TIME_NEEDED,
    &tests::MISSING_SUBJECT,
    &tests::IMPOSSIBLE_FACT,
    &tests::SEVERAL_REASONS,
    &tests::CODE_OF_OTHER_PATH,
    &tests::CODE_ORDER,
    &tests::MISSING_MEMBER,
    &tests::UNKNOWN_MEMBER,
    &tests::MEMBER_TYPE,
];
