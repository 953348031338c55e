//! The reading commands, over a small archive that was taken in as the bot takes it in.

use std::{sync::Arc, time::Duration};

use firsthand::{
    cli::{Exit, args, author, check, check_network, explain, migrate, screen::Screen, search, status},
    dedup::{
        DedupPolicy,
        decide::{SharingPolicy, UnseenOriginal},
        filter::Filters,
    },
    model::{AccountId, Author, Facts, Hashtag, Link, NetworkKind, Post, Provenance, RemoteId, Reply, TimeMs},
    network::rehearsal::{Pace, Rehearsal, TIMELINE_START},
    pipeline::{
        batch::{Arrival, Batch, Reader},
        intake,
    },
    store::{
        OpenOptions, Store, WriteLock,
        accounts::{self, Cursor},
        counters,
        outbox::{self, Outcome},
    },
};

use crate::lock::on_both_strategies;
use serde_json::Value;

const NOON: TimeMs = TimeMs(1_790_000_000_000);
const TIDE: &str = "The tide is out and the whole harbour smells of seaweed this morning #harbour";
const FERRY: &str = "The first ferry to the islands leaves an hour late today, the crew is mending a rope #harbour";
const NET: &str = "Three of us mended one fishing net all night long and not one of us can feel their thumbs #harbour";

fn after(seconds: u64) -> TimeMs {
    NOON.plus(Duration::from_secs(seconds))
}

/// A post of the watched hashtag, written `id` seconds after noon.
fn post(id: u64, author: &str, text: &str) -> Post {
    Post {
        network: NetworkKind::X,
        remote_id: RemoteId::new(id.to_string()),
        author: Some(Author { display_name: format!("{author} of the harbour"), ..Author::from_handle(author) }),
        text: text.to_owned(),
        lang: Some("en".to_owned()),
        created_at: after(id),
        repost_of: None,
        provenance: Provenance::Watch,
        facts: Facts { hashtags: vec![Hashtag::new("harbour")], ..Facts::default() },
    }
}

fn reply(post: Post) -> Post {
    let reply = Some(Reply { to_post: Some(RemoteId::new("1")), to_author: None });
    Post { facts: Facts { reply, ..post.facts }, ..post }
}

/// One page that meets most rules.
fn posts() -> Vec<Post> {
    vec![
        post(101, "ann", TIDE),
        post(102, "bob", &format!("RT @ann: {TIDE}")),
        Post { repost_of: Some(RemoteId::new("101")), ..post(103, "cat", TIDE) },
        post(104, "dan", &TIDE.to_uppercase()),
        post(105, "eve", "The tide is out and the whole harbour smells of seawe… https://a.example/1"),
        post(106, "fay", "今朝の港は海藻の匂いがする。猫も困っている。 #harbour"),
        reply(post(107, "gus", "You are right about the gulls and the sandwiches, all of them #harbour")),
        post(108, "hostile\u{202e}", "\u{1b}[2Jgulls \"OR\" gulls* NOT text:gulls \u{9b}31m #harbour"),
        post(109, "ida", &format!("RT @zoe: {FERRY}")),
        post(110, "kim", &format!("RT @lou: {NET}")),
        reply(post(111, "lou", NET)),
        Post { facts: Facts::default(), ..post(112, "moe", "An unmarked boat has been tied up here for a week") },
    ]
}

/// The archive with its account, at two minutes after noon.
struct Stage<L: WriteLock> {
    _folder: tempfile::TempDir,
    store: Store<L>,
    account: AccountId,
}

const NOW: u64 = 150;

