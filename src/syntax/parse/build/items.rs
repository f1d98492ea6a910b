//! Declarations: vocabulary and people; dispatch to the rest.

use super::{Builder, Built, Node, Parts};
use crate::diagnostic::Diagnostic;
use crate::source::Spanned;
use crate::syntax::codes;
use crate::syntax::parse::grammar::Rule;
use crate::syntax::tree::{
    DayRange, DefaultsItem, Delegate, ItemKind, NetworkBody, NetworkItem, PersonItem,
    PersonStatement, RoleGrant, ScheduleItem, Scope, ScopeItem, ServiceItem, ServiceStatement,
    TagAssign, TagDomain, TagItem, TeamItem,
};
use crate::vocabulary::{Effect, Weekday};

impl Builder {
    /// One declaration.
    pub(in super::super) fn item(&mut self, node: Node<'_>) -> Option<Built> {
        let span = self.span(&node);
        let kind = match node.as_rule() {
            Rule::edition_item => return self.edition(node).map(Built::Edition),
            Rule::tag_item => ItemKind::Tag(self.tag_item(node)?),
            Rule::network_item => ItemKind::Network(self.network_item(node)?),
            Rule::schedule_item => ItemKind::Schedule(self.schedule_item(node)?),
            Rule::project_item => ItemKind::Project(self.scope_item(node)?),
            Rule::profile_item => ItemKind::Profile(self.scope_item(node)?),
            Rule::defaults_item => ItemKind::Defaults(self.defaults_item(node)),
            Rule::person_item => ItemKind::Person(self.person_item(node)?),
            Rule::service_item => ItemKind::Service(self.service_item(node)?),
            Rule::team_item => ItemKind::Team(self.team_item(node)?),
            Rule::unlock_item => ItemKind::Unlock(self.unlock_item(node)?),
            Rule::allow_once_item => ItemKind::AllowOnce(self.allow_once_item(node)?),
            Rule::approval_item => ItemKind::Approval(self.approval_item(node)?),
            Rule::issuance_item => ItemKind::Issuance(self.issuance_item(node)?),
            Rule::invariant_item => ItemKind::Invariant(self.invariant_item(node)?),
            Rule::bypass_item => ItemKind::Bypass(self.bypass_item(node)?),
            Rule::test_item => ItemKind::Test(self.test_item(node)?),
            _ => return None,
        };
        Some(Built::Item(Spanned::new(kind, span)))
    }

    fn edition(&mut self, node: Node<'_>) -> Option<Spanned<u32>> {
        let number = self.integer(Parts::of(node).find(Rule::quantity)?)?;
        let value = u32::try_from(number.value).unwrap_or(u32::MAX);
        if value != 2026 {
            self.diagnostics.push(
                Diagnostic::new(
                    &codes::EDITION,
                    number.span,
                    format!("edition {} is not known", number.value),
                )
                .help("the editions are: `2026`"),
            );
        }
        Some(Spanned::new(value, number.span))
    }

    fn tag_item(&mut self, node: Node<'_>) -> Option<TagItem> {
        let mut parts = Parts::of(node);
        let name = self.name(parts.find(Rule::name)?);
        let required = parts.has(Rule::k_required);
        let mut values = Vec::new();
        while let Some(value) = parts.find(Rule::name) {
            values.push(self.name(value));
        }
        let is_text = matches!(values.as_slice(), [only] if only.value == "text");
        let domain = if is_text {
            TagDomain::Text
        } else {
            TagDomain::Closed(values)
        };
        Some(TagItem {
            name,
            domain,
            required,
        })
    }

    fn network_item(&mut self, node: Node<'_>) -> Option<NetworkItem> {
        let mut parts = Parts::of(node);
        let name = self.name(parts.find(Rule::name)?);
        let body = match parts.find(Rule::file_source) {
            Some(file) => NetworkBody::File(self.text(Parts::of(file).find(Rule::text)?)),
            None => NetworkBody::List(self.list(parts.find(Rule::sources)?, Self::source)),
        };
        Some(NetworkItem { name, body })
    }

    fn schedule_item(&mut self, node: Node<'_>) -> Option<ScheduleItem> {
        let mut parts = Parts::of(node);
        let name = self.name(parts.find(Rule::name)?);
        let days = self.list(parts.find(Rule::days)?, Self::day);
        let start = self.clock(parts.find(Rule::clock)?, false);
        let end = self.clock(parts.find(Rule::clock)?, true);
        let zone = self.text(parts.find(Rule::text)?);
        let (start, end) = (start?, end?);
        if start.value == end.value {
            self.diagnostics.push(
                Diagnostic::new(
                    &codes::LITERAL,
                    start.span.to(end.span),
                    "this window is empty: it ends where it starts",
                )
                .help("the end is exclusive; a whole day is `00:00..24:00`"),
            );
        }
        Some(ScheduleItem {
            name,
            days,
            start,
            end,
            zone,
        })
    }

