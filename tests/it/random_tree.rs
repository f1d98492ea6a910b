//! Random trees of the whole language: every construct, any names and values, whether or
//! not they make sense together.

use std::net::IpAddr;

use panopol::address::{fold, fold_prefix};
use panopol::source::{FileId, Span, Spanned};
use panopol::syntax::tree::*;
use panopol::vocabulary::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn at<T>(value: T) -> Spanned<T> {
    Spanned::new(value, Span::new(FileId(0), 0..0))
}

fn spanned<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Spanned<T>> {
    of.prop_map(at)
}

fn word<T: Copy + std::fmt::Debug + 'static>(
    all: &'static [T],
) -> impl Strategy<Value = Spanned<T>> {
    select(all).prop_map(at)
}

/// Names, keywords among them.
pub(crate) fn name() -> impl Strategy<Value = Name> {
    let keywords = select(vec![
        "tag",
        "network",
        "where",
        "allow",
        "deny",
        "from",
        "during",
        "required",
        "unlock",
        "test",
        "role",
        "team",
        "file",
        "mandatory",
        "in2",
        "bad",
        "cafe",
        "on",
        "up",
        "allow-once",
    ])
    .prop_map(str::to_owned);
    prop_oneof![3 => "[a-z][a-z0-9-]{0,6}", 1 => keywords]
        .prop_filter("words of selectors are no names", |name| {
            !matches!(
                name.as_str(),
                "and" | "or" | "not" | "in" | "has" | "outside" | "text" | "true" | "false"
            )
        })
        .prop_map(at)
}

pub(crate) fn text() -> impl Strategy<Value = Text> {
    prop_oneof![r#"[a-z@.*/#"\\ ]{0,12}"#, any::<String>()].prop_map(at)
}

fn regex() -> impl Strategy<Value = Text> {
    r"\^[a-z/\[\]#]{1,8}(\\[.d])?\$".prop_map(at)
}

pub(crate) fn duration() -> impl Strategy<Value = Duration> {
    select(vec![
        ("90s", 90),
        ("1h30m", 5400),
        ("24h", 86400),
        ("7d", 604_800),
        ("2w", 1_209_600),
    ])
    .prop_map(|(text, seconds)| Duration {
        text: at(text.to_owned()),
        seconds,
    })
}

fn moment() -> impl Strategy<Value = Moment> {
    select(vec![
        "2027-06-30",
        "2026-12-20T08:00:00Z",
        "2026-12-20T08:00:00.5+01:00",
    ])
    .prop_map(|text| Moment {
        text: at(text.to_owned()),
        value: match text.parse() {
            Ok(date) if text.len() == 10 => MomentValue::Date(date),
            _ => MomentValue::Time(text.parse().unwrap()),
        },
    })
}

fn address() -> impl Strategy<Value = IpAddr> {
    any::<IpAddr>().prop_map(fold)
}

fn prefix() -> impl Strategy<Value = Spanned<ipnet::IpNet>> {
    (any::<IpAddr>(), 0..=128u8).prop_map(|(address, length)| {
        let most = if address.is_ipv4() { 32 } else { 128 };
        at(fold_prefix(
            ipnet::IpNet::new(address, length.min(most))
                .unwrap()
                .trunc(),
        ))
    })
}

fn few<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    vec(of, 1..5)
}

fn block<T: std::fmt::Debug>(
    of: impl Strategy<Value = T>,
) -> impl Strategy<Value = Vec<Spanned<T>>> {
    vec(of.prop_map(at), 0..4)
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        name().prop_map(Source::Network),
        prefix().prop_map(Source::Prefix)
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![name().prop_map(Value::Word), text().prop_map(Value::Text)]
}

fn assigns() -> impl Strategy<Value = Vec<TagAssign>> {
    vec(
        (name(), value()).prop_map(|(tag, value)| TagAssign { tag, value }),
        0..4,
    )
}

fn compare() -> impl Strategy<Value = Selector> {
    let one = (
        name(),
        select(vec![CompareOp::Equal, CompareOp::NotEqual]),
        vec(value(), 1),
    );
    let many = (name(), Just(CompareOp::In), vec(value(), 2..4));
    prop_oneof![one, many].prop_map(|(subject, op, values)| {
        Selector::Compare(Compare {
            subject,
            op: at(op),
            values,
        })
    })
}

