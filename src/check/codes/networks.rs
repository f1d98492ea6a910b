//! Networks and network files.

use crate::diagnostic::{Code, Severity};

pub(in crate::check) static NETWORK_CYCLE: Code = Code {
    name: "network-cycle",
    severity: Severity::Error,
    summary: "networks name each other in a circle",
    why: "A network that is part of itself has no addresses of its own to begin with. Each \
          circle is reported once.",
    bad: "edition 2026

network all = [office, 192.0.2.0/24]
network office = all
",
    good: "edition 2026

network all = [office, 192.0.2.0/24]
network office = 203.0.113.0/24
",
};

pub(in crate::check) static RESERVED_NETWORK_NAME: Code = Code {
    name: "reserved-network-name",
    severity: Severity::Error,
    summary: "a network is named `outside`",
    why: "`from outside office` means every address but those of `office`, so no network can \
          have that name.",
    bad: "edition 2026

network outside = 0.0.0.0/0
",
    good: "edition 2026

network internet = 0.0.0.0/0
",
};

pub(in crate::check) static NETWORK_FILE: Code = Code {
    name: "network-file",
    severity: Severity::Error,
    summary: "a network file cannot be read",
    why: "A network whose file is missing would cover nothing, or everything that a `deny` \
          should have kept out. Files lie in the policy set's directory, links followed, since \
          what a policy reads is part of its digest; each is at most 1 GiB and must not change \
          while it is read.",
    bad: r#"edition 2026

network provider = file "networks/provider.txt"
"#,
    good: r#"# file: unlock.pano
edition 2026

network provider = file "networks/provider.txt"
# file: networks/provider.txt
203.0.113.0/24
"#,
};

pub(in crate::check) static NETWORK_FILE_LINE: Code = Code {
    name: "network-file-line",
    severity: Severity::Error,
    summary: "a line of a network file is no address",
    why: "Such a file has one CIDR or address a line, and `#` comments. A CIDR with host bits \
          set, or a number with a leading zero, is read differently by different tools, so it \
          is refused with the right spelling. The first 20 bad lines of a file are shown.",
    bad: r#"# file: unlock.pano
edition 2026

network provider = file "provider.txt"
# file: provider.txt
203.0.113.0/24
198.51.100.7/24
"#,
    good: r#"# file: unlock.pano
edition 2026

network provider = file "provider.txt"
# file: provider.txt
203.0.113.0/24
198.51.100.0/24
"#,
};

pub(in crate::check) static EMPTY_NETWORK_FILE: Code = Code {
    name: "empty-network-file",
    severity: Severity::Error,
    summary: "a network file holds no address",
    why: "An empty list is what a failed download leaves behind. Taken as it stands it would \
          lock out a whole provider, or lift a `deny`.",
    bad: r#"# file: unlock.pano
edition 2026

network provider = file "provider.txt"
# file: provider.txt
# nothing yet
"#,
    good: r#"# file: unlock.pano
edition 2026

network provider = file "provider.txt"
# file: provider.txt
203.0.113.0/24
"#,
};
