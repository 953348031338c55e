//! The bot: every watch reads, every account ends its holds and sends, until all is done or it is told to stop.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

use super::{
    batch::Reader,
    event::{Event, Observer},
    relay::{Pace, QuietUntil, Relay, Step},
    standing,
    timing::Timing,
    watcher::{Ending, PATIENCE_AT_ONCE, ReadUntil, TRIES_AT_ONCE, Until, Watcher},
};
use crate::{
    dedup::{DedupPolicy, decide::SharingPolicy, filter::Filters},
    model::{AccountId, Hashtag, TimeMs},
    network::{Network, NetworkError},
    store::{Store, StoreError, accounts, lock::WriteLock, verdicts},
};

/// How long the pipeline rests between looks at what nobody woke it for, in real time.
const LONGEST_REST: Duration = Duration::from_secs(5);
/// A grace time that is over for this long ends even if a watch has not read past it: one dead watch must not hold
/// everything up.
const LONGEST_UNREAD: Duration = Duration::from_secs(15 * 60);
/// How long to wait before a database that could not be written is tried again: so that it is not pressed, and the bot
/// goes on within a minute.
const DEGRADED_PAUSE: Duration = Duration::from_secs(10);

/// One account, and what it does.
pub struct Account {
    /// Its configured name.
    pub name: Arc<str>,
    /// Its network, with the wrappers.
    pub network: Arc<dyn Network>,
    /// What it watches.
    pub hashtags: Vec<Hashtag>,
    /// Which posts may be reposted; the hashtag, the start and our own id are filled in here.
    pub filters: Filters,
    /// How copies are recognised.
    pub dedup: DedupPolicy,
    /// What is done with copies and their originals.
    pub sharing: SharingPolicy,
    /// How fast it reposts.
    pub pace: Pace,
    /// The time between two looks at the network.
    pub poll: Duration,
    /// How far back the first look goes.
    pub backfill: Duration,
    /// When reading ends.
    pub until: Until,
}

/// What all accounts share.
#[derive(Clone)]
pub struct Shared<L: WriteLock> {
    /// The archive.
    pub store: Store<L>,
    /// The clock.
    pub timing: Timing,
    /// Is told what happens.
    pub observer: Observer,
    /// What names this process in its claims.
    pub owner: Arc<str>,
    /// How long a claim holds.
    pub lease: Duration,
    /// Whether anything is sent; a dry run only decides.
    pub sends: bool,
}

/// Why an account could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The network did not say who we are.
    #[error("account {name:?} can't start: {source}")]
    Identity {
        /// The account.
        name: Arc<str>,
        /// Why.
        source: NetworkError,
    },
    /// The network refuses the account.
    #[error("account {name:?} has stopped: {reason}; see to it, then start firsthand again")]
    Halted {
        /// The account.
        name: Arc<str>,
        /// Why.
        reason: String,
    },
    /// The network did not answer, and the run was to end by itself.
    #[error("account {name:?} can't read: {source}; nothing is lost: run it again")]
    Unreachable {
        /// The account.
        name: Arc<str>,
        /// Why.
        source: NetworkError,
    },
    /// A task of the bot ended by a panic.
    #[error("a task of the bot broke down: {0}")]
    Panicked(#[from] tokio::task::JoinError),
}

/// How far an account has come towards its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Pages are being read.
    Reading,
    /// Everything is read; holds may still end.
    Deciding,
    /// Everything is decided; the outbox is emptied.
    Sending,
}

/// Runs all accounts to their end. One that fails does not stop the others; the first failure is returned at the end.
///
/// # Errors
/// See [`RunError`].
pub async fn run<L: WriteLock>(shared: Shared<L>, accounts: Vec<Account>) -> Result<(), RunError> {
    let mut tasks = JoinSet::new();
    shared.store.spare_look_ups();
    for account in accounts {
        let shared = shared.clone();
        tasks.spawn(async move { run_account(&shared, account).await });
    }
    let mut first_failure = Ok(());
    while let Some(ended) = tasks.join_next().await {
        let ended = ended.map_err(RunError::from).and_then(|result| result);
        if let Err(error) = &ended {
            tracing::error!(%error, "an account has stopped");
        }
        first_failure = first_failure.and(ended);
    }
    first_failure
}

