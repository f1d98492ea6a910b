//! Any bytes as a policy file: parsed, checked, formatted, compiled.
#![no_main]

use libfuzzer_sys::fuzz_target;
use panopol::source::FileId;
use panopol::syntax::parse::parse_file;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = parse_file(FileId(0), text);
    }
});
