//! Any bytes as a network file, through a policy that names it: what is read
//! is exactly what its lines say.
#![no_main]

use std::collections::BTreeSet;

use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;
use panopol::address::parse_prefix;
use panopol::check::check_files;
use panopol::eval::Program;
use panopol::source::load::InMemory;

const POLICY: &[u8] = b"edition 2026\nnetwork n = file \"n.txt\"\nunlock u { allow from n }\n";

/// The lines, read a second time and simply.
fn written(bytes: &[u8]) -> BTreeSet<IpNet> {
    bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .split(|byte| *byte == b'\n')
        .map(|line| line.split(|byte| *byte == b'#').next().unwrap_or_default())
        .map(|line| std::str::from_utf8(line).expect("a line that was read").trim_ascii())
        .filter(|line| !line.is_empty())
        .map(|line| parse_prefix(line).expect("a line that was read"))
        .collect()
}

fuzz_target!(|bytes: &[u8]| {
    let mut files = InMemory::default();
    files.files.insert("fuzz.pano".to_owned(), POLICY.to_vec());
    files.files.insert("n.txt".to_owned(), bytes.to_vec());
    let Some(set) = check_files(&mut files).set else {
        return;
    };
    let mut read = BTreeSet::new();
    for (_, network) in set.networks.iter() {
        read.extend(network.v4.iter().copied().map(IpNet::V4));
        read.extend(network.v6.iter().copied().map(IpNet::V6));
    }
    assert_eq!(read, written(bytes));
    let _ = Program::compile(set);
});