impl<L: WriteLock> Stage<L> {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Store<L> = Store::open(OpenOptions::new(folder.path().join("archive.db"))).await.unwrap();
        let (account, watch) = store
            .write("set up the stage", |conn| {
                Box::pin(async move {
                    let account = accounts::account(conn, "main", NetworkKind::X, NOON).await?;
                    accounts::set_identity(conn, account, &RemoteId::new("9"), "harbour_bot").await?;
                    let watch = accounts::watch(conn, account, &Hashtag::new("harbour"), NOON).await?;
                    Ok((account, watch))
                })
            })
            .await
            .unwrap();
        let reader = Reader {
            account,
            watch: Some(watch.id),
            network: NetworkKind::X,
            filters: Filters { hashtags: vec![Hashtag::new("harbour")], ..Filters::default() },
            dedup: DedupPolicy::default(),
            sharing: SharingPolicy {
                grace: Duration::from_secs(120),
                unseen_original: UnseenOriginal::RepostCopy,
                replayed_is_shared: true,
            },
            sends: true,
        };
        let batch = Batch {
            arrivals: posts().into_iter().map(|post| Arrival::new(post.clone(), post.created_at)).collect(),
            cursor: Some(Cursor { newest: Some(RemoteId::new("112")), ..Cursor::default() }),
            ..Batch::default()
        };
        intake::take_in(&store, Arc::new(reader), Arc::new(batch), after(112)).await.unwrap();
        Self { _folder: folder, store, account }
    }

    /// Claims the oldest order, and records what became of it.
    async fn send(&self, outcome: Outcome, detail: &'static str) {
        let account = self.account;
        self.store
            .write("send one", move |conn| {
                let outcome = outcome.clone();
                Box::pin(async move {
                    let lease = Duration::from_secs(60);
                    let claim = outbox::claim(conn, account, "a test", lease, after(120)).await?.unwrap();
                    assert!(outbox::record(conn, claim.id, "a test", &outcome, detail, after(121)).await?);
                    Ok(())
                })
            })
            .await
            .unwrap();
    }

    async fn search(&self, words: &str, best: bool, json: bool) -> (Exit, String) {
        let words = words.split(' ').map(str::to_owned).collect();
        let args = args::Search { words, best, newest: false, limit: 20, json };
        let mut out = Vec::new();
        match search::run(&args, &self.store, after(NOW), &Screen::plain(100), &mut out).await {
            Ok(exit) => (exit, readable(out)),
            Err(error) => (Exit::of(&error), format!("{error:#}")),
        }
    }

    /// The ids found, in order.
    async fn found(&self, words: &str) -> Vec<String> {
        let (exit, lines) = self.search(words, false, true).await;
        assert_eq!(exit, Exit::Ok, "{lines}");
        let ids =
            lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned());
        ids.collect()
    }

    async fn explain(&self, id: &str, json: bool) -> Result<String, anyhow::Error> {
        let mut out = Vec::new();
        let args = args::Explain { id: id.to_owned(), json };
        explain::run(&args, &self.store, &DedupPolicy::default(), after(NOW), &Screen::plain(100), &mut out).await?;
        Ok(readable(out))
    }

    /// The story, with its line breaks taken out.
    async fn story(&self, id: u64) -> String {
        self.explain(&id.to_string(), false).await.unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    async fn status(&self, json: bool) -> String {
        let mut out = Vec::new();
        let args = args::Status { json };
        status::run(&args, &self.store, after(NOW), &Screen::plain(100), &mut out).await.unwrap();
        readable(out)
    }
}

fn readable(out: Vec<u8>) -> String {
    let text = String::from_utf8(out).unwrap();
    let text = anstream::adapter::strip_str(&text).to_string();
    assert!(!text.chars().any(|c| c != '\n' && firsthand::escape::is_hostile(c)), "{text:?}");
    text
}

