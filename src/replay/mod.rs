//! Recorded requests, judged again under a candidate policy: what would have
//! come out otherwise, and which rule does it.
//!
//! [`judge`] makes of one line a class and a cause, purely; [`pieces`] cuts
//! inputs into whole lines; [`run`](mod@run) has all cores judge them and puts what they
//! find in the order of the input; [`report`] is what it comes to. Nothing here
//! knows files, terminals or the clock, and memory does not grow with the input.

mod cause;
mod judge;
mod pieces;
pub mod report;
mod run;

use crate::eval::Program;
pub use cause::Cause;
pub use judge::{Flip, Judge, Judged};
pub use report::{Class, Example, Group, Report};
pub use run::{Input, Place, Watch, run};

/// What records are judged by.
#[derive(Debug)]
pub struct Replay {
    /// The policy that might come to hold.
    pub candidate: Program,
    /// What it is compared with; none: what was recorded.
    pub baseline: Option<Program>,
}
