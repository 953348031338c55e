//! What the comparison promises, rule by rule.

use proptest::prelude::*;

use super::*;
use crate::text::{
    analyse,
    limits::{BALANCED, EAGER, STRICT},
};

/// The best comparison of any payload of one post with any of the other; `@name|` in front of a text is its author.
fn judge_posts(a: &str, b: &str) -> Comparison {
    let parse = |post: &str| {
        let (author, text) = match post.split_once('|') {
            Some((author, text)) => (Some(Handle::new(author)), text.to_owned()),
            None => (None, post.to_owned()),
        };
        (analyse(&text, author.as_ref()).variants, author)
    };
    let ((a, a_author), (b, b_author)) = (parse(a), parse(b));
    let mut best: Option<Comparison> = None;
    for x in &a {
        for y in &b {
            let (x, y) =
                (Side { variant: x, author: a_author.as_ref() }, Side { variant: y, author: b_author.as_ref() });
            let comparison = compare(x, y, &BALANCED);
            let key = |c: &Comparison| (c.likeness.map_or(9, |l| l as u8), -c.similarity);
            if best.as_ref().is_none_or(|best| key(&comparison) < key(best)) {
                best = Some(comparison);
            }
        }
    }
    best.unwrap()
}

fn likeness(a: &str, b: &str) -> Option<Likeness> {
    judge_posts(a, b).likeness
}

fn guard(a: &str, b: &str) -> Guard {
    judge_posts(a, b).guard
}

#[test]
fn equal_words_are_one_thing_from_a_length_on() {
    let long = "The old ferry leaves the island for the last time tonight";
    assert_eq!(likeness(long, &format!("{} 🚢 https://a.example/x", long.to_uppercase())), Some(Likeness::Exact));
    assert_eq!(guard("Good morning all!", "good morning, all"), Guard::TooShort);
}

#[test]
fn short_words_are_one_thing_if_authors_speak_for_it() {
    assert_eq!(likeness("@ann|Low tide!", "@bob|RT @ann: Low tide!"), Some(Likeness::Exact));
    assert_eq!(likeness("@bob|RT @ann: Low tide!", "@cat|“@ann: Low tide!” Finally"), Some(Likeness::Exact));
    assert_eq!(likeness("@ann|Low tide!", "@bob|RT @cat: Low tide!"), None);
    // Somebody who thanks again doesn't repeat a post.
    assert_eq!(likeness("@ann|Thanks!", "@ann|RT @ann: Thanks!"), None);
}

#[test]
fn cut_copies_match_in_both_directions() {
    let whole = "The old ferry leaves the island for the last time tonight, and the whole village has come";
    for cut in [
        "RT @ann: The old ferry leaves the island for the la…",
        "RT @ann: The old ferry leaves the island for the ...",
        "The old ferry leaves the island for the last … https://a.example/x",
        "RT @ann: The old ferry leaves the island for the last @be…",
        "The old ferry leaves the island for the last time tonight, and the whole vill",
    ] {
        assert_eq!(likeness(whole, cut), Some(Likeness::Truncated), "{cut}");
        assert_eq!(likeness(cut, whole), Some(Likeness::Truncated), "{cut}");
    }
    let both = likeness(
        "The old ferry leaves the island for the last ti…",
        "News: The old ferry leaves the island for the last time ton…",
    );
    assert_eq!(both, Some(Likeness::Truncated));
    assert_eq!(likeness(whole, "The old ferry leaves the island for the first …"), None);
}

#[test]
fn words_added_on_one_side_are_near() {
    let text = "The old ferry leaves the island for the last time tonight";
    assert_eq!(likeness(text, &format!("Reminder: {text}")), Some(Likeness::Near));
    assert_eq!(
        likeness("Bread & butter in the harbour cafe from eight", "Bread and butter in the harbour cafe from eight"),
        Some(Likeness::Near)
    );
    assert_eq!(
        likeness(
            "Our #HarbourFestival opens at noon with fireworks",
            "Our harbour festival opens at noon with fireworks"
        ),
        Some(Likeness::Near)
    );
    assert_eq!(
        guard(text, &format!("{text}, and tomorrow the bridge opens for everybody who has waited so long")),
        Guard::Addition
    );
}

