//! `--grace`: how long something is left alone after nothing refers to it any more.

use std::str::FromStr;

/// Two weeks, as git does.
pub const USUAL: &str = "14d";

/// A length of time in seconds: a number with `s`, `m`, `h`, `d` or `w`, or `0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace(pub u64);

impl FromStr for Grace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("expected a length of time like `14d`, `12h`, `30m` or `0`, found `{text}`");
        if text == "0" {
            return Ok(Grace(0));
        }
        let unit = match text.chars().last() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some('w') => 604_800,
            _ => return Err(wrong()),
        };
        let digits = &text[..text.len() - 1];
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let number = plain.then(|| digits.parse::<u64>().ok()).flatten();
        let seconds = number.and_then(|n| n.checked_mul(unit));
        seconds.map(Grace).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_a_unit() {
        let parse = |text: &str| text.parse::<Grace>().map(|grace| grace.0);
        assert_eq!(parse(USUAL), Ok(1_209_600));
        assert_eq!(parse("0"), Ok(0));
        assert_eq!(parse("90s"), Ok(90));
        assert_eq!(parse("2w"), Ok(1_209_600));
        for wrong in [
            "",
            "d",
            "1",
            "-1d",
            "+1d",
            "1 d",
            "1y",
            "99999999999999999999d",
            "1é",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
