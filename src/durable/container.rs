//! Several named files in one, closed by the SHA-256 of all that stands
//! before it: what a backup and the last good policy are kept in.
//!
//! Layout: magic (8 bytes), then for each file `1`, the length of its name
//! (u32), the name, its length (u64), its bytes; then `0` and the digest.
//! Numbers are little-endian.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

const MAGIC: &[u8; 8] = b"PANOPOLC";
const LONGEST_NAME: u32 = 4096;

/// A container cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// The disk said no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not such a file, or it was cut or changed.
    #[error("{0}")]
    Damaged(&'static str),
}

/// Writes files one after another.
pub struct ContainerWriter<W: Write> {
    to: W,
    digest: Sha256,
}

impl<W: Write> ContainerWriter<W> {
    /// Begins a container.
    ///
    /// # Errors
    /// Writing failed.
    pub fn new(to: W) -> io::Result<Self> {
        let mut writer = ContainerWriter {
            to,
            digest: Sha256::new(),
        };
        writer.put(MAGIC)?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.to.write_all(bytes)
    }

    /// Adds exactly `length` bytes of `from` under `name`.
    ///
    /// # Errors
    /// Reading or writing failed, or `from` ended early.
    pub fn add(&mut self, name: &str, length: u64, from: impl Read) -> io::Result<()> {
        let name_length = u32::try_from(name.len())
            .ok()
            .filter(|&length| length <= LONGEST_NAME)
            .ok_or_else(|| io::Error::other("a file name is too long"))?;
        self.put(&[1])?;
        self.put(&name_length.to_le_bytes())?;
        self.put(name.as_bytes())?;
        self.put(&length.to_le_bytes())?;
        let mut from = from.take(length);
        let mut buffer = [0; 16 * 1024];
        let mut left = length;
        while left > 0 {
            let read = from.read(&mut buffer)?;
            let bytes = buffer.get(..read).unwrap_or_default();
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.put(bytes)?;
            left = left.saturating_sub(read as u64);
        }
        Ok(())
    }

    /// Ends the container.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(mut self) -> io::Result<()> {
        self.put(&[0])?;
        let digest = self.digest.finalize();
        self.to.write_all(&digest)?;
        self.to.flush()
    }
}

/// Reads files one after another. Nothing that it gave may be used before
/// [`ContainerReader::next`] has said that there are no more: only then is
/// the digest known to hold.
pub struct ContainerReader<R: Read> {
    from: R,
    digest: Sha256,
}

impl<R: Read> ContainerReader<R> {
    /// Begins to read.
    ///
    /// # Errors
    /// Not a container.
    pub fn new(from: R) -> Result<Self, ContainerError> {
        let mut reader = ContainerReader {
            from,
            digest: Sha256::new(),
        };
        let mut magic = [0; 8];
        reader.take(&mut magic)?;
        if &magic != MAGIC {
            return Err(ContainerError::Damaged("not a file that panopol wrote"));
        }
        Ok(reader)
    }

    fn take(&mut self, bytes: &mut [u8]) -> Result<(), ContainerError> {
        match self.from.read_exact(bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(ContainerError::Damaged("it ends too early"))
            }
            Err(error) => Err(error.into()),
            Ok(()) => {
                self.digest.update(&*bytes);
                Ok(())
            }
        }
    }

    fn take_u32(&mut self) -> Result<u32, ContainerError> {
        let mut bytes = [0; 4];
        self.take(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// Copies the next file to what `open` gives for its name, and says
    /// whether there was one; at the end the digest has been checked.
    ///
    /// # Errors
    /// The container is damaged, or reading or writing failed.
    pub fn next<W: Write>(
        &mut self,
        open: impl FnOnce(&str) -> io::Result<W>,
    ) -> Result<bool, ContainerError> {
        let mut more = [0];
        self.take(&mut more)?;
        if more == [0] {
            return self.check_digest().map(|()| false);
        }
        let name_length = self.take_u32()?;
        if more != [1] || name_length > LONGEST_NAME {
            return Err(ContainerError::Damaged("its contents are damaged"));
        }
        let mut name = vec![0; name_length as usize];
        self.take(&mut name)?;
        let name = String::from_utf8(name)
            .map_err(|_| ContainerError::Damaged("a file name in it is not text"))?;
        let mut length = [0; 8];
        self.take(&mut length)?;
        self.copy(u64::from_le_bytes(length), open(&name)?)?;
        Ok(true)
    }

    fn copy(&mut self, mut left: u64, mut to: impl Write) -> Result<(), ContainerError> {
        let mut buffer = [0; 16 * 1024];
        while left > 0 {
            let wanted = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let bytes = buffer.get_mut(..wanted).unwrap_or_default();
            self.take(bytes)?;
            to.write_all(bytes)?;
            left = left.saturating_sub(wanted as u64);
        }
        Ok(to.flush()?)
    }

    fn check_digest(&mut self) -> Result<(), ContainerError> {
        let expected = std::mem::take(&mut self.digest).finalize();
        let mut found = [0; 32];
        self.take(&mut found)?;
        let mut after = [0];
        if self.from.read(&mut after)? != 0 {
            return Err(ContainerError::Damaged("something stands after its end"));
        }
        if found != expected[..] {
            return Err(ContainerError::Damaged("its digest does not match"));
        }
        Ok(())
    }
}