#[test]
fn a_number_that_differs_makes_another_thing() {
    assert_eq!(
        guard("Day 74 of the strike at the harbour, nobody talks", "Day 75 of the strike at the harbour, nobody talks"),
        Guard::Number
    );
    assert_eq!(
        guard("The strike goes on for 74days and nobody talks", "The strike goes on for 77days and nobody talks"),
        Guard::Number
    );
    assert_eq!(
        guard("Release 1.2 of the tide tables is ready to load", "Release 1.3 of the tide tables is ready to load"),
        Guard::Number
    );
    assert_eq!(
        guard("港の祭りは04日に始まります、みなさん来てください", "港の祭りは05日に始まります、みなさん来てください"),
        Guard::Number
    );
    assert_eq!(
        guard(
            "Harbour radio, the evening show, part 1: https://a.example/1",
            "Harbour radio, the evening show, part 12: https://a.example/2"
        ),
        Guard::Number
    );
}

#[test]
fn other_people_make_another_thing() {
    assert_eq!(
        guard("We welcome @ann as the new keeper of the light", "We welcome @bob as the new keeper of the light"),
        Guard::Mention
    );
    assert_eq!(
        guard("@ann thank you so much for the kind words today", "@bob thank you so much for the kind words today"),
        Guard::OtherReply
    );
    assert_eq!(
        likeness(
            "@ann thank you so much for the kind words today",
            "RT @cat: @ann thank you so much for the kind words today"
        ),
        Some(Likeness::Exact)
    );
    assert_eq!(
        guard("The mayor of Northport opens the new bridge today", "The mayor of Southwick opens the new bridge today"),
        Guard::BothSides
    );
}

#[test]
fn one_authors_frame_filled_in_anew_is_another_thing() {
    assert_eq!(
        likeness(
            "@ann|I just finished reading Tidewater by the harbour",
            "@ann|I just finished reading Lanterns by the harbour"
        ),
        None
    );
    assert_eq!(
        likeness("@ann|Walked 7 km along the coast this morning", "@ann|Walked 9 km along the coast this morning"),
        None
    );
}

#[test]
fn two_who_quote_what_was_said_aloud_are_two_reports() {
    let (a, b) = (
        "“We build the harbour for everybody” @mayor on a very windy morning",
        "Well said: “We build the harbour for everybody” - @mayor",
    );
    assert_eq!(likeness(a, b), None);
    assert_eq!(likeness("@mayor|We build the harbour for everybody", a), Some(Likeness::Exact));
}

#[test]
fn every_script_is_compared() {
    for text in [
        "El viejo transbordador sale de la isla por última vez esta noche",
        "Die alte Fähre verlässt die Insel heute Abend zum letzten Mal",
        "古い渡し船は今夜最後に島を出て、村のみんなが見送ります",
        "旧渡轮今晚最后一次离开小岛全村的人都来送行",
        "오래된 여객선이 오늘 밤 마지막으로 섬을 떠납니다 모두 배웅하세요",
        "Старый паром сегодня вечером в последний раз покидает остров",
        "العبارة القديمة تغادر الجزيرة الليلة للمرة الأخيرة والجميع حاضر",
        "המעבורת הישנה עוזבת את האי הלילה בפעם האחרונה וכולם כאן",
        "เรือข้ามฟากเก่าออกจากเกาะเป็นครั้งสุดท้ายคืนนี้",
        "पुरानी नौका आज रात आखिरी बार द्वीप से निकलती है",
    ] {
        assert_eq!(likeness(text, &format!("RT @ann: {text} https://a.example/1")), Some(Likeness::Exact), "{text}");
        let cut: String = text.chars().take(text.chars().count() * 4 / 5).collect();
        assert_eq!(likeness(text, &format!("RT @ann: {cut}…")), Some(Likeness::Truncated), "{text}");
        assert_eq!(
            likeness(&text.replace(' ', " 7 "), &text.replace(' ', " 8 ")),
            if text.contains(' ') { None } else { Some(Likeness::Exact) }
        );
    }
}

/// Explains the whole text of one post against that of another.
fn explained(mine: &str, theirs: &str, thresholds: &Thresholds) -> Explanation {
    let (mine, theirs) = (analyse(mine, None), analyse(theirs, None));
    let side = |analysis: &'_ crate::text::Analysis| analysis.variants.last().cloned().unwrap();
    let (mine, theirs) = (side(&mine), side(&theirs));
    explain(Side { variant: &mine, author: None }, Side { variant: &theirs, author: None }, thresholds)
}

fn words(explanation: &Explanation) -> Vec<(Kind, &str, &str)> {
    let differences = explanation.differences.iter();
    differences.map(|d| (d.kind, d.words[0].as_str(), d.words[1].as_str())).collect()
}

