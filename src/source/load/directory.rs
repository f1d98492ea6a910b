//! A policy set on disk: a directory, every `*.pano` below it, or one file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::regular::{expect_regular, io_error, read_regular};
use super::{
    DEPTH_LIMIT, LoadError, LoadedFile, NETWORK_FILE_LIMIT, POLICY_COUNT_LIMIT, POLICY_FILE_LIMIT,
    POLICY_TOTAL_LIMIT, PolicyFiles, display_size, join_relative, outside,
};

/// A policy set on disk.
#[derive(Debug)]
pub struct Directory {
    /// The set's directory, links resolved.
    root: PathBuf,
    /// The one policy file, where the set is a file.
    single: Option<String>,
}

type Found = Vec<Result<LoadedFile, (String, LoadError)>>;

impl Directory {
    /// Opens the set at `path`, a directory or a single policy file; reads no policy yet.
    ///
    /// # Errors
    /// Missing, unreadable, or neither a directory nor a regular file.
    pub fn open(path: &Path) -> Result<Directory, LoadError> {
        let root = path.canonicalize().map_err(|error| io_error(&error))?;
        let metadata = root.metadata().map_err(|error| io_error(&error))?;
        if metadata.is_dir() {
            return Ok(Directory { root, single: None });
        }
        expect_regular(metadata.file_type())?;
        let name = root.file_name().map(|name| name.to_string_lossy());
        let (Some(name), Some(parent)) = (name, root.parent()) else {
            return Err(LoadError::new("is not a policy file"));
        };
        Ok(Directory {
            single: Some(name.into_owned()),
            root: parent.to_owned(),
        })
    }

    /// Resolves links and holds the result against the set's directory.
    fn resolve_inside(&self, path: &Path) -> Result<PathBuf, LoadError> {
        let resolved = path.canonicalize().map_err(|error| io_error(&error))?;
        if resolved.starts_with(&self.root) {
            Ok(resolved)
        } else {
            Err(outside())
        }
    }

    /// Reads a file whose place was resolved before, and sees that it still
    /// stands there: a link put in the place of one of its directories in
    /// between does not lead out.
    fn read_inside(&self, resolved: &Path, limit: u64) -> Result<Vec<u8>, LoadError> {
        let bytes = read_regular(resolved, limit)?;
        let again = self.resolve_inside(resolved)?;
        if again == resolved {
            Ok(bytes)
        } else {
            Err(LoadError::new("changed its place while it was read"))
        }
    }

    fn shown(&self, resolved: &Path) -> String {
        let relative = resolved.strip_prefix(&self.root).unwrap_or(resolved);
        relative.to_string_lossy().into_owned()
    }
}

impl PolicyFiles for Directory {
    fn policy_files(&mut self) -> Found {
        if let Some(name) = &self.single {
            let read = self.read_inside(&self.root.join(name), POLICY_FILE_LIMIT);
            return vec![match read {
                Ok(bytes) => Ok(LoadedFile {
                    path: name.clone(),
                    bytes,
                }),
                Err(error) => Err((name.clone(), error)),
            }];
        }
        let mut walk = Walk {
            set: self,
            found: Vec::new(),
            read: BTreeMap::new(),
            total: 0,
            full: false,
        };
        walk.directory(&self.root, "", &mut Vec::new());
        let mut found = walk.found;
        found.sort_by(|a, b| shown_path(a).cmp(shown_path(b)));
        found
    }

    fn network_file(&mut self, policy_file: &str, path: &str) -> Result<LoadedFile, LoadError> {
        let policy = self.root.join(policy_file);
        let directory = policy.parent().unwrap_or(&self.root);
        let resolved = match self.resolve_inside(&directory.join(path)) {
            // Whether there is a file outside the set is none of the policy's business.
            Err(_) if join_relative(policy_file, path).is_none() => return Err(outside()),
            resolved => resolved?,
        };
        Ok(LoadedFile {
            bytes: self.read_inside(&resolved, NETWORK_FILE_LIMIT)?,
            path: self.shown(&resolved),
        })
    }
}

