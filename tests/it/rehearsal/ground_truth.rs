//! The rehearsal's timeline through the whole pipeline, against the ground truth that its author wrote down.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use firsthand::{
    dedup::{
        DedupPolicy,
        decide::{SharingPolicy, UnseenOriginal},
        filter::Filters,
    },
    model::{Clock, Hashtag, ManualClock, NetworkKind, RemoteId, Rule, TimeMs},
    network::{
        Network,
        rehearsal::{HASHTAG, Pace as Speed, Rehearsal, TIMELINE_START},
    },
    pipeline::{
        batch::Reader,
        decision::Decision,
        event::{Event, Observer},
        relay::{Pace, Relay, Step},
        standing,
        timing::Timing,
        watcher::{ReadUntil, Until, Watcher},
    },
    store::{OpenOptions, SingleWriter, Store, TimeoutRetry, WriteLock, accounts},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The rehearsal on a clock that this test moves, so that no machine is too slow for it.
struct Stage<L: WriteLock> {
    store: Store<L>,
    network: Arc<Rehearsal>,
    clock: Arc<ManualClock>,
    watcher: Watcher<L>,
    relay: Arc<Relay<L>>,
    /// The latest decision about each post.
    decisions: Arc<Mutex<BTreeMap<String, Decision>>>,
}

const NO_LIMIT: Pace =
    Pace { min_gap: Duration::ZERO, per_hour: 1000, per_day: 1000, author_per_hour: 100, author_per_day: 100 };

impl<L: WriteLock> Stage<L> {
    async fn open(path: &std::path::Path) -> Self {
        let clock = Arc::new(ManualClock::new(TIMELINE_START));
        let network = Arc::new(Rehearsal::new(TIMELINE_START, Speed::REAL_TIME, clock.clone()).unwrap());
        let store: Store<L> = Store::open(OpenOptions::new(path)).await.unwrap();
        let identity = network.identity().await.unwrap();
        let own = identity.remote_id.clone();
        let (account, watch) = store
            .write("set up the stage", move |conn| {
                let identity = identity.clone();
                Box::pin(async move {
                    let account = accounts::account(conn, "rehearsal", NetworkKind::Rehearsal, TIMELINE_START).await?;
                    accounts::set_identity(conn, account, &identity.remote_id, &identity.handle).await?;
                    let watch = accounts::watch(conn, account, &Hashtag::new(HASHTAG), TIMELINE_START).await?;
                    Ok((account, watch))
                })
            })
            .await
            .unwrap();
        let filters = Filters {
            hashtags: vec![Hashtag::new(HASHTAG)],
            own: Some(own),
            start: Some(TIMELINE_START),
            ..Filters::default()
        };
        let reader = Arc::new(Reader {
            account,
            watch: Some(watch.id),
            network: NetworkKind::Rehearsal,
            filters: filters.clone(),
            dedup: DedupPolicy::default(),
            sharing: SharingPolicy {
                grace: Duration::from_secs(120),
                unseen_original: UnseenOriginal::RepostCopy,
                replayed_is_shared: true,
            },
            sends: true,
        });
        let timing = Timing::new(clock.clone(), 1.0, CancellationToken::new());
        let decisions: Arc<Mutex<BTreeMap<String, Decision>>> = Arc::default();
        let told = decisions.clone();
        let observer: Observer = Arc::new(move |event| {
            if let Event::Decided { decision, .. } = event {
                let mut told = told.lock().unwrap();
                // The same post comes again with every native repost of it.
                if decision.verdict.rule != Rule::Seen || !told.contains_key(decision.remote_id.as_str()) {
                    told.insert(decision.remote_id.to_string(), *decision);
                }
            }
        });
        let watcher = Watcher {
            store: store.clone(),
            network: network.clone(),
            name: "rehearsal".into(),
            hashtag: Hashtag::new(HASHTAG),
            watch: watch.id,
            start: TIMELINE_START,
            reader,
            poll: Duration::ZERO,
            until: Until::CaughtUp,
            read_until: Arc::new(ReadUntil::new(1)),
            wake: Arc::new(Notify::new()),
            timing: timing.clone(),
            observer: observer.clone(),
        };
        let relay = Arc::new(Relay {
            store: store.clone(),
            network: network.clone(),
            account,
            name: "rehearsal".into(),
            filters: Arc::new(filters),
            pace: NO_LIMIT,
            owner: "test".into(),
            lease: Duration::from_secs(180),
            timing,
            observer,
            quiet_until: Default::default(),
        });
        Self { store, network, clock, watcher, relay, decisions }
    }

    /// Moves the clock to `time`; holds end, pages are read, and what is due is sent.
    async fn play_to(&self, time: TimeMs) {
        self.clock.advance_to(time);
        for decision in standing::end_holds(&self.store, self.watcher.reader.clone(), self.clock.now()).await.unwrap() {
            self.decisions.lock().unwrap().insert(decision.remote_id.to_string(), decision);
        }
        self.watcher.run().await.unwrap();
        while self.relay.step().await.unwrap() == Step::Worked {}
    }

    async fn play_all(&self) {
        while let Some(due) = self.network.next_due() {
            // Sends and holds fall between posts too.
            self.play_to(due).await;
        }
        for minutes in 1..=10 {
            self.play_to(self.network.ends_at().plus(Duration::from_secs(60 * minutes))).await;
        }
    }
}

async fn decides_as_its_author_meant<L: WriteLock>() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::<L>::open(&folder.path().join("stage.db")).await;
    stage.play_all().await;

    let decisions = stage.decisions.lock().unwrap().clone();
    let effects = stage.network.effects();
    let mut wrong = Vec::new();
    for entry in stage.network.timeline().entries() {
        let Some(decision) = decisions.get(entry.id.as_str()) else {
            wrong.push(format!("{} ({:?}): never decided", entry.id, entry.form));
            continue;
        };
        let reposted = decision.verdict.slot.is_some();
        if reposted != entry.expect.repost {
            let rule = decision.verdict.rule;
            wrong.push(format!("{} ({:?}): reposted {reposted} by rule {rule}: {}", entry.id, entry.form, entry.text));
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "{} of {} differ", wrong.len(), stage.network.total());
    let twice: HashMap<&RemoteId, &u32> = effects.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "each repost has one effect: {twice:?}");
    stage.store.close().await.unwrap();
}

#[tokio::test]
async fn the_rehearsal_is_decided_as_its_author_meant_by_timeout_retry() {
    decides_as_its_author_meant::<TimeoutRetry>().await;
}

#[tokio::test]
async fn the_rehearsal_is_decided_as_its_author_meant_by_the_single_writer() {
    decides_as_its_author_meant::<SingleWriter>().await;
}