#[test]
fn an_explanation_tells_the_figures_and_words_of_each_side() {
    let text = "The old ferry leaves the island for the last time tonight";
    let remark = format!("Reminder: {text}");
    let near = explained(&remark, text, &BALANCED);
    assert_eq!(near.comparison.likeness, Some(Likeness::Near));
    assert_eq!(words(&near), [(Kind::LeftOver, "reminder", "")]);
    let measure = near.measure.unwrap();
    assert_eq!((measure.matched, measure.letters, measure.left_over), (47, [55, 47], [8, 0]));
    assert_eq!((measure.covered_percent(), measure.needed_letters), ([100, 85], 25));
    let turned = explained(text, &remark, &BALANCED);
    assert_eq!(words(&turned), [(Kind::LeftOver, "", "reminder")]);
    assert_eq!(turned.measure.unwrap().left_over, [0, 8]);

    let cut = explained("The old ferry leaves the island for the la…", text, &BALANCED);
    assert_eq!(words(&cut), [(Kind::Beyond, "la", "last time tonight")]);
    let number = explained("Day 74 of the strike at the harbour", "Day 75 of the strike at the harbour", &BALANCED);
    assert_eq!((number.comparison.guard, words(&number)), (Guard::Number, vec![(Kind::Number, "74", "75")]));
    let reply =
        explained("@bob thank you so much for the kind words", "@ann thank you so much for the kind words", &BALANCED);
    assert_eq!((reply.comparison.guard, words(&reply)), (Guard::OtherReply, vec![(Kind::Reply, "@bob", "@ann")]));
    let longer = explained(text, &format!("{text}, and tomorrow the bridge opens for everybody"), &BALANCED);
    assert_eq!(longer.comparison.guard, Guard::Addition);
    assert!(longer.measure.unwrap().at_most);
    assert_eq!(words(&longer), [(Kind::LeftOver, "", "and tomorrow the bridge opens for everybody")]);
}

#[test]
fn a_stricter_mode_never_finds_what_a_laxer_one_does_not() {
    let text = "The old ferry leaves the island for the last time tonight, and the whole village has come";
    let cut = "The old ferry leaves the island for the last time tonight, and the whole vill";
    let found = |mine: &str, theirs: &str| {
        [&STRICT, &BALANCED, &EAGER].map(|mode| explained(mine, theirs, mode).comparison.likeness.is_some())
    };
    assert_eq!(found(text, text), [true; 3]);
    assert_eq!(found(cut, text), [false, true, true], "cut without an ellipsis");
    assert_eq!(found("Low tide at the old harbour", "Low tide at the old harbour!"), [false, false, true]);
    assert_eq!(
        found(
            "News from the harbour right now, everybody: the tide is out and it smells of old weed",
            "The tide is out and it smells of old weed"
        ),
        [false; 3]
    );
    let appeal = "please pass it on: a white rowing boat with a blue stripe is missing off the northern lighthouse";
    assert_eq!(found(&format!("@ann {appeal}"), &format!("@bob {appeal}")), [false, false, true]);
    let number = |n: u32| format!("Day {n} of the strike: {text}");
    assert_eq!(found(&number(7), &number(8)), [false; 3]);
}

proptest! {
    #[test]
    fn an_explanation_comes_to_what_the_comparison_came_to(
        a in "(the|old|ferry|7|8|@ann|@bob|RT @ann: |“|” |…|港|の|船|x| ){0,24}",
        b in "(the|old|ferry|7|8|@ann|@bob|RT @ann: |“|” |…|港|の|船|x| ){0,24}",
    ) {
        let ann = Handle::new("ann");
        for x in &analyse(&a, Some(&ann)).variants {
            for y in &analyse(&b, None).variants {
                let (x, y) = (Side { variant: x, author: Some(&ann) }, Side { variant: y, author: None });
                for mode in [&STRICT, &BALANCED, &EAGER] {
                    let explanation = explain(x, y, mode);
                    prop_assert_eq!(explanation.comparison, compare(x, y, mode));
                    let mut turned = explain(y, x, mode);
                    turned.differences.iter_mut().for_each(|difference| difference.words.reverse());
                    prop_assert_eq!(turned.differences, explanation.differences);
                }
            }
        }
    }

    #[test]
    fn comparing_is_symmetric_and_bounded(
        a in "(the|old|ferry|7|8|@ann|@bob|RT @ann: |“|” |…|港|の|船|x| ){0,24}",
        b in "(the|old|ferry|7|8|@ann|@bob|RT @ann: |“|” |…|港|の|船|x| ){0,24}",
        authors in (proptest::option::of("ann|bob"), proptest::option::of("ann|bob")),
    ) {
        let (ann, bob) = (authors.0.as_deref().map(Handle::new), authors.1.as_deref().map(Handle::new));
        for x in &analyse(&a, ann.as_ref()).variants {
            for y in &analyse(&b, bob.as_ref()).variants {
                let (x, y) = (Side { variant: x, author: ann.as_ref() }, Side { variant: y, author: bob.as_ref() });
                let comparison = compare(x, y, &BALANCED);
                prop_assert_eq!(comparison, compare(y, x, &BALANCED));
                prop_assert!((0.0..=1.0).contains(&comparison.similarity));
                prop_assert_eq!(comparison.likeness.is_some(), comparison.guard == Guard::None);
            }
        }
    }

    #[test]
    fn a_text_is_like_itself_or_too_short(text in "\\PC{0,120}") {
        for variant in &analyse(&text, None).variants {
            let side = Side { variant, author: None };
            let comparison = compare(side, side, &BALANCED);
            let expected = comparison.likeness == Some(Likeness::Exact) || matches!(comparison.guard, Guard::TooShort | Guard::Witnesses);
            prop_assert!(expected);
        }
    }
}

