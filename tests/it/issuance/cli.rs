//! `panopol eval issuance --csr`, on the built command.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::Openssl;

const POLICY: &str = r#"edition 2026
project web {}
issuance web {
  where     project == web
  key-types [ECDSA-P256]
  san dns   allow "**.example.com"
  lifetime  max 90d
}
issuance renewals {
  where     project == web and action == renew
  lifetime  max 60d
}
"#;

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Asks about `csr.der`, or about what comes by standard input.
fn eval(openssl: &Openssl, args: &[&str], stdin: &[u8]) -> Ran {
    openssl.write("policy.pano", POLICY);
    let fixed = ["eval", "issuance", "--policy", "policy.pano"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_panopol"))
        .current_dir(openssl.path())
        .args(fixed)
        .args(args)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads no input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn codes(ran: &Ran) -> Vec<String> {
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let decision: Value = serde_json::from_str(&ran.stdout).unwrap();
    let reasons = decision["reasons"].as_array().unwrap();
    let code = |reason: &Value| reason["code"].as_str().unwrap().to_owned();
    reasons.iter().map(code).collect()
}

const SAID: [&str; 8] = [
    "--csr",
    "csr.der",
    "--project",
    "web",
    "--lifetime",
    "90d",
    "--format",
    "json",
];

#[test]
fn a_csr_is_judged_with_what_flags_say_beside_it() {
    let openssl = Openssl::new();
    let names = "subjectAltName = DNS:api.example.com";
    let der = openssl.p256().csr("CN = api.example.com", names, &[]);
    assert_eq!(codes(&eval(&openssl, &SAID, b"")), ["allowed"]);
    let mut piped = SAID;
    piped[1] = "-";
    assert_eq!(codes(&eval(&openssl, &piped, &der)), ["allowed"]);
    let mut longer = SAID;
    longer[5] = "91d";
    assert_eq!(codes(&eval(&openssl, &longer, b"")), ["lifetime"]);
    let elsewhere = ["--csr", "csr.der", "--expect", "deny"];
    assert_eq!(eval(&openssl, &elsewhere, b"").code, 0);

    openssl.csr(
        "CN = www.example.org",
        "subjectAltName = DNS:api.example.com, DNS:evil.example.org\nbasicConstraints = CA:TRUE",
        &[],
    );
    assert_eq!(
        codes(&eval(&openssl, &SAID, b"")),
        ["san-not-allowed", "common-name", "unsupported-field"]
    );
    openssl
        .key(&["-algorithm", "RSA"])
        .csr("CN = api.example.com", names, &[]);
    assert_eq!(codes(&eval(&openssl, &SAID, b"")), ["key-type"]);
}

#[test]
fn a_renewal_is_one_by_the_certificate_that_it_follows() {
    let openssl = Openssl::new();
    let names = "subjectAltName = DNS:api.example.com";
    openssl.p256().csr("CN = api.example.com", names, &[]);
    for (file, name) in [
        ("old.pem", "api.example.com"),
        ("other.pem", "www.example.com"),
    ] {
        let subject = format!("/CN={name}");
        let san = format!("subjectAltName=DNS:{name}");
        openssl.run(&[
            "req", "-x509", "-key", "key.pem", "-subj", &subject, "-addext", &san, "-out", file,
        ]);
    }
    let renew = |more: &[&str]| {
        let args = [&SAID[..], &["--action", "renew"], more].concat();
        eval(&openssl, &args, b"")
    };
    // Without one, or for a name that it lacks, it is an issue.
    assert_eq!(codes(&renew(&[])), ["allowed"]);
    assert_eq!(codes(&renew(&["--predecessor", "other.pem"])), ["allowed"]);
    assert_eq!(codes(&renew(&["--predecessor", "old.pem"])), ["lifetime"]);
    let ran = renew(&["--predecessor", "key.pem"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr
            .starts_with("error: key.pem: the certificate cannot be read"),
        "{}",
        ran.stderr
    );
    let ran = renew(&["--predecessor", "none.pem"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("cannot read `none.pem`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_request_beside_a_csr_says_the_rest_and_nothing_else() {
    let openssl = Openssl::new();
    let names = "subjectAltName = DNS:api.example.com";
    openssl.p256().csr("CN = api.example.com", names, &[]);
    let both = [
        "--csr",
        "csr.der",
        "--request",
        "request.json",
        "--format",
        "json",
    ];
    let rest = r#"{"action":"issue","project":"web","lifetime_s":60}"#;
    openssl.write("request.json", rest);
    assert_eq!(codes(&eval(&openssl, &both, b"")), ["allowed"]);
    let other = rest.replace('}', r#","san":["dns:www.example.com"]}"#);
    openssl.write("request.json", other);
    let ran = eval(&openssl, &both, b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert_eq!(
        ran.stderr,
        "error: csr.der: `san` of the request is `dns:www.example.com`, and the CSR says `dns:api.example.com`\n\
         help: leave `san` out: the CSR says it\n"
    );
}

#[test]
fn what_is_no_csr_is_exit_2_with_what_and_how_to_mend_it() {
    let openssl = Openssl::new();
    openssl.p256();
    let ran = eval(&openssl, &["--csr", "key.pem"], b"");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert_eq!(
        ran.stderr,
        "error: key.pem: line 1: this is a `PRIVATE KEY`, and no CSR\n\
         help: a CSR as PEM begins with `-----BEGIN CERTIFICATE REQUEST-----`; leave out what stands before\n"
    );
    let endless = eval(&openssl, &["--csr", "/dev/zero"], b"");
    assert_eq!(endless.code, 2);
    assert!(
        endless.stderr.contains("more than 65536 bytes"),
        "{}",
        endless.stderr
    );
    let twice = eval(&openssl, &["--csr", "-", "--request", "-"], b"");
    assert_eq!(twice.code, 2);
    let neither = eval(&openssl, &[], b"");
    assert_eq!(neither.code, 2);
    let flags_for_json = ["--request", "r.json", "--project", "web"];
    assert_eq!(eval(&openssl, &flags_for_json, b"").code, 2);
}
