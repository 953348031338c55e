//! The bot's own work: pages of generated posts through its intake.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use firsthand::{
    dedup::{
        DedupPolicy,
        decide::{SharingPolicy, UnseenOriginal},
        filter::Filters,
    },
    model::{Author, Facts, NetworkKind, Post, Provenance, RemoteId, TimeMs},
    pipeline::{
        batch::{Arrival, Batch, Reader},
        intake,
    },
    store::{Store, StoreError, WriteLock, accounts},
};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::{subject::Write, verification::Row};

/// Posts of a page: what X delivers at a time.
pub(crate) const POSTS: u32 = 20;

/// 2026-01-01T00:00:00Z: when all posts were posted and seen.
const NOW: TimeMs = TimeMs(1_767_225_600_000);

/// Syllables of invented words.
const SYLLABLES: [&str; 24] = [
    "ba", "del", "fi", "gor", "hu", "jan", "kel", "lo", "mir", "nu", "pra", "quin", "ros", "su", "tam", "ul", "vek",
    "wi", "xa", "yor", "zel", "bri", "cho", "dru",
];

/// An account that takes pages in.
pub(crate) struct Pages<L: WriteLock> {
    store: Store<L>,
    reader: Arc<Reader>,
}

impl<L: WriteLock> Pages<L> {
    /// Finds or creates the account.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn open(store: Store<L>) -> Result<Self, StoreError> {
        let account = store
            .write("find the account", |conn| Box::pin(accounts::account(conn, "compared", NetworkKind::X, NOW)))
            .await?;
        let reader = Reader {
            account,
            watch: None,
            network: NetworkKind::X,
            filters: Filters::default(),
            dedup: DedupPolicy::default(),
            sharing: SharingPolicy {
                grace: Duration::from_secs(120),
                unseen_original: UnseenOriginal::RepostCopy,
                replayed_is_shared: true,
            },
            sends: true,
        };
        Ok(Self { store, reader: Arc::new(reader) })
    }

    /// The write that takes in one page.
    pub(crate) fn taking_in(self) -> Write {
        Arc::new(move |row| {
            let (store, reader) = (self.store.clone(), self.reader.clone());
            Box::pin(async move {
                intake::take_in(&store, reader, Arc::new(page(row)), NOW).await?;
                Ok(())
            })
        })
    }
}

/// A page of its own for each row: four of five posts are new, the others credit one of the page.
fn page(row: Row) -> Batch {
    let seed = u64::from(row.process) << 48 | u64::from(row.task) << 32 | u64::from(row.sequence);
    let mut rng = StdRng::seed_from_u64(seed);
    let mut originals: Vec<String> = Vec::new();
    let arrivals = (0..POSTS).map(|number| {
        let author = format!("writer_{}", rng.random_range(0..500));
        let text = match originals.choose(&mut rng) {
            Some(original) if number % 5 == 4 => format!("RT @writer_{number}: {original}"),
            _ => (0..rng.random_range(8..20)).map(|_| word(&mut rng)).collect::<Vec<_>>().join(" "),
        };
        originals.push(text.clone());
        Arrival::new(post(id(row, number), &author, text), NOW)
    });
    Batch { arrivals: arrivals.collect(), ..Batch::default() }
}

fn word(rng: &mut StdRng) -> String {
    let syllables = rng.random_range(1..=3);
    (0..syllables).filter_map(|_| SYLLABLES.choose(rng)).copied().collect()
}

fn post(id: String, author: &str, text: String) -> Post {
    Post {
        network: NetworkKind::X,
        remote_id: RemoteId::new(id),
        author: Some(Author::from_handle(author)),
        text,
        lang: None,
        created_at: NOW,
        repost_of: None,
        provenance: Provenance::Watch,
        facts: Facts::default(),
    }
}

fn id(row: Row, number: u32) -> String {
    format!("{}-{}-{}", row.process, row.task, row.sequence * POSTS + number)
}

/// The write that a post's id stands for: the posts of page 0 are 0 to 19, and so on.
///
/// # Errors
/// If the post was not made here.
pub(crate) fn row_of(id: &str) -> anyhow::Result<Row> {
    let numbers: Result<Vec<u32>, _> = id.split('-').map(str::parse).collect();
    match numbers.with_context(|| format!("read the id {id}"))?[..] {
        [process, task, sequence] => Ok(Row { process, task, sequence }),
        _ => anyhow::bail!("the post {id} was not made here"),
    }
}

/// The posts of an acknowledged page, as [`row_of`] counts them.
pub(crate) fn posts_of(page: Row) -> impl Iterator<Item = Row> {
    (0..POSTS).map(move |number| Row { sequence: page.sequence * POSTS + number, ..page })
}
