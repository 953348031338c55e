//! Copies in many languages and in every form that people give them, through a whole replay: each is recognised, whichever
//! side comes first, and posts that differ in a number only are not.

use std::{fs, time::Duration};

use firsthand::{
    dedup::{DedupPolicy, decide::UnseenOriginal},
    pipeline::replay::{LineSource, Policy, Replay, VerdictLine},
    store::{OpenOptions, Store},
};

mod table;

use table::{LANGUAGES, Language};

/// A post before it has an id.
struct Posted {
    author: String,
    text: String,
}

fn posted(author: &str, text: impl Into<String>) -> Posted {
    Posted { author: author.to_owned(), text: text.into() }
}

/// Replays posts a minute apart, each numbered from 0.
async fn verdicts(posts: &[Posted]) -> Vec<VerdictLine> {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("posts.jsonl"), folder.path().join("verdicts.jsonl"));
    let lines: String = posts
        .iter()
        .enumerate()
        .map(|(id, post)| {
            let at = format!("2026-05-01T{:02}:{:02}:00Z", id / 60, id % 60);
            let line = serde_json::json!({ "id": id, "author": post.author, "text": post.text, "created_at": at });
            format!("{line}\n")
        })
        .collect();
    fs::write(&path, lines).unwrap();
    let store: Store = Store::open(OpenOptions::new(":memory:")).await.unwrap();
    let replay = Replay {
        sources: vec![LineSource::File(path)],
        batch: 50,
        policy: Policy {
            dedup: DedupPolicy::default(),
            grace: Duration::from_secs(120),
            unseen_original: UnseenOriginal::RepostCopy,
        },
    };
    let log = fs::File::create(&out).unwrap();
    replay.run(&store, Some(Box::new(log)), |_| {}, |bad| panic!("{bad:?}"), |_| {}).await.unwrap();
    store.close().await.unwrap();
    fs::read_to_string(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The name of the author of a language's post; another than any copyist's.
fn author(language: &Language) -> String {
    format!("author_{}", language.code)
}

/// What keeps a copy from being recognised, in either order of the two; and from being credited to its author, if
/// `credits` says that its form names them.
async fn faults(form: &str, credits: bool, copy: impl Fn(&Language, &str) -> Option<String>) -> Vec<String> {
    let pairs: Vec<(&Language, Posted, Posted)> = LANGUAGES
        .iter()
        .filter_map(|language| {
            let author = author(language);
            let text = copy(language, &format!("@{author}"))?;
            Some((language, posted(&author, language.text), posted(&format!("copyist_{}", language.code), text)))
        })
        .collect();
    let mut faults = Vec::new();
    for copy_first in [false, true] {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for (_, original, copy) in &pairs {
            let ordered = if copy_first { (copy, original) } else { (original, copy) };
            first.push(posted(&ordered.0.author, &ordered.0.text));
            second.push(posted(&ordered.1.author, &ordered.1.text));
        }
        first.append(&mut second);
        let verdicts = verdicts(&first).await;
        for (at, (language, _, copy)) in pairs.iter().enumerate() {
            let (earlier, later) = (&verdicts[at], &verdicts[pairs.len() + at]);
            if earlier.duplicate_of.is_some() || later.duplicate_of.as_deref() != Some(earlier.id.as_str()) {
                let order = if copy_first { "the copy first" } else { "the original first" };
                faults.push(format!("{form}, {}, {order}: not recognised: {}", language.code, copy.text));
            }
            let told = if copy_first { earlier } else { later };
            if credits && told.attribution != Some(author(language)) {
                faults.push(format!("{form}, {}: credits {:?}: {}", language.code, told.attribution, copy.text));
            }
        }
    }
    faults
}

/// The first two thirds of a text, at a character.
fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(text.chars().count() * 2 / 3).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

macro_rules! forms {
    ($($name:ident, $credits:expr, $copy:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let faults = faults(stringify!($name), $credits, $copy).await;
            assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        }
    )*};
}