pub(crate) fn selector() -> impl Strategy<Value = Selector> {
    let leaf = prop_oneof![3 => compare(), 1 => name().prop_map(Selector::Has)];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Selector::And),
            vec(inner.clone(), 2..4).prop_map(Selector::Or),
            inner.prop_map(|inner| Selector::Not(at(()), Box::new(inner))),
        ]
    })
}

fn approver() -> impl Strategy<Value = Approver> {
    prop_oneof![
        name().prop_map(Approver::Team),
        name().prop_map(Approver::Person)
    ]
}

fn role_grant() -> impl Strategy<Value = RoleGrant> {
    let scope = prop_oneof![Just(Scope::Org), name().prop_map(Scope::Project)];
    (word(Role::ALL), few(spanned(scope))).prop_map(|(role, scopes)| RoleGrant { role, scopes })
}

fn trigger() -> impl Strategy<Value = Trigger> {
    let on = prop_oneof![
        Just(TriggerOn::Unlock),
        few(word(Action::ALL)).prop_map(TriggerOn::Actions)
    ];
    (on, option::of(selector())).prop_map(|(on, selector)| Trigger {
        on: at(on),
        selector,
    })
}

fn pattern() -> impl Strategy<Value = SanPattern> {
    prop_oneof![
        text().prop_map(SanPattern::Text),
        prefix().prop_map(SanPattern::Prefix)
    ]
}

fn vocabulary() -> impl Strategy<Value = ItemKind> {
    let domain = prop_oneof![
        Just(TagDomain::Text),
        few(name()).prop_map(TagDomain::Closed)
    ];
    let tag = (name(), domain, any::<bool>()).prop_map(|(name, domain, required)| {
        ItemKind::Tag(TagItem {
            name,
            domain,
            required,
        })
    });
    let body = prop_oneof![
        1 => text().prop_map(NetworkBody::File),
        3 => vec(source(), 1..12).prop_map(NetworkBody::List)
    ];
    let network =
        (name(), body).prop_map(|(name, body)| ItemKind::Network(NetworkItem { name, body }));
    let day = (select(Weekday::ALL), select(Weekday::ALL))
        .prop_map(|(first, last)| at(DayRange { first, last }));
    let schedule = (name(), few(day), 0..1440u16, 0..=1440u16, text())
        .prop_filter("a window is not empty", |(_, _, start, end, _)| {
            start != end
        })
        .prop_map(|(name, days, start, end, zone)| {
            ItemKind::Schedule(ScheduleItem {
                name,
                days,
                start: at(start),
                end: at(end),
                zone,
            })
        });
    let scope = || (name(), block(assigns())).prop_map(|(name, tags)| ScopeItem { name, tags });
    let defaults = block(select(Effect::ALL))
        .prop_map(|issuance| ItemKind::Defaults(DefaultsItem { issuance }));
    prop_oneof![
        tag,
        network,
        schedule,
        scope().prop_map(ItemKind::Project),
        scope().prop_map(ItemKind::Profile),
        defaults
    ]
}

fn people() -> impl Strategy<Value = ItemKind> {
    let delegate = (name(), moment(), moment())
        .prop_map(|(to, from, until)| PersonStatement::Delegate(Delegate { to, from, until }));
    let statement = prop_oneof![
        text().prop_map(PersonStatement::Email),
        role_grant().prop_map(PersonStatement::Role),
        delegate
    ];
    let person = (name(), block(statement))
        .prop_map(|(name, statements)| ItemKind::Person(PersonItem { name, statements }));
    let statement = prop_oneof![
        name().prop_map(ServiceStatement::Owner),
        role_grant().prop_map(ServiceStatement::Role)
    ];
    let service = (name(), block(statement))
        .prop_map(|(name, statements)| ItemKind::Service(ServiceItem { name, statements }));
    let team = (name(), few(name()))
        .prop_map(|(name, members)| ItemKind::Team(TeamItem { name, members }));
    prop_oneof![person, service, team]
}