fn shown_path(found: &Result<LoadedFile, (String, LoadError)>) -> &str {
    match found {
        Ok(file) => &file.path,
        Err((path, _)) => path,
    }
}

/// One walk over a set's directory.
struct Walk<'a> {
    set: &'a Directory,
    found: Found,
    /// What was read under its resolved place, and the name it had.
    read: BTreeMap<PathBuf, String>,
    total: u64,
    full: bool,
}

impl Walk<'_> {
    /// Visits `directory`, shown as `shown`; `above` are the resolved
    /// directories that it lies in.
    fn directory(&mut self, directory: &Path, shown: &str, above: &mut Vec<PathBuf>) {
        let resolved = match self.set.resolve_inside(directory) {
            Ok(resolved) => resolved,
            Err(error) => return self.fail(shown, error),
        };
        if above.contains(&resolved) {
            let error = LoadError::new("is a link to a directory that it lies in itself");
            return self.fail(shown, error.help("remove the link"));
        }
        if above.len() >= DEPTH_LIMIT {
            let error = LoadError::new(format!("lies more than {DEPTH_LIMIT} directories deep"));
            return self.fail(shown, error);
        }
        let mut entries = match read_names(&resolved) {
            Ok(entries) => entries,
            Err(error) => return self.fail(shown, error),
        };
        entries.sort();
        above.push(resolved);
        for name in entries {
            if self.full {
                break;
            }
            self.entry(directory, shown, &name, above);
        }
        above.pop();
    }

    fn entry(&mut self, directory: &Path, shown: &str, name: &str, above: &mut Vec<PathBuf>) {
        let path = directory.join(name);
        let shown = if shown.is_empty() {
            name.to_owned()
        } else {
            format!("{shown}/{name}")
        };
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => self.directory(&path, &shown, above),
            Ok(_) if name.ends_with(".pano") => self.policy_file(&path, shown),
            Err(error) if name.ends_with(".pano") => self.fail(&shown, io_error(&error)),
            // What is no policy file is none of our business, dangling links included.
            Ok(_) | Err(_) => {}
        }
    }

    fn policy_file(&mut self, path: &Path, shown: String) {
        if self.found.len() >= POLICY_COUNT_LIMIT {
            self.full = true;
            let error = LoadError::new(format!("is one of more than {POLICY_COUNT_LIMIT} files"));
            return self.fail(&shown, error);
        }
        let resolved = match self.set.resolve_inside(path) {
            Ok(resolved) => resolved,
            Err(error) => return self.fail(&shown, error),
        };
        if let Some(earlier) = self.read.get(&resolved) {
            let error = LoadError::new(format!("is the same file as `{earlier}`"));
            return self.fail(&shown, error.help("remove the link"));
        }
        match self.set.read_inside(&resolved, POLICY_FILE_LIMIT) {
            Ok(bytes) => {
                self.total += bytes.len() as u64;
                self.read.insert(resolved, shown.clone());
                self.found.push(Ok(LoadedFile { path: shown, bytes }));
            }
            Err(error) => return self.fail(&shown, error),
        }
        if self.total > POLICY_TOTAL_LIMIT {
            self.full = true;
            let limit = display_size(POLICY_TOTAL_LIMIT);
            let error = LoadError::new(format!("hold more than {limit} of policies together"));
            self.fail("all files", error);
        }
    }

    fn fail(&mut self, shown: &str, error: LoadError) {
        let shown = if shown.is_empty() { "." } else { shown };
        self.found.push(Err((shown.to_owned(), error)));
    }
}

/// The names in a directory that are not hidden (`.git`, an editor's swap file).
fn read_names(directory: &Path) -> Result<Vec<String>, LoadError> {
    let mut names = Vec::new();
    for entry in directory.read_dir().map_err(|error| io_error(&error))? {
        let name = entry.map_err(|error| io_error(&error))?.file_name();
        match name.into_string() {
            Ok(name) if name.starts_with('.') => {}
            Ok(name) => names.push(name),
            Err(name) => {
                let name = name.to_string_lossy().into_owned();
                return Err(LoadError::new(format!(
                    "holds `{name}`, whose name is not UTF-8"
                )));
            }
        }
    }
    Ok(names)
}
