//! One line of a record file, read to be judged again: what was asked is read
//! whole, and of what was answered only what can differ.
//!
//! Borrows from the line and allocates next to nothing. A text that replay does
//! not need is held to be a text, and skipped; members may stand in any order,
//! though the writer's is the fastest. [`super::Record`] is the same line, owned.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::VERSION;
use crate::request::{IssuanceFacts, IssuanceRequest, UnlockFacts};
use crate::vocabulary::{DeviceState, Outcome, ReasonCode};

/// A record, borrowed from its line.
#[derive(Debug)]
pub struct Line<'a> {
    /// The instant that the evaluation was given.
    pub time: Timestamp,
    /// What was asked, and what was live beside it.
    pub asked: AskedLine<'a>,
    /// Whether the record says what was live, were it nothing.
    pub has_facts: bool,
    /// What was answered; none where the record does not say.
    pub decision: Option<DecisionLine<'a>>,
    /// How often it was asked; 1 but where retries were folded.
    pub count: u64,
}

/// What was asked, by path.
#[derive(Debug)]
pub enum AskedLine<'a> {
    /// An unlock.
    Unlock(UnlockLine<'a>, UnlockFacts),
    /// A certificate action.
    Issuance(Box<IssuanceRequest>, IssuanceFacts),
}

/// An unlock request without the texts that decide nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct UnlockLine<'a> {
    #[serde(default, rename = "device")]
    _device: Skipped,
    /// The device's tags, as they are written; none: it has none.
    #[serde(borrow, default)]
    pub tags: Option<&'a RawValue>,
    /// Its state.
    pub state: DeviceState,
    /// The address it asks from.
    pub source: IpAddr,
    #[serde(default, rename = "kid")]
    _kid: Option<Skipped>,
}

/// A decision, as far as another can differ from it. Lists are left as they are
/// written: mostly they need no reading to be compared.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object")]
pub struct DecisionLine<'a> {
    /// Allow, deny or pending.
    pub outcome: Outcome,
    /// Why.
    #[serde(borrow, default)]
    pub reasons: Reasons<'a>,
    /// What had to be done first.
    #[serde(borrow, default)]
    pub obligations: Option<&'a RawValue>,
    /// The groups that it waited for.
    #[serde(borrow, default)]
    pub groups: Option<&'a RawValue>,
    /// The persons who might approve.
    #[serde(borrow, default)]
    pub approvers: Option<&'a RawValue>,
}

/// The codes of a decision's reasons in order, and the first rule named.
#[derive(Debug, Default)]
pub struct Reasons<'a> {
    first: Option<ReasonCode>,
    more: Vec<ReasonCode>,
    /// The first rule that a reason names, as it is written.
    pub rule: Option<&'a RawValue>,
}

impl Reasons<'_> {
    /// The codes, in order.
    pub fn codes(&self) -> impl Iterator<Item = ReasonCode> {
        self.first.into_iter().chain(self.more.iter().copied())
    }

    /// Whether `code` is the only one.
    pub fn is_just(&self, code: ReasonCode) -> bool {
        self.first == Some(code) && self.more.is_empty()
    }
}

/// Why a line is no record.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// Not text.
    #[error("it is not UTF-8")]
    NotText,
    /// Not the JSON of a record.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl<'a> Line<'a> {
    /// Reads one line, without its end.
    ///
    /// # Errors
    /// What makes it no record.
    pub fn parse(line: &'a [u8]) -> Result<Line<'a>, LineError> {
        let text = std::str::from_utf8(line).map_err(|_| LineError::NotText)?;
        Ok(serde_json::from_str(text)?)
    }
}

/// A text that must be one and is not kept.
#[derive(Debug, Default)]
struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Skipped;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: de::Error>(self, _: &str) -> Result<Skipped, E> {
                Ok(Skipped)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Unlock,
    Issuance,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Member {
    V,
    Id,
    Time,
    Kind,
    Request,
    Facts,
    Decision,
    N,
    First,
    Last,
    #[serde(other)]
    Other,
}

/// A member whose type the kind says: read, or not yet where the kind comes later.
enum Typed<'a, U, I> {
    Unlock(U),
    Issuance(I),
    Raw(&'a RawValue),
}

impl<'a, U: Deserialize<'a>, I: Deserialize<'a>> Typed<'a, U, I> {
    fn next<A: MapAccess<'a>>(map: &mut A, kind: Option<Kind>) -> Result<Self, A::Error> {
        Ok(match kind {
            Some(Kind::Unlock) => Typed::Unlock(map.next_value()?),
            Some(Kind::Issuance) => Typed::Issuance(map.next_value()?),
            None => Typed::Raw(map.next_value()?),
        })
    }

    fn unlock<E: de::Error>(self) -> Result<U, E> {
        match self {
            Typed::Unlock(read) => Ok(read),
            Typed::Raw(raw) => serde_json::from_str(raw.get()).map_err(E::custom),
            Typed::Issuance(_) => Err(E::duplicate_field("kind")),
        }
    }

    fn issuance<E: de::Error>(self) -> Result<I, E> {
        match self {
            Typed::Issuance(read) => Ok(read),
            Typed::Raw(raw) => serde_json::from_str(raw.get()).map_err(E::custom),
            Typed::Unlock(_) => Err(E::duplicate_field("kind")),
        }
    }
}

