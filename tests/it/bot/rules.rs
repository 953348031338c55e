//! What becomes of copies and their originals, as they come in either order.

use std::time::Duration;

use firsthand::{
    dedup::decide::UnseenOriginal,
    model::{Clock, Handle, Hashtag, Post, Provenance, RemoteId},
    network::NetworkError,
    pipeline::{
        batch::{Arrival, Batch},
        intake,
    },
    store::WriteLock,
};

use super::{archive::Row, stage::Stage};
use crate::lock::on_both_strategies;

on_both_strategies!(
    a_copy_waits_and_goes_out_when_the_grace_time_is_over,
    an_original_within_the_grace_time_goes_out_in_the_copys_place,
    an_original_that_comes_before_the_copy_was_sent_takes_over_its_row,
    after_a_copy_went_out_only_the_named_authors_original_follows_and_only_once,
    where_only_originals_are_wanted_the_copy_stays_and_a_late_original_goes_out,
    an_original_in_the_same_page_beats_the_copy_in_front_of_it,
    of_several_copies_that_wait_one_goes_out,
    a_native_repost_leads_to_its_original_known_or_not,
    the_same_post_twice_in_a_page_counts_once,
    two_accounts_each_decide_about_the_same_post,
    our_own_posts_are_archived_and_never_reposted,
    what_another_hashtag_of_the_account_asks_for_is_not_lost,
    a_dropped_copy_leaves_room_for_its_original,
    what_a_replay_brought_counts_as_shared,
);

const TIDE: &str = "The tide took the lower steps of the ferry landing and nobody has seen them since";

fn copy<L: WriteLock>(stage: &Stage<L>, id: &str, by: &str) -> Post {
    stage.post(id, by, &format!("RT @ann: {TIDE}"))
}

async fn a_copy_waits_and_goes_out_when_the_grace_time_is_over<L: WriteLock>() {
    let stage = Stage::<L>::new().await;
    stage.page(vec![copy(&stage, "1", "bob")]).await;
    assert_eq!(stage.verdict("1").await, "hold awaiting-original");
    stage.pass(119).await;
    assert_eq!(stage.send().await, [""; 0]);
    stage.pass(1).await;
    assert_eq!(stage.verdict("1").await, "repost original-missing");
    assert_eq!(stage.send().await, ["1"]);
    stage.store.close().await.unwrap();
}

async fn an_original_within_the_grace_time_goes_out_in_the_copys_place<L: WriteLock>() {
    let stage = Stage::<L>::new().await;
    stage.page(vec![copy(&stage, "1", "bob")]).await;
    stage.pass(60).await;
    stage.page(vec![stage.post("2", "Ann", TIDE)]).await;
    stage.pass(600).await;
    assert_eq!(stage.verdict("1").await, "skip original-preferred");
    assert_eq!(stage.verdict("2").await, "repost original-arrived");
    assert_eq!(stage.send().await, ["2"]);
    assert_eq!(stage.outbox().await, [Row::new("2", 1, "done")]);
    stage.store.close().await.unwrap();
}

async fn an_original_that_comes_before_the_copy_was_sent_takes_over_its_row<L: WriteLock>() {
    let stage = Stage::<L>::new().await;
    stage.page(vec![copy(&stage, "1", "bob")]).await;
    stage.pass(200).await;
    assert_eq!(stage.outbox().await, [Row::new("1", 1, "ready")]);
    stage.page(vec![stage.post("2", "ann", TIDE)]).await;
    assert_eq!(stage.verdict("1").await, "skip original-preferred");
    assert_eq!(stage.outbox().await, [Row::new("2", 1, "ready")]);
    assert_eq!(stage.send().await, ["2"]);
    stage.store.close().await.unwrap();
}

async fn after_a_copy_went_out_only_the_named_authors_original_follows_and_only_once<L: WriteLock>() {
    let stage = Stage::<L>::new().await;
    stage.page(vec![copy(&stage, "1", "bob")]).await;
    stage.pass(200).await;
    assert_eq!(stage.send().await, ["1"]);
    // Not by the one who is named: a copy without credit.
    stage.page(vec![stage.post("2", "mallory", TIDE)]).await;
    stage.page(vec![stage.post("3", "ann", TIDE)]).await;
    stage.page(vec![stage.post("4", "ann", TIDE)]).await;
    assert_eq!(stage.verdict("3").await, "repost original-arrived");
    let verdicts = stage.verdicts().await;
    assert!(verdicts["2"].starts_with("skip ") && verdicts["4"].starts_with("skip "), "{verdicts:?}");
    assert_eq!(stage.send().await, ["1", "3"]);
    assert_eq!(stage.outbox().await, [Row::new("1", 1, "done"), Row::new("3", 2, "done")]);
    stage.store.close().await.unwrap();
}

