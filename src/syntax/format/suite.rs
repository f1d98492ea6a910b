//! The lines of tests.

use super::WIDTH;
use super::line::{Line, width};
use super::literal;
use super::shape::elements;
use super::statements::assigns;
use crate::source::{Span, Spanned};
use crate::syntax::tree::{
    Expect, Fact, Member, MemberValue, Moment, Name, TestItem, TestStatement,
};

impl TestItem {
    pub(super) fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = self
            .statements
            .iter()
            .map(|statement| line(statement.span, &statement.value))
            .collect();
        for run in lines.chunk_by_mut(|one, next| is_subject(one) == is_subject(next)) {
            align(run);
        }
        lines
    }
}

fn is_subject(line: &Line) -> bool {
    matches!(line.phrase.as_str(), "device" | "request")
}

/// Puts the expectations of a run below each other, if all then still fit.
fn align(run: &mut [Line]) {
    let widest = run
        .iter()
        .map(|line| width(&line.phrase))
        .max()
        .unwrap_or(0);
    if run
        .iter()
        .any(|line| is_subject(line) || 2 + width(&line.flat(widest)) > WIDTH)
    {
        return;
    }
    for line in run {
        line.phrase = format!("{:widest$}", line.phrase);
    }
}

fn line(span: Span, statement: &TestStatement) -> Line {
    let line = Line::new(span, head(statement));
    match statement {
        TestStatement::Device(tags) => line.braces(assigns(tags)),
        TestStatement::Request(members) => line.braces(elements(members, |member| {
            (member.name.span.to(member.value.span), text(member))
        })),
        TestStatement::Unlock(one) => line.words(expectation(&one.expect.value)),
        TestStatement::Issuance(one) => line.words(expectation(&one.expect.value)),
    }
}

/// What stands before `expect`, or before the braces.
fn head(statement: &TestStatement) -> String {
    match statement {
        TestStatement::Device(_) => "device".to_owned(),
        TestStatement::Request(_) => "request".to_owned(),
        TestStatement::Unlock(one) => {
            let start = format!("unlock from {}", one.from.value);
            start + &at(one.at.as_ref()) + &given(&one.given)
        }
        TestStatement::Issuance(one) => {
            "issuance".to_owned() + &at(one.at.as_ref()) + &given(&one.given)
        }
    }
}

fn at(moment: Option<&Moment>) -> String {
    moment.map_or(String::new(), |moment| format!(" at {}", moment.text.value))
}

fn given(facts: &[Spanned<Fact>]) -> String {
    if facts.is_empty() {
        return String::new();
    }
    let facts: Vec<String> = facts
        .iter()
        .map(|fact| match &fact.value {
            Fact::Disabled => "disabled".to_owned(),
            Fact::Revoked => "revoked".to_owned(),
            Fact::Denied => "denied".to_owned(),
            Fact::ApprovedBy(group) => format!("approved by {}", group.value),
            Fact::AllowOnce(name) => format!("allow-once {}", name.value),
        })
        .collect();
    format!(" given {}", facts.join(", "))
}

fn expectation(expect: &Expect) -> String {
    match expect {
        Expect::Allow => "expect allow".to_owned(),
        Expect::Deny(codes) => format!("expect deny {}", bare(codes)),
        Expect::Pending(groups) => format!("expect pending by {}", bare(groups)),
    }
}

fn bare(names: &[Name]) -> String {
    let names: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
    match names.as_slice() {
        [only] => (*only).to_owned(),
        _ => format!("[{}]", names.join(", ")),
    }
}

fn text(member: &Member) -> String {
    format!("{} = {}", member.name.value, value(&member.value.value))
}

fn value(value: &MemberValue) -> String {
    match value {
        MemberValue::Word(word) => word.clone(),
        MemberValue::Text(text) => literal::string(text),
        MemberValue::Bool(yes) => yes.to_string(),
        MemberValue::Integer(number) => number.to_string(),
        MemberValue::Duration(duration) => duration.text.value.clone(),
        MemberValue::List(texts) => {
            let texts: Vec<String> = texts
                .iter()
                .map(|one| literal::string(&one.value))
                .collect();
            format!("[{}]", texts.join(", "))
        }
        MemberValue::Members(members) if members.is_empty() => "{}".to_owned(),
        MemberValue::Members(members) => {
            let members: Vec<String> = members.iter().map(text).collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}
