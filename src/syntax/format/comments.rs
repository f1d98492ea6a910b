//! The comments of a file, handed out in order and each once.

use crate::syntax::tree::Comment;

/// The comments that are not written yet.
pub(super) struct Comments<'a> {
    rest: &'a [Comment],
}

impl<'a> Comments<'a> {
    pub(super) fn new(comments: &'a [Comment]) -> Self {
        Comments { rest: comments }
    }

    /// Whether one stands before `offset`.
    pub(super) fn any_before(&self, offset: u32) -> bool {
        self.rest
            .first()
            .is_some_and(|comment| comment.span.start < offset)
    }

    /// Takes those that stand before `offset`.
    pub(super) fn take_before(&mut self, offset: u32) -> &'a [Comment] {
        let count = self
            .rest
            .iter()
            .take_while(|comment| comment.span.start < offset)
            .count();
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// Takes the next one if it goes on a line of code and stands before `offset`.
    pub(super) fn take_trailing(&mut self, offset: u32) -> Option<&'a Comment> {
        let (first, rest) = self.rest.split_first()?;
        if first.own_line || first.span.start >= offset {
            return None;
        }
        self.rest = rest;
        Some(first)
    }
}
