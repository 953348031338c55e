//! The rehearsal takes part in the conformance suite.

use std::sync::Arc;

use firsthand::{
    model::{Clock, Handle, Hashtag, ManualClock, RemoteId, TimeMs},
    network::{
        Identity, OriginalQuery,
        rehearsal::{ACCOUNT_HANDLE, Entry, Fault, HASHTAG, Pace, Rehearsal, TIMELINE_START},
    },
};
use unicode_normalization::UnicodeNormalization;

use crate::conformance::{Harness, conformance};

/// The whole timeline, at its end. The adapter holds the network's state, so a restart means another share of it.
struct RehearsalHarness {
    network: Arc<Rehearsal>,
    clock: Arc<ManualClock>,
}

impl RehearsalHarness {
    fn entries(&self) -> &[Entry] {
        self.network.timeline().entries()
    }

    fn faulty(&self, fault: Fault) -> RemoteId {
        self.entries().iter().find(|entry| entry.fault == Some(fault)).unwrap().id.clone()
    }

    /// The tags that follow a `#` in an entry's text, or in its original's.
    fn tags(&self, entry: &Entry) -> Vec<String> {
        let original = entry.repost_of.as_ref().and_then(|id| self.network.timeline().entry(id));
        let text: String = original.unwrap_or(entry).text.nfkc().collect::<String>().to_lowercase();
        let after = text.split('#').skip(1);
        after.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect()
    }

    fn searchable_where(&self, wanted: impl Fn(&[String]) -> bool) -> Vec<RemoteId> {
        let entries = self.entries().iter().filter(|entry| !entry.unindexed);
        entries.filter(|entry| wanted(&self.tags(entry))).map(|entry| entry.id.clone()).collect()
    }
}

impl Harness for RehearsalHarness {
    type Adapter = Arc<Rehearsal>;

    async fn start() -> Self {
        let clock = Arc::new(ManualClock::new(TIMELINE_START));
        let network = Arc::new(Rehearsal::new(TIMELINE_START, Pace::default(), clock.clone()).unwrap());
        clock.advance_to(network.ends_at());
        Self { network, clock }
    }

    fn adapter(&self) -> Arc<Rehearsal> {
        self.network.clone()
    }

    fn identity(&self) -> Identity {
        Identity { remote_id: RemoteId::new(ACCOUNT_HANDLE), handle: ACCOUNT_HANDLE.to_owned() }
    }

    fn hashtag(&self) -> Hashtag {
        Hashtag::new(HASHTAG)
    }

    fn beginning(&self) -> TimeMs {
        TIMELINE_START
    }

    fn searchable(&self) -> Vec<RemoteId> {
        self.searchable_where(|tags| tags.iter().any(|tag| tag.starts_with(HASHTAG)))
    }

    fn decoys(&self) -> Vec<RemoteId> {
        self.searchable_where(|tags| {
            tags.iter().any(|tag| tag.starts_with(HASHTAG)) && tags.iter().all(|tag| tag != HASHTAG)
        })
    }

    fn plain(&self) -> RemoteId {
        self.entries().iter().find(|entry| entry.fault.is_none()).unwrap().id.clone()
    }

    fn gone(&self) -> RemoteId {
        self.faulty(Fault::Gone)
    }

    fn findable(&self) -> (OriginalQuery, RemoteId) {
        let entry = self.entries().iter().find(|entry| entry.unindexed).unwrap();
        let query = OriginalQuery { author: Handle::new(&entry.author), text: entry.text.to_lowercase() };
        (query, entry.id.clone())
    }

    fn effects(&self, post: &RemoteId) -> usize {
        self.network.effects().get(post).map_or(0, |count| usize::try_from(*count).unwrap())
    }

    fn lose_an_answer(&self) -> RemoteId {
        self.faulty(Fault::LostAnswer)
    }

    fn limit_dialects(&self) -> usize {
        1
    }

    fn limit(&self, _: usize) -> RemoteId {
        self.faulty(Fault::RateLimit)
    }

    fn pass_until(&self, time: TimeMs) {
        self.clock.advance_to(time);
    }

    fn now(&self) -> TimeMs {
        self.clock.now()
    }

    fn add_unreadable(&self) -> bool {
        false
    }
}

conformance!(RehearsalHarness);
