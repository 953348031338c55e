//! A filter in memory that knows of most keys that no archived variant bears them, so that nobody asks the index.
//!
//! Most posts are first sightings, and most of their keys were never seen. The index answers "nobody" as dearly as
//! anything else; a Bloom filter answers it in nanoseconds. It only spares queries: it never says "nobody" of a key that
//! is borne, it is made from the database, and without it every verdict is the same.
//!
//! What it holds is complete only as long as every variant that was committed has passed here. So each write
//! transaction first looks whether another connection has committed (`PRAGMA data_version`), and if so takes the keys of
//! every variant since the last one that is surely known. An archive that is there already is read once, in slices,
//! beside the other work; until then the filter says "perhaps" to everything.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use sqlx::SqliteConnection;
use tokio::sync::Notify;

use super::{StoreError, candidates};
use crate::text::fingerprint::Key;

/// Variants whose keys are taken inside a write transaction at the most, at about 10 µs each. Further behind than this,
/// the filter waits to be filled beside the work.
const CATCH_UP_VARIANTS: i64 = 1_000;

/// Variants that are read at once while the filter is filled, so that nothing waits long behind it.
const SLICE_VARIANTS: i64 = 1_000;

/// Knows of most keys that nobody bears them. Cheap to clone; all clones share it.
#[derive(Clone, Debug, Default)]
pub struct SeenKeys {
    /// Guards the filter and how far it reaches; held for as long as a page's keys are looked at, never while waiting.
    state: Arc<Mutex<State>>,
    /// Wakes whoever fills the filter.
    behind: Arc<Notify>,
    /// Set once, before the store is closed, so that filling is not counted as an operation that failed.
    ended: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct State {
    filter: Bloom,
    /// Every variant whose id is not above this is in the filter.
    covered: i64,
    /// Whether all other variants have passed here too, as of `version`.
    complete: bool,
    /// The writing connection's `data_version` when it was last looked at.
    version: Option<i64>,
}

/// That a transaction stored variants of which the filter knows. Counts once it is committed.
#[derive(Clone, Copy, Debug)]
#[must_use = "the filter learns by it how far it reaches"]
pub struct Covered(Option<i64>);

impl SeenKeys {
    /// Those of `keys` that an archived variant may bear. Belongs into a write transaction.
    ///
    /// # Errors
    /// Any [`StoreError`] of the database.
    pub async fn perhaps_borne(&self, conn: &mut SqliteConnection, keys: &[Key]) -> Result<Vec<Key>, StoreError> {
        self.catch_up(conn).await?;
        let state = self.state();
        if !state.complete {
            return Ok(keys.to_vec());
        }
        Ok(keys.iter().filter(|key| state.filter.may_hold(**key)).copied().collect())
    }

    /// Takes the keys of variants that this transaction has stored, the last of them `newest`. Harmless if the
    /// transaction is rolled back: the filter then says "perhaps" once too often.
    pub fn stored(&self, keys: impl Iterator<Item = Key>, newest: i64) -> Covered {
        let mut state = self.state();
        keys.for_each(|key| state.filter.insert(key));
        Covered(state.complete.then_some(newest))
    }

    /// The transaction that gave `covered` is committed.
    pub fn committed(&self, covered: Covered) {
        if let Some(newest) = covered.0 {
            let mut state = self.state();
            state.covered = state.covered.max(newest);
        }
    }

    /// Whether look-ups are spared at present.
    pub fn is_complete(&self) -> bool {
        self.state().complete
    }

    /// The store is about to be closed: nobody fills the filter any more.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.behind.notify_one();
    }

    /// Whether the store is about to be closed.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Completes when [`SeenKeys::fill`] is needed.
    pub(super) async fn fell_behind(&self) {
        self.behind.notified().await;
    }

    /// Reads the next slice of what did not pass here. Returns whether there is more to read.
    ///
    /// # Errors
    /// Any [`StoreError`] of the database.
    pub(super) async fn fill(&self, conn: &mut SqliteConnection) -> Result<bool, StoreError> {
        let from = {
            let state = self.state();
            if state.complete {
                return Ok(false);
            }
            state.covered
        };
        let slice = candidates::keys_after(conn, from, SLICE_VARIANTS).await?;
        let mut state = self.state();
        slice.keys.iter().for_each(|key| state.filter.insert(*key));
        // The last stretch is left to the next write transaction, which nobody can overtake.
        state.covered = state.covered.max(slice.newest);
        Ok(slice.left > CATCH_UP_VARIANTS)
    }