async fn search_finds_words_in_any_script_and_takes_syntax_for_text<L: WriteLock>() {
    let stage = Stage::<L>::open().await;
    assert_eq!(stage.found("SEAWEED morning").await, ["104", "103", "102", "101"], "newest first, all words");
    assert_eq!(stage.found("海藻").await, ["106"]);
    assert_eq!(stage.found("匂いが").await, ["106"], "a part of a phrase");
    assert_eq!(stage.found("藻海").await, Vec::<String>::new(), "the order of characters counts");
    for words in ["\"OR\"", "gulls* \"OR", "gulls NOT text:gulls", "NOT gulls \"\""] {
        assert_eq!(stage.found(words).await, ["108"], "{words}: operators and quotes are text");
    }
    assert_eq!(stage.found("gulls OR seaweed").await, Vec::<String>::new(), "no post has all three words");
    assert_eq!(stage.found("ann").await, ["102"], "only the text is searched, not the authors");

    let (_, best) = stage.search("seaweed", true, false).await;
    assert!(best.contains("4 posts with seaweed, best first") && best.contains("smells of [seaweed] this"), "{best}");
    assert!(best.contains("@bob (bob of the harbour)  48 s ago  skipped: credits an author"), "{best}");
    let (exit, nothing) = stage.search("lighthouse", false, false).await;
    assert_eq!((exit, nothing.as_str()), (Exit::Ok, "Nothing in the archive holds lighthouse.\n"));
    let (exit, error) = stage.search("\" *", false, false).await;
    assert_eq!(exit, Exit::Usage);
    assert!(error.contains("give at least one word"), "{error}");
    stage.store.close().await.unwrap();
}

async fn explain_tells_every_kind_of_verdict<L: WriteLock>() {
    let stage = Stage::<L>::open().await;
    stage.send(Outcome::Done(Some(RemoteId::new("r101"))), "reposted").await;
    for (id, sentences) in [
        (101, &["reposted: first seen here, in its author's own words", "this post is its original", "as r101"][..]),
        (102, &["skipped: credits @ann, whose own post is known: 101", "of its thing, @ann's post 101 is reposted"]),
        (103, &["skipped: a native repost of @ann's post 101", "repost of 101"]),
        (104, &["skipped: the same text as @ann's post 101", "rule exact, similarity 1.00"]),
        (105, &["skipped: the same text as @ann's post 101, one of them cut short", "one side cut short"]),
        (106, &["to be reposted: first seen here", "this post alone"]),
        (107, &["skipped: an answer to another post"]),
        (109, &["held until", "(in 1 min): a copy whose original has not been seen yet (it credits @zoe)"]),
        (110, &["its original may not be reposted: @lou's post 111 is refused (an answer to another post)"]),
        (112, &["skipped: the watched hashtag does not stand in the post"]),
    ] {
        let story = stage.story(id).await;
        assert!(story.contains("by #harbour of account main"), "{story}");
        for sentence in sentences {
            assert!(story.contains(sentence), "{id}: {sentence:?} in {story}");
        }
    }
    let columns = stage.explain("102", false).await.unwrap();
    assert!(columns.contains("[RT @ann:] The tide is out and the whole        │ The tide is out"), "{columns}");
    assert!(columns.lines().all(|line| line.chars().count() <= 100), "{columns}");

    let json: Value = serde_json::from_str(&stage.explain("x:102", true).await.unwrap()).unwrap();
    let verdict = &json["verdicts"][0];
    assert_eq!((&verdict["rule"], &verdict["matched"]["id"]), (&"attribution".into(), &"101".into()));
    assert_eq!(verdict["outbox"][0]["events"][0]["detail"], "reposted");
    assert_eq!(json["post"]["created_at_ms"], after(102).0);
    assert_eq!(json["thing"]["post_count"], 5);

    let error = stage.explain("999", false).await.unwrap_err();
    assert_eq!(format!("{error:#}"), "explain the post: post 999 isn't in the archive");
    assert_eq!(Exit::of(&error), Exit::NotFound);
    assert_eq!(Exit::of(&stage.explain("replay:102", false).await.unwrap_err()), Exit::NotFound);
    stage.store.close().await.unwrap();
}

