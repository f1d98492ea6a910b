//! DNS names as lists of labels, and the sets that a star in front stands for.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

/// A DNS name, or the set that a star in front of one stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::twin) struct Dns {
    pub(super) star: Star,
    labels: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Star {
    /// The name itself.
    None,
    /// Exactly one more label.
    One,
    /// One or more labels.
    Many,
}

/// A DNS name with a star in front, or none.
pub(super) fn dns_set(text: &str) -> Option<Dns> {
    let (star, base) = if let Some(base) = text.strip_prefix("**.") {
        (Star::Many, base)
    } else if let Some(base) = text.strip_prefix("*.") {
        (Star::One, base)
    } else {
        (Star::None, text)
    };
    let labels = plain_dns(base)?.labels;
    Some(Dns { star, labels })
}

/// UTS 46, non-transitional, STD3, DNS lengths verified; A-labels, lower case, no trailing dot.
pub(super) fn plain_dns(text: &str) -> Option<Dns> {
    let ascii = Uts46::new()
        .to_ascii(
            text.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::Check,
            DnsLength::VerifyAllowRootDot,
        )
        .ok()?;
    let name = ascii.strip_suffix('.').unwrap_or(&ascii);
    let labels: Vec<String> = name.split('.').map(str::to_ascii_lowercase).collect();
    let last = labels.last()?;
    let numeric = last.chars().all(|letter| letter.is_ascii_digit());
    (!numeric && labels.iter().all(|label| !label.is_empty())).then_some(Dns {
        star: Star::None,
        labels,
    })
}

impl Dns {
    pub(super) fn inside(&self, set: &Dns) -> bool {
        match (self.star, set.star) {
            (_, Star::None) => self == set,
            (Star::None, Star::One) => {
                self.is_below(set) && self.labels.len() == set.labels.len() + 1
            }
            (Star::None, Star::Many) => self.is_below(set),
            (Star::One, Star::One) => self.labels == set.labels,
            (Star::One, Star::Many) => self.labels == set.labels || self.is_below(set),
            (Star::Many, Star::One) => false,
            (Star::Many, Star::Many) => self.labels == set.labels || self.is_below(set),
        }
    }

    /// Whether some name is in both; a requested name has at most one star.
    pub(super) fn meets(&self, set: &Dns) -> bool {
        match set.star {
            // The set is a single name: it is in the requested one's set.
            Star::None => set.inside(self),
            // All names of a requested `*.base` have one length and one base,
            // so a set of names by base and length has all of them or none.
            Star::One | Star::Many => self.inside(set),
        }
    }

    /// Whether the labels end in those of `base`, with more before them.
    fn is_below(&self, base: &Dns) -> bool {
        self.labels.len() > base.labels.len() && self.labels.ends_with(&base.labels)
    }
}
