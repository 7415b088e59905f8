//! What every network judges alike: media types, redirects, and requests to wait. SPEC NET-1, NET-4.

use kez_core::{Code, Time};
use url::Url;

use super::{Media, NetError, Redirects, Request, find_header};
use crate::limits::{DEFAULT_WAIT_SECONDS, MAX_WAIT_SECONDS};

/// A 2xx of another media type than those named → `net.content_type`. NET-1.
pub fn check_media_type(request: &Request, status: u16, headers: &[(String, String)]) -> Result<(), NetError> {
    let content_type = find_header(headers, "content-type").unwrap_or_default();
    let fits = request.media.is_empty() || request.media.iter().any(|media| is_media(content_type, *media));
    match fits || !matches!(status, 200..=299) {
        true => Ok(()),
        false => Err(NetError::new(
            Code::NetContentType,
            format!("expected another content type of {}", request.url.host_str().unwrap_or_default()),
        )),
    }
}

/// Whether a `Content-Type` is of this media type.
pub fn is_media(content_type: &str, media: Media) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    if !essence.eq_ignore_ascii_case(media.essence) {
        return false;
    }
    let Some(wanted) = media.profile else { return true };
    parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("profile"))
        .is_some_and(|(_, value)| value.trim().trim_matches('"').split(' ').any(|profile| profile == wanted))
}

/// Whether a redirect of this request from one URL to another may be followed, else `net.redirect`.
pub fn check_redirect(request: &Request, from: &Url, to: &Url) -> Result<(), NetError> {
    let is_allowed = match request.redirects {
        Redirects::Anywhere => true,
        Redirects::SameHost => request.url.host() == to.host(),
        Redirects::Never => false,
    };
    let is_lower = from.scheme() == "https" && to.scheme() != "https";
    match is_allowed && !is_lower {
        true => Ok(()),
        false => Err(NetError::new(
            Code::NetRedirect,
            format!("expected an answer of {} itself, got a redirect", from.host_str().unwrap_or_default()),
        )),
    }
}

/// Seconds for which an answer closes its host. NET-4: a 429, or a 403 or 503 that names a time.
pub fn wait_seconds(status: u16, headers: &[(String, String)], now: u64) -> Option<u64> {
    let named = match status {
        403 | 429 | 503 => named_wait(headers, now),
        _ => return None,
    };
    let wait = match (named, status) {
        (Some(seconds), _) => seconds,
        (None, 429) => DEFAULT_WAIT_SECONDS,
        (None, _) => return None,
    };
    Some(wait.min(MAX_WAIT_SECONDS))
}

/// `Retry-After`, else the `-Reset` beside a `-Remaining` of 0.
fn named_wait(headers: &[(String, String)], now: u64) -> Option<u64> {
    if let Some(seconds) = find_header(headers, "retry-after").and_then(|value| retry_after(value.trim(), now)) {
        return Some(seconds);
    }
    ["x-ratelimit", "ratelimit"].iter().find_map(|prefix| {
        let remaining = find_header(headers, &format!("{prefix}-remaining"))?;
        (remaining.trim() == "0").then_some(())?;
        reset(find_header(headers, &format!("{prefix}-reset"))?.trim(), now)
    })
}

/// Seconds, or a date of HTTP (RFC 9110 §10.2.3).
fn retry_after(value: &str, now: u64) -> Option<u64> {
    parse_digits(value).or_else(|| Some(http_date(value)?.saturating_sub(now)))
}

/// Seconds since 1970, an ISO date, or, below 10^9, seconds from now. NET-4.
fn reset(value: &str, now: u64) -> Option<u64> {
    match parse_digits(value) {
        Some(seconds) if seconds < 1_000_000_000 => Some(seconds),
        Some(at) => Some(at.saturating_sub(now)),
        None => Some(Time::parse_in_claim(value).ok()?.unix_seconds().saturating_sub(now)),
    }
}

fn parse_digits(value: &str) -> Option<u64> {
    let is_count = !value.is_empty() && value.bytes().all(|it| it.is_ascii_digit());
    is_count.then(|| value.parse().unwrap_or(u64::MAX))
}

/// Seconds since 1970 of an IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT`. Older forms are not written any more.
fn http_date(value: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = value.split_once(", ")?;
    let [day, month, year, time, "GMT"] = rest.split(' ').collect::<Vec<_>>()[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    Time::parse(&format!("{year}-{month:02}-{day}T{time}Z")).ok().map(Time::unix_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn wait(status: u16, headers: &[(&str, &str)]) -> Option<u64> {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        wait_seconds(status, &headers, NOW)
    }

    #[test]
    fn wait_seconds_reads_every_form_of_net_4() {
        assert_eq!(wait(429, &[]), Some(60));
        assert_eq!(wait(403, &[]), None);
        assert_eq!(wait(200, &[("retry-after", "5")]), None);
        assert_eq!(wait(503, &[("retry-after", "5")]), Some(5));
        assert_eq!(wait(429, &[("retry-after", "Fri, 15 Jan 2027 08:01:00 GMT")]), Some(60));
        assert_eq!(wait(429, &[("retry-after", "soon")]), Some(60));
        assert_eq!(wait(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800000007")]), Some(7));
        assert_eq!(wait(403, &[("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "1800000007")]), None);
        assert_eq!(wait(403, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "30")]), Some(30));
        assert_eq!(wait(429, &[("ratelimit-remaining", "0"), ("ratelimit-reset", "2027-01-15T08:00:09Z")]), Some(9));
        assert_eq!(wait(429, &[("retry-after", "99999999999999999999999")]), Some(86_400));
        assert_eq!(wait(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1799999990")]), Some(0));
    }

    #[test]
    fn is_media_reads_the_essence_and_the_profile() {
        let json = Media::of("application/json");
        assert!(is_media("Application/JSON; charset=utf-8", json));
        assert!(!is_media("application/jsonp", json) && !is_media("", json));
        let linked = Media { essence: "application/ld+json", profile: Some("https://a.example/b") };
        assert!(is_media("application/ld+json;profile=\"https://x.example https://a.example/b\"", linked));
        assert!(!is_media("application/ld+json", linked) && !is_media("application/ld+json;profile=https://x", linked));
    }
}
