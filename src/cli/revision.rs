//! Policy sets of a git revision: `REV:PATH`, read with git itself.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::answer::Failure;
use crate::source::load::{InMemory, POLICY_TOTAL_LIMIT};

/// A path in a revision.
pub(super) struct Revision<'a> {
    revision: &'a str,
    path: &'a str,
}

/// What `operand` names of a revision; none where it is a path on disk.
pub(super) fn of(operand: &str) -> Option<Revision<'_>> {
    if Path::new(operand).exists() {
        return None;
    }
    let (revision, path) = operand.split_once(':')?;
    Some(Revision {
        revision,
        path: path.trim_end_matches('/'),
    })
}

/// One entry of a tree.
struct Entry {
    mode: String,
    object: String,
    path: String,
}

impl Revision<'_> {
    /// Reads the set: of a directory every file below it, of a file that file and
    /// what lies beside it and below.
    ///
    /// # Errors
    /// No such revision or path, a link in it, or git cannot be run.
    pub(super) fn read(&self) -> Result<InMemory, Failure> {
        if self.revision.is_empty() || self.revision.starts_with('-') {
            return Err(self.failure("no revision stands before the `:`"));
        }
        let is_file = self.path.ends_with(".pano");
        let directory = match (is_file, self.path.rsplit_once('/')) {
            (false, _) => self.path,
            (true, Some((directory, _))) => directory,
            (true, None) => "",
        };
        let entries = self.entries(directory)?;
        let wanted = entries
            .into_iter()
            .filter(|entry| !is_file || entry.path == self.path || !entry.path.ends_with(".pano"));
        let wanted: Vec<Entry> = wanted.collect();
        if is_file && !wanted.iter().any(|entry| entry.path == self.path) {
            return Err(self.failure("has no such file"));
        }
        if let Some(link) = wanted.iter().find(|entry| entry.mode == "120000") {
            let problem = format!(
                "has a link, `{}`: compare a checkout of it instead",
                link.path
            );
            return Err(self.failure(&problem));
        }
        let bodies = self.bodies(&wanted)?;
        let prefix = if directory.is_empty() {
            String::new()
        } else {
            format!("{directory}/")
        };
        let named = wanted.into_iter().zip(bodies).map(|(entry, bytes)| {
            let path = entry
                .path
                .strip_prefix(&prefix)
                .unwrap_or(&entry.path)
                .to_owned();
            (path, bytes)
        });
        Ok(InMemory {
            files: named.collect::<BTreeMap<_, _>>(),
        })
    }

    fn entries(&self, directory: &str) -> Result<Vec<Entry>, Failure> {
        let mut arguments = vec!["ls-tree", "-r", "-z", "--full-tree", self.revision];
        if !directory.is_empty() {
            arguments.extend(["--", directory]);
        }
        let listed = self.git(&arguments, &[])?;
        let text = String::from_utf8_lossy(&listed).into_owned();
        let entries: Vec<Entry> = text.split('\0').filter_map(entry).collect();
        match entries.is_empty() {
            true => Err(self.failure("holds no file there")),
            false => Ok(entries),
        }
    }

    /// The bytes of each entry, read by one process.
    fn bodies(&self, entries: &[Entry]) -> Result<Vec<Vec<u8>>, Failure> {
        let objects: String = entries
            .iter()
            .map(|entry| format!("{}\n", entry.object))
            .collect();
        let output = self.git(&["cat-file", "--batch"], objects.as_bytes())?;
        if output.len() as u64 > POLICY_TOTAL_LIMIT {
            return Err(self.failure("is larger than a policy set may be"));
        }
        let mut rest = output.as_slice();
        let mut bodies = Vec::with_capacity(entries.len());
        for entry in entries {
            let body = take_body(&mut rest);
            bodies.push(body.ok_or_else(|| {
                self.failure(&format!(
                    "has an object that git cannot read: `{}`",
                    entry.path
                ))
            })?);
        }
        Ok(bodies)
    }

    fn git(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, Failure> {
        let cannot = |error: std::io::Error| self.failure(&format!("cannot be read: git: {error}"));
        let mut child = Command::new("git")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(cannot)?;
        let stdin = child.stdin.take();
        let input = input.to_vec();
        // Written beside the reading: git answers before it has read everything.
        let writer =
            std::thread::spawn(move || stdin.map_or(Ok(()), |mut stdin| stdin.write_all(&input)));
        let output = child.wait_with_output().map_err(cannot)?;
        // What git did not care to read, it says itself.
        let _ = writer.join();
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(self.failure(&format!("cannot be read: {}", said.trim())))
    }

    fn failure(&self, problem: &str) -> Failure {
        Failure::new(format!("`{}:{}` {problem}", self.revision, self.path))
            .help("REV:PATH names a path from the repository's root, as in `main:policies`")
    }
}

/// `MODE SP TYPE SP OBJECT TAB PATH`; none for what is no file.
fn entry(line: &str) -> Option<Entry> {
    let (meta, path) = line.split_once('\t')?;
    let mut meta = meta.split(' ');
    let (mode, kind, object) = (meta.next()?, meta.next()?, meta.next()?);
    (kind == "blob").then(|| Entry {
        mode: mode.to_owned(),
        object: object.to_owned(),
        path: path.to_owned(),
    })
}

/// `OBJECT SP TYPE SP SIZE LF BYTES LF`
fn take_body(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    let (head, after) = rest.split_at(end);
    let size: usize = std::str::from_utf8(head)
        .ok()?
        .rsplit(' ')
        .next()?
        .parse()
        .ok()?;
    let after = after.get(1..)?;
    let body = after.get(..size)?.to_vec();
    *rest = after.get(size + 1..)?;
    Some(body)
}
