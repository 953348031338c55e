//! What is asked of X, and what is made of its answers.

use std::{sync::Arc, time::Duration};

use firsthand::{
    model::{Clock, Handle, Hashtag, ManualClock, Provenance, RemoteId, TimeMs, Visibility},
    network::{
        FetchRequest, Network, NetworkError, OriginalQuery, Since,
        x::{FieldNames, X, XConfig},
    },
};
use rand::{SeedableRng, rngs::StdRng};

use super::{adapter, adapter_with, reading};
use crate::fake_x::{BOT_HANDLE, FakePost, FakeUser, FakeX, Naming, Route};

const HOUR: Duration = Duration::from_secs(3600);

fn since_post(id: &str) -> FetchRequest {
    reading(Since::Post(RemoteId::new(id)))
}

fn an_hour_ago(fake: &FakeX) -> FetchRequest {
    reading(Since::Time(fake.now().minus(HOUR)))
}

#[tokio::test]
async fn the_hashtag_is_asked_for_as_it_is_with_full_pages_in_the_chosen_naming() {
    let fake = FakeX::start().await;
    adapter(&fake).fetch(&an_hour_ago(&fake)).await.unwrap();
    fake.speak(Naming::Post);
    let config = XConfig { fields: FieldNames::Post, page_size: 30, ..fake.config() };
    let newer = adapter_with(&fake, &config, Arc::new(firsthand::model::SystemClock), Arc::default());
    newer.fetch(&since_post("2000000000000000000000")).await.unwrap();
    let requests = fake.requests();
    let (old, new) = (&requests[0].query, &requests[1].query);
    assert_eq!((old["query"].as_str(), old["max_results"].as_str()), ("#firsthand", "100"));
    assert!(old["tweet.fields"].contains("note_tweet") && !old.contains_key("post.fields"));
    assert!(new["post.fields"].contains("note_post") && !new.contains_key("tweet.fields"));
    assert_eq!((new["max_results"].as_str(), new["since_id"].as_str()), ("30", "2000000000000000000000"));
    assert_eq!(requests.iter().map(|logged| logged.status).collect::<Vec<_>>(), [200, 200]);
}

#[tokio::test]
async fn a_first_reading_from_now_on_is_accepted() {
    let fake = FakeX::start().await;
    let page = adapter(&fake).fetch(&reading(Since::Time(fake.now()))).await.unwrap();
    assert_eq!(page.posts, []);
}

#[tokio::test]
async fn a_post_that_became_searchable_late_is_found_and_no_post_is_charged_twice_a_day() {
    let fake = FakeX::start().await;
    let x = adapter(&fake);
    let at = |minutes: u64| Some(fake.now().minus(Duration::from_secs(60 * minutes)));
    let newest = fake.post(FakePost { at: at(5), ..FakePost::new("ada", "On time #firsthand") });
    let page = x.fetch(&an_hour_ago(&fake)).await.unwrap();
    assert_eq!((page.posts.len(), page.charged_reads), (1, 1));

    let late = fake.post(FakePost { at: at(9), ..FakePost::new("bob", "Indexed late #firsthand") });
    fake.post(FakePost { at: at(30), ..FakePost::new("bob", "Far too late #firsthand") });
    let page = x.fetch(&since_post(&newest)).await.unwrap();
    let ids: Vec<&str> = page.posts.iter().map(|post| post.remote_id.as_str()).collect();
    assert_eq!(ids, [late.as_str(), newest.as_str()]);
    assert_eq!(page.charged_reads, 1, "the known post was charged for before");
    assert_eq!(page.newest_id.as_ref().map(RemoteId::as_str), Some(newest.as_str()));

    fake.delete(&newest);
    let page = x.fetch(&since_post(&newest)).await.unwrap();
    assert_eq!(page.newest_id.as_ref().map(RemoteId::as_str), Some(newest.as_str()), "a cursor never goes back");
}

#[tokio::test]
async fn a_cursor_older_than_the_search_reaches_reads_what_is_left() {
    let fake = FakeX::start().await;
    let at = |days: u64| Some(fake.now().minus(HOUR * 24 * u32::try_from(days).unwrap()));
    let old = fake.post(FakePost { at: at(8), ..FakePost::new("ada", "Long ago #firsthand") });
    let left = fake.post(FakePost { at: at(5), ..FakePost::new("ada", "While we slept #firsthand") });
    for since in [Since::Post(RemoteId::new(&old)), Since::Time(at(9).unwrap())] {
        let page = adapter(&fake).fetch(&reading(since)).await.unwrap();
        assert_eq!(page.posts.iter().map(|post| post.remote_id.as_str()).collect::<Vec<_>>(), [left.as_str()]);
    }
    assert_eq!(fake.count(Route::Search), 4, "each was refused once and asked again once");
}

