//! Times as they are written (TIME-1) and as claims of older versions hold them (TIME-2). SPEC §3.4.

use std::fmt;

use crate::error::{Code, Result, refuse};

const DAY_SECONDS: u64 = 86_400;
/// 9999-12-31T23:59:59Z.
const MAX_UNIX_SECONDS: u64 = 253_402_300_799;

/// A second of the years 1970 to 9999, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The time that is this many seconds after 1970-01-01T00:00:00Z; after the year 9999 → `time.syntax`.
    pub fn from_unix_seconds(seconds: u64) -> Result<Time> {
        if seconds > MAX_UNIX_SECONDS {
            return refuse(Code::TimeSyntax, "expected a time before the year 10000");
        }
        Ok(Time(seconds))
    }

    /// Seconds after 1970-01-01T00:00:00Z. A leap second at the end of 9999 is one more than the last that can be written.
    pub const fn unix_seconds(self) -> u64 {
        self.0
    }

    /// `YYYY-MM-DDTHH:MM:SSZ`, else `time.syntax`. TIME-1.
    pub fn parse(text: &str) -> Result<Time> {
        match Parts::read(text) {
            Some(parts) if parts.zone == "Z" && parts.separator == b'T' && parts.second < 60 => Ok(parts.time()),
            _ => refuse(Code::TimeSyntax, "expected a time as 2026-01-31T23:59:59Z"),
        }
    }

    /// Any RFC 3339 time in UTC, as claims may hold, else `time.syntax`. TIME-2.
    pub fn parse_in_claim(text: &str) -> Result<Time> {
        match Parts::read(text) {
            Some(parts) if parts.fits_claim() => Ok(parts.time()),
            _ => refuse(Code::TimeSyntax, "expected an RFC 3339 time in UTC"),
        }
    }
}

impl fmt::Display for Time {
    /// The form of TIME-1.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_of_day(self.0 / DAY_SECONDS);
        let second = self.0 % DAY_SECONDS;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// `YYYY-MM-DD` separator `HH:MM:SS` zone, with a date that exists; zone is whatever follows.
struct Parts<'a> {
    day: u64,
    separator: u8,
    hour: u64,
    minute: u64,
    second: u64,
    zone: &'a str,
}

impl Parts<'_> {
    fn read(text: &str) -> Option<Parts<'_>> {
        let (clock, zone) = text.split_at_checked(19)?;
        let fixed = clock.as_bytes().first_chunk::<19>()?;
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, separator, h1, h2, b':', n1, n2, b':', s1, s2] = fixed else {
            return None;
        };
        let year = number(&[y1, y2, y3, y4])?;
        let (month, day) = (number(&[m1, m2])?, number(&[d1, d2])?);
        let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
        if hour > 23 || minute > 59 || second > 60 || !is_date(year, month, day) {
            return None;
        }
        Some(Parts { day: day_of_date(year, month, day), separator, hour, minute, second, zone })
    }

    /// TIME-2: a fraction of 1 to 9 digits, offsets of zero, and the leap second where leap seconds are.
    fn fits_claim(&self) -> bool {
        let zone = match self.zone.strip_prefix('.') {
            None => self.zone,
            Some(fraction) => {
                let rest = fraction.trim_start_matches(|character: char| character.is_ascii_digit());
                if !(1..=9).contains(&(fraction.len() - rest.len())) {
                    return false;
                }
                rest
            }
        };
        matches!(self.separator, b'T' | b't')
            && matches!(zone, "Z" | "z" | "+00:00" | "-00:00")
            && (self.second < 60 || (self.hour == 23 && self.minute == 59))
    }

    fn time(&self) -> Time {
        Time(self.day * DAY_SECONDS + self.hour * 3_600 + self.minute * 60 + self.second)
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0')))
}

const fn is_leap(year: u64) -> bool {
    (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
}

const fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + is_leap(year) as u64,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_date(year: u64, month: u64, day: u64) -> bool {
    year >= 1970 && (1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day)
}

/// Days from 0000-01-01 to the first day of the year, in the Gregorian calendar extended backwards.
const fn days_before_year(year: u64) -> u64 {
    let past = year - 1;
    year * 365 + past / 4 - past / 100 + past / 400
}

/// Days from 1970-01-01 to a date that exists.
fn day_of_date(year: u64, month: u64, day: u64) -> u64 {
    let months: u64 = (1..month).map(|earlier| days_of_month(year, earlier)).sum();
    days_before_year(year) - days_before_year(1970) + months + day - 1
}

/// Year, month and day of a day counted from 1970-01-01.
fn date_of_day(day: u64) -> (u64, u64, u64) {
    let mut year = 1970 + day / 366;
    while day_of_date(year + 1, 1, 1) <= day {
        year += 1;
    }
    let mut rest = day - day_of_date(year, 1, 1);
    let mut month = 1;
    while rest >= days_of_month(year, month) {
        rest -= days_of_month(year, month);
        month += 1;
    }
    (year, month, rest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_what_parse_reads_on_days_of_all_years() {
        for day in (0..=MAX_UNIX_SECONDS / DAY_SECONDS).step_by(5) {
            let time = Time(day * DAY_SECONDS + day % DAY_SECONDS);
            assert_eq!(Time::parse(&time.to_string()), Ok(time));
        }
    }
}