forms! {
    a_header_is_recognised, true, |l, a| Some(format!("RT {a}: {}", l.text));
    a_header_without_a_colon_is_recognised, true, |l, a| Some(format!("RT {a} {}", l.text));
    a_header_behind_a_comment_is_recognised, true, |l, a| Some(format!("{} RT {a}: {}", l.comment, l.text));
    a_header_directly_behind_a_comment_without_spaces_is_recognised, true,
        |l, a| l.unspaced.then(|| format!("{}RT {a}：{}", l.comment, l.text));
    a_chain_of_headers_is_recognised, true, |l, a| Some(format!("RT @passer_by: {} RT {a}: {}", l.comment, l.text));
    a_header_of_the_language_is_recognised, true,
        |l, a| l.header.map(|header| format!("{header} {a}: {}", l.text));
    a_cut_header_is_recognised, true, |l, a| Some(format!("RT {a}: {}…", cut(l.text)));
    a_cut_copy_is_recognised, false, |l, _| Some(format!("{}...", cut(l.text)));
    a_cut_copy_with_a_link_is_recognised, false, |l, _| Some(format!("{}… https://a.example/1", cut(l.text)));
    a_credit_in_brackets_is_recognised, true, |l, a| Some(format!("{} (via {a})", l.text));
    a_credit_is_recognised, true, |l, a| Some(format!("{} via {a}", l.text));
    a_credit_of_the_language_is_recognised, true, |l, a| Some(format!("{} {}", l.text, l.credit.replace('@', a)));
    a_source_in_brackets_is_recognised, true, |l, a| Some(format!("{} ({}: {a})", l.text, l.source));
    a_quoted_post_is_recognised, true, |l, a| Some(format!("“{a}: {}” {}", l.text, l.comment));
    a_quoted_post_in_straight_marks_is_recognised, true, |l, a| Some(format!("\"{a}: {}\" {}", l.text, l.comment));
    a_quotation_in_the_languages_own_marks_is_recognised, true,
        |l, a| Some(format!("{}{}{} {a}", l.quotes.0, l.text, l.quotes.1));
    equal_words_with_another_link_are_recognised, false, |l, _| Some(format!("{} https://a.example/2", l.text));
    equal_words_in_another_composition_are_recognised, false,
        |l, _| Some(unicode_normalization::UnicodeNormalization::nfd(l.text).collect());
    equal_words_with_invisible_marks_of_direction_are_recognised, false,
        |l, _| Some(format!("\u{200f}{}\u{200e}\u{200b}", l.text));
}

#[tokio::test]
async fn posts_that_differ_in_a_number_are_different_things() {
    let posts: Vec<Posted> = [0, 1]
        .into_iter()
        .flat_map(|which| {
            LANGUAGES.iter().map(move |l| {
                let number = [l.numbers.0, l.numbers.1][which];
                posted(&author(l), l.template.replace("{}", number))
            })
        })
        .collect();
    let verdicts = verdicts(&posts).await;
    let merged: Vec<&str> = verdicts
        .iter()
        .zip(&posts)
        .filter(|(verdict, _)| verdict.duplicate_of.is_some())
        .map(|(_, post)| post.text.as_str())
        .collect();
    assert!(merged.is_empty(), "{merged:#?}");
}

#[tokio::test]
async fn welcomes_to_different_people_are_different_things() {
    let posts: Vec<Posted> = ["@tilda_quay", "@nils_brygge"]
        .into_iter()
        .flat_map(|guest| {
            LANGUAGES.iter().map(move |l| posted(&author(l), format!("{} {guest} {}", l.comment, l.text)))
        })
        .collect();
    let verdicts = verdicts(&posts).await;
    let merged: Vec<&VerdictLine> = verdicts.iter().filter(|verdict| verdict.duplicate_of.is_some()).collect();
    assert!(merged.is_empty(), "{merged:#?}");
}
