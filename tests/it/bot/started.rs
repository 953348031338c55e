//! The binary against the fake: started, started again, stopped, and started wrongly.

use std::{fs, time::Instant};

use firsthand::store::{DefaultLock, WriteLock};

use super::{
    archive::{self, look},
    binary::{Home, assert_reposted, eventually, publish},
    invented::dispatch,
};
use crate::fake_x::{CONSUMER_KEY, FakePost, FakeX, Fault, Route};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_run_reposts_nothing_wherever_the_credentials_stand() {
    let fake = FakeX::start().await;
    let mut home = Home::on(&fake);
    let posts = publish(&fake, 0..8);
    let copy = format!("RT @{}: {}", super::invented::author(3), dispatch(3));
    fake.post(FakePost::new("magpie", &copy));
    let first = home.run_well(&["run", "--once"]).await;
    assert!(first.out.contains("8 to repost"), "{first:?}");
    assert_reposted(&fake, &posts, "");

    home.keep_credentials_in_files();
    let config = fs::read_to_string(home.path("firsthand.toml")).unwrap();
    fs::rename(home.path("firsthand.toml"), home.path("elsewhere.toml")).unwrap();
    let second = home.run_well(&["run", "--once", "--config", "elsewhere.toml"]).await;
    assert!(second.out.contains("0 to repost"), "{second:?}");
    assert_eq!(fake.count(Route::Repost), 8, "nothing was asked for again");
    for secret in ["fake-Consumer+Key/1", "fakeAccessToken"] {
        for text in [&first.out, &first.err, &second.out, &second.err, &config] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_at_the_start_which_locking_strategy_is_active_and_so_does_status() {
    let fake = FakeX::start().await;
    let home = Home::on(&fake);
    let ran = home.run_well(&["run", "--once"]).await;
    let started = ran.err.lines().chain(ran.out.lines()).find(|line| line.contains("started"));
    assert!(started.is_some_and(|line| line.contains(DefaultLock::NAME)), "{ran:?}");
    let status = home.run_well(&["status"]).await;
    assert!(status.out.contains(DefaultLock::NAME), "{status:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_run_stops_on_sigterm_and_the_next_one_goes_on() {
    let fake = FakeX::start().await;
    let mut home = Home::on(&fake);
    let posts = publish(&fake, 0..12);
    home.set("FIRSTHAND_PACE__MIN_GAP_SECONDS", "1");
    let bot = home.start(&["run"]);
    eventually("a few posts are out", || fake.effects().len() >= 2).await;
    let told = Instant::now();
    bot.terminate();
    let ran = bot.end().await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(told.elapsed().as_secs() < 10, "{:?}", told.elapsed());
    assert!(fake.effects().len() < 12);
    home.set("FIRSTHAND_PACE__MIN_GAP_SECONDS", "0");
    home.run_well(&["run", "--once"]).await;
    assert_reposted(&fake, &posts, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repost_whose_answer_never_comes_holds_up_no_stop_and_is_finished_later() {
    let fake = FakeX::start().await;
    let home = Home::on(&fake);
    let posts = publish(&fake, 0..3);
    fake.fail_next(Route::Repost, 1, Fault::Silence);
    let bot = home.start(&["run", "--lease-seconds", "1"]);
    eventually("the first repost is under way", || fake.effects().len() == 1).await;
    let told = Instant::now();
    bot.terminate();
    let ran = bot.end().await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(told.elapsed().as_secs() < 10, "{:?}", told.elapsed());
    let rows = look::<DefaultLock, _, _>(&home.database(), archive::outbox).await;
    assert_eq!(rows.iter().filter(|row| row.state == "claimed").count(), 1, "{rows:?}");
    home.run_well(&["run", "--once"]).await;
    assert_reposted(&fake, &posts, "");
    let rows = look::<DefaultLock, _, _>(&home.database(), archive::outbox).await;
    assert!(rows.iter().all(|row| row.state == "done"), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_credentials_end_a_run_with_the_networks_code() {
    let fake = FakeX::start().await;
    let mut home = Home::on(&fake);
    publish(&fake, 0..3);
    fake.fail_next(Route::Repost, 1, Fault::Refuse(401, r#"{"title":"Unauthorized"}"#.to_owned()));
    let ran = home.run(&["run", "--once"]).await;
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.err.contains("account \"main\" has stopped"), "{ran:?}");
    home.set("FIRSTHAND_X_ACCESS_TOKEN_SECRET", "not-this-one");
    let ran = home.run(&["run", "--once"]).await;
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert_eq!(fake.effects(), [""; 0]);
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_says_where_it_was_looked_for() {
    // Credentials, and nothing to watch.
    let mut home = Home::empty();
    home.set("FIRSTHAND_X_CONSUMER_KEY", CONSUMER_KEY);
    let ran = home.run(&["run"]).await;
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.err.contains("firsthand.toml") && ran.err.contains("FIRSTHAND_X_CONSUMER_KEY"), "{ran:?}");
    assert!(!ran.err.contains(CONSUMER_KEY) && !ran.out.contains("REHEARSAL"), "{ran:?}");

    let mut home = Home::empty();
    home.set("CREDENTIALS_DIRECTORY", "/nowhere");
    let ran = home.run(&["run"]).await;
    assert_eq!(ran.code, Some(4), "{ran:?}");

    // A named file that is not there, by flag and by variable.
    let mut home = Home::empty();
    let ran = home.run(&["run", "--config", "missing.toml"]).await;
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.err.contains("missing.toml") && ran.err.contains("--config"), "{ran:?}");
    home.set("FIRSTHAND_CONFIG", "gone.toml");
    let ran = home.run(&["run"]).await;
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.err.contains("gone.toml") && ran.err.contains("FIRSTHAND_CONFIG"), "{ran:?}");

    // A key that does not exist, with its place and the nearest that does, and without its value.
    let home = Home::empty();
    fs::write(home.path("firsthand.toml"), "[pace]\nper_huor = 4711\n\n[[account]]\nwatch = [\"a\"]\n").unwrap();
    let ran = home.run(&["run"]).await;
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.err.contains("line 2") && ran.err.contains("per_hour") && !ran.err.contains("4711"), "{ran:?}");

    // An account without its credentials.
    fs::write(home.path("firsthand.toml"), "[[account]]\nwatch = [\"a\"]\n").unwrap();
    let ran = home.run(&["run"]).await;
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.err.contains("consumer_key") && ran.err.contains("FIRSTHAND_MAIN_CONSUMER_KEY"), "{ran:?}");
    assert!(!home.database().exists(), "nothing is begun");
}
