//! What the fake remembers, and what it was told to do.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use firsthand::model::{Clock, Handle, TimeMs};

use super::posts::{FakePost, FakeUser, Stored};

/// When X began to count its ids.
const SNOWFLAKE_EPOCH_MS: i64 = 1_288_834_974_657;
/// The window of all limits.
pub(super) const WINDOW_MS: i64 = 15 * 60 * 1000;

/// The requests that the fake answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Route {
    /// `GET /2/users/me`
    Me,
    /// `GET /2/tweets/search/recent`
    Search,
    /// `POST /2/users/:id/retweets`
    Repost,
}

/// The names of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// As until specification 2.166.
    Tweet,
    /// As from specification 2.167 on.
    Post,
}

impl Naming {
    /// The one of the two names that is spoken.
    pub(super) fn pick(self, old: &'static str, new: &'static str) -> &'static str {
        match self {
            Self::Tweet => old,
            Self::Post => new,
        }
    }
}

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// 429 with the limit's headers.
    TooMany,
    /// 429 without any header.
    TooManyUntold,
    /// Another refusal, with this status and body; nothing happens.
    Refuse(u16, String),
    /// The request has its effect, then the connection closes without an answer.
    LostAnswer,
    /// The request has its effect, then the connection closes after so many bytes.
    CutAnswer(usize),
    /// The request has its effect, then a body of 50 MB comes.
    HugeBody,
    /// The request has its effect, then a small body comes that unpacks to 64 MiB.
    GzipBomb,
    /// The request has its effect, and no answer ever comes.
    Silence,
    /// A redirect (307) to this address.
    Redirect(String),
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    /// Which one, if it was any of the known.
    pub(crate) route: Option<Route>,
    /// The query, decoded.
    pub(crate) query: HashMap<String, String>,
    /// The status it was answered with; 0 if the connection was closed instead.
    pub(crate) status: u16,
}

/// The state behind its lock, with the clock.
pub(super) struct Shared {
    /// Guards everything that requests and tests change; never held across an await.
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

impl Shared {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::new(State::default()), clock }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fake's time, which may differ from everybody's.
    pub(super) fn now(&self) -> TimeMs {
        TimeMs(self.clock.now().0 + self.state().skew_ms)
    }
}

/// Everything else.
pub(super) struct State {
    /// Users by folded handle, with their ids.
    pub(super) users: BTreeMap<Handle, (String, FakeUser)>,
    pub(super) posts: Vec<Stored>,
    /// What the bot has reposted.
    pub(super) reposted: BTreeSet<String>,
    pub(super) effects: Vec<String>,
    pub(super) faults: VecDeque<(Route, Fault)>,
    pub(super) limits: BTreeMap<Route, u64>,
    /// The current window of each route: its end, and the requests in it.
    pub(super) windows: BTreeMap<Route, (TimeMs, u64)>,
    pub(super) used_nonces: HashSet<String>,
    pub(super) log: Vec<Logged>,
    pub(super) naming: Naming,
    pub(super) skew_ms: i64,
    pub(super) shuffled: bool,
    pub(super) searches_reposts: bool,
    pub(super) raw_elements: Vec<String>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            users: BTreeMap::new(),
            posts: Vec::new(),
            reposted: BTreeSet::new(),
            effects: Vec::new(),
            faults: VecDeque::new(),
            limits: BTreeMap::from([(Route::Me, 75), (Route::Search, 300), (Route::Repost, 50)]),
            windows: BTreeMap::new(),
            used_nonces: HashSet::new(),
            log: Vec::new(),
            naming: Naming::Tweet,
            skew_ms: 0,
            shuffled: false,
            searches_reposts: false,
            raw_elements: Vec::new(),
        }
    }
}

impl State {
    /// Adds or changes a user and returns the id.
    pub(super) fn add_user(&mut self, user: FakeUser) -> String {
        let next_id = (5_000_000 + self.users.len()).to_string();
        let (id, known) = self.users.entry(Handle::new(&user.handle)).or_insert((next_id, user.clone()));
        *known = user;
        id.clone()
    }

    /// Publishes a post and returns its id.
    pub(super) fn publish(&mut self, post: FakePost, now: TimeMs) -> String {
        let known = self.users.get(&Handle::new(&post.author)).map(|(id, _)| id.clone());
        let author_id = known.unwrap_or_else(|| self.add_user(FakeUser::new(&post.author)));
        let created_at = post.at.unwrap_or(now);
        let from_time = ((created_at.0 - SNOWFLAKE_EPOCH_MS) << 22) + i64::try_from(self.posts.len()).unwrap();
        let id = post.id.clone().unwrap_or_else(|| from_time.to_string());
        self.posts.push(Stored { id: id.clone(), author_id, created_at, post });
        id
    }

    pub(super) fn find(&self, id: &str) -> Option<&Stored> {
        self.posts.iter().find(|post| post.id == id)
    }

    /// The user with this id.
    pub(super) fn user(&self, id: &str) -> Option<&FakeUser> {
        self.users.values().find(|(known, _)| known == id).map(|(_, user)| user)
    }

    /// Takes the next fault of a route.
    pub(super) fn next_fault(&mut self, route: Route) -> Option<Fault> {
        let at = self.faults.iter().position(|(of, _)| *of == route)?;
        self.faults.remove(at).map(|(_, fault)| fault)
    }

    /// Counts a request into its window: (limit, remaining, end of the window), and whether it is still within.
    pub(super) fn count_in_window(&mut self, route: Route, now: TimeMs) -> (u64, u64, TimeMs, bool) {
        let limit = self.limits[&route];
        let window = self.windows.entry(route).or_insert((TimeMs(now.0 + WINDOW_MS), 0));
        if window.0 <= now {
            *window = (TimeMs(now.0 + WINDOW_MS), 0);
        }
        window.1 += 1;
        (limit, limit.saturating_sub(window.1), window.0, window.1 <= limit)
    }
}