async fn run_account<L: WriteLock>(shared: &Shared<L>, account: Account) -> Result<(), RunError> {
    // Whatever ends one part of the account ends its other parts, and no other account.
    let shared = &Shared { timing: shared.timing.of_a_part(), ..shared.clone() };
    let name = account.name.clone();
    let Some(identity) = identify(shared, &account).await? else { return Ok(()) };
    let now = shared.timing.now();
    let network = account.network.kind();
    let setup_name = name.clone();
    let (remote_id, handle) = (identity.remote_id.clone(), identity.handle);
    let id = shared
        .store
        .write("set up an account", move |conn| {
            let (name, remote_id, handle) = (setup_name.clone(), remote_id.clone(), handle.clone());
            Box::pin(async move {
                let id = accounts::account(conn, &name, network, now).await?;
                accounts::set_identity(conn, id, &remote_id, &handle).await?;
                Ok(id)
            })
        })
        .await?;
    // Any of the account's hashtags lets a post pass, whichever watch sees it first: its verdict falls once.
    let filters =
        Filters { hashtags: account.hashtags.clone(), own: Some(identity.remote_id), ..account.filters.clone() };
    let wake = Arc::new(Notify::new());
    let read_until = Arc::new(ReadUntil::new(account.hashtags.len()));
    let (phase, phases) = watch::channel(Phase::Reading);

    let reading = async {
        let ending = match read_all(shared, &account, id, &filters, &read_until, &wake).await {
            Ok(Ending::Halted(reason)) => halt(shared, &name, id, reason).await.map_err(RunError::from),
            ending => ending,
        };
        stop_unless(shared, matches!(ending, Ok(Ending::Done | Ending::Unreachable(_))));
        phase.send_replace(Phase::Deciding);
        wake.notify_waiters();
        ending
    };
    let deciding = async {
        let reader = reader(shared, &account, id, None, filters.clone());
        let result = end_holds(shared, &name, reader, &account.until, &read_until, &wake, phases.clone()).await;
        stop_unless(shared, result.is_ok());
        phase.send_replace(Phase::Sending);
        wake.notify_waiters();
        result
    };
    let sending = async {
        if !shared.sends {
            return Ok(Ending::Done);
        }
        let relay = Arc::new(Relay {
            store: shared.store.clone(),
            network: account.network.clone(),
            account: id,
            name: name.clone(),
            filters: Arc::new(filters.clone()),
            pace: account.pace.clone(),
            owner: shared.owner.clone(),
            lease: shared.lease,
            timing: shared.timing.clone(),
            observer: shared.observer.clone(),
            quiet_until: QuietUntil::default(),
        });
        let ending = send(&relay, &account.until, &wake, phases.clone()).await;
        stop_unless(shared, matches!(ending, Ok(Ending::Done)));
        ending
    };
    let (read, decided, sent) = tokio::join!(reading, deciding, sending);
    decided?;
    for ending in [sent?, read?] {
        match ending {
            Ending::Done => {}
            Ending::Halted(reason) => return Err(RunError::Halted { name, reason }),
            Ending::Unreachable(source) => return Err(RunError::Unreachable { name, source }),
        }
    }
    Ok(())
}

/// Stops the account's other parts, unless this one ended in order.
fn stop_unless<L: WriteLock>(shared: &Shared<L>, in_order: bool) {
    if !in_order {
        shared.timing.stop().cancel();
    }
}

