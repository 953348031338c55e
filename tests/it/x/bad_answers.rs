//! Answers that are missing, broken, huge, hostile, or refusals.

use std::sync::Arc;

use firsthand::{
    model::SystemClock,
    network::{Network, NetworkError, RepostOutcome, Since, x::XConfig},
};

use super::{adapter, adapter_with, order, reading};
use crate::fake_x::{
    ACCESS_TOKEN, ACCESS_TOKEN_SECRET, CONSUMER_KEY, CONSUMER_SECRET, FakePost, FakeUser, FakeX, Fault, Route,
};

/// A fake with enough posts that a page does not fit into one packet.
async fn fake_with_posts() -> (FakeX, Vec<String>) {
    let fake = FakeX::start().await;
    let text = |number| format!("Number {number} of the watch on the harbour wall #firsthand");
    let ids = (0..60).map(|number| fake.post(FakePost::new("ada", &text(number)))).collect();
    (fake, ids)
}

async fn fetch_with(fault: Fault) -> (NetworkError, FakeX) {
    let (fake, _) = fake_with_posts().await;
    fake.fail_next(Route::Search, 1, fault);
    let request = reading(Since::Time(fake.now().minus(std::time::Duration::from_secs(3600))));
    let x = adapter(&fake);
    let error = x.fetch(&request).await.unwrap_err();
    assert_eq!(x.fetch(&request).await.unwrap().posts.len(), 60, "the next reading is whole");
    (error, fake)
}

async fn repost_with(fault: Fault) -> (Result<RepostOutcome, NetworkError>, usize) {
    let (fake, ids) = fake_with_posts().await;
    let x = adapter(&fake);
    fake.fail_next(Route::Repost, 1, fault);
    let result = x.repost(&order(&ids[0])).await;
    let effects = fake.effects().len();
    let again = x.repost(&order(&ids[0])).await;
    assert!(again.is_ok(), "{again:?}");
    assert_eq!(fake.effects(), [ids[0].clone()], "one effect in all");
    (result, effects)
}

