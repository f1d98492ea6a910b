//! The statements of each block as lines.

use super::line::{Element, Line};
use super::literal;
use super::shape::{elements, names};
use crate::source::{Span, Spanned};
use crate::syntax::tree::{
    AllowOnceItem, AllowOnceStatement, ApprovalItem, ApprovalStatement, Approver, Approvers,
    BypassItem, BypassStatement, Compare, CompareOp, DefaultsItem, InvariantItem, InvariantLine,
    IssuanceItem, IssuanceRegion, IssuanceStatement, Need, PersonItem, PersonStatement, RoleGrant,
    SanPattern, Scope, ScopeItem, Selector, ServiceItem, ServiceStatement, Source, SourceLine,
    TagAssign, Text, Trigger, TriggerOn, UnlockItem, UnlockRegion, UnlockStatement, Value,
};

/// The elements of a source list.
pub(super) fn sources(sources: &[Source]) -> Vec<Element> {
    elements(sources, |source| {
        let span = match source {
            Source::Network(name) => name.span,
            Source::Prefix(literal) => literal.span,
        };
        (span, literal::source(source))
    })
}

/// The elements of `{ env = dev }`.
pub(super) fn assigns(assigns: &[TagAssign]) -> Vec<Element> {
    elements(assigns, |assign| {
        let end = match &assign.value {
            Value::Word(name) => name.span,
            Value::Text(text) => text.span,
        };
        let text = format!("{} = {}", assign.tag.value, literal::value(&assign.value));
        (assign.tag.span.to(end), text)
    })
}

fn words<T: std::fmt::Display>(words: &[Spanned<T>]) -> Vec<Element> {
    elements(words, |word| (word.span, word.value.to_string()))
}

fn texts(texts: &[Text]) -> Vec<Element> {
    elements(texts, |text| (text.span, literal::string(&text.value)))
}

fn patterns(patterns: &[SanPattern]) -> Vec<Element> {
    elements(patterns, |pattern| match pattern {
        SanPattern::Text(text) => (text.span, literal::string(&text.value)),
        SanPattern::Prefix(prefix) => (prefix.span, literal::prefix(prefix.value)),
    })
}

fn approvers(approvers: &[Approver]) -> Vec<Element> {
    elements(approvers, |approver| match approver {
        Approver::Team(name) => (name.span, format!("team {}", name.value)),
        Approver::Person(name) => (name.span, format!("person {}", name.value)),
    })
}

/// Lines of statements, each made by `line`.
fn lines<T>(statements: &[Spanned<T>], line: impl Fn(Span, &T) -> Line) -> Vec<Line> {
    statements
        .iter()
        .map(|statement| line(statement.span, &statement.value))
        .collect()
}

impl ScopeItem {
    pub(super) fn lines(&self) -> Vec<Line> {
        lines(&self.tags, |span, tags| {
            Line::new(span, "tags").braces(assigns(tags))
        })
    }
}

impl DefaultsItem {
    pub(super) fn lines(&self) -> Vec<Line> {
        lines(&self.issuance, |span, effect| {
            Line::new(span, "issuance").words(effect.word())
        })
    }
}

fn role(span: Span, grant: &RoleGrant) -> Line {
    let scopes = elements(&grant.scopes, |scope| {
        let text = match &scope.value {
            Scope::Org => "org".to_owned(),
            Scope::Project(name) => format!("project {}", name.value),
        };
        (scope.span, text)
    });
    Line::new(span, "role")
        .words(format!("{} in", grant.role.value))
        .list(scopes)
}

impl PersonItem {
    pub(super) fn lines(&self) -> Vec<Line> {
        lines(&self.statements, |span, statement| match statement {
            PersonStatement::Email(text) => {
                Line::new(span, "email").words(literal::string(&text.value))
            }
            PersonStatement::Role(grant) => role(span, grant),
            PersonStatement::Delegate(delegate) => Line::new(span, "delegate").words(format!(
                "{} from {} until {}",
                delegate.to.value, delegate.from.text.value, delegate.until.text.value
            )),
        })
    }
}

impl ServiceItem {
    pub(super) fn lines(&self) -> Vec<Line> {
        lines(&self.statements, |span, statement| match statement {
            ServiceStatement::Owner(name) => Line::new(span, "owner").words(&name.value),
            ServiceStatement::Role(grant) => role(span, grant),
        })
    }
}

