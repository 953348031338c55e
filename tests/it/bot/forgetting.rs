//! A window after which posts are forgotten: an old thing may go out again, and nothing else changes.

use std::time::Duration;

use firsthand::{
    dedup::DedupPolicy,
    model::{Clock, Post, RemoteId},
    store::WriteLock,
};

use super::stage::Stage;
use crate::lock::on_both_strategies;

const TEXT: &str = "The old ferry leaves the island for the last time tonight and everybody comes";
const DAY: u64 = 86_400;

/// A stage that forgets after three days and reposts whatever is younger than ten.
async fn forgetful<L: WriteLock>() -> Stage<L> {
    let mut stage = Stage::<L>::new().await;
    stage.dedup = DedupPolicy { forget_after: Some(Duration::from_secs(3 * DAY)), ..DedupPolicy::default() };
    stage.filters.max_age = Some(Duration::from_secs(10 * DAY));
    stage.filters.start = None;
    stage
}

async fn an_old_thing_goes_out_again_as_a_new_one<L: WriteLock>() {
    let stage = forgetful::<L>().await;
    stage.page(vec![stage.post("1", "ann", TEXT)]).await;
    stage.pass(2 * DAY).await;
    stage.page(vec![stage.post("2", "bob", TEXT)]).await;
    assert_eq!(stage.verdict("2").await, "skip exact");
    stage.pass(2 * DAY).await;
    // The first is four days old now, the second two: as long as it is copied, a thing is remembered.
    stage.page(vec![stage.post("3", "cat", TEXT)]).await;
    assert_eq!(stage.verdict("3").await, "skip exact");
    stage.pass(4 * DAY).await;
    stage.page(vec![stage.post("4", "dan", TEXT)]).await;
    assert_eq!(stage.verdict("4").await, "repost first-hand");
    assert_eq!(stage.send().await, ["1", "4"]);
    stage.store.close().await.unwrap();
}

async fn the_very_same_post_and_native_reposts_of_it_are_never_forgotten<L: WriteLock>() {
    let stage = forgetful::<L>().await;
    let original = stage.post("1", "ann", TEXT);
    stage.page(vec![original.clone()]).await;
    stage.pass(8 * DAY).await;
    let native = Post { repost_of: Some(RemoteId::new("1")), ..stage.post("2", "bob", TEXT) };
    stage.page(vec![original, native]).await;
    assert_eq!(stage.verdict("1").await, "repost first-hand");
    assert_eq!(stage.verdict("2").await, "skip native-repost");
    assert_eq!(stage.send().await, ["1"]);
    stage.store.close().await.unwrap();
}

async fn an_original_that_is_older_than_the_window_still_finds_the_copy_that_waits_for_it<L: WriteLock>() {
    let stage = forgetful::<L>().await;
    let original =
        Post { created_at: stage.clock.now().minus(Duration::from_secs(9 * DAY)), ..stage.post("1", "ann", TEXT) };
    stage.page(vec![stage.post("2", "bob", &format!("RT @ann: {TEXT}"))]).await;
    assert_eq!(stage.verdict("2").await, "hold awaiting-original");
    stage.pass(60).await;
    stage.page(vec![original]).await;
    assert_eq!(stage.verdict("1").await, "repost original-arrived");
    assert_eq!(stage.verdict("2").await, "skip original-preferred");
    stage.store.close().await.unwrap();
}

async fn a_copy_of_what_is_forgotten_waits_for_its_original_anew<L: WriteLock>() {
    let stage = forgetful::<L>().await;
    stage.page(vec![stage.post("1", "ann", TEXT)]).await;
    stage.pass(4 * DAY).await;
    stage.page(vec![stage.post("2", "bob", &format!("RT @ann: {TEXT}"))]).await;
    assert_eq!(stage.verdict("2").await, "hold awaiting-original");
    // Ann says it again, and is reposted for the copy that names her.
    stage.pass(60).await;
    stage.page(vec![stage.post("3", "ann", TEXT)]).await;
    assert_eq!(stage.verdict("3").await, "repost original-arrived");
    assert_eq!(stage.send().await, ["1", "3"]);
    stage.store.close().await.unwrap();
}

async fn a_forgotten_copy_names_nobody<L: WriteLock>() {
    let stage = forgetful::<L>().await;
    stage.page(vec![stage.post("1", "bob", &format!("RT @ann: {TEXT}"))]).await;
    stage.pass(121).await;
    assert_eq!(stage.verdict("1").await, "repost original-missing");
    stage.pass(4 * DAY).await;
    stage.page(vec![stage.post("2", "ann", TEXT)]).await;
    assert_eq!(stage.verdict("2").await, "repost first-hand");
    let slots: Vec<i64> = stage.outbox().await.iter().map(|row| row.slot).collect();
    assert_eq!(slots, [1, 1], "a thing of its own, not the second repost of the old one");
    stage.store.close().await.unwrap();
}

on_both_strategies! {
    an_old_thing_goes_out_again_as_a_new_one,
    the_very_same_post_and_native_reposts_of_it_are_never_forgotten,
    an_original_that_is_older_than_the_window_still_finds_the_copy_that_waits_for_it,
    a_copy_of_what_is_forgotten_waits_for_its_original_anew,
    a_forgotten_copy_names_nobody,
}
