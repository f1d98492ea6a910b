//! `panopol lint`: what each code means.

use std::fmt::Write;

use clap::Args;

use super::answer::{Answer, Failure};
use crate::diagnostic::Code;
use crate::diagnostic::human::clean;
use crate::lint;

/// Explain the codes that findings carry
///
/// `check` runs the lints; this says why each exists, with a bad and a good
/// example.
#[derive(Args)]
#[command(after_help = "Examples:
  panopol lint --list
  panopol lint --explain unguarded-negation")]
#[group(required = true, multiple = false)]
pub(super) struct Lint {
    /// Say why a code exists, with a bad and a good example
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
    /// List every code in one line each
    #[arg(long)]
    list: bool,
}

impl Lint {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Answer, Failure> {
        let codes = lint::codes();
        let Some(name) = self.explain else {
            return Ok(Answer::of(list(&codes)));
        };
        match codes.iter().find(|code| code.name == name) {
            Some(code) => Ok(Answer::of(explain(code))),
            None => Err(Failure::new(format!("no code is named `{name}`"))
                .help("`panopol lint --list` lists them")
                .nearest(&name, codes.iter().map(|code| code.name))),
        }
    }
}

fn list(codes: &[&Code]) -> String {
    let width = codes.iter().map(|code| code.name.len()).max().unwrap_or(0);
    let line = |code: &&Code| {
        let (name, severity) = (code.name, code.severity.word());
        format!("{name:width$}  {severity:7}  {}\n", code.summary)
    };
    codes.iter().map(line).collect()
}

fn explain(code: &Code) -> String {
    let mut text = format!(
        "{} ({}): {}\n\n",
        code.name,
        code.severity.word(),
        code.summary
    );
    for paragraph in code.why.split("\n\n") {
        text.push_str(&wrap(paragraph, 78));
        text.push('\n');
    }
    let examples = [("Wrong:", code.bad), ("Right:", code.good)];
    for (title, example) in examples.iter().filter(|(_, example)| !example.is_empty()) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{title}\n");
        for line in example.lines() {
            let _ = writeln!(text, "{}", format!("    {line}").trim_end());
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len() + 1);
    clean(&text)
}

/// Breaks a paragraph at spaces so that no line is longer than `width`, where words allow.
fn wrap(paragraph: &str, width: usize) -> String {
    let mut text = String::new();
    let mut column = 0;
    for word in paragraph.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
    text
}
