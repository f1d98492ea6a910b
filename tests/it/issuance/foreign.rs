//! CSRs that others made to find faults in readers like this one.

use std::fmt::Write;

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
