//! A policy set whose bytes are already in hand.

use std::collections::BTreeMap;

use super::{LoadError, LoadedFile, PolicyFiles, join_relative, outside};

/// Files already in hand, by path.
#[derive(Clone, Debug, Default)]
pub struct InMemory {
    /// The files; those that end in `.pano` are policy files.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl PolicyFiles for InMemory {
    fn policy_files(&mut self) -> Vec<Result<LoadedFile, (String, LoadError)>> {
        self.files
            .iter()
            .filter(|(path, _)| path.ends_with(".pano"))
            .map(|(path, bytes)| {
                Ok(LoadedFile {
                    path: path.clone(),
                    bytes: bytes.clone(),
                })
            })
            .collect()
    }

    fn network_file(&mut self, policy_file: &str, path: &str) -> Result<LoadedFile, LoadError> {
        let path = join_relative(policy_file, path).ok_or_else(outside)?;
        let bytes = self
            .files
            .get(&path)
            .ok_or_else(|| LoadError::new("does not exist"))?;
        Ok(LoadedFile {
            bytes: bytes.clone(),
            path,
        })
    }
}
