//! CSRs that others made to find faults in readers like this one.

use std::fmt::Write;
use std::process::Command;

use panopol::issuance::csr::Csr;

use crate::support;

/// The PEM block of a file that has an explanation before it; DER as it is.
fn block(bytes: &[u8]) -> &[u8] {
    let begin = b"-----BEGIN";
    let at = bytes
        .windows(begin.len())
        .position(|window| window == begin);
    &bytes[at.unwrap_or(0)..]
}

#[test]
fn each_is_read_as_it_was_looked_over() {
    let folder = support::root().join("tests/data/csr");
    let mut files = support::files_below(&folder, "pem");
    files.extend(support::files_below(&folder, "der"));
    files.sort();
    let mut said = String::new();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let bytes = std::fs::read(&file).unwrap();
        writeln!(said, "{name}").unwrap();
        match Csr::read(block(&bytes)) {
            Err(error) => writeln!(said, "  error: {error}").unwrap(),
            Ok(csr) => {
                writeln!(said, "  {} {}", csr.key_type(), csr.subject()).unwrap();
                for name in csr.san() {
                    writeln!(said, "  {name}").unwrap();
                }
                for what in csr.unsupported() {
                    writeln!(said, "  unsupported: {what}").unwrap();
                }
            }
        }
    }
    insta::assert_snapshot!(said);
}

const POLICY: &str = r#"edition 2026
project web {}
issuance web {
  where     project == web
  key-types [RSA-2048, RSA-3072, RSA-4096, ECDSA-P256, ECDSA-P384, ECDSA-P521, Ed25519]
}
"#;

#[test]
fn each_is_judged_or_refused_with_a_reason_by_the_built_command() {
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy.pano");
    std::fs::write(&policy, POLICY).unwrap();
    let folder = support::root().join("tests/data/csr");
    let mut files = support::files_below(&folder, "pem");
    files.extend(support::files_below(&folder, "der"));
    let mut counts = std::collections::BTreeMap::new();
    for file in &files {
        // As it is, with whatever stands around the block.
        let output = Command::new(env!("CARGO_BIN_EXE_panopol"))
            .args([
                "eval",
                "issuance",
                "--project",
                "web",
                "--format",
                "json",
                "--policy",
            ])
            .arg(&policy)
            .arg("--csr")
            .arg(file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let outcome = match output.status.code() {
            Some(0) => {
                let decision: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
                assert!(!decision["reasons"].as_array().unwrap().is_empty());
                decision["outcome"].as_str().unwrap().to_owned()
            }
            Some(2) => {
                let line = said.lines().next().unwrap_or_default();
                assert!(line.starts_with("error: "), "{}: {said}", file.display());
                "refused".to_owned()
            }
            other => panic!("{}: {other:?}: {said}", file.display()),
        };
        *counts.entry(outcome).or_insert(0) += 1;
    }
    insta::assert_snapshot!(format!("{} files: {counts:?}", files.len()));
}
