//! Any bytes as a journal, as an entry of one, or as edits of a sound one:
//! verification and reading agree, an entry that is read is written the same,
//! and nothing passes whose committed part is not what was written.
#![no_main]

use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use panopol::durable::Hex;
use panopol::journal::{
    AuditKey, AuditPublicKey, Draft, Entry, Head, HeadVerdict, Journal, JournalError, Report,
    SignedHead, Start, read_entries, read_page, verify,
};
use panopol::keyring::SecretBytes;
use sha2::{Digest, Sha256};

const FILE_HEAD: usize = 64;
const FRAME_HEAD: usize = 56;
const HASH: usize = 32;
/// The edited journal grows to this, and no further.
const LONGEST: usize = 64 * 1024;
/// Edits that are made; each may hash the whole journal again, and a handful of
/// them shows whatever thousands do.
const EDITS: usize = 64;
/// What the sound journal holds, an entry a line.
const ENTRIES: &str = include_str!("../journal_entries.jsonl");

/// A sound journal, where each of its entries ends, and a head over each.
struct Golden {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    heads: Vec<SignedHead>,
    key: AuditPublicKey,
}

static GOLDEN: LazyLock<Golden> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal");
    let key = AuditKey::from_secret(&SecretBytes::new(vec![7; 32])).expect("a key");
    let mut journal = Journal::create(&path, Hex([7; 16])).expect("a journal");
    let mut ends = Vec::new();
    let mut heads = Vec::new();
    for line in ENTRIES.lines() {
        let draft: Draft = serde_json::from_str(line).expect("a draft");
        let entry = journal.append(vec![draft]).expect("a disk").remove(0);
        ends.push(journal.link().end as usize);
        let head = Head {
            journal: Hex([7; 16]),
            epoch: 0,
            seq: entry.seq,
            hash: entry.hash,
            time: Timestamp::UNIX_EPOCH,
        };
        heads.push(key.sign(head).expect("a signature"));
    }
    Golden {
        bytes: std::fs::read(&path).expect("the journal"),
        ends,
        heads,
        key: key.public().expect("a key"),
    }
});

/// A file without a name, so that nothing is left behind.
static SCRATCH: LazyLock<Mutex<File>> =
    LazyLock::new(|| Mutex::new(tempfile::tempfile().expect("a file")));

fn on_disk(bytes: &[u8]) -> PathBuf {
    let mut file = SCRATCH.lock().expect("one thread");
    file.set_len(0).expect("a disk");
    file.rewind().expect("a disk");
    file.write_all(bytes).expect("a disk");
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// Verification and reading see the same.
fn judge(bytes: &[u8]) -> Option<Report> {
    let path = on_disk(bytes);
    let mut entries: Vec<Entry> = Vec::new();
    let read = read_entries(&path, |entry| {
        entries.push(entry);
        Ok::<(), JournalError>(())
    });
    let offset = u64::from_le_bytes(*bytes.last_chunk().unwrap_or(&[0; 8]));
    for offset in [Start::FIRST.offset, offset % 4096, offset] {
        let _ = read_page(&path, Start { seq: 1, offset }, 0, 3);
    }
    let Ok(report) = verify(&path, None) else {
        assert!(read.is_err());
        return None;
    };
    assert_eq!(report.holds(), read.is_ok(), "{report:?}, and {read:?}");
    if let Ok(torn) = read {
        assert_eq!(torn, report.torn);
        assert_eq!(entries.len() as u64, report.entries);
        assert_eq!(report.last, report.entries);
        let last = entries.last().map(|entry| entry.hash);
        assert!(last.is_none_or(|hash| hash == report.hash));
    }
    for fault in &report.faults {
        assert!(fault.offset <= bytes.len() as u64, "{fault}");
    }
    Some(report)
}

/// Whether something of the sound journal is not there any more.
fn held_to_the_sound_one(bytes: &[u8], resealed: bool) {
    let golden = &*GOLDEN;
    if let Some(report) = judge(bytes)
        && report.holds()
        && !resealed
    {
        // Without a head an end that was cut off cannot be seen.
        let committed = bytes.len() - report.torn.map_or(0, |torn| torn.bytes as usize);
        assert!(
            golden.bytes.starts_with(&bytes[..committed]),
            "altered, and it holds: {report:?}"
        );
    }
    let path = on_disk(bytes);
    // The head over all of it, and one that the input picks.
    let last = golden.heads.len() - 1;
    for seq in [last, bytes.len() % last] {
        let (head, end) = (&golden.heads[seq], golden.ends[seq]);
        let Ok(report) = verify(&path, Some((head, &golden.key))) else {
            return;
        };
        assert!(!matches!(
            report.head,
            HeadVerdict::NotGiven | HeadVerdict::BadSignature
        ));
        let kept = bytes.starts_with(&golden.bytes[..end]);
        assert!(!report.holds() || kept, "altered, and it holds: {report:?}");
    }
}

/// Where the frames begin, as far as their lengths lead.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let mut begins = Vec::new();
    let mut at = FILE_HEAD.min(bytes.len());
    while let Some(length) = bytes.get(at..).and_then(<[u8]>::first_chunk::<4>) {
        let end = at + FRAME_HEAD + u32::from_le_bytes(*length) as usize + HASH;
        if end > bytes.len() {
            break;
        }
        begins.push(at);
        at = end;
    }
    begins.push(at);
    begins
}