async fn an_id_of_two_networks_asks_which_is_meant<L: WriteLock>() {
    let stage = Stage::<L>::open().await;
    let reader = Reader {
        account: stage.account,
        watch: None,
        network: NetworkKind::Replay,
        filters: Filters::none(),
        dedup: DedupPolicy::default(),
        sharing: SharingPolicy {
            grace: Duration::ZERO,
            unseen_original: UnseenOriginal::RepostCopy,
            replayed_is_shared: true,
        },
        sends: false,
    };
    let same_id = Post {
        network: NetworkKind::Replay,
        provenance: Provenance::Replay,
        facts: Facts { links: vec![Link { shown: "a".into(), expanded: "b".into() }], ..Facts::default() },
        ..post(101, "pia", "Somebody painted the lighthouse door green while nobody was looking")
    };
    let batch = Batch { arrivals: vec![Arrival::new(same_id, after(130))], ..Batch::default() };
    intake::take_in(&stage.store, Arc::new(reader), Arc::new(batch), after(130)).await.unwrap();
    let error = stage.explain("101", false).await.unwrap_err();
    assert_eq!(Exit::of(&error), Exit::Usage);
    assert!(format!("{error:#}").ends_with("say which: x:101 or replay:101"), "{error:#}");
    let story = stage.explain("replay:101", false).await.unwrap();
    assert!(story.contains("by        @pia") && story.contains("nothing is sent for it"), "{story}");
    stage.store.close().await.unwrap();
}

async fn author_tells_what_is_known_and_names_whom_it_does_not_know<L: WriteLock>() {
    let stage = Stage::<L>::open().await;
    stage.send(Outcome::Done(None), "reposted").await;
    let show = async |handle: &str, json| {
        let mut out = Vec::new();
        let args = args::Author { handle: handle.to_owned(), json };
        author::run(&args, &stage.store, after(NOW), &Screen::plain(100), &mut out).await.map(|_| readable(out))
    };
    let text = show("@ANN", false).await.unwrap();
    assert!(text.starts_with("@ann (ann of the harbour) on x\n"), "{text}");
    for part in
        ["first seen  2026-09-21 14:15:01 UTC, 49 s ago", "1, 0 of them second-hand", "reposted    1", "seaweed"]
    {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let json: Value = serde_json::from_str(&show("bob", true).await.unwrap()).unwrap();
    let record = &json["records"][0];
    assert_eq!((&record["post_count"], &record["copy_count"]), (&1.into(), &1.into()));
    assert_eq!(record["newest"][0]["rule"], "attribution");
    let error = show("@nobody\u{1b}", false).await.unwrap_err();
    assert_eq!(Exit::of(&error), Exit::NotFound);
    assert!(format!("{error:#}").contains("isn't in the archive"), "{error:#}");
    let error = show("@zoe", false).await.unwrap_err();
    assert_eq!(format!("{error:#}"), "show the author: author @zoe isn't in the archive", "only credited, never seen");
    stage.store.close().await.unwrap();
}

async fn the_status_adds_up<L: WriteLock>() {
    let stage = Stage::<L>::open().await;
    stage.send(Outcome::Done(None), "reposted").await;
    stage.send(Outcome::Parked, "refused with status 418: a teapot").await;
    let account = stage.account;
    stage
        .store
        .write("spend", move |conn| {
            Box::pin(async move {
                let read = firsthand::model::Usage::Read;
                let entry = |count, micro_dollars, at: TimeMs| firsthand::model::Booking {
                    usage: read,
                    count,
                    micro_dollars,
                    hour: at.hour(),
                };
                counters::book(conn, account, entry(12, 60_000, NOON)).await?;
                counters::book(conn, account, entry(100, 500_000, NOON.minus(Duration::from_secs(48 * 3600)))).await?;
                accounts::halt(conn, account, "the network refuses the credentials").await
            })
        })
        .await
        .unwrap();
    let json: Value = serde_json::from_str(&stage.status(true).await).unwrap();
    let number = |name: &str| json[name].as_i64().unwrap();
    assert_eq!((number("received"), number("posts")), (12, 12));
    assert_eq!((number("held"), number("reposted"), json["failed"]["parked"].as_i64().unwrap()), (1, 1, 1));
    assert_eq!(number("chosen"), 3, "101, 106 and 108");
    assert_eq!(number("waiting"), 3 - 1 - 1);
    let skipped: i64 = json["skipped"].as_object().unwrap().values().map(|count| count.as_i64().unwrap()).sum();
    assert_eq!(number("chosen") + number("held") + skipped, 12, "{json}");
    assert_eq!(json["skipped"]["attribution"], 1);
    let of_account = &json["accounts"][0];
    assert_eq!(of_account["micro_dollars_today"], 60_000);
    assert_eq!(of_account["micro_dollars_this_month"], 560_000);
    assert_eq!(of_account["halted_reason"], "the network refuses the credentials");
    assert_eq!((&json["watches"][0]["newest_id"], &json["watches"][0]["age_ms"]), (&"112".into(), &38_000.into()));
    assert_eq!(json["database"]["locking"], stage.store.strategy_name());

    let text = stage.status(false).await;
    for part in [
        "halted, nothing is sent: the network refuses the credentials",
        "#harbour  read 38 s ago, up to 112",
        "waiting   1, and 1 copy held for the original, grace ends in 1 min",
        "failed    1 parked for you to look at",
        "spent     $0.06 today, $0.56 this month (UTC)",
        "refused with status 418: a teapot (firsthand explain 106)",
        "    attribution           1  credits an author whose own post is known",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100 || line.contains("archive.db")), "{text}");
    stage.store.close().await.unwrap();
}

