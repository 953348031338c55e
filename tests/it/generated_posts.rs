//! What the benchmarks' generator of posts promises.

#[path = "../../benches/common/generator/mod.rs"]
mod generator;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use generator::{Post, Posts};

/// What most tests look at; made once, because that takes longest.
static MANY: LazyLock<Vec<Post>> = LazyLock::new(|| posts(1, 40_000));

fn posts(seed: u64, count: usize) -> Vec<Post> {
    Posts::new(seed).take(count).collect()
}

/// The posts that are neither copies nor from a template.
fn originals(posts: &[Post]) -> impl Iterator<Item = &Post> {
    posts.iter().filter(|post| post.copy_of.is_none() && !post.text.starts_with("Harbour report"))
}

/// The words of the originals, without the hashtag.
fn words(posts: &[Post]) -> impl Iterator<Item = &str> {
    originals(posts).flat_map(|post| post.text.split(' ')).filter(|word| !word.starts_with('#'))
}

/// The vocabulary has no word with an `x`.
fn is_unseen(word: &str) -> bool {
    word.starts_with('x')
}

/// The post with this id; `None` if it comes later.
fn by_id(posts: &[Post], id: u64) -> Option<&Post> {
    posts.binary_search_by_key(&id, |post| post.id).ok().map(|place| &posts[place])
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[track_caller]
fn assert_within(value: f64, range: std::ops::Range<f64>) {
    assert!(range.contains(&value), "{value} is not within {range:?}");
}

#[test]
fn the_same_seed_gives_the_same_posts_and_another_seed_others() {
    assert_eq!(posts(1, 3_000), posts(1, 3_000));
    let (first, second) = (posts(1, 3_000), posts(2, 3_000));
    let texts: BTreeSet<&str> = originals(&first).map(|post| post.text.as_str()).collect();
    assert_eq!(originals(&second).filter(|post| texts.contains(post.text.as_str())).count(), 0);
}

#[test]
fn posts_of_all_seeds_use_the_same_words() {
    let (first, second) = (posts(1, 3_000), posts(2, 3_000));
    let known: BTreeSet<&str> = words(&first).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    words(&second).filter(|word| !is_unseen(word)).for_each(|word| *counts.entry(word).or_default() += 1);
    let frequent = counts.into_iter().filter(|(_, count)| *count > 20);
    for (word, count) in frequent {
        assert!(known.contains(word), "{word}, {count} times with the second seed, never with the first");
    }
}

#[test]
fn nearly_a_third_are_copies_and_some_come_before_their_original() {
    let posts = &*MANY;
    let copies: Vec<(&Post, u64)> = posts.iter().filter_map(|post| Some((post, post.copy_of?))).collect();
    assert_within(share(copies.len(), posts.len()), 0.28..0.31);
    let early = copies.iter().filter(|(post, of)| post.id < *of).count();
    assert_within(share(early, copies.len()), 0.02..0.04);
    for (copy, of) in &copies {
        assert!(of.saturating_sub(copy.id) <= 100, "{copy:?} comes long before its original");
        // Its original is no copy, by somebody else, and the two share words in whatever form.
        let Some(original) = by_id(posts, *of) else { continue };
        assert_eq!(original.copy_of, None);
        assert_ne!(original.author, copy.author);
        let text = copy.text.to_lowercase();
        let shared = original.text.split(' ').filter(|word| text.contains(*word)).count();
        assert!(shared >= 2, "{:?} is no copy of {:?}", copy.text, original.text);
    }
    let oldest = copies.iter().map(|(copy, of)| copy.id.saturating_sub(*of)).max();
    assert!(oldest > Some(20_000), "only fresh posts are copied: {oldest:?}");
}

#[test]
fn copies_come_in_every_form() {
    let posts = &MANY[..5_000];
    let copies = posts.iter().filter_map(|post| Some((post, post.copy_of?)));
    let mut forms: BTreeMap<String, usize> = BTreeMap::new();
    for (copy, of) in copies {
        let Some(original) = by_id(posts, of) else { continue };
        let mut form = copy.text.replace(&original.text, "TEXT").replace(&original.author, "ann");
        for (name, is_it) in [
            ("header and cut", form.starts_with("RT @ann: ") && form.ends_with('…')),
            ("cut", form.ends_with('…') && !form.contains('@')),
            ("upper case", form == original.text.to_uppercase()),
            ("comment in front", form.ends_with("! RT @ann: TEXT")),
            ("chain", form.starts_with("RT @") && form.ends_with(": RT @ann: TEXT")),
            ("quoted with colon", form.starts_with("\"@ann: TEXT\"")),
            ("link", form.starts_with("TEXT https://")),
            ("word dropped", !form.contains(['@', '…']) && !form.contains("TEXT") && form != form.to_uppercase()),
        ] {
            if is_it {
                form = name.to_owned();
            }
        }
        *forms.entry(form).or_default() += 1;
    }
    let plain =
        ["RT @ann: TEXT", "rt @ann TEXT", "MT @ann: TEXT", "TEXT (via @ann)", "TEXT via @ann", "“TEXT” @ann", "TEXT"];
    for form in plain {
        assert!(forms[form] > 50, "{form}: {forms:?}");
    }
    assert_eq!(forms.len(), plain.len() + 8, "{forms:?}");
}

#[test]
fn words_follow_zipfs_law_but_for_five_in_a_hundred_that_are_new() {
    let posts = &*MANY;
    let all = words(posts).count();
    let unseen: Vec<&str> = words(posts).filter(|word| is_unseen(word)).collect();
    assert_within(share(unseen.len(), all), 0.045..0.055);
    assert_eq!(unseen.iter().collect::<BTreeSet<_>>().len(), unseen.len(), "an unseen word comes twice");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    words(posts).filter(|word| !is_unseen(word)).for_each(|word| *counts.entry(word).or_default() += 1);
    let mut counts: Vec<usize> = counts.into_values().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    // The harmonic number of 200,000 is 12.78.
    assert_within(share(counts[0], all - unseen.len()), 0.073..0.084);
    assert_within(share(counts[0], counts[9]), 9.0..11.0);
    assert_within(share(counts[0], counts[99]), 80.0..125.0);
}

#[test]
fn posts_have_fourteen_words_on_average() {
    let posts = &*MANY;
    let (mut words, mut count) = (0, 0);
    for post in originals(posts) {
        words += post.text.split(' ').count();
        count += 1;
    }
    assert_within(share(words, count), 13.8..14.2);
}

#[test]
fn templates_differ_in_their_numbers() {
    let posts = &*MANY;
    let reports: Vec<&str> =
        posts.iter().map(|post| post.text.as_str()).filter(|text| text.starts_with("Harbour report")).collect();
    assert_within(share(reports.len(), posts.len()), 0.017..0.023);
    assert_eq!(reports.iter().collect::<BTreeSet<_>>().len(), reports.len());
}

#[test]
fn ids_and_times_rise_and_thousands_of_people_post() {
    let posts = &*MANY;
    assert!(posts.windows(2).all(|pair| pair[0].id + 1 == pair[1].id && pair[0].created_at_ms < pair[1].created_at_ms));
    assert_eq!(posts[0].id, Posts::FIRST_ID);
    let authors: BTreeSet<&str> = posts.iter().map(|post| post.author.as_str()).collect();
    assert!(authors.len() > 4_000, "{}", authors.len());
    assert!(posts.iter().all(|post| post.lang == "en"));
}
