//! Dates for people. They decide nothing.

use crate::codec::commit::Ident;

/// The day of a commit where its author was, `2026-01-31`.
pub fn day(ident: &Ident) -> String {
    let (year, month, day, _) = civil(ident);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The day of a moment in UTC, from its seconds since 1970.
pub fn utc_day(seconds: u64) -> String {
    let days = i64::try_from(seconds / 86_400).unwrap_or(i64::MAX / 2);
    let (year, month, day) = civil_day(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The moment of a commit in RFC 3339, `2026-01-31T18:30:00+02:00`.
pub fn moment(ident: &Ident) -> String {
    let (_, _, _, second) = civil(ident);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let zone = ident.zone.as_str();
    let (hours, minutes) = zone.split_at(3);
    format!(
        "{}T{hour:02}:{minute:02}:{second:02}{hours}:{minutes}",
        day(ident)
    )
}

/// How long ago something was, from its age in seconds: `3 days ago`. Clocks may differ.
pub fn ago(age: i64) -> String {
    let (size, unit) = match age.unsigned_abs() {
        size @ 172_800.. => (size / 86_400, "day"),
        size @ 7_200.. => (size / 3600, "hour"),
        size @ 120.. => (size / 60, "minute"),
        size => (size, "second"),
    };
    let words = super::report::count(size as usize, unit);
    match age {
        0.. => format!("{words} ago"),
        _ => format!("{words} ahead of this clock"),
    }
}

/// Year, month, day and second of the day, where the author was.
fn civil(ident: &Ident) -> (i64, i64, i64, i64) {
    let zone = ident.zone.as_str();
    let digits = |range| zone.get(range).and_then(|text: &str| text.parse().ok());
    let (hours, minutes): (i64, i64) = (digits(1..3).unwrap_or(0), digits(3..5).unwrap_or(0));
    let east = if zone.starts_with('-') { -1 } else { 1 };
    let seconds = i64::try_from(ident.seconds).unwrap_or(i64::MAX / 2);
    let local = seconds + east * (hours * 3600 + minutes * 60);
    let (year, month, day) = civil_day(local.div_euclid(86_400));
    (year, month, day, local.rem_euclid(86_400))
}

/// The Gregorian date of a day counted from 1970-01-01. Years are taken from March on, so that the leap
/// day is the last; an era is the 400 years after which the calendar repeats.
fn civil_day(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::commit::Zone;

    fn at(seconds: u64, zone: &str) -> String {
        moment(&Ident {
            name: "a".into(),
            email: "a@x".into(),
            seconds,
            zone: Zone::new(zone).unwrap(),
        })
    }

    #[test]
    fn ages_are_rounded_down_and_may_be_ahead() {
        assert_eq!(ago(1), "1 second ago");
        assert_eq!(ago(119), "119 seconds ago");
        assert_eq!(ago(7_199), "119 minutes ago");
        assert_eq!(ago(172_799), "47 hours ago");
        assert_eq!(ago(3 * 86_400 + 5), "3 days ago");
        assert_eq!(ago(-200), "3 minutes ahead of this clock");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(at(0, "+0000"), "1970-01-01T00:00:00+00:00");
        assert_eq!(at(0, "-0130"), "1969-12-31T22:30:00-01:30");
        assert_eq!(at(951_782_400, "+0000"), "2000-02-29T00:00:00+00:00");
        assert_eq!(at(1_767_225_600, "+0545"), "2026-01-01T05:45:00+05:45");
        assert_eq!(at(4_107_542_400, "+0000"), "2100-03-01T00:00:00+00:00");
    }
}
