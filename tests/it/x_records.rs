//! The X adapter on recorded answers.
//!
//! `tests/fixtures/x/` holds answers, shortened, that a simulator of X's API v2 gave on 2026-11-22 (not X itself; it
//! leaves pages unordered and lets one page name itself as the next). A small server plays them back.

use std::{path::Path, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{HeaderName, HeaderValue},
    response::Response,
};
use firsthand::{
    model::{Hashtag, ManualClock, RemoteId, TimeMs},
    network::{
        FetchRequest, Network, NetworkError, Page, PageToken, RepostOrder, RepostOutcome, Since,
        http::http_date,
        x::{X, XConfig, XCredentials},
    },
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::Value;

/// Plays one recording back, whatever is asked; for a repost, the recorded identity comes first.
async fn play(name: &str) -> X {
    let (recorded, me) = (recording(name), recording("me.json"));
    let date = recorded["headers"]["date"].as_str().and_then(http_date).unwrap();
    let router = Router::new().fallback(move |request: axum::extract::Request| {
        let is_me = request.uri().path().ends_with("/users/me");
        let recorded = if is_me && recorded["request"].as_str().unwrap().starts_with("POST") { &me } else { &recorded };
        let response = replayed(recorded);
        async move { response }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    // The runtime of the test ends the server.
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let config = XConfig { base_url, allow_private: true, ..XConfig::default() };
    let key = || "recorded".into();
    let credentials =
        XCredentials { consumer_key: key(), consumer_secret: key(), access_token: key(), access_token_secret: key() };
    X::new(&config, credentials, Arc::default(), Arc::new(ManualClock::new(date)), StdRng::seed_from_u64(0)).unwrap()
}

fn recording(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/x").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn replayed(recorded: &Value) -> Response {
    let status = u16::try_from(recorded["status"].as_u64().unwrap()).unwrap();
    let mut response = Response::builder().status(status).body(Body::from(recorded["body"].to_string())).unwrap();
    for (name, value) in recorded["headers"].as_object().unwrap() {
        let name: HeaderName = name.parse().unwrap();
        response.headers_mut().insert(name, HeaderValue::from_str(value.as_str().unwrap()).unwrap());
    }
    response
}

async fn fetched(name: &str, page: Option<&str>) -> Result<Page, NetworkError> {
    let since = Since::Time(TimeMs(0));
    let page = page.map(|token| PageToken(token.to_owned()));
    play(name).await.fetch(&FetchRequest { hashtag: Hashtag::new("repostme"), since, page }).await
}

async fn reposted(name: &str) -> Result<RepostOutcome, NetworkError> {
    let order = RepostOrder { post: RemoteId::new("1"), key: String::new(), created_at: TimeMs(0) };
    play(name).await.repost(&order).await
}

#[tokio::test]
async fn the_recorded_identity_is_read() {
    let me = play("me.json").await.identity().await.unwrap();
    assert_eq!((me.remote_id.as_str(), me.handle.as_str()), ("0", "playground_user"));
}

#[tokio::test]
async fn refused_credentials_are_told_from_everything_else() {
    for name in ["me-unauthorized.json", "me-app-bearer.json"] {
        let refused = play(name).await.identity().await;
        assert!(matches!(refused, Err(NetworkError::Unauthorized(_))), "{name}: {refused:?}");
    }
    let refused = reposted("repost-app-bearer.json").await;
    assert!(matches!(refused, Err(NetworkError::Unauthorized(_))), "{refused:?}");
}

#[tokio::test]
async fn a_recorded_search_is_read_whole_in_order_and_with_originals_in_front() {
    let page = fetched("search.json", None).await.unwrap();
    assert_eq!(page.bad, []);
    let ids: Vec<&RemoteId> = page.posts.iter().map(|post| &post.remote_id).collect();
    assert!(page.posts.is_sorted_by_key(|post| post.created_at), "{ids:?}");
    let tag = Hashtag::new("repostme");
    let untagged = page.posts.iter().filter(|post| !post.facts.hashtags.contains(&tag));
    assert!(untagged.clone().count() >= 2 && untagged.clone().all(|post| post.text.contains("#repostme")));
    let repost = page.posts.iter().position(|post| post.repost_of.is_some()).unwrap();
    let original = page.posts[repost].repost_of.as_ref().unwrap();
    assert!(page.posts[..repost].iter().any(|post| post.remote_id == *original));
    assert!(page.posts.iter().all(|post| post.author.as_ref().is_some_and(|author| !author.handle.is_empty())));
    assert!(page.posts.iter().any(|post| post.facts.reply.is_some()));
    assert_eq!(page.newest_id.as_ref().map(RemoteId::as_str), Some("2124364204122046464"));
}

#[tokio::test]
async fn a_search_by_specification_2_167_and_one_without_fields_are_read() {
    let newer = fetched("search-2.167.json", None).await.unwrap();
    assert_eq!((newer.posts.len(), newer.bad.len()), (4, 0));
    assert_eq!(newer.next, Some(PageToken("AAAAAAAAAAoAAAAAawJ7pw==".to_owned())));
    let bare = fetched("search-without-fields.json", None).await.unwrap();
    assert_eq!((bare.posts.len(), bare.bad.len()), (3, 0));
    assert_eq!(bare.posts[0].created_at.to_string(), "2026-11-22T04:45:05Z", "the id tells the time");
    assert_eq!(bare.posts[0].author, None);
}

#[tokio::test]
async fn a_page_that_names_itself_as_the_next_ends_its_chain() {
    let name = "search-page-names-itself.json";
    let token = recording(name)["body"]["meta"]["next_token"].as_str().unwrap().to_owned();
    assert_eq!(fetched(name, Some(&token)).await.unwrap().next, None);
    assert_eq!(fetched(name, Some("another")).await.unwrap().next, Some(PageToken(token)));
}

#[tokio::test]
async fn an_empty_search_is_an_empty_page() {
    assert_eq!(fetched("search-empty.json", None).await, Ok(Page::default()));
}

#[tokio::test]
async fn a_recorded_limit_waits_for_its_reset_although_requests_seem_to_remain() {
    let limited = fetched("search-rate-limited.json", None).await;
    let retry_at = "2026-11-22T05:04:18Z".parse().unwrap();
    assert_eq!(limited, Err(NetworkError::RateLimited { retry_at }));
}

#[tokio::test]
async fn refused_parameters_are_rejected_with_what_was_said() {
    for (name, said) in [("search-invalid.json", "at least 10"), ("search-post-fields-refused.json", "post.fields")] {
        let refused = fetched(name, None).await.unwrap_err();
        assert!(matches!(refused, NetworkError::Rejected { status: 400, .. }), "{name}: {refused:?}");
        assert!(refused.to_string().contains(said), "{refused}");
    }
    let refused = reposted("repost-other-user.json").await;
    assert!(matches!(refused, Err(NetworkError::Rejected { status: 400, .. })), "{refused:?}");
}

#[tokio::test]
async fn a_recorded_repost_is_done_and_one_of_an_unknown_post_is_gone() {
    assert_eq!(reposted("repost.json").await, Ok(RepostOutcome::Done(None)));
    let gone = reposted("repost-unknown.json").await;
    assert!(matches!(gone, Err(NetworkError::Gone(_))), "{gone:?}");
}
