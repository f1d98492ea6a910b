//! Names that mean nothing, or two things.

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static UNKNOWN_TAG: Code = Code {
    name: "unknown-tag",
    severity: Severity::Error,
    summary: "a tag is used that is not declared",
    why: "The vocabulary is closed: a misspelled tag would match no device, and a `!=` on it \
          every device. So each tag is declared once, with its values, before it means anything.",
    bad: "edition 2026

tag env = production | dev

unlock servers {
  where evn == production
  allow from 192.0.2.0/24
}
",
    good: "edition 2026

tag env = production | dev

unlock servers {
  where env == production
  allow from 192.0.2.0/24
}
",
};

pub(in crate::check) static UNKNOWN_NETWORK: Code = Code {
    name: "unknown-network",
    severity: Severity::Error,
    summary: "a network is used that is not declared",
    why: "A name in a source list stands for a declared network. One that is not declared \
          would silently cover no address.",
    bad: "edition 2026

network office = 203.0.113.0/24

unlock servers {
  allow from ofice
}
",
    good: "edition 2026

network office = 203.0.113.0/24

unlock servers {
  allow from office
}
",
};

pub(in crate::check) static UNKNOWN_SCHEDULE: Code = Code {
    name: "unknown-schedule",
    severity: Severity::Error,
    summary: "a schedule is used that is not declared",
    why: "`during` limits a line to a declared schedule. What is not declared has no hours.",
    bad: r#"edition 2026

schedule work = mon..fri 08:00..18:00 in "UTC"

unlock servers {
  allow from 192.0.2.0/24 during works
}
"#,
    good: r#"edition 2026

schedule work = mon..fri 08:00..18:00 in "UTC"

unlock servers {
  allow from 192.0.2.0/24 during work
}
"#,
};

pub(in crate::check) static UNKNOWN_PROJECT: Code = Code {
    name: "unknown-project",
    severity: Severity::Error,
    summary: "a project is used that is not declared",
    why: "Projects give certificate requests their tags, and roles their scope. A role in a \
          project that does not exist entitles nobody to anything.",
    bad: "edition 2026

project web

person alice { role admin in project wbe }
",
    good: "edition 2026

project web

person alice { role admin in project web }
",
};

pub(in crate::check) static UNKNOWN_PROFILE: Code = Code {
    name: "unknown-profile",
    severity: Severity::Error,
    summary: "a profile is used that is not declared",
    why: "Profiles give certificate requests tags, and are compared with by name. A \
          comparison with a profile that does not exist is never true.",
    bad: "edition 2026

profile cdn

issuance edge {
  where profile == cnd
  lifetime max 90d
}
",
    good: "edition 2026

profile cdn

issuance edge {
  where profile == cdn
  lifetime max 90d
}
",
};

pub(in crate::check) static UNKNOWN_PERSON: Code = Code {
    name: "unknown-person",
    severity: Severity::Error,
    summary: "a person or service is used that is not declared",
    why: "Who decides must be known by name. A person who is not declared could never \
          approve anything, and a team would be smaller than it looks.",
    bad: "edition 2026

person alice {}

team dba = [alice, bob]
",
    good: "edition 2026

person alice {}
person bob {}

team dba = [alice, bob]
",
};

pub(in crate::check) static UNKNOWN_TEAM: Code = Code {
    name: "unknown-team",
    severity: Severity::Error,
    summary: "a team is used that is not declared",
    why: "Approvers, clauses of `need` and who may arm an allow-once are given by team. A \
          team that is not declared has nobody in it.",
    bad: "edition 2026

person alice {}
team security = alice

approval prod {
  on unlock
  approvers team secrity
}
",
    good: "edition 2026

person alice {}
team security = alice

approval prod {
  on unlock
  approvers team security
}
",
};

pub(in crate::check) static UNKNOWN_RULE: Code = Code {
    name: "unknown-rule",
    severity: Severity::Error,
    summary: "a rule or group is used that is not declared",
    why: "Tests and invariants name approval groups and allow-once rules. A test that waits \
          for a group that does not exist pins nothing.",
    bad: r#"edition 2026

person alice {}

approval prod {
  on unlock
  approvers person alice
}

test "a reboot waits" {
  device {}
  unlock from 192.0.2.1 expect pending by production
}
"#,
    good: r#"edition 2026

person alice {}

approval prod {
  on unlock
  approvers person alice
}

unlock any { allow from 192.0.2.0/24 }

test "a reboot waits" {
  device {}
  unlock from 192.0.2.1 expect pending by prod
}
"#,
};

pub(in crate::check) static WRONG_KIND: Code = Code {
    name: "wrong-kind",
    severity: Severity::Error,
    summary: "a name is used for another kind of thing than it is",
    why: "Each kind has its own names, so `team dba` and `person dba` are different things. \
          The name is declared, but not as what stands here.",
    bad: "edition 2026

person alice {}
team dba = alice

approval prod {
  on unlock
  approvers person dba
}
",
    good: "edition 2026

person alice {}
team dba = alice

approval prod {
  on unlock
  approvers team dba
}
",
};

pub(in crate::check) static DUPLICATE_NAME: Code = Code {
    name: "duplicate-name",
    severity: Severity::Error,
    summary: "a name is declared twice",
    why: "Files of a set are merged and their order means nothing, so no declaration can \
          replace another. Persons and services share their names, because both are requesters.",
    bad: "edition 2026

network office = 203.0.113.0/24
network office = 198.51.100.0/24
",
    good: "edition 2026

network office = [203.0.113.0/24, 198.51.100.0/24]
",
};
