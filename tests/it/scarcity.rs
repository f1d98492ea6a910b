//! Programs that run short of disk or may not write, as any user: limits on
//! the size of files and modes of files need no right to mount.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

/// `inner`, run by a program that ends in running it.
fn through(outer: &[&str], inner: &Command) -> Command {
    let mut command = Command::new(outer[0]);
    command.args(&outer[1..]);
    command.arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// `inner`, deaf to the signal of a file that grows too large, so that its
/// writes fail as on a full disk.
pub(crate) fn deaf_to_size(inner: &Command) -> Command {
    through(&["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"], inner)
}

/// Lets no file of a process grow beyond `bytes`; without any, lets them again.
pub(crate) fn limit_files(process: u32, bytes: Option<u64>) {
    let bytes = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    limit(process, &format!("--fsize={bytes}:"));
}

/// Lets a process have so many descriptors, within what the system allows it.
pub(crate) fn limit_descriptors(process: u32, count: u64) {
    limit(process, &format!("--nofile={count}:"));
}

fn limit(process: u32, what: &str) {
    let limited = Command::new("prlimit")
        .args(["--pid", &process.to_string(), what])
        .stdin(Stdio::null())
        .output()
        .expect("prlimit, of util-linux, is to be installed");
    assert!(limited.status.success(), "{what}: {limited:?}");
}

/// `inner`, bound by the modes of files, which root is not of itself.
pub(crate) fn bound_by_modes(inner: &Command) -> Command {
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        let drop = "--bounding-set=-dac_override,-dac_read_search";
        return through(&["setpriv", drop], inner);
    }
    through(&["env"], inner)
}

/// Takes away, or gives back, the right to write to anything below `path`.
pub(crate) fn set_writable(path: &Path, writable: bool) {
    let metadata = std::fs::symlink_metadata(path).unwrap();
    let mode = metadata.mode() & 0o777;
    let mode = if writable {
        mode | 0o200
    } else {
        mode & !0o222
    };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    if metadata.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            set_writable(&entry.unwrap().path(), writable);
        }
    }
}
