//! `# panopol: allow CODE because: REASON` above a declaration or a statement.
//!
//! A reason is not optional, and what is written wrongly or allows nothing is
//! itself a finding: else such comments would outlive what they excuse.

use std::collections::BTreeMap;
use std::ops::Range;

use super::levels::{LevelError, find_code};
use crate::check::Checked;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{SourceMap, Span};
use crate::syntax::tree::{Comment, File, Item, ItemKind};

pub(super) static CODES: &[&Code] = &[&MALFORMED_ALLOW, &UNUSED_ALLOW];

static MALFORMED_ALLOW: Code = Code {
    name: "malformed-allow",
    severity: Severity::Error,
    summary: "a `# panopol:` comment does not say what it must",
    why: "`# panopol: allow CODE because: REASON` directly above a declaration or a statement \
          allows the findings of one code there. Whoever reads it later has to learn why, so a \
          reason must be given; and a code that is misspelled would allow nothing while it looks \
          as if it did. Only warnings and notes can be allowed.",
    bad: r#"edition 2026

person alice { email "alice@example.com"  role owner in org }

# panopol: allow single-approver
approval gate {
  on        unlock
  approvers person alice
}
"#,
    good: r#"edition 2026

person alice { email "alice@example.com"  role owner in org }

# panopol: allow single-approver because: a laboratory with one person in it
approval gate {
  on        unlock
  approvers person alice
}
"#,
};

static UNUSED_ALLOW: Code = Code {
    name: "unused-allow",
    severity: Severity::Warning,
    summary: "a `# panopol: allow` comment allows nothing",
    why: "What the comment was written for is gone: the rule was mended, or moved elsewhere. Left \
          in place it would allow, unseen, the next fault of that kind.",
    bad: r#"edition 2026

person alice { email "alice@example.com"  role owner in org }
person bob   { email "bob@example.com"    role admin in org }

# panopol: allow single-approver because: bob starts next month
approval gate {
  on        unlock
  approvers [person alice, person bob]
}
"#,
    good: r#"edition 2026

person alice { email "alice@example.com"  role owner in org }
person bob   { email "bob@example.com"    role admin in org }

approval gate {
  on        unlock
  approvers [person alice, person bob]
}
"#,
};

/// A comment that allows a code's findings in what it stands above.
pub(super) struct Allow {
    /// What it allows.
    pub(super) code: &'static Code,
    /// Why.
    pub(super) reason: String,
    /// The comment.
    pub(super) comment: Span,
    /// The declaration or statement below it.
    pub(super) target: Span,
    /// Whether that is a statement.
    pub(super) is_statement: bool,
}

/// The finding that `allow` allows nothing.
pub(super) fn unused(allow: &Allow) -> Diagnostic {
    let message = format!("nothing here is `{}`", allow.code.name);
    Diagnostic::new(&UNUSED_ALLOW, allow.comment, message)
        .label("allows nothing")
        .help("remove the comment")
}

/// Every such comment of the set, and what is wrong with others that were meant so.
pub(super) fn allows(checked: &Checked) -> (Vec<Allow>, Vec<Diagnostic>) {
    let (mut allows, mut malformed) = (Vec::new(), Vec::new());
    for tree in &checked.trees {
        let mut targets = None;
        for comment in &tree.comments {
            let Some(text) = instruction(&comment.text) else {
                continue;
            };
            let targets: &mut Targets = targets.get_or_insert_with(|| Targets::of(tree));
            match read(comment, text, targets, &checked.sources) {
                Ok(found) => allows.extend(found),
                Err(fault) => malformed.push(*fault),
            }
        }
    }
    (allows, malformed)
}

/// What stands behind `# panopol:`.
fn instruction(comment: &str) -> Option<&str> {
    let text = comment.trim_start_matches('#').trim_start();
    let (word, rest) = text.split_once(':')?;
    word.eq_ignore_ascii_case("panopol").then(|| rest.trim())
}

