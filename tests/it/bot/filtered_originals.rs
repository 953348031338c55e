//! Filters look at the post that would be reposted: an original that may not go out takes its copy with it, and a copy
//! that may not go out says nothing against its original.

use std::time::Duration;

use firsthand::{
    model::{Clock, Facts, Handle, Post, RemoteId, Reply, Rule, Visibility},
    store::WriteLock,
};

use super::stage::{LONG_AGO, Stage};
use crate::lock::on_both_strategies;

on_both_strategies!(
    an_original_that_may_not_go_out_takes_its_waiting_copy_with_it,
    an_original_that_may_not_go_out_takes_back_an_unsent_copy,
    a_copy_that_may_not_go_out_does_not_harm_its_original,
    filters_are_asked_again_when_a_repost_is_claimed,
    an_author_at_the_cap_is_passed_over_and_others_are_not,
);

const TEXT: &str = "Seven kilns were fired tonight and the whole valley glows like a slow sunrise";

/// What is wrong with a post, and the rule that says so.
type Flaw = (Rule, fn(&mut Post));

/// One flaw for each filter.
const FLAWS: [Flaw; 8] = [
    (Rule::BlockedAuthor, |post| post.author.as_mut().unwrap().handle = "Outcast".to_owned()),
    (Rule::Language, |post| post.lang = Some("tlh".to_owned())),
    (Rule::Reply, |post| post.facts.reply = Some(Reply { to_post: Some(RemoteId::new("9")), to_author: None })),
    (Rule::HashtagMissing, |post| post.facts.hashtags = Facts::default().hashtags),
    (Rule::Sensitive, |post| post.facts.sensitive = true),
    (Rule::NotPublic, |post| post.facts.visibility = Visibility::Private),
    (Rule::BeforeStart, |post| post.created_at = LONG_AGO),
    (Rule::OwnPost, |post| post.author.as_mut().unwrap().remote_id = RemoteId::new("us")),
];

async fn stage<L: WriteLock>() -> Stage<L> {
    let mut stage = Stage::<L>::new().await;
    stage.filters.blocked_authors.insert(Handle::new("outcast"));
    stage.filters.languages = vec!["en".to_owned()];
    stage
}

/// The copy, and the original with a flaw. The copy names whoever wrote the original.
fn pair<L: WriteLock>(stage: &Stage<L>, flaw: fn(&mut Post)) -> (Post, Post) {
    let mut original = stage.post("2", "potter", TEXT);
    flaw(&mut original);
    let author = original.author.as_ref().unwrap().handle.clone();
    (stage.post("1", "bob", &format!("RT @{author}: {TEXT}")), original)
}

async fn an_original_that_may_not_go_out_takes_its_waiting_copy_with_it<L: WriteLock>() {
    for (rule, flaw) in FLAWS {
        let stage = stage::<L>().await;
        let (copy, original) = pair(&stage, flaw);
        stage.page(vec![copy]).await;
        assert_eq!(stage.verdict("1").await, "hold awaiting-original", "{rule}");
        stage.page(vec![original]).await;
        stage.page(vec![stage.post("3", "cat", &format!("{TEXT} (via @potter)"))]).await;
        stage.pass(600).await;
        assert_eq!(stage.verdict("2").await, format!("skip {rule}"));
        assert_eq!(stage.verdict("1").await, "skip original-filtered", "{rule}");
        assert_eq!(stage.send().await, [""; 0], "{rule}");
        stage.store.close().await.unwrap();
    }
}

async fn an_original_that_may_not_go_out_takes_back_an_unsent_copy<L: WriteLock>() {
    for (rule, flaw) in FLAWS {
        let stage = stage::<L>().await;
        let (copy, original) = pair(&stage, flaw);
        stage.page(vec![copy]).await;
        stage.pass(200).await;
        stage.page(vec![original]).await;
        assert_eq!(stage.verdict("1").await, "skip original-filtered", "{rule}");
        assert_eq!(stage.send().await, [""; 0], "{rule}");
        let rows = stage.outbox().await;
        assert!(matches!(rows.as_slice(), [row] if row.state == "dropped"), "{rule}: {rows:?}");
        stage.store.close().await.unwrap();
    }
}

async fn a_copy_that_may_not_go_out_does_not_harm_its_original<L: WriteLock>() {
    for (rule, flaw) in FLAWS {
        let stage = stage::<L>().await;
        let mut copy = stage.post("1", "bob", &format!("RT @potter: {TEXT}"));
        flaw(&mut copy);
        stage.page(vec![copy]).await;
        assert_eq!(stage.verdict("1").await, format!("skip {rule}"));
        stage.page(vec![stage.post("2", "potter", TEXT)]).await;
        assert_eq!(stage.send().await, ["2"], "{rule}");
        stage.store.close().await.unwrap();
    }
}

async fn filters_are_asked_again_when_a_repost_is_claimed<L: WriteLock>() {
    let mut stage = stage::<L>().await;
    stage.page(vec![stage.post("1", "potter", TEXT)]).await;
    stage.pass(7201).await;
    stage
        .page(vec![stage.post("2", "weaver", "A loom from the old mill came back to life after ninety silent years")])
        .await;
    stage.filters.blocked_authors.insert(Handle::new("weaver"));
    assert_eq!(stage.send().await, [""; 0]);
    assert_eq!(stage.verdict("1").await, "skip too-old");
    assert_eq!(stage.verdict("2").await, "skip blocked-author");
    stage.store.close().await.unwrap();
}

async fn an_author_at_the_cap_is_passed_over_and_others_are_not<L: WriteLock>() {
    let mut stage = stage::<L>().await;
    stage.pace.author_per_hour = 2;
    stage.pace.author_per_day = 3;
    let subjects = ["bells of the priory", "salt barges upriver", "clockwork owl", "drowned village", "copper still"];
    let text =
        |number: usize| format!("Chapter {number}, in which the {} turns up where nobody expects", subjects[number]);
    let posts = (0..3).map(|number| stage.post(&number.to_string(), "Flood", &text(number)));
    let posts = posts.chain([stage.post("10", "calm", TEXT)]).collect();
    stage.page(posts).await;
    assert_eq!(stage.send().await, ["0", "1", "10"]);
    assert_eq!(stage.verdict("2").await, "skip author-cap");
    stage.clock.advance_to(stage.clock.now().plus(Duration::from_secs(3601)));
    // An hour later there is room for one more, and then the day is full.
    stage.page(vec![stage.post("3", "flood", &text(3)), stage.post("4", "flood", &text(4))]).await;
    assert_eq!(stage.send().await, ["0", "1", "10", "3"]);
    assert_eq!(stage.verdict("4").await, "skip author-cap");
    stage.store.close().await.unwrap();
}
