//! The archive that grows, and the stream of posts that it grows by.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, ensure};
use firsthand::{
    model::NetworkKind,
    pipeline::batch::Reader,
    store::{OpenOptions, Store, posts},
};
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    generator::Posts,
    measure::{Elapsed, Stopwatch},
    replayed,
    truth::{Accuracy, Truth, Wanted},
};

/// Posts in the pages that the archive grows by: what `firsthand replay` puts into one transaction.
pub(super) const GROWTH_PAGE: usize = 500;

/// How many of the last pages before a size stand for pages of this length.
const LAST_PAGES: usize = 20;

/// An archive of the first posts of a stream, always without a gap.
pub(super) struct Archive {
    path: PathBuf,
    store: Store,
    reader: Arc<Reader>,
    stream: Posts,
    /// How many posts of the stream are archived.
    posts: u64,
    truth: Truth,
    accuracy: Accuracy,
}

/// What growing to a size took.
#[derive(Default)]
pub(super) struct Growth {
    posts: u64,
    took: Duration,
    /// The last pages of [`GROWTH_PAGE`] posts; none if nothing was to be built.
    pub(super) last_pages: VecDeque<Elapsed>,
    /// The longest that the write-ahead log was after any page.
    pub(super) longest_wal_bytes: u64,
}

impl Growth {
    /// `None` if nothing was to be built.
    pub(super) fn posts_per_second(&self) -> Option<f64> {
        (self.posts > 0).then(|| self.posts as f64 / self.took.as_secs_f64())
    }
}

impl Archive {
    /// Opens the archive at `path` and brings the stream to where the archive ends.
    pub(super) async fn open(path: &Path, seed: u64) -> anyhow::Result<Self> {
        let (store, reader) = open(path).await?;
        let mut archive = Self {
            path: path.to_owned(),
            store,
            reader,
            stream: Posts::new(seed),
            posts: 0,
            truth: Truth::default(),
            accuracy: Accuracy::default(),
        };
        archive.go_on().await?;
        Ok(archive)
    }

    /// How many posts are archived.
    pub(super) fn posts(&self) -> u64 {
        self.posts
    }

    /// The database file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How right the verdicts were since this was asked last.
    pub(super) fn accuracy(&mut self) -> Accuracy {
        std::mem::take(&mut self.accuracy)
    }

    /// Closes the database, which empties the write-ahead log.
    pub(super) async fn close(&self) -> anyhow::Result<()> {
        self.store.close().await.context("close the archive")
    }

    /// Opens it again.
    pub(super) async fn reopen(&mut self) -> anyhow::Result<()> {
        (self.store, self.reader) = open(&self.path).await?;
        Ok(())
    }

    /// Passes over what is archived, after checking that this stream is where it came from.
    async fn go_on(&mut self) -> anyhow::Result<()> {
        let next = self.store.read("count", |conn| Box::pin(posts::next_ids(conn))).await?;
        let archived = u64::try_from(next.post - 1)?;
        let Some(before_last) = archived.checked_sub(1) else { return Ok(()) };
        let bar = bar(archived, "passing over what is archived");
        for _ in 0..before_last {
            self.truth.add(&self.stream.next().context("the stream is endless")?);
            bar.inc(1);
        }
        bar.finish_and_clear();
        let last = self.stream.next().context("the stream is endless")?;
        self.truth.add(&last);
        let post = replayed::post(&last);
        let found = self
            .store
            .read("find the last post", move |conn| {
                let id = post.remote_id.clone();
                Box::pin(async move {
                    let known = posts::known(conn, NetworkKind::Replay, std::slice::from_ref(&id)).await?;
                    posts::load(conn, &known.into_values().map(|known| known.post).collect::<Vec<_>>()).await
                })
            })
            .await?;
        ensure!(
            found.len() == 1 && found[0].text == last.text && found[0].id.0 == next.post - 1,
            "the archive at {} was not made of this stream: use another file, or its seed",
            self.path.display()
        );
        self.posts = archived;
        Ok(())
    }

    /// Grows to `size`, in pages of [`GROWTH_PAGE`].
    pub(super) async fn grow_to(&mut self, size: u64) -> anyhow::Result<Growth> {
        let mut growth = Growth::default();
        let bar = bar(size, "growing");
        let wal = PathBuf::from(format!("{}-wal", self.path.display()));
        while self.posts < size {
            bar.set_position(self.posts);
            let length = usize::try_from(size - self.posts)?.min(GROWTH_PAGE);
            let elapsed = self.take_page(length).await?;
            growth.posts += length as u64;
            growth.took += elapsed.wall;
            growth.longest_wal_bytes = growth.longest_wal_bytes.max(fs::metadata(&wal).map_or(0, |file| file.len()));
            if length == GROWTH_PAGE {
                growth.last_pages.push_back(elapsed);
                if growth.last_pages.len() > LAST_PAGES {
                    growth.last_pages.pop_front();
                }
            }
        }
        bar.finish_and_clear();
        Ok(growth)
    }

    /// Takes in so many pages of this length, and says what each took.
    pub(super) async fn take_pages(&mut self, pages: usize, length: usize) -> anyhow::Result<Vec<Elapsed>> {
        let mut took = Vec::with_capacity(pages);
        for _ in 0..pages {
            took.push(self.take_page(length).await?);
        }
        Ok(took)
    }

    /// Takes in the next posts as one page. Making the posts does not count, taking their texts apart does.
    async fn take_page(&mut self, length: usize) -> anyhow::Result<Elapsed> {
        let page: Vec<_> = self.stream.by_ref().take(length).collect();
        let posts = page.iter().map(replayed::post).collect();
        let stopwatch = Stopwatch::start();
        let decisions = replayed::take_in(&self.store, &self.reader, posts).await?;
        let elapsed = stopwatch.elapsed();
        self.posts += length as u64;
        // A copy may be matched with its original further down the page.
        let wanted: Vec<Wanted> = page.iter().map(|post| self.truth.add(post)).collect();
        // Those about earlier posts stand in front.
        let own = &decisions[decisions.len() - page.len()..];
        for (wanted, decision) in wanted.iter().zip(own) {
            let matched = decision.matched.as_ref().map(|other| other.remote_id.as_str().parse());
            self.accuracy.count(wanted, matched.map(|id| self.truth.original_of(id.ok()?)));
        }
        Ok(elapsed)
    }
}

/// How often is asked whether the filter of keys is filled.
const SEEN_KEYS_POLL: Duration = Duration::from_millis(50);

async fn open(path: &Path) -> anyhow::Result<(Store, Arc<Reader>)> {
    let store: Store = Store::open(OpenOptions::new(path)).await.context("open the archive")?;
    let reader = replayed::reader(&store).await?;
    // As the bot does; what a verdict costs meanwhile is another question.
    store.spare_look_ups();
    while !store.seen_keys().is_complete() {
        replayed::take_in(&store, &reader, Vec::new()).await?;
        tokio::time::sleep(SEEN_KEYS_POLL).await;
    }
    Ok((store, reader))
}

fn bar(length: u64, message: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos} of {human_len} posts, {eta} left");
    ProgressBar::new(length).with_message(message).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
