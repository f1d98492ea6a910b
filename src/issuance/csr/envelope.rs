//! A file to the DER of its one CSR. Source: RFC 7468, read strictly: what one
//! reader shows to a person and another hands to a CA must be the same bytes.

use base64ct::{Base64, Encoding};

use super::{CsrError, MAX_BYTES};

const LABELS: &[&str] = &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/// The DER of the one CSR in `bytes`, which are PEM or that DER themselves.
pub(super) fn unwrap(bytes: &[u8]) -> Result<Vec<u8>, CsrError> {
    if bytes.len() > MAX_BYTES {
        return Err(CsrError::TooLong);
    }
    if bytes.trim_ascii().is_empty() {
        return Err(CsrError::Empty);
    }
    // DER begins with a SEQUENCE, whose tag is `0`: no PEM line does.
    if bytes.first() == Some(&0x30) && std::str::from_utf8(bytes).map_or(true, |text| !is_pem(text))
    {
        return Ok(bytes.to_vec());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| CsrError::Der {
        at: None,
        problem: "this is neither DER nor PEM".to_owned(),
    })?;
    decode(text)
}

fn is_pem(text: &str) -> bool {
    text.contains("-----BEGIN ")
}

fn fault(line: usize, problem: impl Into<String>, help: &'static str) -> CsrError {
    CsrError::Pem {
        line,
        problem: problem.into(),
        help,
    }
}

/// The label of a `-----BEGIN …-----` line.
fn label<'a>(line: &'a str, edge: &str) -> Option<&'a str> {
    line.strip_prefix("-----")?
        .strip_prefix(edge)?
        .strip_prefix(' ')?
        .strip_suffix("-----")
}

fn decode(text: &str) -> Result<Vec<u8>, CsrError> {
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_end()))
        .filter(|(_, line)| !line.is_empty());
    let (opened, name) = opening(lines.next())?;
    let mut body = String::new();
    let closed = loop {
        let Some((number, line)) = lines.next() else {
            let problem = format!("`-----BEGIN {name}-----` has no end");
            return Err(fault(opened, problem, "the file is cut off: copy it whole"));
        };
        if let Some(end) = label(line, "END") {
            if end != name {
                let problem = format!("`BEGIN {name}` ends as `END {}`", end.escape_debug());
                return Err(fault(number, problem, "the two labels are the same"));
            }
            break number;
        }
        expect_base64(number, line)?;
        body.push_str(line);
    };
    if let Some((number, _)) = lines.next() {
        let help = "give a file with the one CSR and nothing else";
        let problem = format!("there is something after the end of the CSR in line {closed}");
        return Err(fault(number, problem, help));
    }
    Base64::decode_vec(&body).map_err(|_| {
        let problem = "what stands between the labels is not whole base64";
        fault(
            opened,
            problem,
            "the file is cut off or altered: copy it whole",
        )
    })
}

fn opening(first: Option<(usize, &str)>) -> Result<(usize, &str), CsrError> {
    let (number, line) = first.ok_or(CsrError::Empty)?;
    let help = "a CSR as PEM begins with `-----BEGIN CERTIFICATE REQUEST-----`; leave out what stands before";
    let Some(name) = label(line, "BEGIN") else {
        return Err(fault(number, "this line does not begin a PEM block", help));
    };
    if !LABELS.contains(&name) {
        let problem = format!("this is a `{}`, and no CSR", name.escape_debug());
        return Err(fault(number, problem, help));
    }
    Ok((number, name))
}

fn expect_base64(number: usize, line: &str) -> Result<(), CsrError> {
    let odd = line
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/' | '='));
    match odd {
        None => Ok(()),
        Some(odd) => {
            let problem = format!("`{}` is not of the base64 alphabet", odd.escape_debug());
            let help = "between the labels stand base64 lines alone, without headers";
            Err(fault(number, problem, help))
        }
    }
}
