//! JSON for programs that is harmless on a terminal too.

use std::io::{self, Write};

use serde_json::Value;

use crate::escape::is_hostile;

/// Writes a value on one line.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_line(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{}", harmless(&value.to_string()))
}

/// Writes a value over several lines.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_pretty(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{}", harmless(&format!("{value:#}")))
}

/// Escapes what a terminal would obey. Such characters stand only inside strings, where `\u` means the same.
fn harmless(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_hostile(c) {
            let mut units = [0; 2];
            shown.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hostile_characters_are_escaped_and_read_back_unchanged() {
        let value = json!({ "text": "\u{1b}[2J \u{9b}x \u{202e}txt.exe \u{e0041} 今日\n" });
        let (mut line, mut pretty) = (Vec::new(), Vec::new());
        write_line(&mut line, &value).unwrap();
        write_pretty(&mut pretty, &value).unwrap();
        for written in [line, pretty] {
            let written = String::from_utf8(written).unwrap();
            assert!(!written.trim_end().chars().any(|c| c != '\n' && is_hostile(c)), "{written:?}");
            assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
        }
    }
}
