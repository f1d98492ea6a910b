//! Writes a tree in the one canonical layout, with every comment.
//!
//! Each declaration becomes a [`shape::Shape`] of words and lists first; how it
//! lies on lines is decided in [`layout`]. Knows no meaning. Start at [`format_text`].

mod comments;
mod layout;
mod line;
mod literal;
mod shape;
mod statements;
mod suite;

use crate::diagnostic::Diagnostic;
use crate::source::FileId;
use crate::syntax::parse::parse_file;
use crate::syntax::tree::File;

/// The longest line, in characters, that is not broken where it can be.
pub const WIDTH: usize = 100;

/// Writes `file` in the canonical layout.
pub fn format_file(file: &File) -> String {
    layout::Layout::new(file).file()
}

/// Formats the text of a policy file.
///
/// # Errors
/// Every syntax error of `text`; a text with one is not formatted at all.
pub fn format_text(text: &str) -> Result<String, Vec<Diagnostic>> {
    let (file, diagnostics) = parse_file(FileId(0), text);
    if diagnostics.is_empty() {
        Ok(format_file(&file))
    } else {
        Err(diagnostics)
    }
}
