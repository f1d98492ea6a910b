//! The lint rules, the codes' own examples, and the pages made from them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use jiff::Timestamp;
use panopol::check::check_files;
use panopol::diagnostic::human::clean;
use panopol::diagnostic::{Code, Diagnostic, Severity};
use panopol::eval::Program;
use panopol::lint::levels::Chosen;
use panopol::lint::rules::RULES;
use panopol::lint::{self, Profile, Run};
use panopol::suite;

use crate::support::{self, example};

/// A day on which no example's bypass has ended that should not have.
pub(crate) fn now() -> Timestamp {
    "2026-11-22T00:00:00Z".parse().unwrap()
}

/// Everything `check` says of an example.
fn findings(text: &str, profile: Profile) -> (Vec<Diagnostic>, panopol::check::Checked) {
    let checked = check_files(&mut example(text));
    let mut findings = checked.diagnostics.clone();
    if let Some(set) = &checked.set {
        let program = Program::compile(set.clone());
        let results = suite::run(&program, None);
        let run = Run {
            program: &program,
            tests: Some(&results),
            now: now(),
            profile,
            chosen: &Chosen::default(),
        };
        findings.extend(lint::lint(&checked, &run).0);
        findings.extend(results.iter().filter_map(suite::TestResult::diagnostic));
    }
    (findings, checked)
}

/// Whether a short text can show the fault: not a file that cannot be read, nor
/// a thousand faults, nor what takes too much to look at or to prove.
fn has_examples(code: &Code) -> bool {
    let without = [
        "findings-left-out",
        "invariant-not-decided",
        "lint-not-decided",
        "unreadable-file",
    ];
    assert_eq!(code.bad.is_empty(), without.contains(&code.name));
    !code.bad.is_empty()
}

/// The profile under which a code is reported.
fn profile_of(code: &Code) -> Profile {
    if code.name.ends_with("-in-production") {
        Profile::Production
    } else {
        Profile::Development
    }
}

