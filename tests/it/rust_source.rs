//! Just enough of Rust's lexical grammar to find paths in a source file, and not in its comments and literals.

/// A path that begins at the crate's root.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CratePath {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The module directly below the root.
    pub(crate) module: String,
}

/// The text with comments and the insides of literals replaced by spaces; lines keep their numbers.
pub(crate) fn without_comments_and_literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_literal_or_comment(&chars, at);
        if end > at {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// Where the comment or literal ends that begins at `at`; `at` itself if none does.
fn end_of_literal_or_comment(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied();
    let after_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match (chars[at], next) {
        ('/', Some('/')) => find(chars, at, &['\n']).unwrap_or(chars.len()),
        ('/', Some('*')) => end_of_block_comment(chars, at),
        ('"', _) => end_of_quoted(chars, at, '"'),
        ('\'', Some('\\')) => end_of_quoted(chars, at, '\''),
        ('\'', Some(_)) if chars.get(at + 2) == Some(&'\'') => at + 3,
        ('r', Some('"' | '#')) if !after_word => end_of_raw_string(chars, at).unwrap_or(at),
        ('b', Some('r')) if !after_word => end_of_raw_string(chars, at + 1).unwrap_or(at),
        _ => at,
    }
}

fn find(chars: &[char], from: usize, wanted: &[char]) -> Option<usize> {
    chars[from..].windows(wanted.len()).position(|window| window == wanted).map(|offset| from + offset)
}

fn end_of_block_comment(chars: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn end_of_quoted(chars: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn end_of_raw_string(chars: &[char], start: usize) -> Option<usize> {
    let hashes = chars[start + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(start + 1 + hashes) != Some(&'"') {
        return None;
    }
    let mut closing = vec!['"'];
    closing.resize(hashes + 1, '#');
    Some(find(chars, start + 2 + hashes, &closing).map_or(chars.len(), |end| end + closing.len()))
}

/// Every path of the code that begins with `root::`, groups in braces taken apart. A path that cannot be followed (a
/// glob, a renamed root, `super::super`) is named as it stands, so that no layer has it.
pub(crate) fn crate_paths(code: &str, root: &str) -> Vec<CratePath> {
    let mut found = Vec::new();
    let tokens = tokens(code);
    for (at, (line, token)) in tokens.iter().enumerate() {
        let next = |offset: usize| tokens.get(at + offset).map_or("", |(_, token)| token.as_str());
        match token.as_str() {
            "super" if next(1) == "::" && next(2) == "super" => {
                found.push(CratePath { line: *line, module: "super::super".to_owned() });
            }
            word if word == root && next(1) == "::" && next(2) == "{" => {
                found.extend(group(&tokens[at + 3..]));
            }
            word if word == root && next(1) == "::" => {
                found.push(CratePath { line: *line, module: next(2).to_owned() });
            }
            word if word == root && next(1) == "as" => {
                found.push(CratePath { line: *line, module: format!("{root} as {}", next(2)) });
            }
            _ => {}
        }
    }
    found
}

/// The first words of a group's members; `tokens` begin behind the opening brace.
fn group(tokens: &[(usize, String)]) -> Vec<CratePath> {
    let mut found = Vec::new();
    let mut depth = 0;
    let mut begins = true;
    for (line, token) in tokens {
        match token.as_str() {
            "{" => depth += 1,
            "}" if depth == 0 => break,
            "}" => depth -= 1,
            "," if depth == 0 => begins = true,
            word => {
                if begins && depth == 0 {
                    found.push(CratePath { line: *line, module: word.to_owned() });
                }
                begins = false;
            }
        }
    }
    found
}

/// Words, `::` and single other characters, with their lines.
fn tokens(code: &str) -> Vec<(usize, String)> {
    let mut tokens: Vec<(usize, String)> = Vec::new();
    for (text, line) in code.lines().zip(1..) {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let length = match first {
                _ if word > 0 => word,
                ':' if rest.starts_with("::") => 2,
                other => other.len_utf8(),
            };
            let (token, behind) = rest.split_at(length);
            tokens.push((line, token.to_owned()));
            rest = behind.trim_start();
        }
    }
    tokens
}

#[test]
fn paths_are_found_in_code_and_nowhere_else() {
    let text = r##"
// use crate::comment;
/* /* crate::nested */ crate::still_a_comment */
use crate::{
    model::{Clock, crate_like},
    store,
};
const TEXT: &str = "crate::quoted \" crate::escaped";
const RAW: &str = r#"crate::raw "quoted" "#;
fn f<'a>(x: &'a str) -> char { '"' }
fn up() { super::here(); super::super::store::open() }
fn g() { crate::text::analyse(); let c = '\''; crate :: dedup::judge() }
use crate::*;
"##;
    let found: Vec<(usize, String)> = crate_paths(&without_comments_and_literals(text), "crate")
        .into_iter()
        .map(|CratePath { line, module }| (line, module))
        .collect();
    let expected = [(5, "model"), (6, "store"), (11, "super::super"), (12, "text"), (12, "dedup"), (13, "*")];
    assert_eq!(found, expected.map(|(line, module)| (line, module.to_owned())));
}
