//! One watched hashtag: reads its pages, chain by chain, and hands them to intake.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    batch::{Arrival, Batch, Reader},
    decision::Decision,
    event::{Event, Observer},
    intake,
    relay::backoff,
    timing::Timing,
};
use crate::{
    model::{Action, Hashtag, Post, Provenance, RemoteId, TimeMs, WatchId},
    network::{FetchRequest, Network, NetworkError, OriginalQuery, Page, PageToken, Since},
    store::{
        Store, StoreError,
        accounts::{self, Cursor},
        lock::WriteLock,
    },
};

/// How long a run that is to end by itself still waits for the next repost: longer than the usual gap between two, and
/// than the shorter backoffs. What is due later is left to the next run.
pub(super) const PATIENCE_AT_ONCE: Duration = Duration::from_secs(60);
/// How often a run that is to end by itself asks a network that does not answer.
pub(super) const TRIES_AT_ONCE: i64 = 3;

/// When a watcher stops reading.
#[derive(Clone)]
pub enum Until {
    /// Only when it is told to stop.
    Stopped,
    /// When it has read everything there is now.
    CaughtUp,
    /// When it has read everything and this says that nothing more will come.
    Finished(Arc<dyn Fn() -> bool + Send + Sync>),
}

impl Until {
    /// Whether the run ends by itself, so that what cannot be done now is left to the next one.
    pub(super) fn is_once(&self) -> bool {
        matches!(self, Self::CaughtUp)
    }

    /// Whether the run waits until the trouble with the database has passed. One that ends by itself does not wait for
    /// its operator to make room on a disk.
    pub(super) fn outlasts(&self, trouble: &StoreError) -> bool {
        match self {
            Self::Stopped => trouble.is_passing(),
            Self::Finished(_) => trouble.is_busy(),
            Self::CaughtUp => false,
        }
    }
}

/// Reads one hashtag for one account.
pub struct Watcher<L: WriteLock> {
    /// The archive.
    pub store: Store<L>,
    /// The network, with its wrappers.
    pub network: Arc<dyn Network>,
    /// The account's configured name.
    pub name: Arc<str>,
    /// The hashtag.
    pub hashtag: Hashtag,
    /// Its row.
    pub watch: WatchId,
    /// Where reading starts if nothing has been read yet.
    pub start: TimeMs,
    /// By which rules pages are taken in.
    pub reader: Arc<Reader>,
    /// The time between two looks at the network.
    pub poll: Duration,
    /// When reading ends.
    pub until: Until,
    /// How far the account's watches have read.
    pub read_until: Arc<ReadUntil>,
    /// Woken when there may be something to send or to wait for.
    pub wake: Arc<Notify>,
    /// The clock.
    pub timing: Timing,
    /// Is told what happens.
    pub observer: Observer,
}

/// Up to which time every watch of an account has read. A grace time that ended later is not over: its original may
/// stand in a page that nobody has read yet.
#[derive(Debug)]
pub struct ReadUntil {
    /// Guards the beginning of each watch's last closed chain; held only to read or write one.
    closed: Mutex<BTreeMap<WatchId, TimeMs>>,
    watches: usize,
}

impl ReadUntil {
    /// For an account with this many watches.
    pub fn new(watches: usize) -> Self {
        Self { closed: Mutex::default(), watches }
    }

    fn close(&self, watch: WatchId, began: TimeMs) {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).insert(watch, began);
    }

    /// The time; `None` until every watch has closed a chain.
    pub fn time(&self) -> Option<TimeMs> {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if closed.len() < self.watches { None } else { closed.values().min().copied() }
    }
}

/// Why a watcher ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// There is nothing more to read, or it was told to stop.
    Done,
    /// The network refuses the account.
    Halted(String),
    /// The network does not answer, and reading was not to last.
    Unreachable(NetworkError),
}

/// Where a chain of pages was begun.
#[derive(Clone, Copy)]
enum Chain {
    /// At its newest page, just now.
    Whole,
    /// Earlier: it was left open when a run ended.
    Resumed,
}

