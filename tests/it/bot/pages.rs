//! A page is taken in as a whole or not at all, and one bad element never loses the others.

use firsthand::{model::BadElement, store::WriteLock};

use super::{
    archive,
    invented::{author, dispatch},
    stage::Stage,
};
use crate::lock::on_both_strategies;

on_both_strategies!(
    an_unreadable_element_is_kept_and_its_siblings_are_decided_about,
    a_page_that_fails_anywhere_leaves_nothing_behind,
);

async fn an_unreadable_element_is_kept_and_its_siblings_are_decided_about<L: WriteLock>() {
    let stage = Stage::<L>::new().await;
    let posts = (0..3).map(|number| stage.post(&number.to_string(), &author(number), &dispatch(number))).collect();
    let bad = vec![BadElement { reason: "its id is no id".to_owned(), raw: r#"{"id":[]}"#.to_owned() }];
    stage.try_page(posts, bad).await.unwrap();
    assert_eq!(stage.send().await, ["0", "1", "2"]);
    let [posts, .., quarantined] = stage.store.read("look", archive::sizes).await.unwrap();
    assert_eq!((posts, quarantined), (3, 1));
    stage.store.close().await.unwrap();
}

async fn a_page_that_fails_anywhere_leaves_nothing_behind<L: WriteLock>() {
    for table in ["posts", "variants", "verdicts", "outbox", "counters"] {
        let stage = Stage::<L>::new().await;
        stage.page(vec![stage.post("1", "ann", &dispatch(1))]).await;
        let before = stage.store.read("look", archive::sizes).await.unwrap();
        let page = || (2..40).map(|number| stage.post(&number.to_string(), &author(number), &dispatch(number)));
        stage.store.write("plant a failure", move |conn| archive::fail_on(conn, table)).await.unwrap();
        let error = stage.try_page(page().collect(), Vec::new()).await.unwrap_err();
        assert!(format!("{error:?}").contains("planted"), "{table}: {error:?}");
        assert_eq!(stage.store.read("look", archive::sizes).await.unwrap(), before, "{table}");
        assert_eq!(stage.outbox().await.len(), 1, "{table}");
        stage.store.write("mend it", archive::mend).await.unwrap();
        stage.page(page().collect()).await;
        assert_eq!(stage.send().await.len(), 39, "{table}");
        stage.store.close().await.unwrap();
    }
}
