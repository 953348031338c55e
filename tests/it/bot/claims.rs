//! Claims: who sends a row, for how long, and what can become of it.

use std::time::Duration;

use firsthand::{
    model::{Clock, Handle, PostId, RemoteId, Slot, ThingId, TimeMs},
    network::{NetworkError, RepostOutcome},
    pipeline::relay::Step,
    store::{
        Store, StoreError, WriteLock, accounts,
        outbox::{self, Claim, NewOrder, Outcome},
    },
};

use super::{archive::Row, invented::dispatch, stage::Stage};
use crate::lock::on_both_strategies;

on_both_strategies!(
    the_database_refuses_a_second_repost_of_a_thing,
    a_claim_is_anothers_once_its_lease_is_over_and_its_late_outcome_is_not_recorded,
    a_claim_of_a_clock_that_stood_wrong_is_void,
    nothing_leads_back_from_done,
    an_unknown_outcome_is_asked_for_again_whatever_the_filters_say,
    a_halted_account_sends_nothing,
    each_answer_of_the_network_has_its_own_end,
    the_oldest_post_goes_out_first_and_the_gap_is_kept,
);

const LEASE: Duration = Duration::from_secs(180);

async fn claim<L: WriteLock>(stage: &Stage<L>, owner: &'static str) -> Option<Claim> {
    let (account, now) = (stage.account, stage.clock.now());
    let claim = stage.store.write("claim", move |conn| Box::pin(outbox::claim(conn, account, owner, LEASE, now)));
    claim.await.unwrap()
}

async fn record<L: WriteLock>(store: &Store<L>, id: i64, owner: &'static str, outcome: Outcome) -> bool {
    let record = store.write("record", move |conn| {
        let outcome = outcome.clone();
        Box::pin(async move { outbox::record(conn, id, owner, &outcome, "", TimeMs(0)).await })
    });
    record.await.unwrap()
}

async fn one_post<L: WriteLock>() -> Stage<L> {
    let stage = Stage::<L>::new().await;
    stage.page(vec![stage.post("1", "ann", &dispatch(1))]).await;
    stage
}

async fn the_database_refuses_a_second_repost_of_a_thing<L: WriteLock>() {
    let stage = one_post::<L>().await;
    let decision = stage.page(vec![stage.post("2", "ann", &dispatch(2))]).await.remove(0);
    let (account, thing) = (stage.account, ThingId(1));
    let order = |slot| NewOrder { thing, slot, post: decision.verdict.post, post_created_at: TimeMs(0) };
    let insert = |slot| {
        let order = order(slot);
        stage.store.write("order", move |conn| {
            let order = order.clone();
            Box::pin(async move { outbox::insert(conn, account, &[order], TimeMs(0)).await })
        })
    };
    for _ in 0..2 {
        let refused = insert(Slot::First).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Sqlx { source, .. } if source.to_string().contains("UNIQUE")));
    }
    insert(Slot::NamedOriginal).await.unwrap();
    insert(Slot::NamedOriginal).await.unwrap_err();
    assert_eq!(stage.outbox().await.len(), 3);
    stage.store.close().await.unwrap();
}

async fn a_claim_is_anothers_once_its_lease_is_over_and_its_late_outcome_is_not_recorded<L: WriteLock>() {
    let stage = one_post::<L>().await;
    let first = claim(&stage, "first").await.unwrap();
    assert_eq!((first.attempts, first.maybe_sent), (1, false));
    stage.pass(179).await;
    assert_eq!(claim(&stage, "second").await, None);
    assert!(matches!(stage.relay("second").step().await.unwrap(), Step::WaitUntil(_)));
    stage.pass(1).await;
    let second = claim(&stage, "second").await.unwrap();
    assert_eq!((second.id, second.attempts, second.maybe_sent), (first.id, 2, true));
    assert_eq!(second.repost_key, first.repost_key, "every attempt has the same key");
    assert!(!record(&stage.store, first.id, "first", Outcome::Gone).await);
    assert_eq!(stage.outbox().await, [Row::new("1", 1, "claimed")]);
    assert!(record(&stage.store, first.id, "second", Outcome::Done(None)).await);
    assert_eq!(stage.outbox().await, [Row::new("1", 1, "done")]);
    stage.store.close().await.unwrap();
}

