//! How things look on a terminal: colours, safe text, times and numbers for people.

use std::time::Duration;

use anstyle::{AnsiColor, Style};

pub use crate::escape::{escape_for_terminal, escape_lines_for_terminal};
use crate::{cli::args::Color, model::TimeMs};

/// A repost, or something in order.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Something that waits or deserves a look.
pub const WAITING: Style = AnsiColor::Yellow.on_default();
/// A failure.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Something of lesser weight.
pub const FAINT: Style = Style::new().dimmed();
/// A heading, or a name.
pub const STRONG: Style = Style::new().bold();

/// A text in a style. Colours are written always and taken out by `anstream` where they do not belong.
pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Makes the choice of colours known to every stream of this process.
pub fn choose_colours(color: Color) {
    match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// A number with its thousands set apart: `1,234,567`.
pub fn thousands(number: impl Into<i128>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        shown.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A number with what is counted: `1 post`, `2,000 posts`. The plural is formed with `s`.
pub fn counted(number: u64, singular: &str) -> String {
    format!("{} {singular}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// How long, in its largest unit: `45 s`, `12 min`, `3 h`, `2 days`.
pub fn duration_in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => counted(seconds / 86_400, "day"),
    }
}

/// When, seen from `now`: `just now`, `12 min ago`, `in 3 h`.
pub fn relative_time(time: TimeMs, now: TimeMs) -> String {
    let (past, future) = (now.since(time), time.since(now));
    match (past.as_secs(), future.as_secs()) {
        (0..5, 0..5) => "just now".to_owned(),
        (0, _) => format!("in {}", duration_in_words(future)),
        _ => format!("{} ago", duration_in_words(past)),
    }
}

/// When, for people: `2026-11-22 20:15:03 UTC, 3 h ago`.
pub fn moment(time: TimeMs, now: TimeMs) -> String {
    format!("{}, {}", clock_time(time), relative_time(time, now))
}

/// When, by the calendar and the clock: `2026-11-22 20:15:03 UTC`.
pub fn clock_time(time: TimeMs) -> String {
    time.to_string().replacen('T', " ", 1).replacen('Z', " UTC", 1)
}

/// How much a file holds: `512 bytes`, `1.5 MB`.
pub fn size_in_words(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", thousands(bytes / unit), bytes % unit * 10 / unit),
        None => counted(bytes, "byte"),
    }
}

/// A millionth of a dollar's count as dollars and cents: `$1.25`.
pub fn dollars(micro_dollars: i64) -> String {
    let cents = (i128::from(micro_dollars) + 5_000).div_euclid(10_000);
    format!("${}.{:02}", thousands(cents / 100), (cents % 100).abs())
}

/// One line of a post for a list: escaped, white space drawn together, cut to `width` characters with an ellipsis.
pub fn excerpt(text: &str, width: usize) -> String {
    let line = escape_for_terminal(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= width {
        return line;
    }
    let mut cut: String = line.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Lines of two columns, the first as wide as its widest entry.
pub fn two_columns<'a>(rows: impl IntoIterator<Item = (&'a str, String)> + Clone) -> String {
    let width = rows.clone().into_iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.into_iter().map(|(name, value)| format!("  {name:width$}  {value}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567")] {
            assert_eq!(thousands(number), shown);
        }
        assert_eq!(counted(1, "post"), "1 post");
        assert_eq!(counted(12_000, "post"), "12,000 posts");
    }

    #[test]
    fn times_are_told_from_now() {
        let now = TimeMs(1_000_000_000);
        let ago = |seconds| relative_time(now.minus(Duration::from_secs(seconds)), now);
        assert_eq!(
            [ago(3), ago(59), ago(60), ago(7_300), ago(200_000)],
            ["just now", "59 s ago", "1 min ago", "2 h ago", "2 days ago"]
        );
        assert_eq!(relative_time(now.plus(Duration::from_secs(120)), now), "in 2 min");
    }

    #[test]
    fn moments_and_sizes_are_told_in_words() {
        let time: TimeMs = "2026-11-22T20:15:03Z".parse().unwrap();
        assert_eq!(moment(time, time.plus(Duration::from_secs(7_300))), "2026-11-22 20:15:03 UTC, 2 h ago");
        assert_eq!([size_in_words(1), size_in_words(999), size_in_words(1_590_000)], ["1 byte", "999 bytes", "1.5 MB"]);
    }

    #[test]
    fn money_is_rounded_to_the_cent() {
        assert_eq!(dollars(1_254_999), "$1.25");
        assert_eq!(dollars(1_255_000), "$1.26");
        assert_eq!(dollars(0), "$0.00");
        assert_eq!(dollars(1_234_000_000), "$1,234.00");
    }

    #[test]
    fn an_excerpt_is_one_safe_line() {
        assert_eq!(excerpt("one\n\n  two\u{1b}[31m three", 14), r"one two\u{1b}…");
        assert_eq!(excerpt("短い", 5), "短い");
    }

    #[test]
    fn columns_are_as_wide_as_the_widest_name() {
        let rows = [("seen", "1".to_owned()), ("reposted", "2".to_owned())];
        assert_eq!(two_columns(rows), "  seen      1\n  reposted  2\n");
    }
}
