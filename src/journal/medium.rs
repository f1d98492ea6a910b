//! What a journal is written to.

use std::fs::File;
use std::io::{self, Write};

/// A disk that can fail. [`File`] is the one in use; tests bring others.
pub trait Medium: Send {
    /// Writes at the end, maybe in part before it fails.
    ///
    /// # Errors
    /// The disk said no.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when all that was written would survive the loss of power.
    ///
    /// # Errors
    /// The disk said no, and what is on it is no longer known.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the end off, back to `length` bytes.
    ///
    /// # Errors
    /// The disk said no.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// Opened for appending.
impl Medium for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}