/// Writes down that the network refuses the account, so that nothing is sent any more.
async fn halt<L: WriteLock>(
    shared: &Shared<L>,
    name: &Arc<str>,
    account: AccountId,
    reason: String,
) -> Result<Ending, StoreError> {
    let saved = reason.clone();
    shared
        .store
        .write("halt an account", move |conn| {
            let reason = saved.clone();
            Box::pin(async move { accounts::halt(conn, account, &reason).await })
        })
        .await?;
    (shared.observer)(Event::Halted { account: name.clone(), reason: reason.clone() });
    Ok(Ending::Halted(reason))
}

/// Asks the network who we are, for as long as it takes: nothing is right without it. `None` if told to stop.
async fn identify<L: WriteLock>(
    shared: &Shared<L>,
    account: &Account,
) -> Result<Option<crate::network::Identity>, RunError> {
    let mut failures = 0;
    loop {
        failures += 1;
        let answer = tokio::select! {
            answer = account.network.identity() => answer,
            () = shared.timing.stop().cancelled() => return Ok(None),
        };
        let long = matches!(&answer, Err(NetworkError::RateLimited { retry_at } | NetworkError::Capped { retry_at, .. })
            if *retry_at > shared.timing.now().plus(PATIENCE_AT_ONCE));
        let gives_up = account.until.is_once() && (long || failures >= TRIES_AT_ONCE);
        let until = match answer {
            Ok(identity) => return Ok(Some(identity)),
            Err(source) if gives_up => return Err(RunError::Identity { name: account.name.clone(), source }),
            Err(NetworkError::RateLimited { retry_at } | NetworkError::Capped { retry_at, .. }) => retry_at,
            Err(NetworkError::Transient(reason) | NetworkError::Uncertain(reason)) => {
                let until = shared.timing.now().plus(super::relay::backoff(failures));
                (shared.observer)(Event::Waiting { account: account.name.clone(), until, reason });
                until
            }
            Err(source) => return Err(RunError::Identity { name: account.name.clone(), source }),
        };
        if !shared.timing.sleep_until(until).await {
            return Ok(None);
        }
    }
}

fn reader<L: WriteLock>(
    shared: &Shared<L>,
    account: &Account,
    id: AccountId,
    watch: Option<crate::model::WatchId>,
    filters: Filters,
) -> Arc<Reader> {
    Arc::new(Reader {
        account: id,
        watch,
        network: account.network.kind(),
        filters,
        dedup: account.dedup,
        sharing: account.sharing,
        sends: shared.sends,
    })
}

async fn read_all<L: WriteLock>(
    shared: &Shared<L>,
    account: &Account,
    id: AccountId,
    filters: &Filters,
    read_until: &Arc<ReadUntil>,
    wake: &Arc<Notify>,
) -> Result<Ending, RunError> {
    let mut watchers = JoinSet::new();
    for hashtag in &account.hashtags {
        let start = shared.timing.now().minus(account.backfill);
        let tag = hashtag.clone();
        let watch = shared
            .store
            .write("set up a watch", move |conn| {
                let tag = tag.clone();
                Box::pin(async move { accounts::watch(conn, id, &tag, start).await })
            })
            .await?;
        let filters = Filters { start: Some(watch.start), ..filters.clone() };
        let watcher = Watcher {
            store: shared.store.clone(),
            network: account.network.clone(),
            name: account.name.clone(),
            hashtag: hashtag.clone(),
            watch: watch.id,
            start: watch.start,
            reader: reader(shared, account, id, Some(watch.id), filters),
            poll: account.poll,
            until: account.until.clone(),
            read_until: read_until.clone(),
            wake: wake.clone(),
            timing: shared.timing.clone(),
            observer: shared.observer.clone(),
        };
        watchers.spawn(async move { watcher.run().await });
    }
    let mut ending = Ending::Done;
    while let Some(ended) = watchers.join_next().await {
        match ended?? {
            Ending::Done => {}
            unreachable @ Ending::Unreachable(_) => ending = unreachable,
            // The account is refused; its other watches would only be refused too.
            halted @ Ending::Halted(_) => return Ok(halted),
        }
    }
    Ok(ending)
}

