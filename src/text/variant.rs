//! The payloads by which a post can be recognised.

use std::{fmt, str::FromStr};

use super::{
    attribution::{Mark, payloads},
    canonical::Canonical,
    clean::clean,
    limits::MAX_VARIANTS,
    scan::link_len,
};
use crate::model::Handle;

/// Which part of a post a variant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VariantKind {
    /// The whole text; with a credit ("… via @a") also the text without it, which then names whom it credits.
    Whole,
    /// A repeated post: the text after a header ("RT @a: …"), or a quoted post ("“@a: …”").
    Body,
    /// The inside of a quote with a name behind it ("“…” @a"), which may repeat a post or something said aloud.
    Quote,
}

impl VariantKind {
    /// The name as it stands in the archive.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Body => "body",
            Self::Quote => "quote",
        }
    }
}

impl fmt::Display for VariantKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for VariantKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::Whole, Self::Body, Self::Quote]
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| format!("unknown kind of variant {name:?}"))
    }
}

/// One payload of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Which part of the post it is.
    pub kind: VariantKind,
    /// Whom this payload credits.
    pub credited: Option<Handle>,
    /// Whether it ends in an ellipsis or at a length where texts are cut.
    pub cut: bool,
    /// Its words.
    pub canonical: Canonical,
}

impl Variant {
    /// Takes a variant back from the archive.
    pub fn from_stored(kind: VariantKind, credited: Option<Handle>, cut: bool, canonical: String) -> Self {
        Self { kind, credited, cut, canonical: Canonical::from_stored(canonical) }
    }
}

/// What a post's text says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Analysis {
    /// The payloads, without empty and repeated ones; at most [`MAX_VARIANTS`](super::limits::MAX_VARIANTS).
    pub variants: Vec<Variant>,
    /// The handle credited last in the chain; `None` if the text is its author's own.
    pub attribution: Option<Handle>,
}

impl Analysis {
    /// Whether the text credits somebody other than its author.
    pub fn is_copy(&self) -> bool {
        self.attribution.is_some()
    }
}

/// Takes a text apart. A credit to the author themselves counts as none.
pub fn analyse(text: &str, author: Option<&Handle>) -> Analysis {
    let clean = clean(text);
    let payloads = if clean.contains('@') { payloads(&clean) } else { Vec::new() };
    let attribution = payloads.iter().rev().filter(|p| p.certain).find_map(|p| p.credited.clone());
    let attribution = attribution.filter(|handle| author != Some(handle));

    let at_limit = !payloads.is_empty() && matches!(text.trim_end().chars().count(), 139..=140 | 279..=280);
    let mut variants: Vec<Variant> = Vec::new();
    // A text that begins with its header is all said by its body.
    let begins_with_header = payloads.first().is_some_and(|p| {
        p.certain
            && p.mark == Mark::Header
            && p.range.start < 40
            && Canonical::of_clean(&clean[..p.range.start]).letters() <= 4
    });
    if !begins_with_header {
        push(&mut variants, VariantKind::Whole, None, &clean, at_limit);
    }
    // Innermost first, so that a long chain keeps the text that it is about.
    for payload in payloads.iter().rev() {
        let kind = match payload.mark {
            Mark::Header | Mark::QuotedPost => VariantKind::Body,
            Mark::Quotation => VariantKind::Quote,
            Mark::Credit => VariantKind::Whole,
        };
        let at_limit = at_limit && payload.range.end == clean.len();
        match &payload.hole {
            Some(hole) if hole.start >= payload.range.start => {
                let around = [&clean[payload.range.start..hole.start], &clean[hole.end..payload.range.end]].join(" ");
                push(&mut variants, kind, payload.credited.clone(), &around, at_limit);
                // What follows a credit in brackets goes on with the text, or is the sharer's own remark.
                let front = &clean[payload.range.start..hole.start];
                push(&mut variants, kind, payload.credited.clone(), front, false);
            }
            _ => push(&mut variants, kind, payload.credited.clone(), &clean[payload.range.clone()], at_limit),
        }
    }
    Analysis { variants, attribution }
}

fn push(variants: &mut Vec<Variant>, kind: VariantKind, credited: Option<Handle>, text: &str, at_limit: bool) {
    if variants.len() == MAX_VARIANTS {
        return;
    }
    let (text, cut) = without_cut_end(text);
    let mut canonical = Canonical::of_clean(text);
    if canonical.is_empty() {
        // A text that is nothing but a link says that link.
        canonical = Canonical::of_links(text);
    }
    let known = |v: &Variant| v.canonical == canonical && v.credited == credited;
    if !canonical.is_empty() && !variants.iter().any(known) {
        variants.push(Variant { kind, credited, cut: cut || at_limit, canonical });
    }
}