async fn where_only_originals_are_wanted_the_copy_stays_and_a_late_original_goes_out<L: WriteLock>() {
    let mut stage = Stage::<L>::new().await;
    stage.sharing.unseen_original = UnseenOriginal::OriginalsOnly;
    stage.page(vec![copy(&stage, "1", "bob")]).await;
    stage.pass(200).await;
    assert_eq!(stage.verdict("1").await, "skip originals-only");
    assert_eq!(stage.outbox().await, []);
    stage.page(vec![stage.post("2", "ann", TIDE)]).await;
    assert_eq!(stage.send().await, ["2"]);
    stage.store.close().await.unwrap();
}

async fn an_original_in_the_same_page_beats_the_copy_in_front_of_it<L: WriteLock>() {
    let stage = Stage::<L>::new().await;
    stage.page(vec![copy(&stage, "1", "bob"), stage.post("2", "ann", TIDE), copy(&stage, "3", "cat")]).await;
    assert_eq!(stage.verdict("1").await, "skip original-preferred");
    assert_eq!(stage.verdict("3").await, "skip attribution");
    assert_eq!(stage.send().await, ["2"]);
    stage.store.close().await.unwrap();
}

async fn of_several_copies_that_wait_one_goes_out<L: WriteLock>() {
    let stage = Stage::<L>::new().await;
    stage.page(vec![copy(&stage, "1", "bob")]).await;
    stage.pass(30).await;
    stage.page(vec![copy(&stage, "2", "cat"), copy(&stage, "3", "dan")]).await;
    stage.pass(600).await;
    assert_eq!(stage.send().await, ["1"]);
    stage.store.close().await.unwrap();
}

async fn a_native_repost_leads_to_its_original_known_or_not<L: WriteLock>() {
    let stage = Stage::<L>::new().await;
    let repost = |id: &str, by: &str| Post { repost_of: Some(RemoteId::new("10")), ..copy(&stage, id, by) };
    // It is never sent itself, also where its original is unknown.
    stage.page(vec![repost("11", "bob")]).await;
    stage.pass(600).await;
    assert_eq!(stage.verdict("11").await, "skip native-repost");
    assert_eq!(stage.send().await, [""; 0]);
    let original = Post { provenance: Provenance::Embedded, ..stage.post("10", "ann", TIDE) };
    stage.page(vec![original.clone(), repost("12", "cat")]).await;
    assert_eq!(stage.verdict("10").await, "repost original-arrived");
    assert_eq!(stage.verdict("12").await, "skip native-repost");
    stage.page(vec![original, repost("13", "dan")]).await;
    stage.pass(600).await;
    assert_eq!(stage.send().await, ["10"]);
    stage.store.close().await.unwrap();
}

async fn the_same_post_twice_in_a_page_counts_once<L: WriteLock>() {
    let stage = Stage::<L>::new().await;
    let post = stage.post("1", "ann", TIDE);
    let decisions = stage.page(vec![post.clone(), post.clone()]).await;
    let rules: Vec<&str> = decisions.iter().map(|decision| decision.verdict.rule.as_str()).collect();
    assert_eq!(rules, ["first-hand", "seen"]);
    let decisions = stage.page(vec![post]).await;
    assert_eq!(decisions[0].verdict.rule.as_str(), "seen");
    assert_eq!(stage.verdict("1").await, "repost first-hand", "what is told later changes no verdict");
    assert_eq!(stage.send().await, ["1"]);
    stage.store.close().await.unwrap();
}

async fn two_accounts_each_decide_about_the_same_post<L: WriteLock>() {
    let one = Stage::<L>::new().await;
    let mut two = one.another("second").await;
    two.filters.languages = vec!["de".to_owned()];
    let post = one.post("1", "ann", TIDE);
    one.page(vec![post.clone()]).await;
    two.page(vec![post]).await;
    assert_eq!(one.verdict("1").await, "repost first-hand");
    assert_eq!(two.verdict("1").await, "skip language");
    // A copy for one of them, then both see the original.
    one.page(vec![one.post("2", "bob", "RT @cat: A heron stands on the weir again, as it does every Sunday")]).await;
    two.filters.languages = Vec::new();
    let original = one.post("3", "cat", "A heron stands on the weir again, as it does every Sunday");
    two.page(vec![original.clone()]).await;
    one.page(vec![original]).await;
    assert_eq!(one.verdict("3").await, "repost original-arrived");
    assert!(two.verdict("3").await.starts_with("repost "));
    assert_eq!((one.send().await, two.send().await), (vec!["1".into(), "3".into()], vec!["3".into()]));
    // And when the copy has gone out before the other account brings the original, which names nobody.
    let text = "Whoever left a cello on the night tram may collect it at the depot";
    one.page(vec![one.post("4", "bob", &format!("RT @dan: {text}"))]).await;
    one.pass(200).await;
    assert_eq!(one.send().await, ["1", "3", "4"]);
    two.page(vec![one.post("5", "dan", text)]).await;
    one.page(vec![one.post("5", "dan", text)]).await;
    assert_eq!(one.send().await, ["1", "3", "4", "5"], "no account's copy silences the author");
    one.store.close().await.unwrap();
}

