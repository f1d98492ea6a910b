//! Declarations as heads, lines and blocks.

use super::line::{Element, Line, Part};
use super::literal;
use crate::source::Span;
use crate::syntax::tree::{Item, ItemKind, Name, NetworkBody, TagDomain};

/// What follows the name of a declaration.
pub(super) enum Body {
    /// `= …`, in a line whose phrase is left empty.
    Equals(Line),
    /// `{ … }`; `short` ones may stand on one line.
    Block { lines: Vec<Line>, short: bool },
    /// Nothing.
    Bare,
}

/// A declaration.
pub(super) struct Shape {
    pub(super) span: Span,
    pub(super) keyword: &'static str,
    pub(super) name: String,
    /// Where the name ends: comments before that go in front.
    pub(super) name_end: u32,
    pub(super) body: Body,
}

impl Shape {
    fn new(item: &Item, keyword: &'static str, name: &Name, body: Body) -> Self {
        Shape {
            span: item.span,
            keyword,
            name: name.value.clone(),
            name_end: name.span.end,
            body,
        }
    }

    fn block(item: &Item, keyword: &'static str, name: &Name, lines: Vec<Line>) -> Self {
        Self::new(
            item,
            keyword,
            name,
            Body::Block {
                lines,
                short: false,
            },
        )
    }

    fn short(item: &Item, keyword: &'static str, name: &Name, lines: Vec<Line>) -> Self {
        Self::new(item, keyword, name, Body::Block { lines, short: true })
    }

    fn equals(item: &Item, keyword: &'static str, name: &Name, parts: Vec<Part>) -> Self {
        let mut line = Line::new(item.span, "");
        line.parts = parts;
        Self::new(item, keyword, name, Body::Equals(line))
    }

    /// Shapes `item`.
    pub(super) fn of(item: &Item) -> Self {
        match &item.value {
            ItemKind::Tag(tag) => {
                let mut parts = vec![domain(&tag.domain)];
                if tag.required {
                    parts.push(Part::Words("required".to_owned()));
                }
                Self::equals(item, "tag", &tag.name, parts)
            }
            ItemKind::Network(network) => {
                Self::equals(item, "network", &network.name, vec![body(&network.body)])
            }
            ItemKind::Schedule(schedule) => {
                let days = elements(&schedule.days, |day| (day.span, literal::days(day.value)));
                let window = format!(
                    "{}..{} in {}",
                    literal::clock(schedule.start.value),
                    literal::clock(schedule.end.value),
                    literal::string(&schedule.zone.value)
                );
                let parts = vec![
                    Part::List(super::line::Fence::Square, days),
                    Part::Words(window),
                ];
                Self::equals(item, "schedule", &schedule.name, parts)
            }
            ItemKind::Team(team) => {
                let parts = vec![Part::List(super::line::Fence::Square, names(&team.members))];
                Self::equals(item, "team", &team.name, parts)
            }
            ItemKind::Project(scope) if scope.tags.is_empty() => {
                Self::new(item, "project", &scope.name, Body::Bare)
            }
            ItemKind::Profile(scope) if scope.tags.is_empty() => {
                Self::new(item, "profile", &scope.name, Body::Bare)
            }
            ItemKind::Project(scope) => Self::short(item, "project", &scope.name, scope.lines()),
            ItemKind::Profile(scope) => Self::short(item, "profile", &scope.name, scope.lines()),
            ItemKind::Defaults(defaults) => Shape {
                span: item.span,
                keyword: "defaults",
                name: String::new(),
                name_end: item.span.start,
                body: Body::Block {
                    lines: defaults.lines(),
                    short: true,
                },
            },
            ItemKind::Person(person) => Self::short(item, "person", &person.name, person.lines()),
            ItemKind::Service(service) => {
                Self::short(item, "service", &service.name, service.lines())
            }
            ItemKind::Unlock(rule) => Self::block(item, "unlock", &rule.name, rule.lines()),
            ItemKind::AllowOnce(once) => Self::block(item, "allow-once", &once.name, once.lines()),
            ItemKind::Approval(group) => Self::block(item, "approval", &group.name, group.lines()),
            ItemKind::Issuance(policy) => {
                Self::block(item, "issuance", &policy.name, policy.lines())
            }
            ItemKind::Invariant(invariant) => {
                Self::block(item, "invariant", &invariant.name, invariant.lines())
            }
            ItemKind::Bypass(bypass) => Self::block(item, "bypass", &bypass.name, bypass.lines()),
            ItemKind::Test(test) => {
                let mut shape = Self::block(item, "test", &test.name, test.lines());
                shape.name = literal::string(&test.name.value);
                shape
            }
        }
    }
}

fn domain(domain: &TagDomain) -> Part {
    match domain {
        TagDomain::Text => Part::Words("text".to_owned()),
        TagDomain::Closed(values) => Part::Chain(
            values
                .iter()
                .enumerate()
                .map(|(at, value)| match at {
                    0 => value.value.clone(),
                    _ => format!("| {}", value.value),
                })
                .collect(),
        ),
    }
}

fn body(body: &NetworkBody) -> Part {
    match body {
        NetworkBody::File(path) => Part::Words(format!("file {}", literal::string(&path.value))),
        NetworkBody::List(sources) => Part::List(
            super::line::Fence::Square,
            super::statements::sources(sources),
        ),
    }
}

/// List elements of anything that has a place and a text.
pub(super) fn elements<T>(list: &[T], element: impl Fn(&T) -> (Span, String)) -> Vec<Element> {
    list.iter()
        .map(|one| {
            let (span, text) = element(one);
            Element { span, text }
        })
        .collect()
}

/// List elements of names.
pub(super) fn names(names: &[Name]) -> Vec<Element> {
    elements(names, |name| (name.span, name.value.clone()))
}
