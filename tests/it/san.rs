//! Names of certificates as sets: the tables of `tests/data/san`, and the
//! algebra held against counting.

use panopol::address::parse_prefix;
use panopol::san::{San, SanPattern, inside, meets, parse_name, parse_pattern};
use panopol::vocabulary::SanType;
use proptest::prelude::*;

fn pattern(kind: &str, text: &str) -> Result<SanPattern, String> {
    match SanType::from_word(kind).unwrap() {
        SanType::Ip => parse_prefix(text)
            .map(SanPattern::ip)
            .map_err(|error| error.to_string()),
        kind => parse_pattern(kind, text).map_err(|error| error.to_string()),
    }
}

/// The cells of each row of a table, with `\uXXXX` read.
fn rows(table: &str) -> Vec<Vec<String>> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split('\t').map(unescape).collect())
        .collect()
}

fn unescape(cell: &str) -> String {
    let mut parts = cell.split("\\u");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (hex, rest) = part.split_at(4);
        let code = u32::from_str_radix(hex, 16).unwrap();
        text.push(char::from_u32(code).unwrap());
        text.push_str(rest);
    }
    text
}

/// What a row says of a name, or where the code says otherwise.
fn fault(row: &[String]) -> Option<String> {
    let [kind, text, name, expect_inside, expect_meets] = row else {
        return Some(format!("{row:?}: not five cells"));
    };
    let pattern = match pattern(kind, text) {
        Ok(pattern) => pattern,
        Err(error) => return Some(format!("{row:?}: {error}")),
    };
    let found = match parse_name(name) {
        Err(_) => ("malformed", "-"),
        Ok(name) => (yes(inside(&name, &pattern)), yes(meets(&name, &pattern))),
    };
    let expected = (expect_inside.as_str(), expect_meets.as_str());
    (found != expected).then(|| format!("{row:?}: found {found:?}"))
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn assert_table(table: &str) {
    let faults: Vec<String> = rows(table).iter().filter_map(|row| fault(row)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

macro_rules! tables {
    ($($test:ident $file:literal),+ $(,)?) => { $(
        #[test]
        fn $test() {
            assert_table(include_str!(concat!("../data/san/", $file)));
        }
    )+ };
}
tables! {
    dns_names_are_compared_as_sets "dns.tsv",
    a_dns_name_has_one_spelling_or_is_malformed "spelling.tsv",
    international_names_are_compared_as_a_labels "idn.tsv",
    addresses_are_compared_with_prefixes "ip.tsv",
    mailboxes_keep_their_local_part_exact "email.tsv",
    uris_are_prefixes_behind_a_whole_authority "uri.tsv",
    a_denied_host_is_met_by_mailboxes_and_uris "hosts.tsv",
}

#[test]
fn a_pattern_that_is_doubtful_is_refused() {
    for row in rows(include_str!("../data/san/bad-patterns.tsv")) {
        let kind = SanType::from_word(&row[0]).unwrap();
        assert!(parse_pattern(kind, &row[1]).is_err(), "{row:?}");
    }
}

#[test]
fn what_is_shown_is_read_back_as_the_same() {
    let tables = [
        include_str!("../data/san/dns.tsv"),
        include_str!("../data/san/idn.tsv"),
        include_str!("../data/san/ip.tsv"),
        include_str!("../data/san/email.tsv"),
        include_str!("../data/san/uri.tsv"),
    ];
    for row in tables.iter().flat_map(|table| rows(table)) {
        let set = pattern(&row[0], &row[1]).unwrap();
        assert_eq!(pattern(&row[0], &set.to_string()).unwrap(), set);
        if let Ok(name) = parse_name(&row[2]) {
            assert_eq!(parse_name(&name.to_string()).unwrap(), name);
        }
    }
}

#[test]
fn an_error_says_what_is_wrong_with_the_name() {
    let says = |name: &str| parse_name(name).unwrap_err().to_string();
    insta::assert_snapshot!(says("dns:a..b"), @"`a..b` has an empty label");
    insta::assert_snapshot!(says("dns:_dmarc.example.com"), @"`_dmarc.example.com` has an underscore, which no host name has");
    insta::assert_snapshot!(says("ip:::ffff:10.0.0.1"), @"`::ffff:10.0.0.1` is an IPv4-mapped IPv6 address; ask for `10.0.0.1`");
    insta::assert_snapshot!(says("uri:https://a..b/"), @"`https://a..b/` has a host that has an empty label");
    insta::assert_snapshot!(says("example.com"), @"`example.com` does not begin with `dns:`, `ip:`, `email:` or `uri:`");
    insta::assert_snapshot!(says("dns:a\u{7}b"), @r"`a\u{7}b` has a space or a control character");
}

/// Every name of one to five labels `a` or `b`.
fn universe() -> Vec<String> {
    let mut names = vec!["a".to_owned(), "b".to_owned()];
    let mut from = 0;
    for _ in 1..5 {
        let longer: Vec<String> = names[from..]
            .iter()
            .flat_map(|name| [format!("a.{name}"), format!("b.{name}")])
            .collect();
        from = names.len();
        names.extend(longer);
    }
    names
}

/// A set whose base has at most three labels, so that two more tell sets apart.
fn small_set() -> impl Strategy<Value = String> {
    let label = prop_oneof![Just("a"), Just("b")];
    let base = proptest::collection::vec(label, 1..=3);
    let star = prop_oneof![Just(""), Just("*."), Just("**.")];
    (star, base).prop_map(|(star, base)| format!("{star}{}", base.join(".")))
}

fn members(set: &SanPattern, universe: &[San]) -> Vec<bool> {
    universe.iter().map(|name| inside(name, set)).collect()
}

proptest! {
    #[test]
    fn two_dns_sets_compare_as_their_members_do(a in small_set(), b in small_set()) {
        let universe: Vec<San> = universe()
            .iter()
            .map(|name| parse_name(&format!("dns:{name}")).unwrap())
            .collect();
        let (a_set, b_set) = (pattern("dns", &a).unwrap(), pattern("dns", &b).unwrap());
        let (in_a, in_b) = (members(&a_set, &universe), members(&b_set, &universe));
        let both = || in_a.iter().zip(&in_b);
        prop_assert_eq!(a_set.covers(&b_set), both().all(|(a, b)| *a || !*b), "{} covers {}", a, b);
        prop_assert_eq!(a_set.overlaps(&b_set), both().any(|(a, b)| *a && *b), "{} overlaps {}", a, b);
        prop_assert_eq!(a_set.overlaps(&b_set), b_set.overlaps(&a_set));
        if let Ok(name) = parse_name(&format!("dns:{b}")) {
            prop_assert_eq!(inside(&name, &a_set), a_set.covers(&b_set));
            prop_assert_eq!(meets(&name, &a_set), a_set.overlaps(&b_set));
        }
    }

    #[test]
    fn prefixes_compare_as_their_members_do(a in 0u8..=255, b in 0u8..=255, long in 24u8..=32, short in 24u8..=32) {
        let net = |last: u8, length: u8| {
            let net = ipnet::IpNet::new([192, 0, 2, last].into(), length).unwrap();
            SanPattern::ip(net.trunc())
        };
        let (a, b) = (net(a, long), net(b, short));
        let universe: Vec<San> = (0..=255).map(|last| San::Ip([192, 0, 2, last].into())).collect();
        let (in_a, in_b) = (members(&a, &universe), members(&b, &universe));
        let both = || in_a.iter().zip(&in_b);
        prop_assert_eq!(a.covers(&b), both().all(|(a, b)| *a || !*b));
        prop_assert_eq!(a.overlaps(&b), both().any(|(a, b)| *a && *b));
    }

    #[test]
    fn any_text_is_a_name_or_an_error(text in "(dns|ip|email|uri):\\PC{0,40}") {
        if let Ok(name) = parse_name(&text) {
            prop_assert_eq!(parse_name(&name.to_string()), Ok(name));
        }
    }

    #[test]
    fn any_uri_like_text_is_a_name_or_an_error(text in "[a-z]{1,3}:(//)?[a-zA-Z0-9.:@%*\\[\\]/?#_-]{0,24}") {
        if let Ok(name) = parse_name(&format!("uri:{text}")) {
            prop_assert_eq!(parse_name(&name.to_string()), Ok(name));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn plain_ascii_names_are_read_as_uts_46_reads_them(
        text in "([a-zA-Z0-9]|-|[.]|xn--|0x){0,24}",
        long in "[a-zA-Z0-9-]{58,66}",
        tail in prop::sample::select(vec!["", ".", "..", ".com", ".com.", ".7", ".0x1f", ".x--y"]),
    ) {
        use idna::AsciiDenyList;
        use idna::uts46::{DnsLength, Hyphens, Uts46};
        for name in [format!("{text}{tail}"), format!("{long}.{text}{tail}")] {
            let expected = Uts46::new().to_ascii(
                name.as_bytes(),
                AsciiDenyList::STD3,
                Hyphens::Check,
                DnsLength::VerifyAllowRootDot,
            );
            let expected = expected.ok().map(|ascii| ascii.trim_end_matches('.').to_owned());
            match panopol::san::dns::normalise(&name) {
                Ok(found) => prop_assert_eq!(Some(found), expected, "{}", name),
                // What UTS 46 takes is refused where an address ends like that.
                Err(error) => {
                    let number = error.problem.contains("ends in a number");
                    prop_assert!(expected.is_none() || number, "{}: {}", name, error);
                }
            }
        }
    }
}
