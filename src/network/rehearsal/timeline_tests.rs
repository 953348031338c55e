//! The embedded timeline keeps what its documentation promises.

use std::collections::{HashMap, HashSet};

use super::{ACCOUNT_HANDLE, Entry, Fault, Form, HASHTAG, Scene, Timeline, TimelineError, entry::hashtags_in};
use crate::model::Hashtag;

fn timeline() -> Timeline {
    Timeline::embedded().unwrap()
}

fn original<'a>(timeline: &'a Timeline, entry: &Entry) -> Option<&'a Entry> {
    entry.expect.same_as.as_ref().and_then(|id| timeline.entry(id))
}

/// Whether the text of an entry shows the form that it claims; `credit` is `@` and the original's author.
fn shows_form(entry: &Entry, original: Option<&Entry>, credit: &str) -> bool {
    let text = entry.text.as_str();
    let tail = |from: &str| text.rfind(from).map(|at| &text[at + from.len()..]);
    match entry.form {
        Form::RtColon => text.starts_with(&format!("RT {credit}: ")),
        Form::RtPlain => text.starts_with(&format!("RT {credit} ")),
        Form::RtLower => text.starts_with(&format!("rt {credit}")),
        Form::RtChain => text.starts_with("RT @") && text.matches("RT @").count() > 1 && text.contains(credit),
        Form::RtComment => !text.starts_with("RT") && text.contains(&format!(" RT {credit}: ")),
        Form::RtNewline => text.contains(&format!("RT {credit}:\n")),
        Form::Mt => text.starts_with(&format!("MT {credit}: ")),
        Form::Ht => tail(" HT ") == Some(credit),
        Form::HtSlash => tail(" h/t ") == Some(credit),
        Form::ViaParen => text.ends_with(&format!(" (via {credit})")),
        Form::ViaBare => tail(" via ") == Some(credit),
        Form::ViaTail => tail(&format!(" (via {credit})")).is_some_and(|tail| tail.len() > 5),
        Form::ViaEs => tail(" vía ") == Some(credit),
        Form::PorEs => tail(" por ") == Some(credit),
        Form::Recycle => text.starts_with('♻') && text.contains(credit),
        Form::QuoteAfter => ["”", "“"].iter().any(|close| text.ends_with(&format!("{close} {credit}"))),
        Form::QuoteBefore => text.starts_with(&format!("\"{credit}: ")) && text.ends_with('"'),
        Form::CutEllipsis => text.ends_with('…'),
        Form::CutDots => text.ends_with("..."),
        Form::CutWord => text.ends_with(char::is_alphabetic),
        Form::Exact | Form::Near => original.is_some_and(|original| original.author != entry.author),
        Form::CrossTag => original.is_some_and(|o| hashtags_in(&o.text) != hashtags_in(text)),
        Form::SelfRepeat => original.is_some_and(|o| o.author == entry.author && o.text == entry.text),
        Form::NativeRepost => entry.repost_of.is_some(),
        Form::Reply => entry.reply_to.is_some(),
        Form::Short => text.chars().filter(|c| c.is_alphabetic()).count() < 25,
        Form::OtherTag => !hashtags_in(text).contains(&Hashtag::new(HASHTAG)),
        Form::FullWidth => text.contains('＃'),
        Form::Own => entry.author == ACCOUNT_HANDLE,
        Form::Original | Form::Template | Form::Hostile => original.is_none(),
    }
}

#[test]
fn the_timeline_is_long_and_written_by_many_hands() {
    let timeline = timeline();
    assert!(timeline.entries().len() >= 220);
    let authors: HashSet<&str> = timeline.entries().iter().map(|entry| entry.author.as_str()).collect();
    assert!(authors.len() >= 60);
    assert_eq!(authors.len(), timeline.display_names().len(), "a name in authors.json belongs to nobody");
    let hours = timeline.entries().last().unwrap().at_s / 3600;
    assert_eq!(hours, 5, "the last post falls into the sixth hour");
}

#[test]
fn ids_are_decimal_unique_and_grow_with_time() {
    let timeline = timeline();
    let ids: Vec<_> = timeline.entries().iter().map(|entry| &entry.id).collect();
    assert!(ids.iter().all(|id| id.as_str().bytes().all(|byte| byte.is_ascii_digit())));
    assert!(ids.is_sorted_by(|a, b| a.cmp_numeric(b).is_lt()));
}

#[test]
fn every_expectation_names_the_first_hand_of_its_thing() {
    let timeline = timeline();
    for entry in timeline.entries() {
        let Some(id) = &entry.expect.same_as else { continue };
        let first = timeline.entry(id).unwrap_or_else(|| panic!("{} names the missing {id}", entry.id));
        assert_eq!(first.expect.same_as, None, "{} names {id}, which is a copy itself", entry.id);
        let reposted_early = matches!(entry.scene, Some(Scene::EarlyAfterGrace | Scene::Troll));
        assert!(!entry.expect.repost || reposted_early, "{} is a copy and would be reposted", entry.id);
    }
}

