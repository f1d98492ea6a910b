//! Which request is this: paths and methods exactly as Tang takes them.
//!
//! Source: Tang `src/tangd.c` `s_dispatch` (three expressions over the request
//! target, tried in order) and `src/http.c` `on_message_complete` (what an
//! unmatched path, and a matched path with another method, are answered).

/// The longest request target that is looked at, in bytes.
pub const MAX_TARGET: usize = 4 * 1024;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// `GET /adv` and `GET /adv/{thumbprint}`.
    Advertise(Option<&'a str>),
    /// `POST /rec/{thumbprint}`.
    Recover(&'a str),
}

impl Route<'_> {
    const fn method(&self) -> &'static str {
        match self {
            Route::Advertise(_) => "GET",
            Route::Recover(_) => "POST",
        }
    }
}

/// Why a request is none of Tang's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteStatus {
    /// The target is longer than [`MAX_TARGET`].
    #[error("the request target is longer than 4 KiB")]
    TargetTooLong,
    /// No such path.
    #[error("no such path")]
    NotFound,
    /// The path is known, with another method.
    #[error("the method is not allowed here")]
    MethodNotAllowed,
}

impl RouteStatus {
    /// The HTTP status that Tang answers.
    pub const fn status(self) -> u16 {
        match self {
            RouteStatus::TargetTooLong => 414,
            RouteStatus::NotFound => 404,
            RouteStatus::MethodNotAllowed => 405,
        }
    }
}

/// The path below which a legacy endpoint answers; empty at the root.
///
/// Source: Tang's `--endpoint`, whose leading slashes do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix(Vec<String>);

/// A prefix holds something that is not a plain path segment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path prefix: its segments may hold letters, digits, `-`, `_`, `.` and `~`")]
pub struct PrefixError(String);

impl Prefix {
    /// Reads `/a/b`; slashes at either end and doubled ones do not count.
    ///
    /// # Errors
    /// A segment that a URL would have to escape, `.` and `..`.
    pub fn parse(text: &str) -> Result<Self, PrefixError> {
        let plain = |segment: &str| {
            segment
                .bytes()
                .all(|b| is_kid_byte(b) || b == b'.' || b == b'~')
                && segment != "."
                && segment != ".."
        };
        let segments: Vec<String> = text
            .split('/')
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .collect();
        if segments.iter().all(|segment| plain(segment)) {
            Ok(Prefix(segments))
        } else {
            Err(PrefixError(text.to_owned()))
        }
    }

    fn strip<'a>(&self, target: &'a str) -> Option<&'a str> {
        self.0.iter().try_fold(target, |rest, segment| {
            let rest = after_slashes(rest)?.strip_prefix(segment.as_str())?;
            rest.starts_with('/').then_some(rest)
        })
    }
}

/// The route of a request below `prefix`. `target` is the request target as it
/// was sent: Tang matches the query with the path, so a query is 404.
///
/// # Errors
/// In Tang's order: too long, no such path, another method.
pub fn route<'a>(prefix: &Prefix, method: &str, target: &'a str) -> Result<Route<'a>, RouteStatus> {
    check_length(target)?;
    let rest = prefix.strip(target).ok_or(RouteStatus::NotFound)?;
    allow_method(find(rest)?, method)
}

/// The token and the route of a request to `/u/{token}/…`. That the token is
/// well formed is all that is known of it here.
///
/// # Errors
/// As [`route`].
pub fn route_binding<'a>(
    method: &str,
    target: &'a str,
) -> Result<(&'a str, Route<'a>), RouteStatus> {
    check_length(target)?;
    let (token, rest) = split_token(target).ok_or(RouteStatus::NotFound)?;
    Ok((token, allow_method(find(rest)?, method)?))
}

fn check_length(target: &str) -> Result<(), RouteStatus> {
    if target.len() > MAX_TARGET {
        Err(RouteStatus::TargetTooLong)
    } else {
        Ok(())
    }
}

fn allow_method<'a>(route: Route<'a>, method: &str) -> Result<Route<'a>, RouteStatus> {
    if method == route.method() {
        Ok(route)
    } else {
        Err(RouteStatus::MethodNotAllowed)
    }
}

fn split_token(target: &str) -> Option<(&str, &str)> {
    let rest = after_slashes(after_slashes(target)?.strip_prefix('u')?)?;
    let (token, _) = rest.split_once('/')?;
    let rest = rest.strip_prefix(token)?;
    is_kid(token).then_some((token, rest))
}

/// `^/+adv/+([0-9A-Za-z_-]+)$`, `^/+adv/*$`, `^/+rec/+([0-9A-Za-z_-]+)$`
fn find(path: &str) -> Result<Route<'_>, RouteStatus> {
    let path = after_slashes(path).ok_or(RouteStatus::NotFound)?;
    if let Some(rest) = path.strip_prefix("adv") {
        match after_slashes(rest) {
            Some(thumbprint) if is_kid(thumbprint) => {
                return Ok(Route::Advertise(Some(thumbprint)));
            }
            Some("") => return Ok(Route::Advertise(None)),
            None if rest.is_empty() => return Ok(Route::Advertise(None)),
            Some(_) | None => {}
        }
    }
    path.strip_prefix("rec")
        .and_then(after_slashes)
        .filter(|kid| is_kid(kid))
        .map(Route::Recover)
        .ok_or(RouteStatus::NotFound)
}

/// What follows one slash or more.
fn after_slashes(path: &str) -> Option<&str> {
    path.starts_with('/').then(|| path.trim_start_matches('/'))
}

fn is_kid(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_kid_byte)
}

const fn is_kid_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}
