//! The surface that a command writes on, and text laid out to fit it.

use std::ops::Range;

use anstyle::Style;
use unicode_width::UnicodeWidthChar;

use super::style::{escape_lines_for_terminal, paint};

/// What a terminal is taken for where none is: wide enough for two columns, narrow enough to be read.
const DEFAULT_COLUMNS: usize = 100;

/// Below this nothing could be laid out; the terminal wraps by itself.
const LEAST_COLUMNS: usize = 40;

/// How wide the output may be, and how words are made to stand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// In columns.
    pub columns: usize,
    /// Whether colours reach the reader; where not, brackets mark words.
    pub colours: bool,
}

impl Screen {
    /// Standard output: its width if it is a terminal, at most 100 columns, and the choice of colours.
    pub fn of_stdout() -> Self {
        let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let choice = anstream::AutoStream::choice(&std::io::stdout());
        Self {
            columns: terminal.unwrap_or(DEFAULT_COLUMNS).clamp(LEAST_COLUMNS, DEFAULT_COLUMNS),
            colours: choice != anstream::ColorChoice::Never,
        }
    }

    /// A surface of this width without colours.
    pub fn plain(columns: usize) -> Self {
        Self { columns, colours: false }
    }

    /// Lays out a stranger's text in lines of at most `columns`, escaped, with the marked byte ranges standing out.
    /// `marks` are in order and do not overlap.
    pub fn wrap(&self, text: &str, marks: &[Range<usize>], mark: Style, columns: usize) -> Vec<Line> {
        let mut layout =
            Layout { mark, columns: columns.max(2), lines: Vec::new(), line: Vec::new(), width: 0, stop: 0 };
        let mut at = 0;
        for range in marks {
            layout.add(&text[at..range.start], false);
            if self.colours {
                layout.add(&text[range.clone()], true);
            } else {
                layout.add(&format!("[{}]", &text[range.clone()]), false);
            }
            at = range.end;
        }
        layout.add(&text[at..], false);
        layout.end_line();
        layout.lines
    }
}

/// A laid-out line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// With its colours.
    pub painted: String,
    /// How many columns it takes.
    pub columns: usize,
}

impl Line {
    /// The line, filled up with spaces to `columns`.
    pub fn padded(&self, columns: usize) -> String {
        format!("{}{}", self.painted, " ".repeat(columns.saturating_sub(self.columns)))
    }
}

/// How many columns a text takes that is shown as it is.
pub fn columns_of(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

fn width_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Lines in the making.
struct Layout {
    mark: Style,
    columns: usize,
    lines: Vec<Line>,
    /// The line that is being filled: characters, and whether each is marked.
    line: Vec<(char, bool)>,
    width: usize,
    /// Where the line may be broken: the number of characters that may stay on it; 0 for nowhere.
    stop: usize,
}

impl Layout {
    fn add(&mut self, text: &str, marked: bool) {
        for c in escape_lines_for_terminal(text).chars() {
            if c == '\n' {
                self.end_line();
                continue;
            }
            let width = width_of(c);
            if self.width + width > self.columns {
                // Wide characters are those of scripts without spaces, which may be parted anywhere.
                if c == ' ' || width == 2 {
                    self.break_at(self.line.len());
                } else {
                    self.break_at(if self.stop > 0 { self.stop } else { self.line.len() });
                }
                if c == ' ' {
                    continue;
                }
            }
            self.line.push((c, marked));
            self.width += width;
            if c == ' ' || width == 2 {
                self.stop = self.line.len();
            }
        }
    }

    /// Ends the line after `kept` of its characters; the rest begins the next one.
    fn break_at(&mut self, kept: usize) {
        let rest = self.line.split_off(kept);
        self.end_line();
        self.width = rest.iter().map(|(c, _)| width_of(*c)).sum();
        self.line = rest;
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        while line.last().is_some_and(|(c, _)| *c == ' ') {
            line.pop();
        }
        let columns = line.iter().map(|(c, _)| width_of(*c)).sum();
        let mut painted = String::new();
        for run in line.chunk_by(|a, b| a.1 == b.1) {
            let text: String = run.iter().map(|(c, _)| c).collect();
            painted.push_str(&if run[0].1 { paint(self.mark, text) } else { text });
        }
        self.lines.push(Line { painted, columns });
        (self.width, self.stop) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cli::style::{STRONG, escape_for_terminal};

    fn wrapped(text: &str, columns: usize) -> Vec<String> {
        let lines = Screen::plain(100).wrap(text, &[], STRONG, columns);
        lines.into_iter().map(|line| line.painted).collect()
    }

    #[test]
    fn lines_break_between_words_and_between_wide_characters() {
        assert_eq!(wrapped("the tide is out", 9), ["the tide", "is out"]);
        assert_eq!(wrapped("今日は晴れ", 5), ["今日", "は晴", "れ"]);
        assert_eq!(wrapped("unbreakably long", 6), ["unbrea", "kably", "long"]);
        assert_eq!(wrapped("one\ntwo", 9), ["one", "two"]);
    }

    #[test]
    fn marks_stand_out_with_and_without_colours() {
        let text = "the tide is out";
        let coloured = Screen { columns: 80, colours: true }.wrap(text, std::slice::from_ref(&(4..8)), STRONG, 80);
        assert_eq!(coloured[0].painted, format!("the {STRONG}tide{STRONG:#} is out"));
        assert_eq!(coloured[0].columns, 15);
        let plain = Screen::plain(80).wrap(text, &[0..3, 12..15], STRONG, 80);
        assert_eq!(plain[0].painted, "[the] tide is [out]");
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_nothing_is_lost(text in "\\PC{0,80}|[ab 東\u{301}\u{1b}\n]{0,60}", columns in 2_usize..20) {
            let lines = Screen::plain(100).wrap(&text, &[], STRONG, columns);
            prop_assert!(lines.iter().all(|line| line.columns <= columns && line.columns == columns_of(&line.painted)));
            let solid = |text: &str| text.split_whitespace().collect::<String>();
            let shown: String = lines.iter().map(|line| line.painted.as_str()).collect();
            prop_assert_eq!(solid(&shown), solid(&escape_for_terminal(&text)));
        }
    }
}
