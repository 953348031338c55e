//! A network that answers what a test tells it to, for the tests of the wrappers.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;

use super::{FetchRequest, Identity, Network, NetworkError, OriginalQuery, Page, RepostOrder, RepostOutcome, Since};
use crate::model::{Hashtag, NetworkKind, RemoteId, TimeMs};

/// Answers in the order in which answers were laid down; without one, a plain success.
#[derive(Debug, Default)]
pub(super) struct Scripted {
    fetches: Mutex<VecDeque<Result<Page, NetworkError>>>,
    reposts: Mutex<VecDeque<Result<RepostOutcome, NetworkError>>>,
    calls: AtomicUsize,
}

impl Scripted {
    pub(super) fn fetch_answers(&self, answers: impl IntoIterator<Item = Result<Page, NetworkError>>) {
        self.fetches.lock().unwrap().extend(answers);
    }

    pub(super) fn repost_answers(&self, answers: impl IntoIterator<Item = Result<RepostOutcome, NetworkError>>) {
        self.reposts.lock().unwrap().extend(answers);
    }

    /// How many calls came through.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub(super) fn order(post: &str) -> RepostOrder {
        RepostOrder { post: RemoteId::new(post), key: format!("key-{post}"), created_at: TimeMs(0) }
    }

    pub(super) fn request() -> FetchRequest {
        FetchRequest { hashtag: Hashtag::new("tag"), since: Since::Time(TimeMs(0)), page: None }
    }
}

#[async_trait]
impl Network for Scripted {
    fn kind(&self) -> NetworkKind {
        NetworkKind::X
    }

    async fn identity(&self) -> Result<Identity, NetworkError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Ok(Identity { remote_id: RemoteId::new("1"), handle: "bot".to_owned() })
    }

    async fn fetch(&self, _: &FetchRequest) -> Result<Page, NetworkError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.fetches.lock().unwrap().pop_front().unwrap_or_else(|| Ok(Page::default()))
    }

    async fn find_original(&self, _: &OriginalQuery) -> Result<Page, NetworkError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.fetches.lock().unwrap().pop_front().unwrap_or_else(|| Ok(Page::default()))
    }

    async fn repost(&self, _: &RepostOrder) -> Result<RepostOutcome, NetworkError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.reposts.lock().unwrap().pop_front().unwrap_or(Ok(RepostOutcome::Done(None)))
    }
}