impl UnlockItem {
    pub(super) fn lines(&self) -> Vec<Line> {
        lines(&self.statements, |span, statement| match statement {
            UnlockStatement::Where(selector) => where_line(span, selector),
            UnlockStatement::Sources(line) => source_line(span, line),
        })
    }
}

fn where_line(span: Span, selector: &Selector) -> Line {
    Line::new(span, "where").chain(chain(selector))
}

fn source_line(span: Span, line: &SourceLine) -> Line {
    let start = Line::new(span, line.effect.word())
        .words("from")
        .list(sources(&line.sources));
    if line.during.is_empty() {
        start
    } else {
        start.words("during").list(names(&line.during))
    }
}

impl AllowOnceItem {
    pub(super) fn lines(&self) -> Vec<Line> {
        lines(&self.statements, |span, statement| match statement {
            AllowOnceStatement::Where(selector) => where_line(span, selector),
            AllowOnceStatement::Overrides(overrides) => {
                Line::new(span, "overrides").list(words(overrides))
            }
            AllowOnceStatement::By(by) => Line::new(span, "by").list(approvers(by)),
            AllowOnceStatement::Max(max) => Line::new(span, "max").words(&max.text.value),
        })
    }
}

impl ApprovalItem {
    pub(super) fn lines(&self) -> Vec<Line> {
        lines(&self.statements, approval_line)
    }
}

fn approval_line(span: Span, statement: &ApprovalStatement) -> Line {
    let line = |phrase: &str| Line::new(span, phrase);
    match statement {
        ApprovalStatement::On(trigger) => trigger_line(span, trigger),
        ApprovalStatement::Approvers(who) => approvers_line(span, who),
        ApprovalStatement::Need(Need::Count(count)) => line("need").words(count.value.to_string()),
        ApprovalStatement::Need(Need::Clauses(clauses)) => {
            line("need").list(elements(clauses, |clause| {
                (
                    clause.count.span.to(clause.team.span),
                    format!("{} of team {}", clause.count.value, clause.team.value),
                )
            }))
        }
        ApprovalStatement::Expires(time) => line("expires").words(&time.text.value),
        ApprovalStatement::Claim(time) => line("claim").words(&time.text.value),
        ApprovalStatement::Collect { window, up_to } => {
            line("collect").words(format!("{} up to {}", window.text.value, up_to.value))
        }
        ApprovalStatement::Binds(binds) => line("binds").words(binds.value.word()),
        ApprovalStatement::DenyFor(time) => line("deny-for").words(&time.text.value),
        ApprovalStatement::Escalate { after, to } => line("escalate")
            .words(format!("after {} to", after.text.value))
            .list(approvers(to)),
        ApprovalStatement::Mandatory => line("mandatory"),
        ApprovalStatement::ReasonRequired => line("reason").words("required"),
        ApprovalStatement::CommentRequired => line("comment").words("required on reject"),
        ApprovalStatement::TicketRequired(None) => line("ticket").words("required"),
        ApprovalStatement::TicketRequired(Some(pattern)) => {
            line("ticket").words(format!("required {}", literal::regex(&pattern.value)))
        }
    }
}

fn trigger_line(span: Span, trigger: &Trigger) -> Line {
    let line = Line::new(span, "on");
    let line = match &trigger.on.value {
        TriggerOn::Unlock => line.words("unlock"),
        TriggerOn::Actions(actions) => line.list(words(actions)),
    };
    match &trigger.selector {
        None => line,
        Some(selector) => line.words("where").chain(chain(selector)),
    }
}

fn approvers_line(span: Span, who: &Approvers) -> Line {
    let line = Line::new(span, "approvers");
    match (&who.tier_above, who.listed.is_empty()) {
        (Some(_), true) => line.words("tier-above"),
        (Some(_), false) => line.words("tier-above or").list(approvers(&who.listed)),
        (None, _) => line.list(approvers(&who.listed)),
    }
}

impl IssuanceItem {
    pub(super) fn lines(&self) -> Vec<Line> {
        lines(&self.statements, issuance_line)
    }
}