/// Makes the hashes right again from one frame on: a forger who knows the format.
fn reseal(bytes: &mut [u8], from: usize) {
    let begins = frames(bytes);
    for (number, frame) in begins.windows(2).enumerate().skip(from) {
        let (begin, end) = (frame[0], frame[1]);
        let previous: [u8; HASH] = *bytes[..begin].last_chunk().expect("a head");
        bytes[begin + 8..begin + 16].copy_from_slice(&(number as u64 + 1).to_le_bytes());
        bytes[begin + 16..begin + 48].copy_from_slice(&previous);
        let check = Sha256::digest(&bytes[begin..begin + 48]);
        bytes[begin + 48..begin + FRAME_HEAD].copy_from_slice(&check[..8]);
        let hash = Sha256::digest(&bytes[begin..end - HASH]);
        bytes[end - HASH..end].copy_from_slice(&hash);
    }
}

/// Each edit is five bytes: what, where (two), how much, with what.
fn edited(edits: &[u8]) -> (Vec<u8>, bool) {
    let mut bytes = GOLDEN.bytes.clone();
    let mut resealed = false;
    for edit in edits.chunks_exact(5).take(EDITS) {
        let [what, low, high, much, with] = *edit.first_chunk().expect("five");
        let begins = frames(&bytes);
        let at = usize::from(u16::from_le_bytes([low, high])) % (bytes.len() + 1);
        let end = (at + usize::from(much)).min(bytes.len());
        let frame = |number: u8| {
            let number = usize::from(number) % begins.len();
            begins[number]..*begins.get(number + 1).unwrap_or(&begins[number])
        };
        match what % 9 {
            0 => bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= with),
            1 => bytes[at..end].fill(with),
            2 => drop(bytes.drain(at..end)),
            3 => drop(bytes.splice(at..at, std::iter::repeat_n(with, usize::from(much)))),
            4 => bytes.truncate(at),
            5 => bytes.extend(std::iter::repeat_n(0, usize::from(much) * 16)),
            6 => drop(bytes.drain(frame(low))),
            7 => {
                let copy = bytes[frame(low)].to_vec();
                let to = frame(high).start;
                bytes.splice(to..to, copy);
            }
            _ => {
                resealed = true;
                if bytes.len() >= FILE_HEAD {
                    reseal(&mut bytes, usize::from(low) % 8);
                }
            }
        }
        bytes.truncate(LONGEST);
    }
    (bytes, resealed)
}

/// The bytes as the second entry of a journal whose hashes are all right.
fn entry(payload: &[u8]) {
    let mut bytes = GOLDEN.bytes[..GOLDEN.ends[0]].to_vec();
    bytes.extend((payload.len() as u32).to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend([0; FRAME_HEAD - 8]);
    bytes.extend(payload);
    bytes.extend([0; HASH]);
    reseal(&mut bytes, 1);
    let report = judge(&bytes).expect("a journal");
    assert_eq!(report.entries, 2);
    let read = serde_json::from_slice::<Draft>(payload);
    assert_eq!(report.holds(), read.is_ok(), "{report:?}, and {read:?}");
    let Ok(draft) = read else {
        return;
    };
    let written = serde_json::to_vec(&draft).expect("a draft that was read");
    let again: Draft = serde_json::from_slice(&written).expect("a draft that was written");
    assert_eq!(again, draft);
}

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"PANOPOLJ") {
        // A journal that is another altogether may well hold.
        held_to_the_sound_one(bytes, true);
    } else if bytes.starts_with(b"{") {
        if let Ok(read) = SignedHead::read(&on_disk(bytes)) {
            let signed = GOLDEN.heads.iter().any(|head| *head == read);
            assert_eq!(read.is_signed_by(&GOLDEN.key), signed, "{read:?}");
        }
        entry(bytes);
    } else {
        let _ = judge(bytes);
        let (bytes, resealed) = edited(bytes);
        held_to_the_sound_one(&bytes, resealed);
    }
});
