//! Text of strangers, made safe to be shown: on a terminal, in a log line, in an error.

use unicode_normalization::char::is_combining_mark;

/// How many combining marks may stand on one letter. Vietnamese and Hebrew need two or three, Thai and Tibetan four at
/// the most; "zalgo" stacks dozens, which a terminal draws over the lines above.
const MAX_MARKS: usize = 4;

/// Whether a character is dangerous to show: control characters (ESC and the C1 range among them), the bidirectional
/// overrides, embeddings and isolates that reorder what follows (Unicode TR 36), line separators, and invisible tag
/// characters. The plain direction marks of right-to-left text are harmless and stay.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(
            u32::from(c),
            0x2028..=0x202E
                | 0x2066..=0x2069
                | 0xFEFF
                | 0xFFF9..=0xFFFB
                | 0xE0001
                | 0xE0020..=0xE007F
        )
}

/// One line of text that a terminal shows as it is: line breaks and tabs become spaces, other hostile characters are
/// shown as `\u{…}`, and marks beyond four on a letter are dropped.
pub fn escape_for_terminal(text: &str) -> String {
    escape(text, false)
}

/// As [`escape_for_terminal`], but line breaks stay: for the whole text of a post.
pub fn escape_lines_for_terminal(text: &str) -> String {
    escape(text, true)
}

fn escape(text: &str, keep_lines: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.replace("\r\n", "\n").chars() {
        if is_combining_mark(c) {
            marks += 1;
            if marks <= MAX_MARKS {
                shown.push(c);
            }
            continue;
        }
        marks = 0;
        match c {
            '\n' if keep_lines => shown.push('\n'),
            '\n' | '\r' | '\t' => shown.push(' '),
            c if is_hostile(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_sequences_are_shown_and_not_obeyed() {
        let shown = escape_for_terminal("\u{1b}]0;title\u{7}\u{9b}2J\u{202e}txt.exe\u{2066}\u{7f}");
        assert_eq!(shown, r"\u{1b}]0;title\u{7}\u{9b}2J\u{202e}txt.exe\u{2066}\u{7f}");
    }

    #[test]
    fn line_breaks_become_spaces_unless_they_are_wanted() {
        assert_eq!(escape_for_terminal("one\r\ntwo\tthree\u{2028}"), r"one two three\u{2028}");
        assert_eq!(escape_lines_for_terminal("one\r\ntwo"), "one\ntwo");
    }

    #[test]
    fn stacks_of_marks_are_cut_and_ordinary_marks_stay() {
        let zalgo = format!("a{}b", "\u{301}".repeat(60));
        assert_eq!(escape_for_terminal(&zalgo), format!("a{}b", "\u{301}".repeat(4)));
        for text in ["tiếng Việt", "שָׁלוֹם", "हिन्दी", "日本語 👩‍👩‍👧 ✔️"] {
            assert_eq!(escape_for_terminal(text), text);
        }
    }
}
