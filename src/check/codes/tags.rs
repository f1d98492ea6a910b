//! Tags, their values, and selectors over them.

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static RESERVED_TAG_NAME: Code = Code {
    name: "reserved-tag-name",
    severity: Severity::Error,
    summary: "a tag is named like an attribute or a word of selectors",
    why: "`project`, `profile`, `action` and `requester` are attributes of certificate \
          requests; `and`, `or`, `not`, `in` and `has` join comparisons. A tag of such a name \
          could not be told from them.",
    bad: "edition 2026

tag project = web | lab
",
    good: "edition 2026

tag system = web | lab
",
};

pub(in crate::check) static UNKNOWN_VALUE: Code = Code {
    name: "unknown-value",
    severity: Severity::Error,
    summary: "a value is not in its tag's closed set",
    why: "A closed tag says all its values where it is declared. A comparison with any other \
          is never true, and its negation always.",
    bad: "edition 2026

tag env = production | staging | dev

unlock servers {
  where env == prodution
  allow from 192.0.2.0/24
}
",
    good: "edition 2026

tag env = production | staging | dev

unlock servers {
  where env == production
  allow from 192.0.2.0/24
}
",
};

pub(in crate::check) static QUOTED_VALUE: Code = Code {
    name: "quoted-value",
    severity: Severity::Error,
    summary: "a declared name stands in quotes",
    why: "What is declared stands bare, what is free text stands in quotes: so a reader sees \
          which of the two a value is, and a misspelled name is noticed.",
    bad: r#"edition 2026

tag env = production | dev

unlock servers {
  where env == "production"
  allow from 192.0.2.0/24
}
"#,
    good: "edition 2026

tag env = production | dev

unlock servers {
  where env == production
  allow from 192.0.2.0/24
}
",
};

pub(in crate::check) static BARE_VALUE: Code = Code {
    name: "bare-value",
    severity: Severity::Error,
    summary: "the value of a text tag stands without quotes",
    why: "A `text` tag takes any string, and strings stand in quotes.",
    bad: "edition 2026

tag site = text

unlock servers {
  where site == berlin
  allow from 192.0.2.0/24
}
",
    good: r#"edition 2026

tag site = text

unlock servers {
  where site == "berlin"
  allow from 192.0.2.0/24
}
"#,
};

pub(in crate::check) static ATTRIBUTE_AS_TAG: Code = Code {
    name: "attribute-as-tag",
    severity: Severity::Error,
    summary: "an attribute of requests is given a value like a tag",
    why: "A device or a project is described by its tags. The project, profile, action and \
          requester are named by each certificate request itself.",
    bad: "edition 2026

project web

profile cdn { tags { project = web } }
",
    good: "edition 2026

tag tier = edge | core
project web

profile cdn { tags { tier = edge } }
",
};

pub(in crate::check) static ATTRIBUTE_ON_UNLOCK: Code = Code {
    name: "attribute-on-unlock",
    severity: Severity::Error,
    summary: "an unlock is selected by an attribute of certificate requests",
    why: "A device that unlocks its disk has tags and nothing else: no project, no profile, \
          no action and no requester. Such a comparison would never be true.",
    bad: "edition 2026

project web

unlock servers {
  where project == web
  allow from 192.0.2.0/24
}
",
    good: "edition 2026

tag system = web | lab

unlock servers {
  where system == web
  allow from 192.0.2.0/24
}
",
};

pub(in crate::check) static TAG_CONFLICT: Code = Code {
    name: "tag-conflict",
    severity: Severity::Error,
    summary: "a project and a profile give one tag two values",
    why: "A certificate request names one project and one profile and has the tags of both. \
          Where they differ it would have two values of one tag, and no rule could be sure of \
          either.",
    bad: "edition 2026

tag env = production | dev

project web { tags { env = production } }
profile lab { tags { env = dev } }
",
    good: "edition 2026

tag env = production | dev
tag use = lab | live

project web { tags { env = production } }
profile lab { tags { use = lab } }
",
};