#[test]
fn a_word_in_the_place_of_another_is_another_report_unless_names_speak_for_it() {
    for (a, b) in [
        (
            "Six boats came in before the storm closed the harbour",
            "Two boats came in before the storm closed the harbour",
        ),
        (
            "The new pier has now been approved by the town council",
            "The new pier has not been approved by the town council",
        ),
        (
            "All the way to pier A there is a queue of children tonight",
            "All the way to pier B there is a queue of children tonight",
        ),
        (
            "Hoy han llegado dos barcos grandes con pescado al puerto",
            "Hoy han llegado tres barcos grandes con pescado al puerto",
        ),
        ("港の東の入口で大きな船が三隻も止まっているのを見た", "港の西の入口で大きな船が三隻も止まっているのを見た"),
        (
            "오늘 아침 항구에 세 척의 큰 배가 들어왔습니다 반갑습니다",
            "오늘 아침 항구에 네 척의 큰 배가 들어왔습니다 반갑습니다",
        ),
    ] {
        assert_eq!(likeness(&format!("@ann|{a}"), &format!("@bob|{b}")), None, "{a} / {b}");
    }
    let (ann, bob) = (
        "At high tide the water stood up to the red door of the boathouse",
        "At high tide the water stood up to the tan door of the boathouse",
    );
    assert_eq!(guard(&format!("@ann|{ann}"), &format!("@bob|{bob}")), Guard::Exchange);
    assert_eq!(likeness(&format!("@ann|{ann}"), &format!("@bob|RT @ann: {bob}")), Some(Likeness::Near));
    assert_eq!(likeness(&format!("@ann|{ann}"), &format!("@ann|{bob}")), Some(Likeness::Near));
}

#[test]
fn a_denial_makes_another_thing_whoever_adds_it() {
    for (plain, denied) in [
        (
            "The bridge to the old island is open again tonight",
            "The bridge to the old island is not open again tonight",
        ),
        ("Die Brücke zur alten Insel ist heute Abend offen", "Die Brücke zur alten Insel ist heute Abend nicht offen"),
        ("El puente a la isla vieja está abierto esta noche", "El puente a la isla vieja no está abierto esta noche"),
        ("今夜は古い島に渡る橋の上で花火を見ることができる", "今夜は古い島に渡る橋の上で花火を見ることができない"),
    ] {
        assert_eq!(likeness(&format!("@ann|{plain}"), &format!("@ann|{denied}")), None, "{denied}");
        assert_eq!(likeness(&format!("@ann|{plain}"), &format!("@bob|{denied}")), None, "{denied}");
    }
    // Inside a remark it belongs to the remark.
    let remark = "The bridge to the old island, if I am not mistaken, is open again for everybody tonight and tomorrow";
    let plain = "The bridge to the old island is open again for everybody tonight and tomorrow";
    assert_eq!(likeness(&format!("@ann|{plain}"), &format!("@bob|{remark}")), Some(Likeness::Near));
}

#[test]
fn how_a_word_is_written_makes_no_difference_and_small_words_say_nothing() {
    for (a, b) in [
        (
            "Please bring your lanterns and your children to the harbour tonight",
            "Pls bring your lanterns and your children to the harbour tonight",
        ),
        (
            "We count the falling stars with my sister on the pier",
            "We count the falling stars with my sister at the pier",
        ),
    ] {
        assert_eq!(likeness(&format!("@ann|{a}"), &format!("@bob|{b}")), Some(Likeness::Near), "{a} / {b}");
    }
}
