//! In-file tests, run: each expectation against the compiled program.
//!
//! Knows nothing of files or terminals. Bypasses are off, as they are in
//! production; the facts of an expectation hold for its own source and never end.

pub mod coverage;
pub mod edges;
mod outcome;
pub mod suggest;

use crate::decision::{Decision, TraceEntry};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::eval::Program;
use crate::eval::given::{self, Given};
use crate::ir::PolicySet;
use crate::ir::test::{Expect, Test};
use crate::source::Span;

/// What an in-file test that fails is reported as.
pub static TEST_FAILED: Code = Code {
    name: "test-failed",
    severity: Severity::Error,
    summary: "an in-file test did not come out as it says",
    why: "A test states what the policy must decide. When it fails, either the policy or the \
          expectation is wrong; the trace says which rules were considered, in the order of \
          decision, and which came nearest to allowing.",
    bad: r#"edition 2026

unlock servers {
  allow from 192.0.2.0/24
}

test "a server starts from the office" {
  device {}
  unlock from 198.51.100.7 expect allow
}
"#,
    good: r#"edition 2026

unlock servers {
  allow from [192.0.2.0/24, 198.51.100.7]
}

test "a server starts from the office" {
  device {}
  unlock from 198.51.100.7 expect allow
}
"#,
};

/// What one expectation came to.
#[derive(Clone, Debug)]
pub struct TestResult {
    /// The test block's name.
    pub name: String,
    /// Where the expectation stands.
    pub span: Span,
    /// Whether it came out as expected.
    pub passed: bool,
    /// What was expected, as policies write it.
    pub expected: String,
    /// What came out, as policies write it.
    pub found: String,
    /// The decision with its trace.
    pub decision: Decision,
}

/// Runs every expectation of the blocks whose name contains `filter`.
pub fn run(program: &Program, filter: Option<&str>) -> Vec<TestResult> {
    let set = program.set();
    set.tests
        .iter()
        .filter(|test| filter.is_none_or(|part| test.name.contains(part)))
        .map(|test| run_one(program, set, test))
        .collect()
}

fn run_one(program: &Program, set: &PolicySet, test: &Test) -> TestResult {
    // Where no schedule matters, any instant serves.
    let at = test.at.unwrap_or_default();
    let decision = match given::of_test(set, test) {
        Given::Unlock(request, facts) => program.trace_unlock(&request, &facts, at),
        Given::Issuance(request, facts) => program.trace_issuance(&request, &facts, at),
    };
    TestResult {
        name: test.name.clone(),
        span: test.span,
        passed: holds(set, &test.expect, &decision),
        expected: outcome::expected(set, &test.expect),
        found: outcome::found(&decision),
        decision,
    }
}

fn holds(set: &PolicySet, expect: &Expect, decision: &Decision) -> bool {
    use crate::vocabulary::Outcome;
    match expect {
        Expect::Allow => decision.outcome == Outcome::Allow,
        Expect::Deny(codes) => {
            decision.outcome == Outcome::Deny
                && decision
                    .reasons
                    .iter()
                    .map(|reason| reason.code)
                    .eq(codes.iter().copied())
        }
        Expect::Pending(groups) => {
            decision.outcome == Outcome::Pending
                && groups
                    .iter()
                    .map(|&group| set.approvals.name(group))
                    .eq(decision.groups.iter().map(String::as_str))
        }
    }
}

impl TestResult {
    /// The finding that a failed expectation is reported as.
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        if self.passed {
            return None;
        }
        let message = format!(
            "test `{}` expects {} but gets {}",
            self.name, self.expected, self.found
        );
        let mut finding = Diagnostic::new(&TEST_FAILED, self.span, message)
            .label(format!("this is {}", self.found));
        for reason in &self.decision.reasons {
            finding = finding.note(format!("{}: {}", reason.code, reason.message));
        }
        let trace = self.decision.trace.as_deref().unwrap_or_default();
        if !trace.is_empty() {
            finding = finding.note(format!("trace:\n{}", outcome::trace(trace).join("\n")));
        }
        Some(finding)
    }
}

/// One line for each rule that was considered, in the order of decision.
pub fn trace_lines(trace: &[TraceEntry]) -> Vec<String> {
    outcome::trace(trace)
}
