//! `panopol --help`, with the commands in groups.

use std::fmt::Write;

/// The groups, in the order of a policy's life. A test holds that they are complete.
const GROUPS: &[(&str, &[&str])] = &[
    ("Write policies", &["init", "fmt"]),
    ("Hold them", &["check", "lint", "test"]),
    ("Ask them", &["eval"]),
    ("Try a change", &["diff", "replay"]),
    ("Give them away", &["export"]),
    ("Serve them", &["serve", "device", "token", "keys", "audit"]),
    ("Decide", &["approvals", "denials", "issuance"]),
    ("Set up", &["completions"]),
];

/// Lists the subcommands in groups, which clap does not do by itself.
pub(super) fn group_subcommands(command: clap::Command) -> clap::Command {
    let mut listing = String::new();
    for (title, names) in GROUPS {
        // Writing to a string cannot fail.
        let _ = writeln!(listing, "{title}:");
        for name in *names {
            let about = command
                .find_subcommand(name)
                .and_then(|subcommand| subcommand.get_about())
                .map(ToString::to_string)
                .unwrap_or_default();
            let _ = writeln!(listing, "  {name:<12} {about}");
        }
        listing.push('\n');
    }
    command.help_template(format!(
        "{{about-with-newline}}\nUsage: panopol COMMAND\n\n{listing}Options:\n{{options}}\n\n{}",
        "`panopol COMMAND --help` explains a command and shows how it is used.\n\n\
         Examples:\n  panopol init my-policies\n  panopol check --deny warnings policies/\n"
    ))
}