fn unlock() -> impl Strategy<Value = ItemKind> {
    let sources = (select(Effect::ALL), vec(source(), 1..8), vec(name(), 0..3)).prop_map(
        |(effect, sources, during)| {
            UnlockStatement::Sources(SourceLine {
                effect,
                sources,
                during,
            })
        },
    );
    let statement = prop_oneof![selector().prop_map(UnlockStatement::Where), sources];
    let rule = (name(), block(statement))
        .prop_map(|(name, statements)| ItemKind::Unlock(UnlockItem { name, statements }));
    let statement = prop_oneof![
        selector().prop_map(AllowOnceStatement::Where),
        few(word(Override::ALL)).prop_map(AllowOnceStatement::Overrides),
        few(approver()).prop_map(AllowOnceStatement::By),
        duration().prop_map(AllowOnceStatement::Max)
    ];
    let once = (name(), block(statement))
        .prop_map(|(name, statements)| ItemKind::AllowOnce(AllowOnceItem { name, statements }));
    prop_oneof![rule, once]
}

fn approval() -> impl Strategy<Value = ItemKind> {
    use ApprovalStatement as S;
    let approvers = (any::<bool>(), vec(approver(), 0..3))
        .prop_filter("somebody approves", |(tier, listed)| {
            *tier || !listed.is_empty()
        })
        .prop_map(|(tier, listed)| {
            S::Approvers(Approvers {
                tier_above: tier.then(|| at(())),
                listed,
            })
        });
    let clause = (any::<u64>(), name()).prop_map(|(count, team)| NeedClause {
        count: at(count),
        team,
    });
    let statement = prop_oneof![
        trigger().prop_map(S::On),
        approvers,
        any::<u64>().prop_map(|count| S::Need(Need::Count(at(count)))),
        few(clause).prop_map(|clauses| S::Need(Need::Clauses(clauses))),
        duration().prop_map(S::Expires),
        duration().prop_map(S::Claim),
        (duration(), any::<u64>()).prop_map(|(window, up_to)| S::Collect {
            window,
            up_to: at(up_to)
        }),
        word(Binds::ALL).prop_map(S::Binds),
        duration().prop_map(S::DenyFor),
        (duration(), few(approver())).prop_map(|(after, to)| S::Escalate { after, to }),
        Just(S::Mandatory),
        Just(S::ReasonRequired),
        Just(S::CommentRequired),
        option::of(regex()).prop_map(S::TicketRequired)
    ];
    let group = (name(), block(statement))
        .prop_map(|(name, statements)| ItemKind::Approval(ApprovalItem { name, statements }));
    let statement = prop_oneof![
        trigger().prop_map(BypassStatement::On),
        text().prop_map(BypassStatement::Reason),
        moment().prop_map(BypassStatement::Until)
    ];
    let bypass = (name(), block(statement))
        .prop_map(|(name, statements)| ItemKind::Bypass(BypassItem { name, statements }));
    prop_oneof![2 => group, 1 => bypass]
}

fn issuance() -> impl Strategy<Value = ItemKind> {
    use IssuanceStatement as S;
    let san = (
        word(SanType::ALL),
        vec(pattern(), 0..4),
        vec(pattern(), 0..4),
    )
        .prop_filter("one of both", |(_, allow, deny)| {
            !(allow.is_empty() && deny.is_empty())
        })
        .prop_map(|(kind, allow, deny)| S::San { kind, allow, deny });
    let statement = prop_oneof![
        selector().prop_map(S::Where),
        few(word(KeyType::ALL)).prop_map(S::KeyTypes),
        few(word(IssuerType::ALL)).prop_map(S::IssuerTypes),
        few(text()).prop_map(S::IssuerIds),
        san,
        any::<u64>().prop_map(|max| S::SanMax(at(max))),
        regex().prop_map(S::Naming),
        duration().prop_map(S::LifetimeMax),
        Just(S::AutoRenewRequired),
        Just(S::KeyExportForbidden)
    ];
    (name(), block(statement))
        .prop_map(|(name, statements)| ItemKind::Issuance(IssuanceItem { name, statements }))
}

