//! A date as text, or a time, in; a day of the calendar out.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A day of the Gregorian calendar in UTC, of the years 1 to 9999.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Day {
    /// Days since 1970-01-01.
    number: i64,
}

impl Day {
    /// Seconds of a day; UTC as machines keep it has no leap seconds.
    const SECONDS: u64 = 24 * 60 * 60;

    /// The day in UTC at a time; the first of 1970 for any time before it.
    pub fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let number = i64::try_from(since.as_secs() / Self::SECONDS).unwrap_or(i64::MAX);
        Self { number }
    }

    /// How many days lie between this one and a later one; negative where that is an earlier one.
    pub const fn days_to(self, other: Self) -> i64 {
        other.number - self.number
    }

    /// The day so many days later.
    #[must_use]
    pub const fn plus(self, days: i64) -> Self {
        Self {
            number: self.number + days,
        }
    }

    /// A date's day; `None` where the calendar has no such date.
    fn on(year: i64, month: i64, day: i64) -> Option<Self> {
        let number = number(year, month, day);
        let exists = (1..=9999).contains(&year) && date(number) == (year, month, day);
        exists.then_some(Self { number })
    }
}

/// Days from 1970-01-01 to a date. Years begin in March here, so that the day that comes and goes is the last one of a
/// year; 400 years have 146,097 days.
const fn number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The other way round: year, month and day.
const fn date(number: i64) -> (i64, i64, i64) {
    let number = number + 719_468;
    let (era, of_era) = (number.div_euclid(146_097), number.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.number);
        f.pad(&format!("{year:04}-{month:02}-{day:02}"))
    }
}

/// Text that is no date of the calendar in the form 2026-12-31.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoDay;

impl fmt::Display for NoDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no date of the calendar")
    }
}

impl std::error::Error for NoDay {}

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts[..] else {
            return Err(NoDay);
        };
        let part = |text: &str, digits: usize| {
            let fits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
            fits.then(|| text.parse().ok()).flatten().ok_or(NoDay)
        };
        Self::on(part(year, 4)?, part(month, 2)?, part(day, 2)?).ok_or(NoDay)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn every_day_of_a_thousand_years_reads_back_and_follows_the_one_before() {
        let (first, last) = (day("1600-01-01"), day("2600-01-01"));
        assert_eq!(first.days_to(last), 365_243);
        for number in 0..first.days_to(last) {
            let at = first.plus(number);
            assert_eq!(at.to_string().parse(), Ok(at));
            assert!(at.to_string() < at.plus(1).to_string());
        }
    }

    #[test]
    fn what_the_calendar_does_not_have_is_no_day() {
        let table = [
            "2026-02-29",
            "2100-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "0000-01-01",
            "2026-1-01",
            "26-01-01",
            "2026-01-01T00:00:00Z",
            "+026-01-01",
            "2026/01/01",
            "",
            "2026-01",
        ];
        for text in table {
            assert_eq!(text.parse::<Day>(), Err(NoDay), "{text}");
        }
        assert!("2028-02-29".parse::<Day>().is_ok() && "2000-02-29".parse::<Day>().is_ok());
    }

    #[test]
    fn a_time_lies_in_its_day_from_midnight_to_midnight() {
        // date -u -d 2026-11-26 +%s
        let midnight = UNIX_EPOCH + Duration::from_secs(1_795_651_200);
        let second = Duration::from_secs(1);
        assert_eq!(Day::of(midnight), day("2026-11-26"));
        assert_eq!(Day::of(midnight - second), day("2026-11-25"));
        assert_eq!(Day::of(midnight + 86_399 * second), day("2026-11-26"));
        assert_eq!(Day::of(UNIX_EPOCH - second), day("1970-01-01"));
    }
}