/// Takes the ellipsis off a text that ends in one (links, closing brackets and quotation marks may follow it), and
/// with it a link that was cut in its scheme. Tells whether there was one.
fn without_cut_end(text: &str) -> (&str, bool) {
    let mut end = text.trim_end();
    loop {
        let piece = end.rsplit(char::is_whitespace).next().unwrap_or("");
        let shorter = if link_len(piece, true) == piece.len() && piece.len() < end.len() {
            &end[..end.len() - piece.len()]
        } else {
            end.trim_end_matches(['"', '”', '“', '»', '’', '」', ')', ']'])
        };
        let shorter = shorter.trim_end();
        if shorter.len() == end.len() {
            break;
        }
        end = shorter;
    }
    let Some(kept) = ["...", "(cont)", "[cont]"].into_iter().find_map(|mark| end.strip_suffix(mark)) else {
        return (text, false);
    };
    let kept = kept.trim_end_matches('.').trim_end();
    let piece = kept.rsplit(char::is_whitespace).next().unwrap_or("");
    // What is left of a link's scheme, or of an entity.
    let scrap = !piece.is_empty() && ["https://", "http://", "&amp;"].iter().any(|whole| whole.starts_with(piece));
    (if scrap { &kept[..kept.len() - piece.len()] } else { kept }, true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn credited(text: &str) -> Option<String> {
        analyse(text, None).attribution.map(|handle| handle.as_str().to_owned())
    }

    /// The canonical text of the payload that credits `handle`.
    fn body(text: &str, handle: &str) -> Option<String> {
        let variants = analyse(text, None).variants;
        variants.into_iter().find(|v| v.credited == Some(Handle::new(handle))).map(|v| v.canonical.as_str().to_owned())
    }

    #[test]
    fn every_header_is_read() {
        for text in [
            "RT @ann: the tide is out",
            "RT @ann the tide is out",
            "rt @ann: the tide is out",
            "MT @ann: the tide is out",
            "♺ @ann: the tide is out",
            "♻ @ann the tide is out",
            "♻️ @ann the tide is out",
            "Lovely!\nRT @ann:\nthe tide is out",
            "so true RT @bob: RT @ann: the tide is out",
            "RT @bob RT @ann the tide is out",
            "РТ @ann: the tide is out",
            "转发 @ann: the tide is out",
            "Retweeted @ann the tide is out",
            "So true! Retweeted @ann: the tide is out",
            "哈哈//@ann:the tide is out",
            "すごいRT @ann: the tide is out",
            "via @ann: the tide is out",
        ] {
            assert_eq!(credited(text).as_deref(), Some("ann"), "{text}");
            assert_eq!(body(text, "ann").as_deref(), Some("the tide is out"), "{text}");
        }
    }

    #[test]
    fn every_credit_is_read() {
        for text in [
            "The tide is out (via @ann)",
            "The tide is out via @ann",
            "The tide is out [via @ann]",
            "The tide is out (via @ann) #sea",
            "The tide is out /via @ann",
            "The tide is out h/t @ann",
            "The tide is out (HT @ann)",
            "The tide is out vía @ann",
            "The tide is out. Por @ann",
            "The tide is out (por @ann)",
            "The tide is out (gefunden bei @ann)",
            "The tide is out عبر @ann",
            "The tide is out https://a.example/1 @annさんから",
            "The tide is out (by @ann)",
            "The tide is out (kaynak: @ann)",
            "The tide is out @ann aracılığıyla",
            "The tide is out साभार: @ann",
            "The tide is out (ប្រភព៖ @ann)",
        ] {
            assert_eq!(credited(text).as_deref(), Some("ann"), "{text}");
            assert!(body(text, "ann").is_some_and(|b| b.starts_with("the tide is out") && b.len() < 22), "{text}");
        }
    }

    #[test]
    fn every_quote_is_read() {
        for text in [
            "“@ann: the tide is out”",
            "\"@ann: the tide is out\" how true",
            "Look! “@ann: the tide is out” wow",
            "“The tide is out” @ann",
            "\"The tide is out\" - @ann",
            "„The tide is out“ (@ann)",
            "«The tide is out» — @ann",
        ] {
            assert_eq!(credited(text).as_deref(), Some("ann"), "{text}");
            assert_eq!(body(text, "ann").as_deref(), Some("the tide is out"), "{text}");
        }
        assert_eq!(
            body("「潮が引いて砂浜が広がっている」 @ann", "ann").as_deref(),
            Some("潮が引いて砂浜が広がっている")
        );
    }

    #[test]
    fn what_only_looks_like_a_credit_is_none() {
        for text in [
            "The tide is out",
            "Please RT @ann needs our help",
            "yo voto por @ann",
            "I spoke with @ann via the phone",
            "Watch this film via @YouTube",
            "@ann: thank you for the talk",
            "write to me via rt@ann.example",
            "the \"big\" @ann show",
            "START @ann: what?",
            "I retweeted @ann because the tide is out",
            "请大家转发 @ann 的照片",
            "Biletler @ann aracılığıyla satılıyor",
            "यह प्यार बंदरगाह के प्रति @ann का है",
        ] {
            assert_eq!(credited(text), None, "{text}");
        }
    }

    #[test]
    fn crediting_oneself_makes_no_copy() {
        let ann = Handle::new("ann");
        assert!(!analyse("RT @Ann: the tide is out", Some(&ann)).is_copy());
        assert!(analyse("RT @bob: the tide is out", Some(&ann)).is_copy());
    }

    #[test]
    fn an_ellipsis_at_the_end_is_a_cut() {
        let cut = |text: &str| analyse(text, None).variants.iter().all(|v| v.cut);
        assert!(cut("RT @ann: the tide is ou…"));
        assert!(cut("RT @ann: the tide is ..."));
        assert!(cut("The tide is … https://a.example/1"));
        assert!(!cut("The tide… is out"));
        assert_eq!(body("RT @ann: the tide htt…", "ann").as_deref(), Some("the tide"));
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart_into_few_bounded_payloads(
            text in "\\PC{0,120}|([ “”\"'():/.…-]|RT |via |por |@a|@bc|x|日|さんから|\u{200f}|&amp;){0,40}",
        ) {
            let analysis = analyse(&text, None);
            prop_assert!(analysis.variants.len() <= MAX_VARIANTS);
            for variant in &analysis.variants {
                prop_assert!(!variant.canonical.is_empty());
                prop_assert!(variant.canonical.as_str().len() <= 2 * crate::text::limits::MAX_TEXT_BYTES);
            }
        }
    }
}
