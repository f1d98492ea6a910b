//! Approval groups.

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static NUMBER_OUT_OF_RANGE: Code = Code {
    name: "number-out-of-range",
    severity: Severity::Error,
    summary: "a number is zero or too large",
    why: "`need 0` would approve by itself, `up to 0` and `san max 0` let nothing pass. If \
          that is meant there is a clearer way to say it.",
    bad: "edition 2026

person alice {}
approval prod {
  on unlock
  approvers person alice
  need 0
}
",
    good: "edition 2026

person alice {}
approval prod {
  on unlock
  approvers person alice
  need 1
}
",
};

pub(in crate::check) static UNMEETABLE_NEED: Code = Code {
    name: "unmeetable-need",
    severity: Severity::Error,
    summary: "a group needs more people than it has",
    why: "Approvals are counted by distinct persons, and one person fills one clause. Where no \
          choice of persons is enough, every request waits until it expires, and the disk stays \
          locked.",
    bad: "edition 2026

person alice {}
person bob {}
team dba = [alice, bob]
team security = alice

approval prod {
  on unlock
  need [2 of team dba, 1 of team security]
}
",
    good: "edition 2026

person alice {}
person bob {}
person carol {}
team dba = [alice, bob]
team security = [alice, carol]

approval prod {
  on unlock
  need [2 of team dba, 1 of team security]
}
",
};

pub(in crate::check) static TERM_ON_WRONG_PATH: Code = Code {
    name: "term-on-wrong-path",
    severity: Severity::Error,
    summary: "a term stands in a group of the other path",
    why: "`claim`, `collect`, `binds` and `deny-for` are about devices and their exchanges; \
          `reason` and `ticket` are given by whoever asks for a certificate. On the other path \
          nobody would ever look at them.",
    bad: "edition 2026

person alice {}
approval certificates {
  on issue
  approvers person alice
  binds address
}
",
    good: "edition 2026

person alice {}
approval certificates {
  on issue
  approvers person alice
  reason required
}
",
};

pub(in crate::check) static TIER_ABOVE_ON_UNLOCK: Code = Code {
    name: "tier-above-on-unlock",
    severity: Severity::Error,
    summary: "`tier-above` stands in a group on unlocks",
    why: "`tier-above` compares the approver's role with the requester's. A device that asks \
          to be unlocked has no requester and no role.",
    bad: "edition 2026

person alice { role admin in org }
approval prod {
  on unlock
  approvers tier-above
}
",
    good: "edition 2026

person alice { role admin in org }
approval prod {
  on unlock
  approvers person alice
}
",
};

pub(in crate::check) static GROUP_OF_OTHER_PATH: Code = Code {
    name: "group-of-other-path",
    severity: Severity::Error,
    summary: "an approval group is named where it can never approve",
    why: "A group is either on unlocks or on certificate actions. One of the other path is \
          never waited for.",
    bad: r#"edition 2026

person alice {}
approval certificates {
  on issue
  approvers person alice
}

test "a reboot waits" {
  device {}
  unlock from 192.0.2.1 expect pending by certificates
}
"#,
    good: r#"edition 2026

person alice {}
approval reboots {
  on unlock
  approvers person alice
}

unlock any { allow from 192.0.2.0/24 }

test "a reboot waits" {
  device {}
  unlock from 192.0.2.1 expect pending by reboots
}
"#,
};
