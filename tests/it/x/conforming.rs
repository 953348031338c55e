//! X takes part in the conformance suite.

use std::{sync::Arc, time::Duration};

use firsthand::{
    model::{Clock, Handle, Hashtag, ManualClock, RemoteId, TimeMs},
    network::{
        Identity, OriginalQuery,
        x::{FieldNames, X, XConfig},
    },
};

use crate::{
    conformance::{Harness, conformance},
    fake_x::{BOT_HANDLE, BOT_ID, FakePost, FakeX, Fault, Naming, Route},
    x::adapter_with,
};

/// The fake, with 25 posts in pages of ten, in the naming `NEW` or the old one.
struct XHarness<const NEW: bool> {
    fake: FakeX,
    clock: Arc<ManualClock>,
    beginning: TimeMs,
    posts: Vec<RemoteId>,
    decoy: RemoteId,
}

impl<const NEW: bool> Harness for XHarness<NEW> {
    type Adapter = X;

    async fn start() -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-22T12:00:00Z".parse().unwrap()));
        let fake = FakeX::start_with_clock(clock.clone()).await;
        fake.speak(if NEW { Naming::Post } else { Naming::Tweet });
        fake.shuffle_pages();
        let beginning = clock.now().minus(Duration::from_secs(6 * 24 * 3600));
        let publish = |number: u64, text: &str| {
            let at = beginning.plus(Duration::from_secs(3600 * number));
            RemoteId::new(fake.post(FakePost { at: Some(at), ..FakePost::new("wren", text) }))
        };
        let mut posts: Vec<RemoteId> = (1..25)
            .map(|number| publish(number, &format!("Dispatch number {number} from the marsh #FirstHand")))
            .collect();
        let decoy = publish(25, "Nothing to do with it #firsthandshake");
        posts.push(decoy.clone());
        Self { fake, clock, beginning, posts, decoy }
    }

    fn adapter(&self) -> X {
        let fields = if NEW { FieldNames::Post } else { FieldNames::Tweet };
        let config = XConfig { page_size: 10, fields, ..self.fake.config() };
        adapter_with(&self.fake, &config, self.clock.clone(), Arc::default())
    }

    fn identity(&self) -> Identity {
        Identity { remote_id: RemoteId::new(BOT_ID), handle: BOT_HANDLE.to_owned() }
    }

    fn hashtag(&self) -> Hashtag {
        Hashtag::new("firsthand")
    }

    fn beginning(&self) -> TimeMs {
        self.beginning
    }

    fn searchable(&self) -> Vec<RemoteId> {
        self.posts.clone()
    }

    fn decoys(&self) -> Vec<RemoteId> {
        vec![self.decoy.clone()]
    }

    fn plain(&self) -> RemoteId {
        self.posts[3].clone()
    }

    fn gone(&self) -> RemoteId {
        self.fake.delete(self.posts[7].as_str());
        self.posts[7].clone()
    }

    fn findable(&self) -> (OriginalQuery, RemoteId) {
        let text = "dispatch number 12 from the marsh firsthand".to_owned();
        (OriginalQuery { author: Handle::new("Wren"), text }, self.posts[11].clone())
    }

    fn effects(&self, post: &RemoteId) -> usize {
        self.fake.effects().iter().filter(|id| *id == post.as_str()).count()
    }

    fn lose_an_answer(&self) -> RemoteId {
        self.fake.fail_next(Route::Repost, 1, Fault::LostAnswer);
        self.posts[5].clone()
    }

    fn limit_dialects(&self) -> usize {
        3
    }

    fn limit(&self, dialect: usize) -> RemoteId {
        match dialect {
            0 => self.fake.fail_next(Route::Repost, 1, Fault::TooMany),
            1 => self.fake.fail_next(Route::Repost, 1, Fault::TooManyUntold),
            _ => self.fake.limit(Route::Repost, 0),
        }
        self.posts[9].clone()
    }

    fn pass_until(&self, time: TimeMs) {
        self.clock.advance_to(time);
        self.fake.limit(Route::Repost, 50);
    }

    fn now(&self) -> TimeMs {
        self.clock.now()
    }

    fn add_unreadable(&self) -> bool {
        self.fake.add_raw_element(r#"{"id":{"not":"an id"},"text":"odd one out"}"#);
        true
    }
}

mod old_names {
    super::conformance!(super::XHarness<false>);
}

mod new_names {
    super::conformance!(super::XHarness<true>);
}