#[test]
fn every_form_occurs_and_the_texts_show_the_forms_they_claim() {
    let timeline = timeline();
    let mut missing: HashSet<Form> = Form::ALL.iter().copied().collect();
    for entry in timeline.entries().iter().filter(|entry| entry.scene != Some(Scene::Orphan)) {
        missing.remove(&entry.form);
        let original = original(&timeline, entry);
        let credit = original.map_or_else(|| "@".to_owned(), |original| format!("@{}", original.author));
        assert!(shows_form(entry, original, &credit), "{} is no {:?}: {:?}", entry.id, entry.form, entry.text);
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn copies_before_their_originals_fall_on_the_right_side_of_the_grace_time() {
    const GRACE_S: u32 = 120;
    let timeline = timeline();
    let mut seen = HashMap::new();
    for entry in timeline.entries() {
        let Some(scene) = entry.scene else { continue };
        *seen.entry(scene).or_insert(0) += 1;
        let wait_s = original(&timeline, entry).map(|original| original.at_s.saturating_sub(entry.at_s));
        match scene {
            Scene::EarlyWithinGrace => assert!(matches!(wait_s, Some(1..GRACE_S)), "{}", entry.id),
            Scene::EarlyAfterGrace => assert!(wait_s.unwrap() > 5 * GRACE_S, "{}", entry.id),
            Scene::Troll => assert_eq!(wait_s.unwrap() > GRACE_S, entry.expect.repost, "{}", entry.id),
            _ => assert!(matches!(wait_s, None | Some(0)), "{} is later than its copy", entry.id),
        }
    }
    assert_eq!(seen.len(), 8, "a scene is missing: {seen:?}");
    assert!(seen[&Scene::EarlyWithinGrace] >= 5);
}

#[test]
fn five_languages_speak_and_each_is_copied() {
    let timeline = timeline();
    for (lang, at_least) in [("en", 100), ("es", 20), ("de", 20), ("ja", 20), ("ar", 15)] {
        let posts: Vec<_> = timeline.entries().iter().filter(|entry| entry.lang == lang).collect();
        assert!(posts.len() >= at_least, "{lang}: {}", posts.len());
        let copies = posts.iter().filter(|entry| entry.expect.same_as.is_some()).count();
        assert!(copies >= 6, "{lang}: {copies}");
    }
}

#[test]
fn about_half_of_the_posts_are_worth_a_repost_and_no_author_floods() {
    let timeline = timeline();
    let reposted: Vec<_> = timeline.entries().iter().filter(|entry| entry.expect.repost).collect();
    let percent = reposted.len() * 100 / timeline.entries().len();
    assert!((50..=60).contains(&percent), "{percent}");
    for first in &reposted {
        let within_the_hour =
            |e: &&&Entry| e.author == first.author && (0..3600).contains(&e.at_s.wrapping_sub(first.at_s));
        assert!(reposted.iter().filter(within_the_hour).count() <= 3, "@{} floods", first.author);
    }
}

#[test]
fn each_fault_occurs_once_on_a_post_that_is_to_be_reposted() {
    let timeline = timeline();
    for fault in [Fault::Gone, Fault::RateLimit, Fault::LostAnswer] {
        let faulty: Vec<_> = timeline.entries().iter().filter(|entry| entry.fault == Some(fault)).collect();
        assert_eq!(faulty.len(), 1, "{fault:?}");
        assert!(faulty[0].expect.repost && !faulty[0].unindexed);
    }
}

#[test]
fn every_link_stands_in_its_text() {
    let timeline = timeline();
    let mut links = 0;
    for entry in timeline.entries() {
        links += entry.links.len();
        assert!(entry.links.iter().all(|link| entry.text.contains(&link.shown)), "{}", entry.id);
    }
    assert!(links >= 4);
}

#[test]
fn only_marked_posts_lack_the_hashtag() {
    for entry in timeline().entries() {
        let untagged = entry.scene == Some(Scene::UntaggedOriginal) && entry.expect.same_as.is_none();
        let tagged = hashtags_in(&entry.text).contains(&Hashtag::new(HASHTAG));
        assert_eq!(tagged, !(untagged || entry.form == Form::OtherTag), "{}", entry.id);
    }
}

#[test]
fn a_damaged_timeline_is_refused_by_its_line_or_post() {
    let line = |at_s: u32, id: &str, author: &str, more: &str| {
        format!(
            r#"{{"at_s":{at_s},"id":"{id}","author":"{author}","lang":"en","text":"x"{more},"form":"original","expect":{{"repost":true,"same_as":null}}}}"#
        )
    };
    let read = |lines: &[String]| Timeline::read(&lines.join("\n"), r#"{"ann":"Ann"}"#);
    let good = line(1, "10", "ann", "");
    assert_eq!(read(std::slice::from_ref(&good)).unwrap().entries().len(), 1);
    assert!(matches!(read(&[good.clone(), "{".to_owned()]), Err(TimelineError::Line { line: 2, .. })));
    assert!(matches!(read(&[good.clone(), good.clone()]), Err(TimelineError::DuplicateId(_))));
    assert!(matches!(read(&[good.clone(), line(0, "20", "ann", "")]), Err(TimelineError::OutOfOrder(_))));
    assert!(matches!(read(&[line(1, "10", "bob", "")]), Err(TimelineError::UnknownAuthor { .. })));
    let answer = line(2, "20", "ann", r#","reply_to":"30""#);
    assert!(matches!(read(&[good, answer]), Err(TimelineError::UnknownPost { .. })));
    assert!(matches!(Timeline::read("", "[]"), Err(TimelineError::Authors(_))));
}