fn invariant() -> impl Strategy<Value = ItemKind> {
    let from = (any::<bool>(), few(source()))
        .prop_map(|(outside, sources)| RegionSources { outside, sources });
    let without = option::of(name()).prop_map(|by| WithoutApproval { by });
    let unlock = (
        option::of(selector()),
        option::of(from),
        option::of(without),
    )
        .prop_map(|(selector, from, without_approval)| UnlockRegion {
            selector,
            from,
            without_approval,
        });
    let san = (word(SanType::ALL), few(pattern()));
    let issuance = (
        option::of(selector()),
        vec(word(KeyType::ALL), 0..3),
        option::of(san),
    )
        .prop_map(|(selector, key_types, san)| IssuanceRegion {
            selector,
            key_types,
            san,
        });
    let line = prop_oneof![
        (unlock, any::<bool>()).prop_map(|(region, never)| if never {
            InvariantLine::NeverAllowUnlock(region)
        } else {
            InvariantLine::AlwaysReachableUnlock(region)
        }),
        issuance.prop_map(InvariantLine::NeverAllowIssuance)
    ];
    (name(), block(line))
        .prop_map(|(name, lines)| ItemKind::Invariant(InvariantItem { name, lines }))
}

fn member() -> impl Strategy<Value = Member> {
    let leaf = prop_oneof![
        name().prop_map(|name| MemberValue::Word(name.value)),
        Just(MemberValue::Word("ECDSA-P256".to_owned())),
        text().prop_map(|text| MemberValue::Text(text.value)),
        any::<bool>().prop_map(MemberValue::Bool),
        any::<u64>().prop_map(MemberValue::Integer),
        duration().prop_map(MemberValue::Duration),
        vec(text(), 0..3).prop_map(MemberValue::List)
    ];
    let value = leaf.prop_recursive(2, 6, 3, |inner| {
        let member = (name(), inner).prop_map(|(name, value)| Member {
            name,
            value: at(value),
        });
        vec(member, 0..3).prop_map(MemberValue::Members)
    });
    (name(), value).prop_map(|(name, value)| Member {
        name,
        value: at(value),
    })
}

fn test() -> impl Strategy<Value = ItemKind> {
    let fact = || {
        prop_oneof![
            Just(Fact::Disabled),
            Just(Fact::Revoked),
            Just(Fact::Denied),
            name().prop_map(Fact::ApprovedBy),
            name().prop_map(Fact::AllowOnce)
        ]
        .prop_map(at)
    };
    let expect = || {
        prop_oneof![
            Just(Expect::Allow),
            few(name()).prop_map(Expect::Deny),
            few(name()).prop_map(Expect::Pending)
        ]
        .prop_map(at)
    };
    let unlock = (address(), option::of(moment()), vec(fact(), 0..3), expect()).prop_map(
        |(from, at_time, given, expect)| {
            TestStatement::Unlock(UnlockExpectation {
                from: at(from),
                at: at_time,
                given,
                expect,
            })
        },
    );
    let issuance =
        (option::of(moment()), vec(fact(), 0..3), expect()).prop_map(|(at, given, expect)| {
            TestStatement::Issuance(IssuanceExpectation { at, given, expect })
        });
    let statement = prop_oneof![
        assigns().prop_map(TestStatement::Device),
        vec(member(), 0..6).prop_map(TestStatement::Request),
        unlock,
        issuance
    ];
    (text(), block(statement))
        .prop_map(|(name, statements)| ItemKind::Test(TestItem { name, statements }))
}

/// Any declaration.
pub(crate) fn item() -> BoxedStrategy<Item> {
    prop_oneof![
        vocabulary().boxed(),
        people().boxed(),
        unlock().boxed(),
        approval().boxed(),
        issuance().boxed(),
        invariant().boxed(),
        test().boxed()
    ]
    .prop_map(at)
    .boxed()
}

/// A whole file, without comments.
pub(crate) fn file() -> impl Strategy<Value = File> {
    vec(item(), 0..6).prop_map(|items| File {
        edition: Some(at(2026)),
        items,
        comments: Vec::new(),
        broken: Vec::new(),
        blanks: Vec::new(),
    })
}