/// What went wrong while reading.
enum Trouble {
    Network(NetworkError),
    Store(StoreError),
}

impl<L: WriteLock> Watcher<L> {
    /// Reads until the end.
    ///
    /// # Errors
    /// A [`StoreError`] that waiting does not mend.
    pub async fn run(&self) -> Result<Ending, StoreError> {
        let mut failures = 0;
        loop {
            // Asked before reading: what comes afterwards is read in the next round.
            let last_round = match &self.until {
                Until::Stopped => false,
                Until::CaughtUp => true,
                Until::Finished(finished) => finished(),
            };
            let pause = match self.read_chain().await {
                Ok(_) if self.timing.stopped() => return Ok(Ending::Done),
                // The chain was begun by an earlier run, so newer posts stand above it.
                Ok(Chain::Resumed) => self.timing.now(),
                Ok(Chain::Whole) if last_round => return Ok(Ending::Done),
                Ok(Chain::Whole) => {
                    failures = 0;
                    self.timing.now().plus(self.poll)
                }
                Err(Trouble::Network(NetworkError::Unauthorized(why) | NetworkError::Suspended(why))) => {
                    return Ok(Ending::Halted(why));
                }
                Err(Trouble::Network(
                    ref error @ (NetworkError::RateLimited { retry_at } | NetworkError::Capped { retry_at, .. }),
                )) => {
                    self.tell_waiting(retry_at, error.to_string());
                    if self.until.is_once() && retry_at > self.timing.now().plus(PATIENCE_AT_ONCE) {
                        return Ok(Ending::Done);
                    }
                    retry_at
                }
                Err(Trouble::Network(error)) => {
                    failures += 1;
                    if self.until.is_once() && failures >= TRIES_AT_ONCE {
                        return Ok(Ending::Unreachable(error));
                    }
                    let until = self.timing.now().plus(backoff(failures));
                    self.tell_waiting(until, error.to_string());
                    until
                }
                Err(Trouble::Store(error)) if self.until.outlasts(&error) => {
                    failures += 1;
                    (self.observer)(Event::Degraded { reason: error.to_string() });
                    self.timing.now().plus(backoff(failures).min(Duration::from_secs(60)))
                }
                Err(Trouble::Store(error)) => return Err(error),
            };
            if !self.timing.sleep_until(pause).await {
                return Ok(Ending::Done);
            }
        }
    }

    /// Reads from the cursor to the newest post, page by page. Each page commits by itself; the cursor moves when the
    /// chain is closed.
    async fn read_chain(&self) -> Result<Chain, Trouble> {
        let watch = self.watch;
        let mut cursor = self
            .store
            .read("read a cursor", move |conn| Box::pin(accounts::cursor(conn, watch)))
            .await
            .map_err(Trouble::Store)?;
        let began = self.timing.now();
        let mut restarted = false;
        let mut chain = if cursor.chain_next.is_some() { Chain::Resumed } else { Chain::Whole };
        loop {
            let request = FetchRequest {
                hashtag: self.hashtag.clone(),
                since: cursor.newest.clone().map_or(Since::Time(self.start), Since::Post),
                page: cursor.chain_next.clone().map(PageToken),
            };
            let page = tokio::select! {
                page = self.network.fetch(&request) => page,
                () = self.timing.stop().cancelled() => return Ok(chain),
            };
            let page = match page {
                // The network has forgotten the chain: it is read again from its beginning. What was archived already
                // is recognised by its ids.
                Err(NetworkError::Rejected { .. }) if cursor.chain_next.is_some() && !restarted => {
                    // Once only: a network that always refuses the second page would be paid for the first for ever.
                    restarted = true;
                    cursor.chain_next = None;
                    cursor.chain_newest = None;
                    chain = Chain::Whole;
                    continue;
                }
                page => page.map_err(Trouble::Network)?,
            };
            cursor = next_cursor(&cursor, &page);
            let more = cursor.chain_next.is_some();
            let decisions = self.take_in(page, Some(cursor.clone())).await.map_err(Trouble::Store)?;
            self.look_for_originals(&decisions).await?;
            if !more {
                self.read_until.close(self.watch, began);
                self.wake.notify_waiters();
                (self.observer)(Event::CaughtUp { account: self.name.clone(), hashtag: self.hashtag.clone() });
                return Ok(chain);
            }
        }
    }

