//! The bot on the fake X, the whole way.

use std::time::Duration;

use firsthand::{
    model::Clock,
    pipeline::{daemon::RunError, event::Event},
    store::WriteLock,
};

use super::{
    archive::{self, look},
    invented::{author, dispatch},
    world::{Happening, World, after_answers},
};
use crate::{
    fake_x::{FakePost, FakeUser, Fault, Route},
    lock::on_both_strategies,
};

on_both_strategies!(
    each_thing_is_reposted_once_through_limits_faults_and_restarts,
    a_chain_of_pages_goes_on_where_a_restart_broke_it,
    a_chain_that_the_network_forgot_is_read_again,
    an_original_that_came_while_the_bot_was_down_goes_out_instead_of_its_copy,
    refused_credentials_halt_the_account_until_it_is_started_again,
    a_run_that_is_to_end_ends_although_the_network_is_down_or_wants_quiet,
);

/// Never stops the bot.
fn never(_: &Event) -> bool {
    false
}

fn post(number: usize) -> FakePost {
    FakePost::new(&author(number), &dispatch(number))
}

/// Publishes what was there before the bot, in pages of ten, and returns what is to be reposted of it.
fn backlog(world: &World) -> Vec<String> {
    let fake = &world.fake;
    fake.search_native_reposts();
    let mut wanted: Vec<String> =
        (0..25).map(|number| fake.post(FakePost { at: world.ago(600 - 10 * number as u64), ..post(number) })).collect();
    // Pages come newest first, so each copy is seen long before its original, which only a look-up can find in time.
    for (number, form) in [(2, "RT @{a}: {t}"), (4, "so good! RT @{a}: {t}"), (6, "{t} (via @{a})")] {
        let text = form.replace("{a}", &author(number)).replace("{t}", &dispatch(number));
        fake.post(FakePost { at: world.ago(9), ..FakePost::new("magpie", &text) });
    }
    let text = format!("RT @{}: {}", author(8), dispatch(8));
    fake.post(FakePost { at: world.ago(8), repost_of: Some(wanted[8].clone()), ..FakePost::new("parrot", &text) });
    fake.post(FakePost { at: world.ago(7), reply_to: Some(wanted[9].clone()), ..post(900) });
    fake.post(FakePost { at: world.ago(6), ..FakePost::new("smith", "A firm grip is all it takes #firsthandshake") });
    fake.user(FakeUser { blocks_us: true, ..FakeUser::new("stone") });
    fake.post(FakePost { at: world.ago(5), ..FakePost::new("stone", &dispatch(901)) });
    fake.user(FakeUser { protected: true, ..FakeUser::new("shy") });
    fake.post(FakePost { at: world.ago(4), ..FakePost::new("shy", &dispatch(902)) });
    wanted.push(fake.post(FakePost { at: world.ago(3), ..post(30) }));
    wanted
}

/// What happens while the bot runs; returns which of the script's posts are to be reposted.
fn live(world: &World) -> Vec<usize> {
    let mut wanted = Vec::new();
    let mut count = 0;
    let mut say = |minutes, author: &str, text: &str, is_wanted: bool| {
        world.later(minutes, Happening::Post(FakePost::new(author, text)));
        wanted.extend(is_wanted.then_some(count));
        count += 1;
    };
    let go_wrong = |minutes, route, times, fault| world.later(minutes, Happening::Fault(route, times, fault));
    say(5, &author(40), &dispatch(40), true);
    say(6, "magpie", &format!("{} via @{}", dispatch(40), author(40)), false);
    // The original comes within the grace time, and goes out instead.
    say(10, "magpie", &format!("RT @{}: {}", author(41), dispatch(41)), false);
    say(11, &author(41), &dispatch(41), true);
    // This original never comes, so the copy goes out.
    say(20, "magpie", &format!("RT @{}: {}", author(42), dispatch(42)), true);
    go_wrong(30, Route::Search, 1, Fault::TooMany);
    say(31, &author(43), &dispatch(43), true);
    go_wrong(60, Route::Repost, 1, Fault::TooMany);
    say(61, &author(44), &dispatch(44), true);
    say(62, &author(45), &dispatch(45), true);
    go_wrong(90, Route::Repost, 4, Fault::LostAnswer);
    say(91, &author(46), &dispatch(46), true);
    go_wrong(120, Route::Search, 9, Fault::Refuse(503, "overloaded".to_owned()));
    go_wrong(120, Route::Repost, 9, Fault::Refuse(502, "<html>bad gateway</html>".to_owned()));
    go_wrong(120, Route::Search, 1, Fault::CutAnswer(40));
    say(121, &author(47), &dispatch(47), true);
    say(122, &author(48), &dispatch(48), true);
    say(123, "magpie", &format!("“@{}: {}”", author(47), dispatch(47)), false);
    wanted
}

