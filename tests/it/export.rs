//! `panopol export cedar`, by the built command; what Cedar then decides is held
//! against the evaluator in `twin_props`.

use std::fs;
use std::str::FromStr;

use cedar_policy::{PolicySet, Schema, ValidationMode, Validator};
use serde_json::Value;

use crate::cli::{repository, run};
use crate::support::root;

const POLICY: &str = r#"edition 2026

tag env  = production | dev required
tag my-site = text

network office = [203.0.113.0/25, 203.0.113.128/25, 2001:db8:10::/48]

schedule day = mon..fri 08:00..18:00 in "UTC"

person alice { role owner in org }
person bob { role owner in org }
team dba = [alice, bob]

unlock servers {
  where env == production and not my-site in ["a\"b", "ü"]
  allow from office during day
  deny  from 203.0.113.66
}

allow-once planned {
  where     env == dev
  overrides [source, disabled, approval]
  by        team dba
  max       1h
}

approval any-one {
  on        unlock where has my-site
  approvers team dba
}

approval each {
  on        unlock where env == production
  approvers team dba
  mandatory
}

bypass lab {
  on     unlock where env == dev
  reason "x"
  until  2030-01-01
}
"#;

/// Parses and validates, as an operator would.
fn expect_valid(policies: &str, schema: &str) -> PolicySet {
    let (schema, _) = Schema::from_cedarschema_str(schema).unwrap();
    let policies = PolicySet::from_str(policies).unwrap();
    let found = Validator::new(schema).validate(&policies, ValidationMode::Strict);
    assert!(found.validation_passed(), "{found}");
    policies
}

#[test]
fn the_policies_and_their_schema_are_printed_or_written() {
    let here = repository(POLICY);
    let printed = run(here.path(), &["export", "cedar"]);
    assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(printed.stdout);
    let written = run(
        here.path(),
        &["export", "cedar", "--out", "a/b", "policies"],
    );
    assert_eq!(
        (written.code, written.stdout.as_str()),
        (
            0,
            "wrote a/b/policies.cedar\nwrote a/b/schema.cedarschema\n"
        )
    );
    let read = |name: &str| fs::read_to_string(here.path().join("a/b").join(name)).unwrap();
    let (policies, schema) = (read("policies.cedar"), read("schema.cedarschema"));
    let count = expect_valid(&policies, &schema).policies().count();
    // What is printed are policies, whole, with the schema in front.
    assert!(printed.stdout.ends_with(&policies));
    assert_eq!(
        expect_valid(&printed.stdout, &schema).policies().count(),
        count
    );
    let ran = run(here.path(), &["export", "cedar", "--format", "json"]);
    let both: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (both["policies"].as_str(), both["schema"].as_str()),
        (Some(&*policies), Some(&*schema))
    );
}

#[test]
fn what_does_not_compile_or_cannot_be_written_is_said() {
    let here = repository(&POLICY.replace("from office", "from ofice"));
    let ran = run(here.path(), &["export", "cedar"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("error[unknown-network]"),
        "{}",
        ran.stdout
    );
    let here = repository(POLICY);
    for (args, message) in [
        (&["export", "cedar", "nowhere"][..], "cannot read `nowhere`"),
        (
            &["export", "cedar", "--out", "policies/all.pano"][..],
            "cannot write",
        ),
        (&["export", "rego"][..], "rego"),
    ] {
        let ran = run(here.path(), args);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}");
        assert!(ran.stderr.contains(message), "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn every_shipped_set_is_valid_cedar() {
    for set in ["reference", "small-company", "fleet"] {
        let path = root().join("policies").join(set);
        let ran = run(&path, &["export", "cedar", "--format", "json", "."]);
        assert_eq!(ran.code, 0);
        let both: Value = serde_json::from_str(&ran.stdout).unwrap();
        let text = |member: &str| both[member].as_str().unwrap().to_owned();
        let policies = expect_valid(&text("policies"), &text("schema"));
        assert!(policies.policies().count() > 10, "{set}");
    }
}