#[tokio::test]
async fn posts_arrive_whole_decoded_and_with_what_filters_need() {
    for (naming, fields) in [(Naming::Tweet, FieldNames::Tweet), (Naming::Post, FieldNames::Post)] {
        let fake = FakeX::start().await;
        fake.speak(naming);
        fake.search_native_reposts();
        fake.user(FakeUser { protected: true, ..FakeUser::new("Shy_One") });
        let long = format!("{} & <so on> https://t.co/abc ＃FirstHand", "A long story. ".repeat(40));
        let links = vec![("https://t.co/abc".to_owned(), "https://a.example/story".to_owned())];
        let story = fake.post(FakePost { links, lang: Some("iw".to_owned()), ..FakePost::new("Ada", &long) });
        let text = "me too #firsthand";
        fake.post(FakePost { reply_to: Some(story.clone()), ..FakePost::new("Shy_One", text) });
        let text = "RT @Ada: A long story. #firsthand";
        fake.post(FakePost { repost_of: Some(story.clone()), ..FakePost::new(BOT_HANDLE, text) });

        let config = XConfig { fields, ..fake.config() };
        let x = adapter_with(&fake, &config, Arc::new(firsthand::model::SystemClock), Arc::default());
        let posts = x.fetch(&an_hour_ago(&fake)).await.unwrap().posts;
        assert_eq!(posts.len(), 3, "{naming:?}: {posts:?}");
        let story_read = &posts[0];
        assert_eq!(story_read.text, long);
        assert_eq!(story_read.facts.links[0].expanded, "https://a.example/story");
        assert_eq!(story_read.facts.hashtags, [Hashtag::new("firsthand")]);
        assert_eq!(story_read.lang.as_deref(), Some("he"));
        let author = story_read.author.as_ref().unwrap();
        assert_eq!((author.handle.as_str(), author.display_name.as_str()), ("Ada", "Ada (fake)"));
        let reply = &posts[1];
        assert_eq!(reply.facts.visibility, Visibility::Private);
        let answered = reply.facts.reply.as_ref().unwrap();
        assert_eq!(answered.to_post, Some(RemoteId::new(&story)));
        assert_eq!(answered.to_author.as_ref(), Some(&author.remote_id));
        assert_eq!(posts[2].repost_of, Some(RemoteId::new(&story)));
    }
}

#[tokio::test]
async fn the_original_of_a_native_repost_comes_along_in_front_of_it() {
    let fake = FakeX::start().await;
    fake.search_native_reposts();
    let at = Some(fake.now().minus(HOUR * 2));
    let original = fake.post(FakePost { at, ..FakePost::new("ada", "Seen at the harbour #firsthand") });
    let text = "RT @ada: Seen at the harbour #firsthand";
    let repost = fake.post(FakePost { repost_of: Some(original.clone()), ..FakePost::new("bob", text) });
    let page = adapter(&fake).fetch(&an_hour_ago(&fake)).await.unwrap();
    let found: Vec<_> = page.posts.iter().map(|post| (post.remote_id.as_str(), post.provenance)).collect();
    assert_eq!(found, [(original.as_str(), Provenance::Embedded), (repost.as_str(), Provenance::Watch)]);
    assert_eq!(page.charged_reads, 2);
}

#[tokio::test]
async fn every_query_is_signed_as_the_standard_has_it() {
    let fake = FakeX::start().await;
    let x = adapter(&fake);
    for tag in ["café", "日本語", "a+b", "100%", "a&b=c", "~._-", "'quoted'", "السماء", "a b", "!*()"] {
        let request = FetchRequest { hashtag: Hashtag::new(tag), ..an_hour_ago(&fake) };
        assert_eq!(x.fetch(&request).await.map(|page| page.posts.len()), Ok(0), "{tag}");
    }
    let text = "the père's \"naïve\" (50%) plan + 機関の説明 — #tag";
    let query = OriginalQuery { author: Handle::new("ada"), text: text.to_owned() };
    let original = fake.post(FakePost::new("Ada", text));
    let found = x.find_original(&query).await.unwrap();
    assert_eq!(found.posts.iter().map(|post| post.remote_id.as_str()).collect::<Vec<_>>(), [original.as_str()]);
}

#[tokio::test]
async fn the_fake_refuses_a_wrong_secret_a_used_nonce_and_a_wrong_clock() {
    let fake = FakeX::start().await;
    let with = |seed, credentials| {
        let clock: Arc<dyn Clock> = Arc::new(firsthand::model::SystemClock);
        X::new(&fake.config(), credentials, Arc::default(), clock, StdRng::seed_from_u64(seed)).unwrap()
    };
    let mut wrong = fake.credentials();
    wrong.access_token_secret = "another secret".into();
    let refused = with(1, wrong).identity().await;
    assert!(matches!(&refused, Err(NetworkError::Unauthorized(why)) if why.contains("signature")), "{refused:?}");

    assert!(with(2, fake.credentials()).identity().await.is_ok());
    let replayed = with(2, fake.credentials()).identity().await;
    assert!(matches!(&replayed, Err(NetworkError::Unauthorized(why)) if why.contains("nonce")), "{replayed:?}");

    fake.skew_clock(37 * 60 * 1000);
    let late = with(3, fake.credentials()).identity().await.unwrap_err();
    assert!(matches!(late, NetworkError::Unauthorized(_)), "{late:?}");
    assert!(late.to_string().contains("minutes apart: set the clock"), "{late}");
}

#[tokio::test]
async fn the_identity_is_asked_for_once_for_all_reposts() {
    let fake = FakeX::start().await;
    let x = adapter(&fake);
    for number in 0..3 {
        let id = fake.post(FakePost::new("ada", &format!("Number {number} #firsthand")));
        x.repost(&super::order(&id)).await.unwrap();
    }
    assert_eq!((fake.count(Route::Me), fake.count(Route::Repost), fake.effects().len()), (1, 3, 3));
}

#[tokio::test]
async fn a_repost_undone_by_hand_can_be_made_again_on_the_network() {
    let fake = FakeX::start().await;
    let clock = Arc::new(ManualClock::new(fake.now()));
    let x = adapter_with(&fake, &fake.config(), clock, Arc::default());
    let id = fake.post(FakePost { at: Some(TimeMs(fake.now().0)), ..FakePost::new("ada", "Once #firsthand") });
    x.repost(&super::order(&id)).await.unwrap();
    fake.undo(&id);
    x.repost(&super::order(&id)).await.unwrap();
    assert_eq!(fake.effects(), [id.clone(), id], "so it is for the outbox never to ask again");
}
