//! The policies that ship: checked, tested, in the one layout.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use panopol::address::parse_prefix;
use panopol::check::check_files;
use panopol::eval::Program;
use panopol::lint::levels::Chosen;
use panopol::lint::{Profile, Run, lint};
use panopol::request::{IssuanceRequest, UnlockFacts, UnlockRequest};
use panopol::source::load::Directory;
use panopol::suite;
use panopol::syntax::format::format_text;
use panopol::vocabulary::{DeviceState, Outcome};

use crate::support::{files_below, root};

const SETS: [&str; 3] = ["reference", "small-company", "fleet"];

/// A day on which no bypass of a shipped set has ended.
const NOW: &str = "2026-11-22T12:00:00Z";

fn directory(set: &str) -> PathBuf {
    root().join("policies").join(set)
}

fn program(set: &str) -> Program {
    let checked = check_files(&mut Directory::open(&directory(set)).unwrap());
    Program::compile(checked.set.unwrap())
}

#[test]
fn every_directory_below_policies_is_a_set_that_is_tested_here() {
    let entries = fs::read_dir(root().join("policies")).unwrap();
    let mut found: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let mut expected = SETS.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn nothing_is_found_in_a_shipped_set() {
    for set in SETS {
        let checked = check_files(&mut Directory::open(&directory(set)).unwrap());
        let mut found = checked.diagnostics.clone();
        let program = program(set);
        let results = suite::run(&program, None);
        let run = Run {
            program: &program,
            tests: Some(&results),
            now: NOW.parse().unwrap(),
            profile: Profile::Development,
            chosen: &Chosen::default(),
        };
        found.extend(lint(&checked, &run).0);
        assert_eq!(found, [], "{set}");
    }
}

#[test]
fn every_shipped_file_is_in_the_one_layout() {
    for file in files_below(&root().join("policies"), "pano") {
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(format_text(&text).unwrap(), text, "{}", file.display());
    }
}

#[test]
fn every_in_file_test_of_a_shipped_set_passes() {
    for set in SETS {
        let results = suite::run(&program(set), None);
        assert!(results.len() > 15, "{set} has {} tests", results.len());
        for result in results {
            assert!(
                result.passed,
                "{set}: {}: expected {}, found {}",
                result.name, result.expected, result.found
            );
        }
    }
}

#[test]
fn the_example_requests_decide_as_the_readme_says() {
    let program = program("reference");
    for (file, outcome) in [
        ("web-certificate", Outcome::Pending),
        ("everything-wrong", Outcome::Deny),
    ] {
        let path = root().join(format!("examples/requests/{file}.json"));
        let text = fs::read_to_string(path).unwrap();
        let request: IssuanceRequest = serde_json::from_str(&text).unwrap();
        let decision = program.decide_issuance(&request, &Default::default(), NOW.parse().unwrap());
        assert_eq!(decision.outcome, outcome, "{file}");
    }
}

#[test]
fn the_example_mistake_has_its_three_faults() {
    let path = root().join("examples/mistake.pano");
    let checked = check_files(&mut Directory::open(&path).unwrap());
    assert_eq!(checked.diagnostics.len(), 3, "{:#?}", checked.diagnostics);
}

/// A rack of the fleet's address plan.
struct Rack {
    site: String,
    region: &'static str,
    role: String,
    /// An address in it.
    address: std::net::IpAddr,
}

/// Every rack in `networks/sites/`, by its IPv4 and by its IPv6 prefix.
fn racks() -> Vec<Rack> {
    let networks = directory("fleet").join("networks");
    let mut racks = Vec::new();
    for region in ["emea", "amer", "apac"] {
        // The out-of-band file of a region names its sites.
        let sites = fs::read_to_string(networks.join(format!("oob/{region}.txt"))).unwrap();
        for line in sites.lines().filter(|line| line.contains('.')) {
            let Some((_, site)) = line.split_once("# ").filter(|_| !line.starts_with('#')) else {
                continue;
            };
            let plan = fs::read_to_string(networks.join(format!("sites/{site}.txt"))).unwrap();
            for line in plan.lines().filter(|line| !line.starts_with('#')) {
                let (prefix, comment) = line.split_once('#').unwrap();
                let prefix = parse_prefix(prefix.trim()).unwrap();
                racks.push(Rack {
                    site: site.to_owned(),
                    region,
                    role: comment.split_whitespace().nth(1).unwrap().to_owned(),
                    address: prefix.hosts().nth(5).unwrap(),
                });
            }
        }
    }
    racks
}

/// What stands in a rack, as it would be enrolled.
fn device(rack: &Rack, source: std::net::IpAddr) -> UnlockRequest {
    let data = match rack.role.as_str() {
        "database" => "restricted",
        "edge" | "cache" | "web" => "public",
        _ => "internal",
    };
    let tags = [
        ("env", "production"),
        ("provider", "colo"),
        ("role", &rack.role),
        ("region", rack.region),
        ("site", &rack.site),
        ("data", data),
    ];
    UnlockRequest {
        device: String::new(),
        tags: BTreeMap::from(tags.map(|(tag, value)| (tag.to_owned(), value.to_owned()))),
        state: DeviceState::Active,
        source,
        kid: None,
    }
}

#[test]
fn every_rack_of_the_fleet_opens_where_it_stands_and_nowhere_else() {
    let program = program("fleet");
    let racks = racks();
    assert!(racks.len() > 3_000, "{} racks", racks.len());
    let facts = UnlockFacts::default();
    let at = NOW.parse().unwrap();
    for (index, rack) in racks.iter().enumerate() {
        let expected = match rack.role.as_str() {
            "database" | "hypervisor" => Outcome::Pending,
            _ => Outcome::Allow,
        };
        let here = program.decide_unlock(&device(rack, rack.address), &facts, at);
        assert_eq!(
            here.outcome, expected,
            "{} {}: {here:?}",
            rack.site, rack.address
        );
        let far = &racks[(index + racks.len() / 2) % racks.len()];
        let there = program.decide_unlock(&device(rack, far.address), &facts, at);
        assert_eq!(
            there.outcome,
            Outcome::Deny,
            "{} from {}",
            rack.site,
            far.site
        );
    }
}
