//! What is done to every text before anything is read from it.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use super::{limits::MAX_TEXT_BYTES, script::is_invisible};

/// Cuts a text at a character boundary.
pub(super) fn cap(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT_BYTES)]
}

/// Decodes entities, folds compatibility forms (NFKC), and drops what can't be seen. Control characters become spaces.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(cap(text));
    if text.contains('&') {
        text = Cow::Owned(html_escape::decode_html_entities(&text).into_owned());
    }
    let plain = |c: char| !c.is_control() && (c.is_ascii() || !is_invisible(c));
    if !text.chars().all(plain) {
        // Before the folding, so that a mark finds the letter that something invisible stood between.
        text = Cow::Owned(
            text.chars()
                .filter(|&c| c.is_ascii() || !is_invisible(c))
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect(),
        );
    }
    if !text.is_ascii() && is_nfkc_quick(text.chars()) != IsNormalized::Yes {
        text = Cow::Owned(text.nfkc().filter(|&c| !is_invisible(c)).collect());
    }
    if text.len() > MAX_TEXT_BYTES { Cow::Owned(cap(&text).to_owned()) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_full_width_forms_and_invisible_characters_are_folded() {
        assert_eq!(clean("Fish &amp; ＣＨＩＰＳ\u{200B}…\n"), "Fish & CHIPS... ");
        assert_eq!(clean("\u{202E}abc\u{202C}"), "abc");
    }

    #[test]
    fn a_text_that_grows_in_the_folding_stays_within_the_cap() {
        // One character of three bytes becomes eighteen characters.
        let grown = "\u{FDFA}".repeat(6_000);
        assert!(clean(&grown).len() <= MAX_TEXT_BYTES);
        assert!(clean(&"x".repeat(100_000)).len() == MAX_TEXT_BYTES);
    }
}
