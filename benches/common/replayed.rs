//! Generated posts as the bot takes them in: the way that `firsthand replay` goes.

use std::{sync::Arc, time::Duration};

use firsthand::{
    dedup::{
        DedupPolicy,
        decide::{SharingPolicy, UnseenOriginal},
        filter::Filters,
    },
    model::{Author, Facts, NetworkKind, Post, Provenance, RemoteId, TimeMs},
    pipeline::{
        batch::{Arrival, Batch, Reader},
        decision::Decision,
        intake,
    },
    store::{Store, StoreError, accounts},
};

use super::generator;

/// A generated post as a file would bring it.
pub(crate) fn post(generated: &generator::Post) -> Post {
    Post {
        network: NetworkKind::Replay,
        remote_id: RemoteId::new(generated.id.to_string()),
        author: Some(Author::from_handle(&generated.author)),
        text: generated.text.clone(),
        lang: Some(generated.lang.to_owned()),
        created_at: TimeMs(generated.created_at_ms),
        repost_of: None,
        provenance: Provenance::Replay,
        facts: Facts::default(),
    }
}

/// The reader of a replay, with the bot's defaults.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub(crate) async fn reader(store: &Store) -> Result<Arc<Reader>, StoreError> {
    let account = store
        .write("prepare a replay", |conn| {
            Box::pin(async move { accounts::account(conn, "replay", NetworkKind::Replay, TimeMs(0)).await })
        })
        .await?;
    Ok(Arc::new(Reader {
        account,
        watch: None,
        network: NetworkKind::Replay,
        filters: Filters::none(),
        dedup: DedupPolicy::default(),
        sharing: SharingPolicy {
            grace: Duration::from_secs(120),
            unseen_original: UnseenOriginal::RepostCopy,
            replayed_is_shared: false,
        },
        sends: false,
    }))
}

/// Takes the posts in as one page: takes their texts apart, archives them and decides about each.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub(crate) async fn take_in(
    store: &Store,
    reader: &Arc<Reader>,
    posts: Vec<Post>,
) -> Result<Vec<Decision>, StoreError> {
    let arrivals: Vec<Arrival> = posts
        .into_iter()
        .map(|post| {
            let seen_at = post.created_at;
            Arrival::new(post, seen_at)
        })
        .collect();
    let now = arrivals.iter().map(|arrival| arrival.seen_at).max().unwrap_or_default();
    intake::take_in(store, reader.clone(), Arc::new(Batch { arrivals, ..Batch::default() }), now).await
}
