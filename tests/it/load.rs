//! Reading a policy set from disk: whatever stands there, an answer comes,
//! and it is never from outside the set.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use panopol::check::{Checked, check_files};
use panopol::source::load::{Directory, InMemory, LoadError, PolicyFiles, join_relative};

const EMPTY: &str = "edition 2026\n";

fn set() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn write(root: &Path, path: &str, text: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn check(path: &Path) -> Checked {
    check_files(&mut Directory::open(path).unwrap())
}

fn messages(checked: &Checked) -> Vec<String> {
    let all = checked.diagnostics.iter();
    all.map(|found| format!("{}: {}", found.code.name, found.message))
        .collect()
}

fn paths(root: &Path) -> Vec<String> {
    let files = Directory::open(root).unwrap().policy_files();
    files.into_iter().map(|file| file.unwrap().path).collect()
}

fn network(root: &Path, policy: &str, path: &str) -> Result<Vec<u8>, LoadError> {
    let mut set = Directory::open(root).unwrap();
    set.network_file(policy, path).map(|file| file.bytes)
}

#[test]
fn every_policy_file_is_found_in_the_order_of_paths() {
    let set = set();
    for path in ["b.pano", "a/z.pano", "a.pano", "a/b/c.pano", "a/notes.txt"] {
        write(set.path(), path, EMPTY);
    }
    assert_eq!(
        paths(set.path()),
        ["a.pano", "a/b/c.pano", "a/z.pano", "b.pano"]
    );
}

#[test]
fn hidden_files_and_directories_are_skipped() {
    let set = set();
    for path in ["a.pano", ".git/b.pano", ".a.pano.swp", "c/.hidden.pano"] {
        write(set.path(), path, EMPTY);
    }
    assert_eq!(paths(set.path()), ["a.pano"]);
}

#[test]
fn a_single_file_is_a_set_with_its_own_directory() {
    let set = set();
    write(
        set.path(),
        "a.pano",
        "edition 2026\nnetwork n = file \"n.txt\"\n",
    );
    write(set.path(), "b.pano", "nonsense");
    write(set.path(), "n.txt", "192.0.2.1\n");
    let checked = check(&set.path().join("a.pano"));
    assert!(checked.set.is_some(), "{:?}", messages(&checked));
}

#[test]
fn what_is_no_policy_set_is_refused_by_name() {
    let set = set();
    let fifo = set.path().join("f.pano");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let open = |path: &Path| Directory::open(path).unwrap_err().to_string();
    assert_eq!(open(&fifo), "is a named pipe, not a regular file");
    assert_eq!(
        open(Path::new("/dev/null")),
        "is a device, not a regular file"
    );
    assert_eq!(open(&set.path().join("gone")), "does not exist");
}

#[test]
fn a_named_pipe_a_socket_and_a_device_are_errors_not_hangs() {
    let set = set();
    let fifo = set.path().join("a.pano");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let _socket = UnixListener::bind(set.path().join("b.pano")).unwrap();
    symlink("/dev/zero", set.path().join("c.pano")).unwrap();
    fs::create_dir(set.path().join("d.pano")).unwrap();
    write(set.path(), "e.pano", EMPTY);
    assert_eq!(
        messages(&check(set.path())),
        [
            "unreadable-file: `a.pano` is a named pipe, not a regular file",
            "unreadable-file: `b.pano` is a socket, not a regular file",
            "unreadable-file: `c.pano` lies outside the policy set's directory",
        ]
    );
}

#[test]
fn a_named_pipe_as_network_file_is_an_error_not_a_hang() {
    let set = set();
    let fifo = set.path().join("n.txt");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let error = network(set.path(), "a.pano", "n.txt").unwrap_err();
    assert_eq!(error.to_string(), "is a named pipe, not a regular file");
}

#[test]
fn a_loop_of_links_is_an_error_not_a_hang() {
    let set = set();
    write(set.path(), "a/a.pano", EMPTY);
    symlink("..", set.path().join("a/up")).unwrap();
    symlink("self.pano", set.path().join("self.pano")).unwrap();
    assert_eq!(
        messages(&check(set.path())),
        [
            "unreadable-file: `a/up` is a link to a directory that it lies in itself",
            "unreadable-file: `self.pano` is a link that leads back to itself",
        ]
    );
}

#[test]
fn the_same_file_under_two_names_is_one_error() {
    let set = set();
    write(
        set.path(),
        "a.pano",
        "edition 2026\nnetwork n = 192.0.2.1\n",
    );
    symlink("a.pano", set.path().join("b.pano")).unwrap();
    let expected = ["unreadable-file: `b.pano` is the same file as `a.pano`"];
    assert_eq!(messages(&check(set.path())), expected);
}

#[test]
fn a_mounted_config_map_is_read_once() {
    let set = set();
    write(set.path(), "..2026_11_22/a.pano", EMPTY);
    symlink("..2026_11_22", set.path().join("..data")).unwrap();
    symlink("..data/a.pano", set.path().join("a.pano")).unwrap();
    assert_eq!(paths(set.path()), ["a.pano"]);
}

#[test]
fn a_link_out_of_the_set_is_refused() {
    let (set, other) = (set(), set());
    write(other.path(), "b.pano", EMPTY);
    symlink(other.path(), set.path().join("more")).unwrap();
    symlink(other.path().join("b.pano"), set.path().join("b.pano")).unwrap();
    assert_eq!(
        messages(&check(set.path())),
        [
            "unreadable-file: `b.pano` lies outside the policy set's directory",
            "unreadable-file: `more` lies outside the policy set's directory",
        ]
    );
}

#[test]
fn network_files_lie_inside_the_set_links_resolved() {
    let (set, other) = (set(), set());
    write(other.path(), "n.txt", "192.0.2.1\n");
    write(set.path(), "networks/n.txt", "192.0.2.2\n");
    write(set.path(), "unlock/a.pano", EMPTY);
    symlink(other.path(), set.path().join("out")).unwrap();
    symlink("networks", set.path().join("in")).unwrap();
    let read = |path: &str| network(set.path(), "unlock/a.pano", path);
    for inside in ["../networks/n.txt", "../in/n.txt", "./../networks/./n.txt"] {
        assert_eq!(read(inside).unwrap(), b"192.0.2.2\n", "{inside}");
    }
    let absolute = set.path().canonicalize().unwrap().join("networks/n.txt");
    assert!(read(absolute.to_str().unwrap()).is_ok());
    let outside = other.path().join("n.txt");
    for outside in [
        "../out/n.txt",
        "../../../../etc/passwd",
        "/etc/passwd",
        outside.to_str().unwrap(),
    ] {
        let error = read(outside).unwrap_err().to_string();
        assert_eq!(
            error, "lies outside the policy set's directory",
            "{outside}"
        );
    }
    assert_eq!(
        read("../networks/m.txt").unwrap_err().to_string(),
        "does not exist"
    );
}

#[test]
fn a_directory_whose_name_begins_like_the_set_is_outside() {
    let parent = set();
    write(parent.path(), "set/a.pano", EMPTY);
    write(parent.path(), "set-other/n.txt", "192.0.2.1\n");
    let error = network(&parent.path().join("set"), "a.pano", "../set-other/n.txt");
    let expected = "lies outside the policy set's directory";
    assert_eq!(error.unwrap_err().to_string(), expected);
}

#[test]
fn files_too_large_are_refused_before_they_are_read() {
    let set = set();
    let sparse = |path: &str, length: u64| {
        let file = fs::File::create(set.path().join(path)).unwrap();
        file.set_len(length).unwrap();
    };
    sparse("a.pano", (64 << 20) + 1);
    sparse("n.txt", (1 << 30) + 1);
    let expected = ["unreadable-file: `a.pano` is larger than 64 MiB"];
    assert_eq!(messages(&check(set.path())), expected);
    let error = network(set.path(), "a.pano", "n.txt").unwrap_err();
    assert_eq!(error.to_string(), "is larger than 1 GiB");
}

#[test]
fn directories_too_deep_are_refused() {
    let set = set();
    let deep = vec!["d"; 70].join("/");
    write(set.path(), &format!("{deep}/a.pano"), EMPTY);
    let messages = messages(&check(set.path()));
    assert_eq!(messages.len(), 1);
    assert!(
        messages[0].ends_with("lies more than 64 directories deep"),
        "{messages:?}"
    );
}

#[test]
fn too_many_files_are_one_error() {
    let set = set();
    for number in 0..10_003 {
        fs::write(set.path().join(format!("{number:05}.pano")), EMPTY).unwrap();
    }
    let expected = ["unreadable-file: `10000.pano` is one of more than 10000 files"];
    assert_eq!(messages(&check(set.path())), expected);
}

#[test]
fn a_file_without_permission_is_an_error() {
    let set = set();
    write(set.path(), "a.pano", EMPTY);
    let locked = fs::Permissions::from_mode(0o000);
    fs::set_permissions(set.path().join("a.pano"), locked).unwrap();
    // Root reads everything.
    if fs::read(set.path().join("a.pano")).is_err() {
        let expected = ["unreadable-file: `a.pano` may not be read: permission denied"];
        assert_eq!(messages(&check(set.path())), expected);
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_never_half_of_each() {
    let set = set();
    let path = set.path().join("n.txt");
    // Every version is one byte repeated, so that a mixture shows.
    fs::write(&path, vec![b'a'; 8 << 20]).unwrap();
    let stop = AtomicBool::new(false);
    let changed = std::thread::scope(|scope| {
        scope.spawn(|| {
            use std::os::unix::fs::FileExt;
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            for byte in (b'a'..=b'z').cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                for part in 0..64_u64 {
                    file.write_all_at(&vec![byte; 128 << 10], part * (128 << 10))
                        .unwrap();
                }
            }
        });
        let changed = (0..2000).find_map(|_| network(set.path(), "a.pano", "n.txt").err());
        stop.store(true, Ordering::Relaxed);
        changed
    });
    assert_eq!(changed.unwrap().to_string(), "changed while it was read");
}

#[test]
fn a_file_that_grows_while_it_is_read_is_refused() {
    // Files of /proc have no length before they are read.
    let set = set();
    let status = Path::new("/proc/self/status");
    if status.exists() {
        let mut proc = Directory::open(Path::new("/proc/self/status")).unwrap();
        let found = proc.policy_files().remove(0).unwrap_err();
        assert_eq!(found.1.to_string(), "changed while it was read");
    }
    drop(set);
}

#[test]
fn paths_are_joined_without_leaving_the_set() {
    assert_eq!(join_relative("a/b.pano", "n.txt").unwrap(), "a/n.txt");
    assert_eq!(join_relative("a/b.pano", "../n.txt").unwrap(), "n.txt");
    assert_eq!(join_relative("b.pano", "./x//n.txt").unwrap(), "x/n.txt");
    assert_eq!(join_relative("a/b.pano", "../../n.txt"), None);
    assert_eq!(join_relative("b.pano", "/etc/passwd"), None);
}

fn network_in_memory(text: impl Into<Vec<u8>>) -> Checked {
    let policy = "edition 2026\nnetwork n = file \"n.txt\"\n";
    let files = BTreeMap::from([
        ("a.pano".to_owned(), policy.into()),
        ("n.txt".to_owned(), text.into()),
    ]);
    check_files(&mut InMemory { files })
}

fn prefixes(text: impl Into<Vec<u8>>) -> Vec<String> {
    let checked = network_in_memory(text);
    let set = checked.set.as_ref().unwrap();
    let (_, network) = set.networks.iter().next().unwrap();
    let v4 = network.v4.iter().map(ToString::to_string);
    let v6 = network.v6.iter().map(ToString::to_string);
    v4.chain(v6).collect()
}

#[test]
fn network_files_are_read_as_people_write_them() {
    let text = "\u{feff}# list\r\n198.51.100.0/24 # two\r\n\r\n\t192.0.2.1\r\n2001:db8::/32\r\n\
        192.0.2.1\n::ffff:203.0.113.0/120\n192.0.2.1#x";
    let expected = [
        "192.0.2.1/32",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "2001:db8::/32",
    ];
    assert_eq!(prefixes(text), expected);
}

#[test]
fn every_bad_line_is_reported_with_its_number_up_to_twenty() {
    let mut text = String::new();
    for line in 1..=100 {
        text += if line % 2 == 0 {
            "10.0.0.1/8\n"
        } else {
            "10.0.0.0/8\n"
        };
    }
    let checked = network_in_memory(text);
    let found = &checked.diagnostics;
    assert_eq!(found.len(), 21);
    let lines: Vec<u32> = found
        .iter()
        .map(|found| {
            checked
                .sources
                .position(found.primary.as_ref().unwrap().span)
                .line
        })
        .collect();
    assert_eq!(lines[0], 2, "the rest is counted where the file is named");
    assert_eq!(lines[1..], (2..=40).step_by(2).collect::<Vec<u32>>());
    assert_eq!(found[0].message, "and 30 more bad lines in `n.txt`");
    let kept: usize = checked
        .sources
        .files()
        .map(|(_, file)| file.text.len())
        .sum();
    assert!(kept < 500, "only the excerpts are kept");
}

#[test]
fn hostile_network_files_are_errors() {
    let endless = vec![b'9'; 4 << 20];
    let binary: Vec<u8> = (0..=255).cycle().take(1 << 16).collect();
    let colons = vec![b':'; 1 << 20];
    for text in [
        endless,
        binary,
        colons,
        vec![0; 1 << 20],
        b"\xff\xfe".to_vec(),
    ] {
        let checked = network_in_memory(text);
        assert!(checked.set.is_none());
        assert!(
            checked
                .diagnostics
                .iter()
                .all(|found| found.code.name == "network-file-line")
        );
        let kept: usize = checked
            .sources
            .files()
            .map(|(_, file)| file.text.len())
            .sum();
        assert!(kept < 64 << 10);
    }
}

#[test]
fn a_large_network_file_is_read_whole_and_not_kept() {
    let mut text = String::new();
    for number in 0..200_000_u32 {
        use std::fmt::Write;
        writeln!(
            text,
            "{}",
            std::net::Ipv4Addr::from(0x0a00_0000 | (number << 1))
        )
        .unwrap();
    }
    let checked = network_in_memory(text);
    let set = checked.set.unwrap();
    let (_, network) = set.networks.iter().next().unwrap();
    assert_eq!(network.v4.len(), 200_000);
    assert!(network.v4.is_sorted());
    assert_eq!(checked.sources.files().count(), 1);
}
