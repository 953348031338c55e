//! The adapter: X as a [`Network`].

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use rand::{RngExt, rngs::StdRng};
use reqwest::{Client, Method, Url};
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::{
    billing::ChargedToday,
    credentials::{Stamp, XCredentials, signed_request},
    outcome::repost_outcome,
    page::read_page,
    problem::{Problems, Purpose, error_of},
    query::{FieldNames, hashtag_query, id_before, is_out_of_reach, original_query, start_time, window_start},
    wire::WireId,
};
use crate::{
    config::UrlError,
    model::{Clock, NetworkKind, Provenance, RemoteId},
    network::{
        FetchRequest, Identity, Network, NetworkError, OriginalQuery, Page, PageToken, RepostOrder, RepostOutcome,
        Since,
        http::{self, Answer, SendError},
        rate_limit::{Endpoint, RateBoard, RateHeaders},
        server_url::ServerUrl,
    },
};

/// X's bounds for a page of recent search.
const PAGE_SIZES: std::ops::RangeInclusive<u32> = 10..=100;
/// The smallest page is enough to find one post.
const LOOKUP_PAGE: u32 = *PAGE_SIZES.start();

/// How X is spoken to.
#[derive(Clone, Debug)]
pub struct XConfig {
    /// Where the API stands, without the `/2`.
    pub base_url: String,
    /// Permits private addresses, and plain http on this machine.
    pub allow_private: bool,
    /// Which names of fields are asked for.
    pub fields: FieldNames,
    /// Posts a page, 10 to 100.
    pub page_size: u32,
    /// How far each reading reaches back behind the newest post that is known: X finds some posts late.
    pub overlap: Duration,
}

impl Default for XConfig {
    fn default() -> Self {
        Self {
            base_url: "https://api.x.com".to_owned(),
            allow_private: false,
            fields: FieldNames::Tweet,
            page_size: *PAGE_SIZES.end(),
            overlap: Duration::from_secs(10 * 60),
        }
    }
}

impl XConfig {
    /// The most posts that a page can be charged for: each may bring along the post it answers and the one it quotes.
    pub fn most_reads_per_page(&self) -> u32 {
        3 * self.page_size.clamp(*PAGE_SIZES.start(), *PAGE_SIZES.end())
    }

    /// The most posts that a search for an original can be charged for.
    pub fn most_reads_per_lookup(&self) -> u32 {
        3 * LOOKUP_PAGE
    }
}