async fn a_claim_of_a_clock_that_stood_wrong_is_void<L: WriteLock>() {
    let stage = one_post::<L>().await;
    let (account, far) = (stage.account, stage.clock.now().plus(LEASE * 1000));
    stage
        .store
        .write("claim", move |conn| Box::pin(outbox::claim(conn, account, "astray", LEASE, far)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stage.send().await, ["1"], "the claim would have held for days");
    stage.store.close().await.unwrap();
}

async fn nothing_leads_back_from_done<L: WriteLock>() {
    let stage = one_post::<L>().await;
    let claimed = claim(&stage, "sender").await.unwrap();
    assert!(record(&stage.store, claimed.id, "sender", Outcome::Done(None)).await);
    for outcome in [Outcome::Again(TimeMs(0)), Outcome::Uncertain(TimeMs(0)), Outcome::Dropped] {
        assert!(!record(&stage.store, claimed.id, "sender", outcome).await);
    }
    stage.pass(1_000_000).await;
    assert_eq!(claim(&stage, "other").await, None);
    // Neither by a copy, nor by the post itself, nor by an order that is made again.
    stage.page(vec![stage.post("1", "ann", &dispatch(1)), stage.post("2", "ann", &dispatch(1))]).await;
    let (account, order) = (
        stage.account,
        NewOrder { thing: claimed.thing, slot: Slot::First, post: PostId(1), post_created_at: TimeMs(0) },
    );
    let again = stage.store.write("order", move |conn| {
        let order = order.clone();
        Box::pin(async move { outbox::insert(conn, account, &[order], TimeMs(0)).await })
    });
    again.await.unwrap_err();
    assert_eq!(stage.send().await, [""; 0]);
    assert_eq!(stage.outbox().await, [Row::new("1", 1, "done")]);
    stage.store.close().await.unwrap();
}

async fn an_unknown_outcome_is_asked_for_again_whatever_the_filters_say<L: WriteLock>() {
    let mut stage = one_post::<L>().await;
    stage.network.answer(Err(NetworkError::Uncertain("the connection closed".to_owned())));
    stage.network.answer(Ok(RepostOutcome::AlreadyThere));
    stage.send().await;
    assert_eq!(stage.outbox().await, [Row::new("1", 1, "uncertain")]);
    // By now the filters would refuse it; but it may be there, and has to be finished.
    stage.filters.blocked_authors.insert(Handle::new("ann"));
    stage.pass(60).await;
    assert_eq!(stage.send().await, ["1", "1"]);
    assert_eq!(stage.outbox().await, [Row::new("1", 1, "done")]);
    stage.store.close().await.unwrap();
}

async fn a_halted_account_sends_nothing<L: WriteLock>() {
    let stage = one_post::<L>().await;
    stage.page(vec![stage.post("2", "bob", &dispatch(2))]).await;
    stage.network.answer(Err(NetworkError::Unauthorized("revoked".to_owned())));
    let relay = stage.relay("sender");
    assert!(matches!(relay.step().await.unwrap(), Step::Halted(reason) if reason.contains("revoked")));
    stage.pass(600).await;
    for _ in 0..3 {
        assert!(matches!(relay.step().await.unwrap(), Step::Halted(_)));
    }
    assert_eq!(stage.network.sent(), ["1"]);
    // A start with credentials that are accepted lifts it.
    let account = stage.account;
    let lift = stage.store.write("lift", move |conn| {
        Box::pin(async move { accounts::set_identity(conn, account, &RemoteId::new("us"), "us").await })
    });
    lift.await.unwrap();
    assert_eq!(stage.send().await, ["1", "1", "2"]);
    stage.store.close().await.unwrap();
}

async fn each_answer_of_the_network_has_its_own_end<L: WriteLock>() {
    let now = Stage::<L>::new().await.clock.now();
    let later = now.plus(Duration::from_secs(900));
    let cases: [(Result<RepostOutcome, NetworkError>, &str); 8] = [
        (Ok(RepostOutcome::Done(None)), "done"),
        (Ok(RepostOutcome::AlreadyThere), "done"),
        (Err(NetworkError::Gone(String::new())), "gone"),
        (Err(NetworkError::Forbidden(String::new())), "refused"),
        (Err(NetworkError::Rejected { status: 418, detail: String::new() }), "parked"),
        (Err(NetworkError::Transient(String::new())), "ready"),
        (Err(NetworkError::RateLimited { retry_at: later }), "ready"),
        (Err(NetworkError::Capped { what: "a cap".to_owned(), retry_at: later }), "ready"),
    ];
    for (answer, state) in cases {
        let stage = one_post::<L>().await;
        stage.network.answer(answer.clone());
        stage.relay("sender").step().await.unwrap();
        assert_eq!(stage.outbox().await, [Row::new("1", 1, state)], "{answer:?}");
        stage.pass(899).await;
        let waits = matches!(answer, Err(NetworkError::RateLimited { .. } | NetworkError::Capped { .. }));
        assert_eq!(stage.send().await.len(), if state == "ready" && !waits { 2 } else { 1 }, "{answer:?}");
        stage.pass(1).await;
        assert_eq!(stage.send().await.len(), if state == "ready" { 2 } else { 1 }, "{answer:?}");
        stage.store.close().await.unwrap();
    }
}

async fn the_oldest_post_goes_out_first_and_the_gap_is_kept<L: WriteLock>() {
    let mut stage = Stage::<L>::new().await;
    stage.pace.min_gap = Duration::from_secs(20);
    let posts = [(3, 97), (1, 99), (2, 98)].map(|(number, seconds_ago)| {
        let mut post = stage.post(&number.to_string(), "ann", &dispatch(number));
        post.created_at = stage.clock.now().minus(Duration::from_secs(seconds_ago));
        post
    });
    stage.page(posts.to_vec()).await;
    assert_eq!(stage.send().await, ["1"]);
    stage.pass(19).await;
    assert_eq!(stage.send().await, ["1"]);
    stage.pass(1).await;
    assert_eq!(stage.send().await, ["1", "2"]);
    stage.pass(20).await;
    assert_eq!(stage.send().await, ["1", "2", "3"]);
    stage.store.close().await.unwrap();
}
