//! Where a sink may be.

use std::net::IpAddr;

use ureq::http::Uri;

/// Holds a URL against what can be sent to.
///
/// # Errors
/// The fault, in words.
pub fn check_url(text: &str) -> Result<(), String> {
    let url: Uri = text
        .parse()
        .map_err(|error| format!("`{}` is no URL: {error}", text.escape_debug()))?;
    let whole = match url.scheme_str() {
        Some("http" | "https") => url.authority(),
        Some(_) | None => None,
    };
    let Some(authority) = whole.filter(|found| !found.host().is_empty()) else {
        return Err(format!(
            "`{text}` is no URL of `https://` or `http://` and a host"
        ));
    };
    match authority.as_str().contains('@') {
        true => Err("a URL holds no user and no password here".to_owned()),
        false => Ok(()),
    }
}

/// Whether it goes in clear to another host.
pub fn is_plain(text: &str) -> bool {
    let Ok(url) = text.parse::<Uri>() else {
        return false;
    };
    let host = url.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    url.scheme_str() == Some("http") && !here
}