async fn each_thing_is_reposted_once_through_limits_faults_and_restarts<L: WriteLock>() {
    let world = World::new().await;
    let mut wanted = backlog(&world);
    let from_script = live(&world);
    world.fake.add_raw_element(r#"{"id":{"not":"an id"},"text":"odd one out"}"#);

    for answers in [7, 11, 20] {
        let ran = world.run::<L>(after_answers(answers)).await;
        ran.result.unwrap();
    }
    let ran = world.run::<L>(never).await;
    ran.result.unwrap();

    wanted.extend(from_script.into_iter().map(|at| world.posted()[at].clone()));
    let mut effects = world.fake.effects();
    effects.sort();
    wanted.sort();
    assert_eq!(effects, wanted);
    let refusals = world.fake.requests().iter().filter(|logged| logged.status == 429).count();
    assert_eq!(refusals, 2, "X had to refuse nothing but what it was told to");

    let newest = world.posted().last().cloned();
    let cursors = look::<L, _, _>(&world.database(), archive::cursors).await;
    assert_eq!(cursors, [("firsthand".to_owned(), newest, None)]);
    let [posts, .., quarantined] = look::<L, _, _>(&world.database(), archive::sizes).await;
    assert!(posts >= 25 + 9 + 12, "everything seen is archived: {posts}");
    assert!(quarantined > 0, "what could not be read is kept");
    let open = look::<L, _, _>(&world.database(), archive::outbox).await;
    assert!(open.iter().all(|row| row.state == "done" || row.state == "refused"), "{open:?}");
}

async fn a_chain_of_pages_goes_on_where_a_restart_broke_it<L: WriteLock>() {
    let world = World::new().await;
    let mut wanted: Vec<String> = (0..35)
        .map(|number| world.fake.post(FakePost { at: world.ago(500 - 10 * number as u64), ..post(number) }))
        .collect();
    let ran = world.run::<L>(|event| matches!(event, Event::Decided { .. })).await;
    ran.result.unwrap();
    let cursors = look::<L, _, _>(&world.database(), archive::cursors).await;
    assert!(matches!(cursors.as_slice(), [(_, None, Some(_))]), "a page was read, and the chain is open: {cursors:?}");
    // Posted while the bot is away, and above everything in the chain.
    wanted.push(world.fake.post(post(50)));

    let before = world.fake.requests().len();
    world.run::<L>(never).await.result.unwrap();
    let requests = world.fake.requests().split_off(before);
    let searches: Vec<bool> = requests
        .iter()
        .filter(|logged| logged.route == Some(Route::Search))
        .map(|logged| logged.query.contains_key("next_token"))
        .collect();
    assert!(searches.starts_with(&[true, true]), "the chain goes on in its middle: {searches:?}");
    assert_eq!(sorted(world.fake.effects()), sorted(wanted.clone()));
    let cursors = look::<L, _, _>(&world.database(), archive::cursors).await;
    assert_eq!(cursors, [("firsthand".to_owned(), wanted.pop(), None)]);
}

async fn a_chain_that_the_network_forgot_is_read_again<L: WriteLock>() {
    let world = World::new().await;
    let wanted: Vec<String> = (0..25)
        .map(|number| world.fake.post(FakePost { at: world.ago(500 - 10 * number as u64), ..post(number) }))
        .collect();
    world.run::<L>(|event| matches!(event, Event::Decided { .. })).await.result.unwrap();
    let forgotten = r#"{"title":"Invalid Request","detail":"next_token is not valid"}"#;
    world.fake.fail_next(Route::Search, 1, Fault::Refuse(400, forgotten.to_owned()));
    world.run::<L>(never).await.result.unwrap();
    assert_eq!(sorted(world.fake.effects()), sorted(wanted));
}

async fn an_original_that_came_while_the_bot_was_down_goes_out_instead_of_its_copy<L: WriteLock>() {
    let world = World::new().await;
    world.fake.post(FakePost::new("magpie", &format!("RT @{}: {}", author(1), dispatch(1))));
    world.run_once::<L>().await.result.unwrap();
    assert!(world.fake.effects().is_empty(), "the copy waits for its original");
    world.clock.advance_to(world.clock.now().plus(Duration::from_secs(3600)));
    let original = world.fake.post(post(1));
    world.run_once::<L>().await.result.unwrap();
    assert_eq!(world.fake.effects(), [original]);
}

async fn refused_credentials_halt_the_account_until_it_is_started_again<L: WriteLock>() {
    for route in [Route::Repost, Route::Search] {
        let world = World::new().await;
        let wanted: Vec<String> = (0..25)
            .map(|number| world.fake.post(FakePost { at: world.ago(500 - 10 * number as u64), ..post(number) }))
            .collect();
        world.later(0, Happening::Fault(route, 1, Fault::Refuse(401, r#"{"title":"Unauthorized"}"#.to_owned())));
        // More is to come, so that the bot would go on if it were not halted.
        world.later(60, Happening::Post(post(60)));
        let ran = world.run::<L>(never).await;
        assert!(matches!(ran.result, Err(RunError::Halted { .. })), "{route:?}: {:?}", ran.result);
        assert!(ran.events.iter().any(|event| matches!(event, Event::Halted { .. })), "{route:?}");
        assert!(world.posted().is_empty(), "{route:?}: it did not go on for an hour");
        let refused = world.fake.requests().iter().rposition(|logged| logged.status == 401).unwrap();
        let later = world.fake.requests().split_off(refused + 1);
        assert!(later.len() <= 2, "{route:?}: only what was under way still goes out: {later:?}");

        world.run::<L>(never).await.result.unwrap();
        let wanted = wanted.into_iter().chain(world.posted()).collect();
        assert_eq!(sorted(world.fake.effects()), sorted(wanted), "{route:?}");
    }
}

async fn a_run_that_is_to_end_ends_although_the_network_is_down_or_wants_quiet<L: WriteLock>() {
    let world = World::new().await;
    let wanted = vec![world.fake.post(FakePost { at: world.ago(30), ..post(1) })];
    let down = || Fault::Refuse(503, "down".to_owned());
    world.fake.fail_next(Route::Me, 9, down());
    let ran = world.run_once::<L>().await;
    assert!(matches!(ran.result, Err(RunError::Identity { .. })), "{:?}", ran.result);
    world.fake.fail_next(Route::Search, 9, down());
    let ran = world.run_once::<L>().await;
    assert!(matches!(ran.result, Err(RunError::Unreachable { .. })), "{:?}", ran.result);

    let before = world.clock.now();
    world.fake.fail_next(Route::Me, 1, Fault::TooMany);
    let ran = world.run_once::<L>().await;
    assert!(matches!(ran.result, Err(RunError::Identity { .. })), "{:?}", ran.result);
    world.fake.fail_next(Route::Search, 1, Fault::TooMany);
    let ran = world.run_once::<L>().await;
    ran.result.unwrap();
    assert!(ran.events.iter().any(|event| matches!(event, Event::Waiting { .. })));
    assert!(world.clock.now().since(before) < Duration::from_secs(600), "it does not wait for the limit's end");
    assert_eq!(world.fake.effects(), [""; 0]);

    world.clock.advance_to(before.plus(Duration::from_secs(1000)));
    world.run_once::<L>().await.result.unwrap();
    assert_eq!(world.fake.effects(), wanted);
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}