type Request<'a> = Typed<'a, UnlockLine<'a>, Box<IssuanceRequest>>;
type Facts<'a> = Typed<'a, UnlockFacts, IssuanceFacts>;

/// The members of a line, as they come.
#[derive(Default)]
struct Members<'a> {
    version: Option<u8>,
    id: Option<Skipped>,
    time: Option<Timestamp>,
    kind: Option<Kind>,
    request: Option<Request<'a>>,
    facts: Option<Facts<'a>>,
    decision: Option<DecisionLine<'a>>,
    count: Option<u64>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// Takes a member that may stand once.
fn once<T, E: de::Error>(
    slot: &mut Option<T>,
    name: &'static str,
    value: Result<T, E>,
) -> Result<(), E> {
    match slot.replace(value?) {
        None => Ok(()),
        Some(_) => Err(E::duplicate_field(name)),
    }
}

impl<'a> Members<'a> {
    fn take<A: MapAccess<'a>>(&mut self, member: Member, map: &mut A) -> Result<(), A::Error> {
        let kind = self.kind;
        match member {
            Member::V => once(&mut self.version, "v", map.next_value()),
            Member::Id => once(&mut self.id, "id", map.next_value()),
            Member::Time => once(&mut self.time, "time", map.next_value()),
            Member::Kind => once(&mut self.kind, "kind", map.next_value()),
            Member::Request => once(&mut self.request, "request", Typed::next(map, kind)),
            Member::Facts => once(&mut self.facts, "facts", Typed::next(map, kind)),
            Member::Decision => once(&mut self.decision, "decision", map.next_value()),
            Member::N => once(&mut self.count, "n", map.next_value()),
            Member::First => once(&mut self.first, "first", map.next_value()),
            Member::Last => once(&mut self.last, "last", map.next_value()),
            Member::Other => map.next_value::<de::IgnoredAny>().map(|_| ()),
        }
    }

    fn line<E: de::Error>(self) -> Result<Line<'a>, E> {
        let version = self.version.ok_or_else(|| E::missing_field("v"))?;
        if version != VERSION {
            return Err(E::custom(format_args!(
                "version {version} is not known, only {VERSION}"
            )));
        }
        self.id.ok_or_else(|| E::missing_field("id"))?;
        let kind = self.kind.ok_or_else(|| E::missing_field("kind"))?;
        let request = self.request.ok_or_else(|| E::missing_field("request"))?;
        let has_facts = self.facts.is_some();
        let count = self.count.unwrap_or(1);
        if count == 0 {
            return Err(E::custom("`n` is 0, and a record is of 1 request or more"));
        }
        Ok(Line {
            time: self.time.ok_or_else(|| E::missing_field("time"))?,
            asked: asked(kind, request, self.facts)?,
            has_facts,
            decision: self.decision,
            count,
        })
    }
}

fn asked<'a, E: de::Error>(
    kind: Kind,
    request: Request<'a>,
    facts: Option<Facts<'a>>,
) -> Result<AskedLine<'a>, E> {
    Ok(match kind {
        Kind::Unlock => {
            let facts = facts.map(Typed::unlock).transpose()?;
            AskedLine::Unlock(request.unlock()?, facts.unwrap_or_default())
        }
        Kind::Issuance => {
            let facts = facts.map(Typed::issuance).transpose()?;
            AskedLine::Issuance(request.issuance()?, facts.unwrap_or_default())
        }
    })
}

impl<'de: 'a, 'a> Deserialize<'de> for Line<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Line<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line<'de>, A::Error> {
                let mut members = Members::default();
                while let Some(member) = map.next_key()? {
                    members.take(member, &mut map)?;
                }
                members.line()
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Reasons<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// One reason.
        #[derive(Deserialize)]
        #[serde(expecting = "an object")]
        struct Reason<'a> {
            code: ReasonCode,
            #[serde(default, rename = "message")]
            _message: Skipped,
            #[serde(borrow, default)]
            rule: Option<&'a RawValue>,
        }
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Reasons<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Reasons<'de>, A::Error> {
                let mut reasons = Reasons::default();
                while let Some(reason) = seq.next_element::<Reason<'de>>()? {
                    reasons.rule = reasons.rule.or(reason.rule);
                    match reasons.first {
                        None => reasons.first = Some(reason.code),
                        Some(_) => reasons.more.push(reason.code),
                    }
                }
                Ok(reasons)
            }
        }
        deserializer.deserialize_seq(List)
    }
}