#[test]
fn the_bad_example_of_each_code_has_that_fault_once_and_no_other() {
    let mut wrong = Vec::new();
    for code in lint::codes().into_iter().filter(|code| has_examples(code)) {
        let (findings, _) = findings(code.bad, profile_of(code));
        let found: Vec<&str> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error || finding.code == code)
            .map(|finding| finding.code.name)
            .collect();
        if found != [code.name] {
            wrong.push(format!("{}: {found:?}", code.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The good example of a checker's code shows that one thing mended, and may be
/// doubtful elsewhere; that of a lint is what to write.
#[test]
fn the_good_example_of_each_code_has_no_fault() {
    let lints: BTreeSet<&str> = RULES.iter().map(|rule| rule.code.name).collect();
    let mut wrong = Vec::new();
    for code in lint::codes().into_iter().filter(|code| has_examples(code)) {
        let (mut findings, _) = findings(code.good, profile_of(code));
        let is_lint = lints.contains(code.name);
        findings.retain(|found| match found.severity {
            Severity::Error => true,
            Severity::Warning => is_lint || found.code == code,
            Severity::Note => found.code == code,
        });
        for finding in findings {
            wrong.push(format!(
                "{}: {}: {}",
                code.name, finding.code.name, finding.message
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn codes_are_distinct_kebab_case_and_explained() {
    let mut names = BTreeSet::new();
    for code in lint::codes() {
        let name = code.name;
        assert!(names.insert(name), "two codes are named `{name}`");
        let kebab = name.split('-').all(|part| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|char| char.is_ascii_lowercase() || char.is_ascii_digit())
        });
        assert!(kebab, "`{name}`");
        assert!(
            !code.summary.is_empty() && !code.summary.ends_with('.'),
            "`{name}`: summary"
        );
        assert!(code.why.ends_with('.'), "`{name}`: why");
    }
}

#[test]
fn each_code_has_its_page() {
    let codes = lint::codes();
    for code in &codes {
        support::expect_generated(&format!("docs/codes/{}.md", code.name), &page(code));
    }
    support::expect_generated("docs/codes/README.md", &index(&codes));
    let known: BTreeSet<String> = codes.iter().map(|code| code.name.to_owned()).collect();
    for file in support::files_below(&support::root().join("docs/codes"), "md") {
        let stem = file.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(
            stem == "README" || known.contains(&stem),
            "no code is named as {}",
            file.display()
        );
    }
}

const MADE: &str = "<!-- Made from the code's own description; rewrite with PANOPOL_UPDATE_DOCS=1 cargo test --test it lint -->";

fn page(code: &Code) -> String {
    let mut page = format!(
        "# {}\n\n{MADE}\n\n{} ({}).\n\n{}\n",
        code.name,
        capitalized(code.summary),
        code.severity.word(),
        code.why,
    );
    if has_examples(code) {
        // Only one whole file that is right is highlighted as such, and compiled by other tests.
        let language = if code.good.starts_with("# file:") {
            "text"
        } else {
            "pano"
        };
        let (bad, good) = (clean(code.bad.trim_end()), clean(code.good.trim_end()));
        write!(
            page,
            "\nWrong:\n\n```text\n{bad}\n```\n\nRight:\n\n```{language}\n{good}\n```\n"
        )
        .unwrap();
    }
    page
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn index(codes: &[&Code]) -> String {
    let mut page = format!(
        "# Codes\n\n{MADE}\n\nEvery finding carries a code; `panopol lint --explain CODE` shows the same pages.\n\n\
         | code | severity | what is wrong |\n| --- | --- | --- |\n"
    );
    for code in codes {
        let (name, severity, summary) = (code.name, code.severity.word(), code.summary);
        let summary = summary.replace('|', "\\|");
        writeln!(page, "| [{name}]({name}.md) | {severity} | {summary} |").unwrap();
    }
    page
}

/// A file in `tests/data/lint/` says on its first line which codes it is about,
/// `# about CODE, CODE`, and marks each finding of those under its line:
/// `#   ^^^ warning[code]`. One named `*.production.pano` is for production.
#[test]
fn marked_files_get_exactly_the_marked_findings() {
    let mut wrong = String::new();
    let files = support::files_below(&support::root().join("tests/data/lint"), "pano");
    assert!(!files.is_empty());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let production = file.to_str().unwrap().ends_with(".production.pano");
        let profile = if production {
            Profile::Production
        } else {
            Profile::Development
        };
        let (findings, checked) = findings(&text, profile);
        let about = text.lines().next().unwrap().strip_prefix("# about ");
        let about: Vec<&str> = about.unwrap().split(", ").collect();
        let found: BTreeSet<String> = findings
            .iter()
            .filter(|finding| about.contains(&finding.code.name))
            .map(|finding| {
                let at = checked
                    .sources
                    .position(finding.primary.as_ref().unwrap().span);
                let (severity, code) = (finding.severity.word(), finding.code.name);
                format!("{}:{} {severity}[{code}]", at.line, at.column)
            })
            .collect();
        let expected = marks(&text);
        if found != expected {
            let name = file.file_name().unwrap();
            writeln!(wrong, "{name:?}: found {found:#?}, marked {expected:#?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn marks(text: &str) -> BTreeSet<String> {
    let mut marks = BTreeSet::new();
    let mut line_of_code = 0;
    for (index, line) in text.lines().enumerate() {
        let mark = line.trim_start().strip_prefix('#').map(str::trim_start);
        match mark.filter(|mark| mark.starts_with('^')) {
            Some(mark) => {
                let column = line.find('^').unwrap() + 1;
                let what = mark.trim_start_matches('^').trim();
                marks.insert(format!("{line_of_code}:{column} {what}"));
            }
            None => line_of_code = index + 1,
        }
    }
    marks
}
