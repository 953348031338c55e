//! The forms in which people pass on what others wrote.

use rand::{RngExt, rngs::Xoshiro256PlusPlus, seq::IndexedRandom};

use super::vocabulary::Vocabulary;

/// What a copy is made of.
pub(super) struct Source<'a> {
    /// Who wrote the original.
    pub(super) author: &'a str,
    /// The original's text.
    pub(super) text: &'a str,
    /// Somebody through whom it came.
    pub(super) other: &'a str,
}

#[derive(Clone, Copy)]
enum Form {
    Header,
    HeaderWithoutColon,
    Chain,
    CommentInFront,
    Modified,
    ViaInBrackets,
    Via,
    Quoted,
    QuotedWithColon,
    HeaderAndCut,
    Cut,
    WordDropped,
    UpperCase,
    LinkAdded,
    Plain,
}

/// All forms, each as frequent as the others.
const FORMS: [Form; 15] = [
    Form::Header,
    Form::HeaderWithoutColon,
    Form::Chain,
    Form::CommentInFront,
    Form::Modified,
    Form::ViaInBrackets,
    Form::Via,
    Form::Quoted,
    Form::QuotedWithColon,
    Form::HeaderAndCut,
    Form::Cut,
    Form::WordDropped,
    Form::UpperCase,
    Form::LinkAdded,
    Form::Plain,
];

/// What is left of a text that is cut, at least, in characters.
const LEAST_LEFT: usize = 40;

/// A copy's text, in any of the forms.
pub(super) fn copy(source: &Source<'_>, words: &Vocabulary, rng: &mut Xoshiro256PlusPlus) -> String {
    let Source { author, text, other } = source;
    match FORMS.choose(rng).unwrap_or(&Form::Plain) {
        Form::Header => format!("RT @{author}: {text}"),
        Form::HeaderWithoutColon => format!("rt @{author} {text}"),
        Form::Chain => format!("RT @{other}: RT @{author}: {text}"),
        Form::CommentInFront => format!("{} {}! RT @{author}: {text}", words.draw(rng), words.draw(rng)),
        Form::Modified => format!("MT @{author}: {text}"),
        Form::ViaInBrackets => format!("{text} (via @{author})"),
        Form::Via => format!("{text} via @{author}"),
        Form::Quoted => format!("“{text}” @{author}"),
        Form::QuotedWithColon => format!("\"@{author}: {text}\" {} {}", words.draw(rng), words.draw(rng)),
        Form::HeaderAndCut => format!("RT @{author}: {}…", cut(text, rng)),
        Form::Cut => format!("{}…", cut(text, rng)),
        Form::WordDropped => without_one_word(text, rng),
        Form::UpperCase => text.to_uppercase(),
        Form::LinkAdded => format!("{text} https://t.example/{:07x}", rng.random_range(0..0x1000_0000)),
        Form::Plain => (*text).to_owned(),
    }
}

/// The beginning of a text, half of it or more.
fn cut<'t>(text: &'t str, rng: &mut Xoshiro256PlusPlus) -> &'t str {
    let least = LEAST_LEFT.max(text.len() / 2).min(text.len());
    &text[..text.floor_char_boundary(rng.random_range(least..=text.len()))]
}

fn without_one_word(text: &str, rng: &mut Xoshiro256PlusPlus) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let dropped = rng.random_range(0..words.len());
    [&words[..dropped], &words[dropped + 1..]].concat().join(" ")
}