async fn our_own_posts_are_archived_and_never_reposted<L: WriteLock>() {
    let stage = Stage::<L>::new().await;
    let mut own = stage.post("1", "us", TIDE);
    own.author.as_mut().unwrap().remote_id = RemoteId::new("us");
    // The display name and handle prove nothing.
    let namesake = stage.post("2", "us_", "A namesake writes about something else entirely, and may be reposted");
    stage.page(vec![own, namesake]).await;
    assert_eq!(stage.verdict("1").await, "skip own-post");
    assert_eq!(stage.send().await, ["2"]);
    stage.store.close().await.unwrap();
}

async fn what_another_hashtag_of_the_account_asks_for_is_not_lost<L: WriteLock>() {
    let mut stage = Stage::<L>::new().await;
    stage.filters.hashtags = vec![Hashtag::new("firsthand"), Hashtag::new("harbour")];
    // Loose searches show a watch what only another one asks for.
    let mut other = stage.post("1", "ann", TIDE);
    other.facts.hashtags = vec![Hashtag::new("HARBOUR")];
    let mut none = stage.post("2", "ann", "Nothing of what anybody watches stands in these lines, and so they stay");
    none.facts.hashtags = vec![Hashtag::new("harbourmaster")];
    stage.page(vec![other, none]).await;
    assert_eq!(stage.verdict("2").await, "skip hashtag-missing");
    assert_eq!(stage.send().await, ["1"]);
    stage.store.close().await.unwrap();
}

async fn a_dropped_copy_leaves_room_for_its_original<L: WriteLock>() {
    let mut stage = Stage::<L>::new().await;
    stage.page(vec![copy(&stage, "1", "bob")]).await;
    stage.pass(200).await;
    // The copy's author is put on the blocklist before anything went out.
    stage.filters.blocked_authors.insert(Handle::new("bob"));
    assert_eq!(stage.send().await, [""; 0]);
    assert_eq!(stage.outbox().await, [Row::new("1", 1, "dropped")]);
    assert_eq!(stage.verdict("1").await, "skip blocked-author");
    stage.page(vec![stage.post("2", "ann", TIDE)]).await;
    assert_eq!(stage.send().await, ["2"]);
    assert_eq!(stage.outbox().await, [Row::new("2", 1, "done")]);
    // What is gone is no reason for another attempt in its place.
    stage.network.answer(Err(NetworkError::Gone("deleted".to_owned())));
    stage.page(vec![stage.post("3", "eve", "Somebody let the geese into the town hall and they will not leave")]).await;
    stage.send().await;
    stage.page(vec![stage.post("4", "fay", "Somebody let the geese into the town hall and they will not leave")]).await;
    assert_eq!(stage.send().await, ["2", "3"]);
    stage.store.close().await.unwrap();
}

async fn what_a_replay_brought_counts_as_shared<L: WriteLock>() {
    let stage = Stage::<L>::new().await;
    let brought = Post { provenance: Provenance::Import, ..stage.post("1", "ann", TIDE) };
    let mut reader = (*stage.reader()).clone();
    reader.sends = false;
    let now = stage.clock.now().minus(Duration::from_secs(60));
    let batch = Batch { arrivals: vec![Arrival::new(brought, now)], ..Batch::default() };
    let other = stage.another("imports").await;
    reader.account = other.account;
    reader.watch = None;
    intake::take_in(&stage.store, reader.into(), batch.into(), now).await.unwrap();
    stage.page(vec![copy(&stage, "2", "bob"), stage.post("3", "cat", TIDE), stage.post("4", "ann", TIDE)]).await;
    stage.pass(600).await;
    assert_eq!(stage.send().await, [""; 0], "{:?}", stage.verdicts().await);
    stage.store.close().await.unwrap();
}