    /// Makes the filter complete where little is missing.
    async fn catch_up(&self, conn: &mut SqliteConnection) -> Result<(), StoreError> {
        let version = sqlx::query_scalar!(r#"SELECT data_version + 0 AS "version!: i64" FROM pragma_data_version"#)
            .fetch_one(&mut *conn)
            .await?;
        let from = {
            let state = self.state();
            if state.complete && state.version == Some(version) {
                return Ok(());
            }
            state.covered
        };
        let slice = candidates::keys_after(conn, from, CATCH_UP_VARIANTS).await?;
        let mut state = self.state();
        slice.keys.iter().for_each(|key| state.filter.insert(*key));
        state.complete = slice.left == 0;
        state.version = Some(version);
        if !state.complete {
            self.behind.notify_one();
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bits of a block: one cache line, so that a look costs one miss (Putze, Sanders and Singler 2007).
const BLOCK_BITS: u64 = 512;

/// Words of a block.
const BLOCK_WORDS: usize = 8;

/// Bits that each key sets in its block.
const BITS_OF_A_KEY: u32 = 5;

/// Keys a block on the average, above which the filter is doubled: sixteen bits a key.
const KEYS_OF_A_BLOCK: usize = 32;

/// Blocks of a new filter: 64 KiB.
const FIRST_BLOCKS: usize = 1024;

/// Blocks that a filter has at the most: 32 MiB, so that an archive of ten million posts (about 65 million different
/// keys) leaves the bot below 64 MiB.
const MOST_BLOCKS: usize = 512 * 1024;

/// A blocked Bloom filter that grows.
#[derive(Debug, Default)]
struct Bloom {
    blocks: Vec<[u64; BLOCK_WORDS]>,
    /// Keys that were new when they came.
    keys: usize,
}

impl Bloom {
    fn may_hold(&self, key: Key) -> bool {
        let Some((block, bits)) = self.place(key) else { return false };
        let block = &self.blocks[block];
        bits_of(bits).all(|(word, bit)| block[word] & bit != 0)
    }

    fn insert(&mut self, key: Key) {
        if self.keys >= self.blocks.len() * KEYS_OF_A_BLOCK && self.blocks.len() < MOST_BLOCKS {
            self.grow();
        }
        let Some((block, bits)) = self.place(key) else { return };
        let block = &mut self.blocks[block];
        let mut new = false;
        for (word, bit) in bits_of(bits) {
            new |= block[word] & bit == 0;
            block[word] |= bit;
        }
        self.keys += usize::from(new);
    }

    /// Doubles the filter. A key's block is chosen by the low bits of its hash, so one more of them leads to the old
    /// block or to its copy in the new half: nothing has to be read again.
    fn grow(&mut self) {
        if self.blocks.is_empty() {
            self.blocks = vec![[0; BLOCK_WORDS]; FIRST_BLOCKS];
        } else {
            self.blocks.extend_from_within(..);
        }
    }

    /// The block of a key, and the hash that chooses its bits; `None` if there are no blocks yet.
    fn place(&self, key: Key) -> Option<(usize, u64)> {
        let last = self.blocks.len().checked_sub(1)?;
        let hash = key.spread();
        Some((usize::try_from(hash).unwrap_or(usize::MAX) & last, hash >> 19))
    }
}

/// The bits that a hash chooses within a block, as word and mask.
fn bits_of(hash: u64) -> impl Iterator<Item = (usize, u64)> {
    (0..BITS_OF_A_KEY).map(move |n| {
        let bit = (hash >> (9 * n)) % BLOCK_BITS;
        (usize::from((bit / 64).to_le_bytes()[0]), 1 << (bit % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::{OpenOptions, Store},
        text::{analyse, fingerprint},
    };

    fn keys(number: usize) -> Vec<Key> {
        let text = format!("the harbour master of pier {number} counted {number} gulls and not one herring");
        fingerprint::terms(&analyse(&text, None).variants[0], None)
    }

    #[test]
    fn a_filter_that_has_grown_several_times_still_holds_every_key() {
        let mut bloom = Bloom::default();
        assert!(!bloom.may_hold(keys(0)[0]));
        (0..40_000).flat_map(keys).for_each(|key| bloom.insert(key));
        assert!(bloom.blocks.len() >= 4 * FIRST_BLOCKS, "{} blocks are no growth", bloom.blocks.len());
        assert!((0..40_000).flat_map(keys).all(|key| bloom.may_hold(key)));
        let strangers: Vec<Key> = (40_000..60_000).flat_map(keys).collect();
        let mistaken = strangers.iter().filter(|key| bloom.may_hold(**key)).count();
        // Templated texts share some keys, which are in the filter by right: near keys of words, not of numbers.
        let shared: std::collections::HashSet<Key> = (0..40_000).flat_map(keys).collect();
        let rightly = strangers.iter().filter(|key| shared.contains(key)).count();
        assert!((mistaken - rightly) * 50 < strangers.len(), "{} of {}", mistaken - rightly, strangers.len());
    }

    /// A variant of a post without an author, stored in a transaction of its own through `store`; the filter is told.
    async fn add(store: &Store, number: usize) {
        use crate::{
            model::{Facts, NetworkKind, Post, PostId, Provenance, RemoteId, ThingId, TimeMs},
            store::{
                posts::{self, NewPost},
                things::{self, NewThing},
            },
        };
        let seen_keys = store.seen_keys().clone();
        let covered = store.write("add a post", move |conn| {
            let seen_keys = seen_keys.clone();
            Box::pin(async move {
                let mut ids = posts::next_ids(conn).await?;
                let (id, thing): (PostId, ThingId) = (ids.take_post(), ids.take_thing());
                let post = Post {
                    network: NetworkKind::X,
                    remote_id: RemoteId::new(format!("{}-{number}", id.0)),
                    author: None,
                    text: String::new(),
                    lang: None,
                    created_at: TimeMs(0),
                    repost_of: None,
                    provenance: Provenance::Watch,
                    facts: Facts::default(),
                };
                things::insert(conn, &[NewThing { id: thing, first_seen: TimeMs(0), replayed: false }]).await?;
                posts::insert(conn, &[NewPost { id, thing, attribution: None, seen_at: TimeMs(0), post: &post }])
                    .await?;
                let text = format!("the harbour master of pier {number} counted {number} gulls and not one herring");
                let variant = analyse(&text, None).variants.remove(0);
                let keys = fingerprint::terms(&variant, None);
                seen_keys.perhaps_borne(conn, &keys).await?;
                let new = candidates::NewVariant { post: id, variant: &variant, keys: &keys };
                let newest = candidates::insert_variants(conn, &[new]).await?;
                Ok(seen_keys.stored(keys.into_iter(), newest))
            })
        });
        store.seen_keys().committed(covered.await.unwrap());
    }

    /// How many of a text's keys are asked about, of how many.
    async fn asked(store: &Store, number: usize) -> (usize, usize) {
        let seen_keys = store.seen_keys().clone();
        let wanted = keys(number);
        let all = wanted.len();
        let left = store.write("look keys up", move |conn| {
            let (seen_keys, wanted) = (seen_keys.clone(), wanted.clone());
            Box::pin(async move { Ok(seen_keys.perhaps_borne(conn, &wanted).await?.len()) })
        });
        (left.await.unwrap(), all)
    }

    #[tokio::test]
    async fn what_another_process_stores_is_known_at_once_and_what_nobody_stored_is_spared() {
        let folder = tempfile::tempdir().unwrap();
        let options = OpenOptions::new(folder.path().join("archive.db"));
        let ours: Store = Store::open(options.clone()).await.unwrap();
        add(&ours, 1).await;
        // A store of its own has a connection of its own, as another process has.
        let theirs: Store = Store::open(options).await.unwrap();
        for number in 2..30 {
            add(&theirs, number).await;
            let (left, all) = asked(&ours, number).await;
            assert_eq!(left, all, "text {number} was stored by the other");
            add(&ours, number + 100).await;
            let (left, all) = asked(&theirs, number + 100).await;
            assert_eq!(left, all, "text {} was stored by us", number + 100);
        }
        let (left, all) = asked(&ours, 999).await;
        assert!(left < all, "nothing is spared: {left} of {all}");
        ours.close().await.unwrap();
        theirs.close().await.unwrap();
    }

    #[tokio::test]
    async fn an_archive_longer_than_a_slice_is_read_beside_the_work_and_asked_until_then() {
        let folder = tempfile::tempdir().unwrap();
        let options = OpenOptions {
            synchronous: crate::store::Synchronous::Normal,
            ..OpenOptions::new(folder.path().join("archive.db"))
        };
        let store: Store = Store::open(options.clone()).await.unwrap();
        let count = usize::try_from(CATCH_UP_VARIANTS + SLICE_VARIANTS).unwrap() + 10;
        for number in 0..count {
            add(&store, number).await;
        }
        store.close().await.unwrap();

        let store: Store = Store::open(options).await.unwrap();
        let (left, all) = asked(&store, 999_999).await;
        assert_eq!((left, store.seen_keys().is_complete()), (all, false), "it spares nothing until it is complete");
        let filling = store.spare_look_ups();
        while !store.seen_keys().is_complete() {
            asked(&store, 1).await;
            tokio::task::yield_now().await;
        }
        let (left, all) = asked(&store, 999_999).await;
        assert!(left < all, "nothing is spared: {left} of {all}");
        for number in [0, count / 2, count - 1] {
            let (left, all) = asked(&store, number).await;
            assert_eq!(left, all, "text {number} is archived");
        }
        store.close().await.unwrap();
        filling.await.unwrap();
    }
}