    fn day(&mut self, node: Node<'_>) -> Option<Spanned<DayRange>> {
        let span = self.span(&node);
        let mut parts = Parts::of(node);
        let first = self.closed::<Weekday>(parts.find(Rule::name)?);
        let last = match parts.find(Rule::name) {
            Some(last) => self.closed::<Weekday>(last)?.value,
            None => first?.value,
        };
        let first = first?.value;
        Some(Spanned::new(DayRange { first, last }, span))
    }

    fn scope_item(&mut self, node: Node<'_>) -> Option<ScopeItem> {
        let mut parts = Parts::of(node);
        let name = self.name(parts.find(Rule::name)?);
        let tags = self.statements(parts, Self::tags);
        Some(ScopeItem { name, tags })
    }

    pub(in super::super) fn tags(&mut self, node: Node<'_>) -> Option<Vec<TagAssign>> {
        let assigns = Parts::of(node).find(Rule::assigns)?;
        Some(self.assigns(assigns))
    }

    /// `{ env = dev }`, possibly empty.
    pub(super) fn assigns(&mut self, node: Node<'_>) -> Vec<TagAssign> {
        self.elements(Parts::of(node), &mut Self::assign).0
    }

    fn assign(&mut self, node: Node<'_>) -> Option<TagAssign> {
        let mut parts = Parts::of(node);
        let tag = self.name(parts.find(Rule::name)?);
        let value = self.value(parts.last()?)?;
        Some(TagAssign { tag, value })
    }

    fn defaults_item(&mut self, node: Node<'_>) -> DefaultsItem {
        let mut parts = Parts::of(node);
        parts.find(Rule::k_defaults);
        DefaultsItem {
            issuance: self.statements(parts, Self::default_issuance),
        }
    }

    pub(in super::super) fn default_issuance(&mut self, node: Node<'_>) -> Option<Effect> {
        let word = Parts::of(node).find(Rule::name)?;
        Some(self.closed::<Effect>(word)?.value)
    }

    fn person_item(&mut self, node: Node<'_>) -> Option<PersonItem> {
        let mut parts = Parts::of(node);
        let name = self.name(parts.find(Rule::name)?);
        let statements = self.statements(parts, Self::person_statement);
        Some(PersonItem { name, statements })
    }

    pub(in super::super) fn person_statement(&mut self, node: Node<'_>) -> Option<PersonStatement> {
        let rule = node.as_rule();
        let mut parts = Parts::of(node.clone());
        Some(match rule {
            Rule::email_statement => PersonStatement::Email(self.text(parts.find(Rule::text)?)),
            Rule::role_statement => PersonStatement::Role(self.role(node)?),
            _ => {
                let to = self.name(parts.find(Rule::name)?);
                let from = self.moment(parts.find(Rule::moment)?);
                let until = self.moment(parts.find(Rule::moment)?);
                PersonStatement::Delegate(Delegate {
                    to,
                    from: from?,
                    until: until?,
                })
            }
        })
    }

    fn role(&mut self, node: Node<'_>) -> Option<RoleGrant> {
        let mut parts = Parts::of(node);
        let role = self.closed(parts.find(Rule::name)?);
        let scopes = self.list(parts.find(Rule::scopes)?, Self::scope);
        Some(RoleGrant {
            role: role?,
            scopes,
        })
    }

    fn scope(&mut self, node: Node<'_>) -> Option<Spanned<Scope>> {
        let span = self.span(&node);
        let scope = match Parts::of(node).find(Rule::name) {
            Some(project) => Scope::Project(self.name(project)),
            None => Scope::Org,
        };
        Some(Spanned::new(scope, span))
    }

    fn service_item(&mut self, node: Node<'_>) -> Option<ServiceItem> {
        let mut parts = Parts::of(node);
        let name = self.name(parts.find(Rule::name)?);
        let statements = self.statements(parts, Self::service_statement);
        Some(ServiceItem { name, statements })
    }

    pub(in super::super) fn service_statement(
        &mut self,
        node: Node<'_>,
    ) -> Option<ServiceStatement> {
        Some(match node.as_rule() {
            Rule::owner_statement => {
                ServiceStatement::Owner(self.name(Parts::of(node).find(Rule::name)?))
            }
            _ => ServiceStatement::Role(self.role(node)?),
        })
    }

    fn team_item(&mut self, node: Node<'_>) -> Option<TeamItem> {
        let mut parts = Parts::of(node);
        let name = self.name(parts.find(Rule::name)?);
        let members = self.list(parts.find(Rule::names)?, Self::some_name);
        Some(TeamItem { name, members })
    }
}
