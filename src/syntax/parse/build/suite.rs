//! Tests in policy files.

use super::{Builder, Node, Parts};
use crate::source::Spanned;
use crate::syntax::parse::grammar::Rule;
use crate::syntax::tree::{
    Expect, Fact, IssuanceExpectation, Member, MemberValue, Moment, TestItem, TestStatement,
    UnlockExpectation,
};

impl Builder {
    pub(super) fn test_item(&mut self, node: Node<'_>) -> Option<TestItem> {
        let mut parts = Parts::of(node);
        let name = self.text(parts.find(Rule::text)?);
        let statements = self.statements(parts, Self::test_statement);
        Some(TestItem { name, statements })
    }

    pub(in super::super) fn test_statement(&mut self, node: Node<'_>) -> Option<TestStatement> {
        let rule = node.as_rule();
        let mut parts = Parts::of(node);
        Some(match rule {
            Rule::device_statement => {
                TestStatement::Device(self.assigns(parts.find(Rule::assigns)?))
            }
            Rule::request_statement => {
                TestStatement::Request(self.members(parts.find(Rule::members)?))
            }
            Rule::unlock_expectation => {
                let from = self.address(&parts.find(Rule::addr)?);
                let (at, given, expect) = self.expectation(parts)?;
                TestStatement::Unlock(UnlockExpectation {
                    from: from?,
                    at,
                    given,
                    expect,
                })
            }
            _ => {
                let (at, given, expect) = self.expectation(parts)?;
                TestStatement::Issuance(IssuanceExpectation { at, given, expect })
            }
        })
    }

    #[allow(
        clippy::type_complexity,
        reason = "the three parts both expectations share"
    )]
    fn expectation(
        &mut self,
        mut parts: Parts<'_>,
    ) -> Option<(Option<Moment>, Vec<Spanned<Fact>>, Spanned<Expect>)> {
        let mut complete = true;
        let mut at = None;
        if let Some(clause) = parts.find(Rule::at_clause) {
            at = self.moment(Parts::of(clause).find(Rule::moment)?);
            complete = at.is_some();
        }
        let mut given = Vec::new();
        if let Some(clause) = parts.find(Rule::given_clause) {
            let facts = Parts::of(clause).filter(|part| part.as_rule() == Rule::fact);
            given.extend(facts.filter_map(|fact| self.fact(fact)));
        }
        let expect = self.outcome(parts.find(Rule::outcome)?)?;
        complete.then_some((at, given, expect))
    }

    fn fact(&mut self, node: Node<'_>) -> Option<Spanned<Fact>> {
        let span = self.span(&node);
        let mut parts = Parts::of(node);
        let fact = match parts.next()?.as_rule() {
            Rule::k_disabled => Fact::Disabled,
            Rule::k_revoked => Fact::Revoked,
            Rule::k_denied => Fact::Denied,
            Rule::k_approved => Fact::ApprovedBy(self.name(parts.find(Rule::name)?)),
            _ => Fact::AllowOnce(self.name(parts.find(Rule::name)?)),
        };
        Some(Spanned::new(fact, span))
    }

    fn outcome(&mut self, node: Node<'_>) -> Option<Spanned<Expect>> {
        let span = self.span(&node);
        let mut parts = Parts::of(node);
        let is_deny = parts.has(Rule::k_deny);
        let expect = match parts.find(Rule::names) {
            None => Expect::Allow,
            Some(codes) if is_deny => Expect::Deny(self.list(codes, Self::some_name)),
            Some(groups) => Expect::Pending(self.list(groups, Self::some_name)),
        };
        Some(Spanned::new(expect, span))
    }

    fn members(&mut self, node: Node<'_>) -> Vec<Member> {
        self.elements(Parts::of(node), &mut Self::member).0
    }

    fn member(&mut self, node: Node<'_>) -> Option<Member> {
        let mut parts = Parts::of(node);
        let name = self.name(parts.find(Rule::name)?);
        let node = parts.last()?;
        let span = self.span(&node);
        let value = match node.as_rule() {
            Rule::text => MemberValue::Text(self.text(node).value),
            Rule::members => MemberValue::Members(self.members(node)),
            Rule::member_list => {
                MemberValue::List(self.elements(Parts::of(node), &mut Self::some_text).0)
            }
            Rule::quantity if node.as_str().bytes().all(|byte| byte.is_ascii_digit()) => {
                MemberValue::Integer(self.integer(node)?.value)
            }
            Rule::quantity => MemberValue::Duration(self.duration(node)?),
            _ => match node.as_str() {
                "true" => MemberValue::Bool(true),
                "false" => MemberValue::Bool(false),
                // Key types have capitals, so any word is taken; `check` knows which fit.
                word => MemberValue::Word(word.to_owned()),
            },
        };
        Some(Member {
            name,
            value: Spanned::new(value, span),
        })
    }
}
