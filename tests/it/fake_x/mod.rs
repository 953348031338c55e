//! A fake of X's API v2, written from its specification and documentation (docs.x.com and specification 2.167, August
//! 2026): **not** X, and no evidence about X beyond those.
//!
//! It listens on 127.0.0.1, verifies the OAuth 1.0a signature of every request with code of its own (RFC 5849), keeps
//! limits, counts the effects of reposts, and makes trouble where it is told to.

mod connection;
mod oauth;
mod posts;
mod routes;
mod search;
mod state;

use std::sync::{Arc, MutexGuard};

use axum::{Router, extract::connect_info::ConnectInfo};
use firsthand::{
    model::{Clock, SystemClock, TimeMs},
    network::x::{XConfig, XCredentials},
};
use tokio::net::TcpListener;

use self::{
    connection::{Connection, WatchedListener},
    state::{Shared, State},
};
pub(crate) use self::{
    posts::{FakePost, FakeUser},
    state::{Fault, Logged, Naming, Route},
};

/// The keys that the fake knows. Invented; each has characters that must be encoded, and none that no key has.
pub(crate) const CONSUMER_KEY: &str = "fake-Consumer+Key/1";
/// See [`CONSUMER_KEY`].
pub(crate) const CONSUMER_SECRET: &str = "fake-consumer-secret&with=signs~%";
/// See [`CONSUMER_KEY`].
pub(crate) const ACCESS_TOKEN: &str = "4000001-fakeAccessToken*";
/// See [`CONSUMER_KEY`].
pub(crate) const ACCESS_TOKEN_SECRET: &str = "fake-access-token-secret(with+all!)";

/// The account that the keys belong to.
pub(crate) const BOT_ID: &str = "4000001";
/// Its handle.
pub(crate) const BOT_HANDLE: &str = "Firsthand_Bot";

/// A running fake. It stops when it is dropped.
pub(crate) struct FakeX {
    base_url: String,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for FakeX {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeX {
    /// Starts a fake that goes by the machine's clock.
    pub(crate) async fn start() -> Self {
        Self::start_with_clock(Arc::new(SystemClock)).await
    }

    /// Starts a fake that goes by `clock`.
    pub(crate) async fn start_with_clock(clock: Arc<dyn Clock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::new(clock));
        let for_requests = shared.clone();
        let router = Router::new().fallback(move |ConnectInfo(connection): ConnectInfo<Connection>, request| {
            let shared = for_requests.clone();
            async move {
                let response = routes::answer(&shared, &connection, request).await;
                if response.extensions().get::<routes::Silent>().is_some() {
                    std::future::pending::<()>().await;
                }
                response
            }
        });
        let service = router.into_make_service_with_connect_info::<Connection>();
        let server = tokio::spawn(async move {
            axum::serve(WatchedListener(listener), service).await.unwrap();
        });
        Self { base_url, shared, server }
    }

    /// Stops the fake: from now on nobody listens.
    pub(crate) async fn stop(mut self) {
        self.server.abort();
        let _ = (&mut self.server).await;
    }

    /// Where the fake listens.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The credentials that the fake accepts.
    pub(crate) fn credentials(&self) -> XCredentials {
        XCredentials {
            consumer_key: CONSUMER_KEY.into(),
            consumer_secret: CONSUMER_SECRET.into(),
            access_token: ACCESS_TOKEN.into(),
            access_token_secret: ACCESS_TOKEN_SECRET.into(),
        }
    }

    /// A configuration that leads to the fake.
    pub(crate) fn config(&self) -> XConfig {
        XConfig { base_url: self.base_url.clone(), allow_private: true, ..XConfig::default() }
    }

    /// Publishes a post and returns its id.
    pub(crate) fn post(&self, post: FakePost) -> String {
        let now = self.shared.now();
        self.state().publish(post, now)
    }

    /// Adds a user, or changes one. Handles that only appear in posts become public users by themselves.
    pub(crate) fn user(&self, user: FakeUser) {
        self.state().add_user(user);
    }

    /// Deletes a post.
    pub(crate) fn delete(&self, id: &str) {
        self.state().posts.retain(|post| post.id != id);
    }

    /// Every repost that took effect, in order. A post that stands in it twice was reposted twice.
    pub(crate) fn effects(&self) -> Vec<String> {
        self.state().effects.clone()
    }

    /// Undoes a repost by hand, as the account's owner could.
    pub(crate) fn undo(&self, id: &str) {
        self.state().reposted.remove(id);
    }

    /// The next `times` requests to `route` go wrong as `fault` says. Faults of one route queue up.
    pub(crate) fn fail_next(&self, route: Route, times: usize, fault: Fault) {
        self.state().faults.extend(std::iter::repeat_n((route, fault), times));
    }

    /// Sets how many requests to `route` are answered in 15 minutes.
    pub(crate) fn limit(&self, route: Route, requests: u64) {
        self.state().limits.insert(route, requests);
    }

    /// Sets how far the fake's clock is ahead of everybody's.
    pub(crate) fn skew_clock(&self, ahead_ms: i64) {
        self.state().skew_ms = ahead_ms;
    }

    /// Sets the names of fields that the fake speaks: a request with the others is refused.
    pub(crate) fn speak(&self, naming: Naming) {
        self.state().naming = naming;
    }

    /// Returns the elements of pages in no order, as some servers do.
    pub(crate) fn shuffle_pages(&self) {
        self.state().shuffled = true;
    }

    /// Returns native reposts from the search too, as X did until May 2026.
    pub(crate) fn search_native_reposts(&self) {
        self.state().searches_reposts = true;
    }

    /// Puts a raw JSON element into every page of the search, in the middle.
    pub(crate) fn add_raw_element(&self, json: &str) {
        self.state().raw_elements.push(json.to_owned());
    }

    /// Every request that came, in order.
    pub(crate) fn requests(&self) -> Vec<Logged> {
        self.state().log.clone()
    }

    /// How many requests to `route` came, whatever they were answered.
    pub(crate) fn count(&self, route: Route) -> usize {
        self.state().log.iter().filter(|logged| logged.route == Some(route)).count()
    }

    /// The fake's time.
    pub(crate) fn now(&self) -> TimeMs {
        self.shared.now()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}