    async fn take_in(&self, page: Page, cursor: Option<Cursor>) -> Result<Vec<Decision>, StoreError> {
        let now = self.timing.now();
        let arrivals = page.posts.into_iter().map(|post| Arrival::new(post, now)).collect();
        let batch = Batch { arrivals, bad: page.bad, cursor };
        let decisions = intake::take_in(&self.store, self.reader.clone(), Arc::new(batch), now).await?;
        for decision in &decisions {
            let (account, decision) = (self.name.clone(), Box::new(decision.clone()));
            (self.observer)(Event::Decided { account, decision });
        }
        self.wake.notify_waiters();
        Ok(decisions)
    }

    /// Asks the network for the originals of copies that wait for them. What it finds is taken in as any other post.
    async fn look_for_originals(&self, decisions: &[Decision]) -> Result<(), Trouble> {
        for decision in decisions.iter().filter(|decision| decision.verdict.action == Action::Hold) {
            let Some(author) = decision.attribution.clone() else { continue };
            let query = OriginalQuery { author, text: decision.excerpt.clone() };
            let found = tokio::select! {
                found = self.network.find_original(&query) => found,
                () = self.timing.stop().cancelled() => return Ok(()),
            };
            match found {
                Ok(mut page) => {
                    page.posts.iter_mut().for_each(|post: &mut Post| post.provenance = Provenance::Lookup);
                    if !page.posts.is_empty() {
                        self.take_in(page, None).await.map_err(Trouble::Store)?;
                    }
                }
                Err(error @ (NetworkError::Unauthorized(_) | NetworkError::Suspended(_))) => {
                    return Err(Trouble::Network(error));
                }
                // The copy waits all the same, and the stream may still bring the original.
                Err(error) => {
                    tracing::warn!(account = &*self.name, %error, "no look-up of an original");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn tell_waiting(&self, until: TimeMs, reason: String) {
        (self.observer)(Event::Waiting { account: self.name.clone(), until, reason });
    }
}

/// The cursor after a page: it moves to the chain's newest post once there is no older page left.
fn next_cursor(before: &Cursor, page: &Page) -> Cursor {
    let chain_newest: Option<RemoteId> = before.chain_newest.clone().or_else(|| page.newest_id.clone());
    match &page.next {
        Some(next) => Cursor { newest: before.newest.clone(), chain_newest, chain_next: Some(next.0.clone()) },
        None => Cursor { newest: chain_newest.or_else(|| before.newest.clone()), chain_newest: None, chain_next: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(newest: Option<&str>, next: Option<&str>) -> Page {
        Page {
            newest_id: newest.map(RemoteId::new),
            next: next.map(|token| PageToken(token.to_owned())),
            ..Page::default()
        }
    }

    #[test]
    fn the_cursor_moves_only_when_the_chain_is_closed() {
        let start = Cursor { newest: Some(RemoteId::new("10")), ..Cursor::default() };
        let open = next_cursor(&start, &page(Some("30"), Some("older")));
        assert_eq!(open.newest, Some(RemoteId::new("10")));
        let closed = next_cursor(&open, &page(Some("20"), None));
        assert_eq!(closed, Cursor { newest: Some(RemoteId::new("30")), ..Cursor::default() });
    }

    #[test]
    fn an_empty_answer_leaves_the_cursor_where_it_is() {
        let start = Cursor { newest: Some(RemoteId::new("10")), ..Cursor::default() };
        assert_eq!(next_cursor(&start, &page(None, None)), start);
    }
}
