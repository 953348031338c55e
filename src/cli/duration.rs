//! Durations as people write them: `90s`, `30m`, `2h`, `7d`, `1h30m`.

use std::time::Duration;

/// A text that is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a number with its unit, such as 90s, 30m, 2h, 7d or 1h30m, at most 10 years")]
pub struct NotADuration;

/// No back-filling reaches further; larger numbers are slips of the hand.
const MAX_SECONDS: u64 = 10 * 366 * 86_400;

/// Reads a duration.
///
/// # Errors
/// [`NotADuration`], which shows the form that is expected.
pub fn parse_duration(text: &str) -> Result<Duration, NotADuration> {
    let mut rest = text.trim();
    let mut seconds = 0_u64;
    if rest.is_empty() {
        return Err(NotADuration);
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(NotADuration)?;
        let (number, tail) = rest.split_at(digits);
        let end_of_unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end_of_unit);
        let unit_seconds = match unit.trim() {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return Err(NotADuration),
        };
        let part =
            number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit_seconds)).ok_or(NotADuration)?;
        seconds = seconds.checked_add(part).ok_or(NotADuration)?;
        rest = tail;
    }
    if seconds > MAX_SECONDS {
        return Err(NotADuration);
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, seconds) in
            [("90s", 90), ("30m", 1_800), ("2h", 7_200), ("7d", 604_800), ("1h30m", 5_400), ("0s", 0)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("1h 30min"), Ok(Duration::from_secs(5_400)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "12", "h", "-1h", "1.5h", "2 fortnights", "99999999999999999999s", "9999999d", "１h"] {
            assert_eq!(parse_duration(text), Err(NotADuration), "{text}");
        }
    }
}