#[tokio::test]
async fn a_reading_that_breaks_off_in_any_way_has_failed_for_now() {
    for (fault, words) in [
        (Fault::LostAnswer, "no answer"),
        (Fault::CutAnswer(3000), "broke off"),
        (Fault::HugeBody, "longer than 8 MiB"),
        (Fault::GzipBomb, "longer than 8 MiB"),
        (Fault::Refuse(503, "busy".to_owned()), "503"),
        (Fault::Refuse(200, "<html>come back later</html>".to_owned()), "not readable JSON"),
        (Fault::Refuse(200, r#"{"data":[{"id":"1""#.to_owned()), "not readable JSON"),
    ] {
        let (error, _) = fetch_with(fault.clone()).await;
        assert!(matches!(&error, NetworkError::Transient(why) if why.contains(words)), "{fault:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_repost_without_a_readable_answer_is_uncertain_and_safe_to_repeat() {
    for fault in [Fault::LostAnswer, Fault::CutAnswer(120), Fault::HugeBody, Fault::GzipBomb] {
        let (result, effects) = repost_with(fault.clone()).await;
        assert!(matches!(result, Err(NetworkError::Uncertain(_))), "{fault:?}: {result:?}");
        assert_eq!(effects, 1, "{fault:?}");
    }
    for fault in [Fault::Refuse(500, String::new()), Fault::Refuse(200, "<html>".to_owned())] {
        let (result, effects) = repost_with(fault.clone()).await;
        assert!(matches!(result, Err(NetworkError::Uncertain(_))), "{fault:?}: {result:?}");
        assert_eq!(effects, 0, "{fault:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let elsewhere = FakeX::start().await;
    let to = format!("{}/2/tweets/search/recent", elsewhere.base_url());
    let (error, _) = fetch_with(Fault::Redirect(to.clone())).await;
    assert!(matches!(&error, NetworkError::Transient(why) if why.contains("redirect")), "{error:?}");
    let (result, effects) = repost_with(Fault::Redirect(to)).await;
    assert!(matches!(result, Err(NetworkError::Transient(_))), "{result:?}");
    assert_eq!((effects, elsewhere.requests().len()), (0, 0));
}

#[tokio::test]
async fn a_server_that_is_not_there_has_seen_nothing() {
    let (fake, ids) = fake_with_posts().await;
    let x = adapter(&fake);
    x.identity().await.unwrap();
    fake.stop().await;
    // The connection that was kept may still answer this one, or close before or after it was written.
    let _ = x.repost(&order(&ids[0])).await;
    let result = x.repost(&order(&ids[0])).await;
    assert!(matches!(&result, Err(NetworkError::Transient(why)) if why.contains("no connection")), "{result:?}");
}

#[tokio::test]
async fn a_server_that_takes_a_request_and_stays_silent_is_left_after_twenty_seconds() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = FakeX::start().await;
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let config = XConfig { base_url, ..fake.config() };
    let x = adapter_with(&fake, &config, Arc::new(SystemClock), Arc::default());
    let silent = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut first = [0];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut first).await.unwrap();
        // From here on only timers are waited for, so the clock may jump from one to the next.
        tokio::time::pause();
        let began = tokio::time::Instant::now();
        (stream, began)
    };
    let (result, (_stream, began)) = tokio::join!(x.identity(), silent);
    assert!(matches!(&result, Err(NetworkError::Transient(why)) if why.contains("timed out")), "{result:?}");
    let waited = began.elapsed().as_secs();
    assert!((19..=21).contains(&waited), "{waited} s");
}

#[tokio::test]
async fn success_with_errors_beside_it_did_not_happen() {
    let body = r#"{"data":{"retweeted":true},"errors":[{"title":"Odd","detail":"not today","type":"about:blank"}]}"#;
    let (result, effects) = repost_with(Fault::Refuse(200, body.to_owned())).await;
    assert!(matches!(&result, Err(NetworkError::Rejected { status: 200, detail }) if detail.contains("not today")));
    assert_eq!(effects, 0);
}

#[tokio::test]
async fn a_protected_author_and_one_who_blocks_us_are_left_alone() {
    let fake = FakeX::start().await;
    fake.user(FakeUser { protected: true, ..FakeUser::new("shy") });
    fake.user(FakeUser { blocks_us: true, ..FakeUser::new("cross") });
    let x = adapter(&fake);
    for author in ["shy", "cross"] {
        let id = fake.post(FakePost::new(author, "Mine alone #firsthand"));
        let result = x.repost(&order(&id)).await;
        assert!(matches!(result, Err(NetworkError::Forbidden(_))), "{author}: {result:?}");
    }
    assert!(fake.effects().is_empty());
}

#[tokio::test]
async fn our_own_suspension_is_named_by_reading_and_reposting() {
    let body = r#"{"title":"Forbidden","detail":"Your account is suspended and is not permitted to access this feature.","type":"about:blank","status":403}"#;
    let (error, _) = fetch_with(Fault::Refuse(403, body.to_owned())).await;
    assert!(matches!(error, NetworkError::Suspended(_)), "{error:?}");
    let (result, _) = repost_with(Fault::Refuse(403, body.to_owned())).await;
    assert!(matches!(result, Err(NetworkError::Suspended(_))), "{result:?}");
}

#[tokio::test]
async fn an_unknown_refusal_is_kept_short() {
    let body = "no ".repeat(100_000);
    let (result, _) = repost_with(Fault::Refuse(418, body)).await;
    let Err(NetworkError::Rejected { status: 418, detail }) = result else { panic!("{result:?}") };
    assert!(detail.len() < 2200, "{} bytes", detail.len());
}

#[tokio::test]
async fn a_page_of_nothing_but_errors_is_an_error() {
    let body = r#"{"errors":[{"title":"Odd","detail":"nothing for you","type":"https://api.x.com/2/problems/odd"}]}"#;
    let (error, _) = fetch_with(Fault::Refuse(200, body.to_owned())).await;
    assert!(matches!(&error, NetworkError::Rejected { detail, .. } if detail.contains("nothing for you")), "{error:?}");
}

#[tokio::test]
async fn no_secret_and_no_full_address_stands_in_any_error() {
    let echo = format!(
        r#"{{"detail":"got {CONSUMER_KEY} {CONSUMER_SECRET} {ACCESS_TOKEN} {ACCESS_TOKEN_SECRET} fake-Consumer%2BKey%2F1"}}"#
    );
    let faults = [
        Fault::LostAnswer,
        Fault::CutAnswer(150),
        Fault::HugeBody,
        Fault::Redirect("http://127.0.0.1:1/".to_owned()),
        Fault::TooMany,
        Fault::Refuse(400, echo.clone()),
        Fault::Refuse(401, echo.clone()),
        Fault::Refuse(403, echo.clone()),
        Fault::Refuse(404, echo.clone()),
        Fault::Refuse(500, echo.clone()),
        // A secret that the cut at 2 KiB would go through.
        Fault::Refuse(400, format!("{}{echo}", " x".repeat(1000))),
    ];
    for fault in faults {
        let (fake, ids) = fake_with_posts().await;
        let x = Arc::new(adapter(&fake));
        fake.fail_next(Route::Repost, 1, fault.clone());
        fake.fail_next(Route::Search, 1, fault.clone());
        let search = reading(Since::Time(fake.now().minus(std::time::Duration::from_secs(60))));
        let errors = [x.repost(&order(&ids[0])).await.unwrap_err(), x.fetch(&search).await.unwrap_err()];
        for error in errors {
            let shown = format!("{error} {error:?} {x:?}");
            for secret in [CONSUMER_KEY, CONSUMER_SECRET, ACCESS_TOKEN, ACCESS_TOKEN_SECRET] {
                assert!(!shown.contains(secret) && !shown.contains(&secret[..12]), "{fault:?}: {shown}");
            }
            assert!(!shown.contains("query=") && !shown.contains("%2B"), "{fault:?}: {shown}");
        }
    }
}
