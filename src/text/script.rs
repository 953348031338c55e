//! Classes of characters.

/// Whether a character belongs to a script that is written without spaces between words, so that single characters
/// are compared instead of words. Hangul is written with spaces.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' // Thai, Lao
        | '\u{0F00}'..='\u{0FFF}' // Tibetan
        | '\u{1000}'..='\u{109F}' // Burmese
        | '\u{1780}'..='\u{17FF}' // Khmer
        | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{3035}'
        | '\u{3041}'..='\u{3096}' | '\u{309D}'..='\u{309F}' | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}'
        | '\u{3105}'..='\u{312F}' | '\u{31A0}'..='\u{31BF}' | '\u{31F0}'..='\u{31FF}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{1B000}'..='\u{1B16F}' | '\u{20000}'..='\u{3FFFF}')
}

/// How many letters a character of an unspaced script is worth: an ideograph or a syllable says as much as about two
/// letters of an alphabet (networks count them so in their limits), a Thai or Khmer letter is a letter.
pub(crate) fn unspaced_letters(c: char) -> u32 {
    if c >= '\u{3000}' { 2 } else { 1 }
}

/// How many letters a character of a spaced script is worth: a Hangul syllable is written with two or three; the vowel
/// signs of Indian scripts are letters, accents are none.
pub(crate) fn spaced_letters(c: char) -> u32 {
    match c {
        '\u{AC00}'..='\u{D7A3}' => 2,
        _ => u32::from(c.is_alphanumeric()),
    }
}

/// Whether a character is a combining mark that stays with the letter before it.
pub(crate) fn is_mark(c: char) -> bool {
    c >= '\u{300}' && unicode_normalization::char::is_combining_mark(c)
}

/// Whether a mark only shows how a word is pronounced, and is left out as often as not: Hebrew points, Arabic vowels;
/// and the enclosing key of number emoji.
pub(crate) fn is_dropped_mark(c: char) -> bool {
    matches!(c, '\u{0307}' | '\u{0591}'..='\u{05BD}' | '\u{05BF}' | '\u{05C1}'..='\u{05C7}' | '\u{0610}'..='\u{061A}'
        | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{20D0}'..='\u{20FF}')
}

/// Whether a character stands in words.
pub(crate) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphanumeric() && !matches!(c, '\u{1F000}'..='\u{1FAFF}'))
}

/// Whether a character is invisible: zero-width, bidirectional control, variation selector, soft hyphen, tatweel, tag.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{0640}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Quotation marks that open, or do both.
pub(crate) fn opens_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '‟' | '«' | '»' | '‹' | '›' | '‘' | '\'' | '「' | '『' | '《' | '〝')
}

/// Quotation marks that close, or do both.
pub(crate) fn closes_quote(c: char) -> bool {
    matches!(c, '"' | '”' | '“' | '»' | '«' | '›' | '‹' | '’' | '\'' | '」' | '』' | '》' | '〞' | '〟')
}
