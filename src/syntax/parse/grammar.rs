//! The generated parser; everything that knows pest starts here.
#![allow(missing_docs, unreachable_pub, reason = "generated")]

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/panopol.pest"]
pub struct Grammar;
