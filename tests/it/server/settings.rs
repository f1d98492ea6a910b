//! Settings that could never serve anybody, or that say what was not meant:
//! refused at start, by name.

use super::harness::{POLICY, Server, directory};
use super::state::expect_refusal;

#[test]
fn a_limit_of_none_is_refused_by_name() {
    let dir = directory(POLICY);
    for flag in [
        "--rate-per-source",
        "--rate-per-binding",
        "--max-connections",
        "--max-connections-per-peer",
        "--head-timeout-s",
        "--records-max-bytes",
    ] {
        let setting = flag.trim_start_matches("--").replace('-', "_");
        let cause = format!("`{setting}`: must be at least 1");
        expect_refusal(dir.path(), &["--dev", flag, "0"], &cause);
    }
    assert!(
        !dir.path().join("state").exists(),
        "a refused start leaves nothing"
    );
}

#[test]
fn a_proxy_s_network_with_host_bits_is_refused_in_flag_and_file() {
    let dir = directory(POLICY);
    expect_refusal(
        dir.path(),
        &["--dev", "--trusted-proxies", "192.0.2.1,10.0.0.1/8"],
        "`10.0.0.1/8` has host bits set: write `10.0.0.0/8`",
    );
    let file = dir.path().join("panopol.toml");
    std::fs::write(&file, "trusted_proxies = [\"10.0.0.1/8\"]\n").unwrap();
    let (code, said) =
        super::harness::refused(dir.path(), &["--dev", "--config", file.to_str().unwrap()]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("line 1") && said.contains("has host bits set"),
        "{said}"
    );
    // An address alone is what policies write too.
    let server = Server::launch(
        dir.path(),
        &["--trusted-proxies", "192.0.2.1,::ffff:10.0.0.0/104"],
    );
    assert_eq!(server.api("GET", "/devices", None).0, 200);
}

#[test]
fn what_is_of_no_use_or_of_no_sense_is_named_with_its_file() {
    let dir = directory(POLICY);
    let file = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (short, nonsense) = (
        file("short.key", "short"),
        file("nonsense.cedar", "permit?"),
    );
    for (flags, causes) in [
        (
            &["--dev", "--tang-tags", "env=production"][..],
            ["`tang_tags`", "`tang_endpoint`"],
        ),
        (
            &["--dev", "--unlock-url", "unlock.example.com"],
            ["`unlock_url`", "is no URL"],
        ),
        (
            &["--master-key", &short],
            [
                "`master_key`",
                "short.key`: the master key must be 32 bytes",
            ],
        ),
        (
            &["--dev", "--access-policy", &nonsense],
            [
                "`access_policy`",
                "nonsense.cedar`: the access policy does not parse",
            ],
        ),
        (
            &["--dev", "--access-policy", "/nowhere"],
            ["`access_policy`", "`/nowhere`: No such file"],
        ),
    ] {
        for cause in causes {
            expect_refusal(dir.path(), flags, cause);
        }
    }
}