fn read(
    comment: &Comment,
    text: &str,
    targets: &mut Targets,
    sources: &SourceMap,
) -> Result<Vec<Allow>, Box<Diagnostic>> {
    const FORM: &str = "write `# panopol: allow CODE because: REASON`";
    let fault = |message: String, help: String| {
        Box::new(Diagnostic::new(&MALFORMED_ALLOW, comment.span, message).help(help))
    };
    let Some(rest) = text.strip_prefix("allow ") else {
        let message = "this comment says nothing that is known";
        return Err(fault(message.to_owned(), FORM.to_owned()));
    };
    let (names, reason) = match rest.split_once("because:") {
        Some((names, reason)) if !reason.trim().is_empty() => (names, reason.trim()),
        Some(_) | None => {
            return Err(fault("no reason is given".to_owned(), FORM.to_owned()));
        }
    };
    let Some((target, is_statement)) = targets.below(comment, sources) else {
        let message = "this comment stands above no declaration and no statement";
        let help = "put it directly above what it is about";
        return Err(fault(message.to_owned(), help.to_owned()));
    };
    let codes = names.split(',').map(|name| find_code(name.trim()));
    let codes: Result<Vec<&'static Code>, LevelError> = codes.collect();
    let codes = codes.map_err(|error| fault(error.to_string(), error.help()))?;
    Ok(codes
        .into_iter()
        .map(|code| Allow {
            code,
            reason: reason.to_owned(),
            comment: comment.span,
            target,
            is_statement,
        })
        .collect())
}

/// A declaration or a statement, and whether it is the latter.
type Target = (Span, bool);

/// What a comment can stand above, by where it begins.
struct Targets {
    by_start: BTreeMap<u32, Target>,
    /// The last run of comments that was looked at, and what it stands above:
    /// each line of a long run is read once.
    run: (Range<u32>, Option<Target>),
}

impl Targets {
    fn of(tree: &File) -> Self {
        let mut by_start = BTreeMap::new();
        for item in &tree.items {
            for span in statements(item) {
                by_start.insert(span.start, (span, true));
            }
            by_start.insert(item.span.start, (item.span, false));
        }
        Targets {
            by_start,
            run: (0..0, None),
        }
    }

    /// What begins directly below `comment`, other comments aside.
    fn below(&mut self, comment: &Comment, sources: &SourceMap) -> Option<Target> {
        if !comment.own_line {
            return None;
        }
        if !self.run.0.contains(&comment.span.start) {
            let text = sources.file(comment.span.file).map(|file| &*file.text);
            let after = text.and_then(|text| text.get(comment.span.end as usize..));
            let (length, ends_at_code) = run_length(after.unwrap_or_default());
            let end = comment.span.end.saturating_add(length);
            let target = ends_at_code.then(|| self.by_start.get(&end).copied());
            self.run = (comment.span.start..end, target.flatten());
        }
        self.run.1
    }
}

/// How many bytes of comments and blanks stand at the start of `text`, which
/// begins at a line's end, and whether code follows without an empty line.
fn run_length(text: &str) -> (u32, bool) {
    let mut length = 0;
    let mut has_code = false;
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start();
        if !rest.is_empty() && !rest.starts_with('#') {
            length += line.len() - rest.len();
            has_code = true;
            break;
        }
        // The first is what is left of the comment's own line.
        if rest.is_empty() && length > 0 {
            break;
        }
        length += line.len();
    }
    (u32::try_from(length).unwrap_or(u32::MAX), has_code)
}

/// The places of an item's statements.
fn statements(item: &Item) -> Vec<Span> {
    macro_rules! spans {
        ($statements:expr) => {
            $statements.iter().map(|one| one.span).collect()
        };
    }
    match &item.value {
        ItemKind::Project(item) | ItemKind::Profile(item) => spans!(item.tags),
        ItemKind::Defaults(item) => spans!(item.issuance),
        ItemKind::Person(item) => spans!(item.statements),
        ItemKind::Service(item) => spans!(item.statements),
        ItemKind::Unlock(item) => spans!(item.statements),
        ItemKind::AllowOnce(item) => spans!(item.statements),
        ItemKind::Approval(item) => spans!(item.statements),
        ItemKind::Issuance(item) => spans!(item.statements),
        ItemKind::Invariant(item) => spans!(item.lines),
        ItemKind::Bypass(item) => spans!(item.statements),
        ItemKind::Test(item) => spans!(item.statements),
        ItemKind::Tag(_) | ItemKind::Network(_) | ItemKind::Schedule(_) | ItemKind::Team(_) => {
            Vec::new()
        }
    }
}
