//! What the JSON reader says of types and members, in words that name no type of ours.

/// Theirs and ours.
const WORDS: &[(&str, &str)] = &[
    ("expected struct IssuanceRequest", "expected an object"),
    ("expected struct Predecessor", "expected an object"),
    ("expected string or map", "expected a string"),
    ("expected a sequence", "expected a list"),
    ("expected a boolean", "expected `true` or `false`"),
    ("expected u64", "expected a whole number, 0 or more"),
    ("expected IP address", "expected an address"),
    ("invalid type: string", "wrong type: the string"),
    ("invalid type: map", "wrong type: an object"),
    ("invalid type: sequence", "wrong type: a list"),
    ("invalid type: null", "wrong type: `null`"),
    ("invalid type: integer", "wrong type: the number"),
    ("invalid type: floating point", "wrong type: the number"),
    ("invalid type: boolean", "wrong type:"),
    ("invalid value: string", "wrong value: the string"),
    ("invalid value: integer", "out of range: the number"),
    ("unknown field", "unknown member"),
    ("missing field", "missing member"),
    ("duplicate field", "repeated member"),
    ("unknown variant", "unknown word"),
];

/// Says the cause that the JSON reader gives in the user's words: what is expected
/// stands at its end, what was found at its start.
pub(super) fn in_user_words(cause: &str) -> String {
    let mut said = cause.to_owned();
    for (theirs, ours) in WORDS {
        if let Some(rest) = said.strip_prefix(theirs) {
            said = format!("{ours}{rest}");
        } else if let Some(found) = said.strip_suffix(theirs) {
            said = format!("{found}{ours}");
        }
    }
    said
}