/// Why the adapter cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The server's URL is refused.
    #[error(transparent)]
    ServerUrl(#[from] UrlError),
    /// The page size is out of X's bounds.
    #[error("the page size is {0}; X takes 10 to 100")]
    PageSize(u32),
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be set up")]
    Http(#[source] reqwest::Error),
}

/// X, for one account.
#[derive(Debug)]
pub struct X {
    /// Where the API stands.
    server: ServerUrl,
    /// Sends; keeps connections open between requests.
    client: Client,
    /// Sign every request.
    credentials: XCredentials,
    /// Which names of fields are asked for.
    fields: FieldNames,
    /// Posts a page.
    page_size: u32,
    /// How far each reading reaches back.
    overlap: Duration,
    /// Shared with the wrapper that keeps the limits.
    rates: Arc<RateBoard>,
    /// Stamps requests, and tells when limits end.
    clock: Arc<dyn Clock>,
    /// Draws nonces. Guarded because requests run side by side; held only for one draw.
    rng: Mutex<StdRng>,
    /// Who we are: asked once, since each repost needs our id in its path.
    identity: OnceCell<Identity>,
    /// What X has charged for on this day.
    charged: ChargedToday,
}

/// The answer to `users/me`.
#[derive(Deserialize)]
struct MeAnswer {
    data: Me,
}

#[derive(Deserialize)]
struct Me {
    id: WireId,
    username: String,
}

impl X {
    /// Sets the adapter up; nothing is sent. What is heard about limits is written to `rates`.
    ///
    /// # Errors
    /// [`SetupError`] if the configuration cannot be used.
    pub fn new(
        config: &XConfig,
        credentials: XCredentials,
        rates: Arc<RateBoard>,
        clock: Arc<dyn Clock>,
        rng: StdRng,
    ) -> Result<Self, SetupError> {
        if !PAGE_SIZES.contains(&config.page_size) {
            return Err(SetupError::PageSize(config.page_size));
        }
        Ok(Self {
            server: ServerUrl::parse(&config.base_url, config.allow_private)?,
            client: http::client(config.allow_private).map_err(SetupError::Http)?,
            credentials,
            fields: config.fields,
            page_size: config.page_size,
            overlap: config.overlap,
            rates,
            clock,
            rng: Mutex::new(rng),
            identity: OnceCell::new(),
            charged: ChargedToday::default(),
        })
    }

    /// Signs and sends a request, and writes down what the answer says about limits.
    async fn send(
        &self,
        method: Method,
        url: Url,
        json: Option<String>,
        endpoint: Endpoint,
        call: &str,
    ) -> Result<Answer, NetworkError> {
        let nonce = {
            let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
            format!("{:032x}", rng.random::<u128>())
        };
        let stamp = Stamp { nonce, time: self.clock.now() };
        let effect = method != Method::GET;
        let request = signed_request(&self.client, &self.credentials, method, url, json, stamp)
            .map_err(|why| NetworkError::Rejected { status: 0, detail: format!("{call}: not sent: {why}") })?;
        let answer = http::send(&self.client, request).await.map_err(|error| match error {
            SendError::Lost(_) if effect => NetworkError::Uncertain(format!("{call}: {error}")),
            SendError::Lost(_) | SendError::NotSent(_) => NetworkError::Transient(format!("{call}: {error}")),
        })?;
        let now = self.clock.now();
        if let Some(until) = RateHeaders::read(&answer.headers).used_up_until(now, answer.server_time()) {
            self.rates.close(endpoint, until);
        }
        Ok(answer)
    }

    /// The name of a request in messages: host and path template, never the URL.
    fn call(&self, request: &str) -> String {
        let (method, path) = request.split_once(' ').unwrap_or((request, ""));
        format!("{method} {}{path}", self.server.host())
    }

    /// What an error may repeat of an answer: capped, and without our credentials.
    fn detail(&self, answer: &Answer) -> String {
        answer.detail(|text| self.credentials.redact(text))
    }

    /// The body of an answer to a reading, or its error.
    fn body_of<'a>(&self, answer: &'a Answer, call: &str) -> Result<std::borrow::Cow<'a, str>, NetworkError> {
        let text = answer.text();
        if !(200..300).contains(&answer.status) {
            let problems = Problems::read(&text);
            let detail = self.detail(answer);
            return Err(error_of(answer, &problems, Purpose::Read, call, &detail, self.clock.now()));
        }
        match answer.body_fault() {
            Some(fault) => Err(NetworkError::Transient(format!("{call}: {fault}"))),
            None => Ok(text),
        }
    }

    async fn ask_identity(&self) -> Result<Identity, NetworkError> {
        let call = self.call("GET /2/users/me");
        let url = self.server.endpoint(&["2", "users", "me"], &[]);
        let answer = self.send(Method::GET, url, None, Endpoint::Identity, &call).await?;
        let body = self.body_of(&answer, &call)?;
        match serde_json::from_str::<MeAnswer>(&body) {
            Ok(me) => Ok(Identity { remote_id: RemoteId::new(me.data.id.0), handle: me.data.username }),
            Err(error) => Err(self.unreadable(&answer, &body, &call, &error.to_string())),
        }
    }

    /// The error for a good status with something else than the wanted answer: the problems it tells, if it tells any.
    fn unreadable(&self, answer: &Answer, body: &str, call: &str, why: &str) -> NetworkError {
        let problems = Problems::read(body);
        if serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok() && !problems.is_empty() {
            return error_of(answer, &problems, Purpose::Read, call, &self.detail(answer), self.clock.now());
        }
        NetworkError::Transient(format!("{call}: {why}"))
    }

    /// Searches once.
    async fn search(
        &self,
        query: &str,
        page_size: u32,
        since: Option<(&str, &str)>,
        page: Option<&PageToken>,
        provenance: Provenance,
    ) -> Result<Page, SearchError> {
        let call = self.call("GET /2/tweets/search/recent");
        let page_size = page_size.to_string();
        let mut parameters = vec![("query", query), ("max_results", page_size.as_str())];
        parameters.extend(self.fields.parameters());
        parameters.extend(since);
        parameters.extend(page.map(|PageToken(token)| ("next_token", token.as_str())));
        let url = self.server.endpoint(&["2", "tweets", "search", "recent"], &parameters);
        let answer = self.send(Method::GET, url, None, Endpoint::Search, &call).await?;
        let body = self.body_of(&answer, &call).map_err(|error| {
            let about_the_beginning = answer.status == 400 && Problems::read(&answer.text()).about_the_beginning();
            if about_the_beginning { SearchError::BadBeginning(error) } else { SearchError::Failed(error) }
        })?;
        let read = read_page(&body, provenance).map_err(|why| self.unreadable(&answer, &body, &call, &why))?;
        let mut found = read.page;
        if !read.is_page && !Problems::read(&body).is_empty() {
            return Err(self.unreadable(&answer, &body, &call, "no page").into());
        }
        found.charged_reads = self.charged.count(read.delivered, self.clock.now());
        // Following a token that leads to itself would never end.
        if page.is_some() && found.next.as_ref() == page {
            tracing::warn!("a page names itself as the next one; the chain ends here");
            found.next = None;
        }
        Ok(found)
    }
}

