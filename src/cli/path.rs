//! The policy sets that a command is given, and how outputs name their files.

use std::path::{Component, Path, PathBuf};

/// Where a policy set is looked for when no PATH is given.
pub(super) const DEFAULT: &str = "policies/";

/// Policy sets on the command line.
#[derive(clap::Args)]
pub(super) struct Paths {
    /// Policy file or directory; each is a policy set of its own
    #[arg(value_name = "PATH", default_value = DEFAULT)]
    pub(super) paths: Vec<PathBuf>,
}

/// The directory that the files of the set at `path` are named from. Where
/// `path` is a link to a file, it is the one in which that file itself lies.
pub(super) fn directory(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.to_owned();
    }
    let resolved = path
        .is_symlink()
        .then(|| path.canonicalize().ok())
        .flatten();
    let file = resolved.as_deref().unwrap_or(path);
    file.parent().unwrap_or(Path::new("")).to_owned()
}

/// What leads from the working directory to the files of the set at `path`:
/// `policies/`, or nothing where they are the same.
pub(super) fn root(path: &Path) -> String {
    let directory = directory(path);
    let here = std::env::current_dir().ok();
    let directory = here
        .and_then(|here| directory.strip_prefix(here).ok())
        .unwrap_or(&directory);
    let mut root = String::new();
    for component in directory.components() {
        match component {
            Component::CurDir | Component::Prefix(_) => {}
            Component::RootDir => root.push('/'),
            Component::ParentDir | Component::Normal(_) => {
                root.push_str(&component.as_os_str().to_string_lossy());
                root.push('/');
            }
        }
    }
    root
}
