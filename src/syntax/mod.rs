//! Text to an owned tree, and back.
//!
//! [`parse`] reads one file with the grammar in `grammar/panopol.pest` and
//! reports every syntax error at once; [`mod@format`] writes a tree in the one
//! canonical layout. Knows no meaning: a tree may name a tag that nobody
//! declared. pest is known only inside [`parse`].

pub mod codes;
pub mod format;
pub mod parse;
pub mod tree;