/// Ends holds when their grace time is over.
async fn end_holds<L: WriteLock>(
    shared: &Shared<L>,
    name: &Arc<str>,
    reader: Arc<Reader>,
    until: &Until,
    read_until: &ReadUntil,
    wake: &Notify,
    mut phases: watch::Receiver<Phase>,
) -> Result<(), StoreError> {
    let account = reader.account;
    // However long the bot was down: what came meanwhile is read first.
    let began = shared.timing.now();
    loop {
        let woken = wake.notified();
        let now = shared.timing.now();
        // Looked at before the holds: one that begins afterwards is found in another round.
        let reading_over = *phases.borrow_and_update() >= Phase::Deciding;
        let read = match (reading_over && !until.is_once(), read_until.time()) {
            (true, _) => now,
            (false, Some(time)) => time.min(now),
            (false, None) => TimeMs(i64::MIN),
        };
        let unread = now.minus(LONGEST_UNREAD);
        let over = if unread > began { read.max(unread) } else { read };
        let next = match standing::end_holds(&shared.store, reader.clone(), over).await {
            Ok(decisions) => {
                for decision in decisions {
                    (shared.observer)(Event::Decided { account: name.clone(), decision: Box::new(decision) });
                    wake.notify_waiters();
                }
                shared.store.read("look for holds", move |conn| Box::pin(verdicts::next_hold(conn, account))).await
            }
            Err(error) => Err(error),
        };
        let next = match next {
            Ok(next) => next,
            Err(error) if until.outlasts(&error) => {
                (shared.observer)(Event::Degraded { reason: error.to_string() });
                Some(shared.timing.now().plus(DEGRADED_PAUSE))
            }
            Err(error) => return Err(error),
        };
        let nothing_held = next.is_none() || until.is_once();
        if shared.timing.stopped() || (reading_over && nothing_held) {
            return Ok(());
        }
        // What is over but not read past yet is looked at again when a watch has read on.
        let next = next.filter(|next| *next > now);
        rest(&shared.timing, next, woken).await;
    }
}

/// Sends what is due, until everything else is done and the outbox is empty.
async fn send<L: WriteLock>(
    relay: &Arc<Relay<L>>,
    until: &Until,
    wake: &Notify,
    mut phases: watch::Receiver<Phase>,
) -> Result<Ending, StoreError> {
    loop {
        let woken = wake.notified();
        // Looked at before the step: what is decided afterwards is found by another step.
        let last = *phases.borrow_and_update() >= Phase::Sending;
        let step = match relay.step().await {
            Ok(step) => step,
            Err(error) if until.outlasts(&error) => {
                (relay.observer)(Event::Degraded { reason: error.to_string() });
                Step::WaitUntil(relay.timing.now().plus(DEGRADED_PAUSE))
            }
            Err(error) => return Err(error),
        };
        let next = match step {
            Step::Halted(reason) => return Ok(Ending::Halted(reason)),
            _ if relay.timing.stopped() => return Ok(Ending::Done),
            Step::Worked => continue,
            Step::Idle if last => return Ok(Ending::Done),
            Step::Idle => None,
            Step::WaitUntil(next) => {
                let too_late = next > relay.timing.now().plus(PATIENCE_AT_ONCE);
                if last && until.is_once() && too_late {
                    return Ok(Ending::Done);
                }
                Some(next)
            }
        };
        rest(&relay.timing, next, woken).await;
    }
}

/// Rests until `next`, or until woken, but never for long: another process may have left work behind.
async fn rest(timing: &Timing, next: Option<TimeMs>, woken: impl Future<Output = ()>) {
    let until_next = async {
        match next {
            Some(next) => drop(timing.sleep_until(next).await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = woken => {}
        () = until_next => {}
        () = tokio::time::sleep(LONGEST_REST) => {}
        () = timing.stop().cancelled() => {}
    }
}