/// A failed search.
enum SearchError {
    /// X does not take where it begins.
    BadBeginning(NetworkError),
    /// Anything else.
    Failed(NetworkError),
}

impl From<NetworkError> for SearchError {
    fn from(error: NetworkError) -> Self {
        Self::Failed(error)
    }
}

impl From<SearchError> for NetworkError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::BadBeginning(error) | SearchError::Failed(error) => error,
        }
    }
}

#[async_trait]
impl Network for X {
    fn kind(&self) -> NetworkKind {
        NetworkKind::X
    }

    async fn identity(&self) -> Result<Identity, NetworkError> {
        let identity = self.ask_identity().await?;
        // Kept for the reposts; somebody else's answer may already be there, and is the same.
        let _ = self.identity.set(identity.clone());
        Ok(identity)
    }

    async fn fetch(&self, request: &FetchRequest) -> Result<Page, NetworkError> {
        let query = hashtag_query(&request.hashtag);
        let (name, value) = match &request.since {
            Since::Post(id) => ("since_id", id_before(id.as_str(), self.overlap)),
            Since::Time(start) => ("start_time", start_time(*start, self.clock.now())),
        };
        let page = request.page.as_ref();
        let search = |since| self.search(&query, self.page_size, Some(since), page, Provenance::Watch);
        let mut found = match search((name, value.as_str())).await {
            Err(SearchError::BadBeginning(_)) if is_out_of_reach(&request.since, self.clock.now()) => {
                let start = window_start(self.clock.now());
                tracing::warn!(hashtag = ?query, %start, "X's search reaches no further back; there may be a gap before");
                search(("start_time", start.as_str())).await?
            }
            result => result?,
        };
        // The overlap shows older posts again: the newest one that is known stays the newest.
        if let (Since::Post(known), Some(newest)) = (&request.since, &found.newest_id)
            && newest.cmp_numeric(known).is_lt()
        {
            found.newest_id = Some(known.clone());
        }
        Ok(found)
    }

    async fn find_original(&self, query: &OriginalQuery) -> Result<Page, NetworkError> {
        let Some(query) = original_query(query) else { return Ok(Page::default()) };
        let mut found = self.search(&query, LOOKUP_PAGE, None, None, Provenance::Lookup).await?;
        // More than one page of posts with the same words would cost, and decide nothing.
        found.next = None;
        Ok(found)
    }

    async fn repost(&self, order: &RepostOrder) -> Result<RepostOutcome, NetworkError> {
        let me = self.identity.get_or_try_init(|| self.ask_identity()).await?;
        let call = self.call("POST /2/users/:id/retweets");
        let url = self.server.endpoint(&["2", "users", me.remote_id.as_str(), "retweets"], &[]);
        let json = serde_json::json!({ "tweet_id": order.post.as_str() }).to_string();
        let answer = self.send(Method::POST, url, Some(json), Endpoint::Repost, &call).await?;
        repost_outcome(&answer, &call, &self.detail(&answer), self.clock.now())
    }
}