async fn migrating_creates_a_database_once_and_then_finds_nothing_to_do<L: WriteLock>() {
    let folder = tempfile::tempdir().unwrap();
    let options = OpenOptions::new(folder.path().join("new.db"));
    let newest = firsthand::store::newest_version();
    let mut report = check::Report::default();
    check_network::database(&options, &mut report).await;
    assert!(report.findings[0].detail.contains("the first run creates it"), "{report:?}");
    assert!(!folder.path().join("new.db").exists(), "a check creates nothing");
    for words in [format!("created with schema {newest}"), format!("already up to date: schema {newest}")] {
        let mut out = Vec::new();
        migrate::run::<L>(options.clone(), &mut out).await.unwrap();
        let text = readable(out);
        assert!(text.contains(&words), "{words} in {text}");
    }
    let mut report = check::Report::default();
    check_network::database(&options, &mut report).await;
    let network = Rehearsal::new(TIMELINE_START, Pace::default(), Arc::new(firsthand::model::ManualClock::default()));
    check_network::identity("main", &network.unwrap(), &mut report).await;
    assert_eq!(report.exit(), Exit::Ok);
    assert!(report.findings[0].detail.ends_with(&format!("schema {newest}")), "{report:?}");
    assert!(report.findings[1].detail.contains("the credentials are accepted: @"), "{report:?}");
}

on_both_strategies! {
    search_finds_words_in_any_script_and_takes_syntax_for_text,
    explain_tells_every_kind_of_verdict,
    an_id_of_two_networks_asks_which_is_meant,
    author_tells_what_is_known_and_names_whom_it_does_not_know,
    the_status_adds_up,
    migrating_creates_a_database_once_and_then_finds_nothing_to_do,
}

#[tokio::test]
async fn a_database_that_is_named_is_checked_without_any_configuration_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shopping.txt");
    std::fs::write(&file, "milk, bread").unwrap();
    let env = firsthand::config::Environment::new(folder.path(), [("", ""); 0]);
    let global = args::Global { database: Some(file.display().to_string()), ..args::Global::default() };
    let mut out = Vec::new();
    let exit = check_network::run(&args::Check::default(), &global, &env, &mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_eq!(exit, Exit::Database, "{out}");
    assert!(out.contains("not a SQLite database"), "{out}");
    assert_eq!(std::fs::read(&file).unwrap(), b"milk, bread");
}