fn issuance_line(span: Span, statement: &IssuanceStatement) -> Line {
    let line = |phrase: &str| Line::new(span, phrase);
    match statement {
        IssuanceStatement::Where(selector) => where_line(span, selector),
        IssuanceStatement::KeyTypes(types) => line("key-types").list(words(types)),
        IssuanceStatement::IssuerTypes(types) => line("issuer-types").list(words(types)),
        IssuanceStatement::IssuerIds(ids) => line("issuer-ids").list(texts(ids)),
        IssuanceStatement::San { kind, allow, deny } => {
            let mut line = Line::new(span, format!("san {}", kind.value));
            if !allow.is_empty() {
                line = line.words("allow").list(patterns(allow));
            }
            if !deny.is_empty() {
                line = line.words("deny").list(patterns(deny));
            }
            line
        }
        IssuanceStatement::SanMax(max) => line("san max").words(max.value.to_string()),
        IssuanceStatement::Naming(pattern) => line("naming").words(literal::regex(&pattern.value)),
        IssuanceStatement::LifetimeMax(max) => {
            line("lifetime").words(format!("max {}", max.text.value))
        }
        IssuanceStatement::AutoRenewRequired => line("auto-renew").words("required"),
        IssuanceStatement::KeyExportForbidden => line("key-export").words("forbidden"),
    }
}

impl InvariantItem {
    pub(super) fn lines(&self) -> Vec<Line> {
        lines(&self.lines, |span, line| match line {
            InvariantLine::NeverAllowUnlock(region) => {
                unlock_region(Line::new(span, "never allow unlock"), region)
            }
            InvariantLine::AlwaysReachableUnlock(region) => {
                unlock_region(Line::new(span, "always reachable unlock"), region)
            }
            InvariantLine::NeverAllowIssuance(region) => issuance_region(span, region),
        })
    }
}

fn unlock_region(mut line: Line, region: &UnlockRegion) -> Line {
    if let Some(selector) = &region.selector {
        line = line.words("where").chain(chain(selector));
    }
    if let Some(from) = &region.from {
        let word = if from.outside { "from outside" } else { "from" };
        line = line.words(word).list(sources(&from.sources));
    }
    match &region.without_approval {
        None => line,
        Some(without) => match &without.by {
            None => line.words("without approval"),
            Some(group) => line.words(format!("without approval by {}", group.value)),
        },
    }
}

fn issuance_region(span: Span, region: &IssuanceRegion) -> Line {
    let mut line = Line::new(span, "never allow issuance");
    if let Some(selector) = &region.selector {
        line = line.words("where").chain(chain(selector));
    }
    if !region.key_types.is_empty() {
        line = line.words("with key-type").list(words(&region.key_types));
    }
    if let Some((kind, names)) = &region.san {
        line = line
            .words(format!("with san {}", kind.value))
            .list(patterns(names));
    }
    line
}

impl BypassItem {
    pub(super) fn lines(&self) -> Vec<Line> {
        lines(&self.statements, |span, statement| match statement {
            BypassStatement::On(trigger) => trigger_line(span, trigger),
            BypassStatement::Reason(text) => {
                Line::new(span, "reason").words(literal::string(&text.value))
            }
            BypassStatement::Until(moment) => Line::new(span, "until").words(&moment.text.value),
        })
    }
}

/// A selector as the links of a chain that may be broken before its connectives.
fn chain(selector: &Selector) -> Vec<String> {
    let (terms, connective) = match selector {
        Selector::And(terms) => (terms.as_slice(), "and"),
        Selector::Or(terms) => (terms.as_slice(), "or"),
        Selector::Not(..) | Selector::Compare(_) | Selector::Has(_) => return vec![term(selector)],
    };
    terms
        .iter()
        .enumerate()
        .map(|(at, one)| match at {
            0 => term(one),
            _ => format!("{connective} {}", term(one)),
        })
        .collect()
}

/// A selector as a term of another: chains in parentheses.
fn term(selector: &Selector) -> String {
    match selector {
        Selector::And(_) | Selector::Or(_) => format!("({})", chain(selector).join(" ")),
        Selector::Not(_, inner) => format!("not {}", term(inner)),
        Selector::Has(name) => format!("has {}", name.value),
        Selector::Compare(compare) => comparison(compare),
    }
}

fn comparison(compare: &Compare) -> String {
    let subject = &compare.subject.value;
    let values: Vec<String> = compare.values.iter().map(literal::value).collect();
    match (compare.op.value, values.as_slice()) {
        (CompareOp::NotEqual, _) => format!("{subject} != {}", values.join(", ")),
        (CompareOp::Equal, _) | (CompareOp::In, [_]) => {
            format!("{subject} == {}", values.join(", "))
        }
        (CompareOp::In, _) => format!("{subject} in [{}]", values.join(", ")),
    }
}
