//! Two texts beside each other, with the words that differ standing out.

use std::{io::Write, ops::Range};

use super::{
    screen::{Line, Screen, columns_of},
    style::{self, paint},
};
use crate::text::differing::differing;

/// Below this many columns the texts stand one below the other.
const COLUMNS_FOR_TWO: usize = 80;

/// How much of a text is shown, in bytes; `--json` has all of it.
const SHOWN_BYTES: usize = 4_000;

/// Prints two texts with their headings: in two columns if the screen is wide enough and both are read from left to
/// right, else one below the other.
pub(super) fn print(
    left: (&str, &str),
    right: (&str, &str),
    screen: &Screen,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let (left_text, right_text) = (shown(left.1), shown(right.1));
    let [left_marks, right_marks] = differing(left_text, right_text);
    let lay = |text: &str, marks: Vec<Range<usize>>, columns: usize| {
        screen.wrap(text, &joined(text, marks), style::WAITING, columns)
    };
    // A right-to-left line would pull the other column to its side.
    let beside = screen.columns >= COLUMNS_FOR_TWO && !is_right_to_left(left_text) && !is_right_to_left(right_text);
    if !beside {
        let columns = screen.columns - 4;
        for (heading, lines) in
            [(left.0, lay(left_text, left_marks, columns)), (right.0, lay(right_text, right_marks, columns))]
        {
            writeln!(out, "  {}", paint(style::STRONG, heading))?;
            for line in lines {
                writeln!(out, "    {}", line.painted)?;
            }
        }
        return Ok(());
    }
    let columns = (screen.columns - 2 - 3) / 2;
    let (left_lines, right_lines) = (lay(left_text, left_marks, columns), lay(right_text, right_marks, columns));
    let heading = |text: &str| Line { painted: paint(style::STRONG, text), columns: columns_of(text) };
    writeln!(out, "  {} │ {}", heading(left.0).padded(columns), heading(right.0).painted)?;
    for place in 0..left_lines.len().max(right_lines.len()) {
        let line = |lines: &[Line]| lines.get(place).cloned().unwrap_or_default();
        let both = format!("  {} │ {}", line(&left_lines).padded(columns), line(&right_lines).painted);
        writeln!(out, "{}", both.trim_end())?;
    }
    Ok(())
}

/// The part of a text that is shown to people.
pub(super) fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN_BYTES)]
}

/// Marks that only spaces part become one.
fn joined(text: &str, marks: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(marks.len());
    for mark in marks {
        match joined.last_mut() {
            Some(last) if text[last.end..mark.start].chars().all(|c| c == ' ') => last.end = mark.end,
            _ => joined.push(mark),
        }
    }
    joined
}

/// Whether a text holds letters that are read from right to left: Hebrew, Arabic and their neighbours.
fn is_right_to_left(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(left: &str, right: &str, columns: usize) -> String {
        let mut out = Vec::new();
        print(("this post", left), ("the other", right), &Screen::plain(columns), &mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn two_columns_are_used_where_they_fit() {
        let wide = printed("RT @ann: the tide is out", "the tide is out", 80);
        assert_eq!(
            wide,
            "  this post                             │ the other\n  [RT @ann:] the tide is out            │ the tide is out\n"
        );
        let narrow = printed("RT @ann: the tide is out", "the tide is out", 60);
        assert_eq!(narrow, "  this post\n    [RT @ann:] the tide is out\n  the other\n    the tide is out\n");
        assert!(!printed("البحر هادئ", "البحر", 100).contains('│'));
        assert!(printed("今日は晴れ", "今日は雨", 100).contains('│'));
    }

    #[test]
    fn no_line_is_wider_than_the_screen() {
        let text = "今日は晴れています。 The harbour smells of seaweed ".repeat(20);
        for line in printed(&text, "short", 100).lines() {
            assert!(columns_of(line) <= 100, "{line}");
        }
    }
}
