//! Finds links and mentions in a cleaned text. Hand-written, since every post passes here several times.

use super::script::{is_unspaced, is_word};

/// The length in bytes of a link that begins at the start of `text`, 0 if none does. `at_word_start` tells that no
/// word character stands in front.
pub(super) fn link_len(text: &str, at_word_start: bool) -> usize {
    let scheme = ["https://", "http://", "www."]
        .into_iter()
        .find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let head = match scheme {
        Some(scheme) => scheme.len(),
        None if at_word_start => bare_domain_len(text),
        None => 0,
    };
    if head == 0 {
        return 0;
    }
    let rest = &text[head..];
    let end = rest.find(|c| !is_link_char(c)).unwrap_or(rest.len());
    // Punctuation at the end belongs to the sentence, not to the link.
    let kept = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'', '*', '~']).len();
    head + kept
}

/// What may stand inside a link. Characters of unspaced scripts follow links directly, so they end one.
fn is_link_char(c: char) -> bool {
    if c.is_ascii() {
        !(c.is_ascii_whitespace() || matches!(c, '"' | '<' | '>' | '`' | '{' | '}' | '|' | '\\' | '^'))
    } else {
        is_word(c) && !is_unspaced(c)
    }
}

/// `bit.ly/` and the like: labels with dots and a slash, the form in which some networks show links.
fn bare_domain_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let end = bytes.iter().take(80).position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')));
    let Some(end) = end.filter(|&end| bytes[end] == b'/') else { return 0 };
    let Some((name, top)) = text[..end].rsplit_once('.') else { return 0 };
    let is_domain = top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic()) && !name.is_empty();
    if is_domain { end + 1 } else { 0 }
}

/// The handle of a mention that begins at the start of `text` (with its `@`), or `None`. Knows `@name`,
/// `@name@server.example` and `@name.example.social`.
pub(super) fn mention(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'@') {
        return None;
    }
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let mut end = 1 + bytes[1..].iter().take_while(|b| is_name(b)).count();
    if end == 1 {
        return None;
    }
    let mut server_seen = false;
    while let Some(&joint) = bytes.get(end) {
        // Lower case after a dot, so that a sentence that begins right after the handle isn't swallowed.
        let follows = bytes.get(end + 1).is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let joins = match joint {
            b'@' if !server_seen => follows,
            b'.' | b'-' => follows,
            _ => false,
        };
        if !joins {
            break;
        }
        server_seen |= joint == b'@';
        end += 1 + bytes[end + 1..].iter().take_while(|b| is_name(b)).count();
    }
    Some(&text[1..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_end_where_the_sentence_goes_on() {
        assert_eq!(link_len("https://a.example/x?y=1) and", true), "https://a.example/x?y=1".len());
        assert_eq!(link_len("http://a.example/1を見た", true), "http://a.example/1".len());
        assert_eq!(link_len("bit.ly/abc, and", true), "bit.ly/abc".len());
        assert_eq!(link_len("and/or", true), 0);
        assert_eq!(link_len("v1.5/2", true), 0);
    }

    #[test]
    fn handles_of_three_networks_are_read() {
        assert_eq!(mention("@Ann_1: hello"), Some("Ann_1"));
        assert_eq!(mention("@ann@social.example hello"), Some("ann@social.example"));
        assert_eq!(mention("@ann.bsky.example."), Some("ann.bsky.example"));
        assert_eq!(mention("@bob.Great talk"), Some("bob"));
        assert_eq!(mention("@annさん"), Some("ann"));
        assert_eq!(mention("@ the station"), None);
    }
}
