//! Policies are compared, and decisions explained, over files and over archives that nobody may write to.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use clap::Parser;
use firsthand::{
    cli::{
        Exit,
        args::{self, Args, Command},
        explain, replay,
        screen::Screen,
    },
    config::Environment,
    dedup::{
        DedupPolicy,
        decide::{SharingPolicy, UnseenOriginal},
        filter::Filters,
    },
    model::{Author, Facts, NetworkKind, Post, Provenance, RemoteId, TimeMs},
    pipeline::{
        batch::{Arrival, Batch, Reader},
        intake,
    },
    store::{OpenOptions, Store, WriteLock, accounts},
};
use serde_json::Value;

use crate::lock::on_both_strategies;

const NOON: TimeMs = TimeMs(1_790_000_000_000);
const TIDE: &str = "The tide is out and the whole harbour smells of seaweed this morning";
const FERRY: &str = "The first ferry to the islands leaves an hour late today, the crew is mending a rope";

fn after(seconds: u64) -> TimeMs {
    NOON.plus(Duration::from_secs(seconds))
}

fn post(network: NetworkKind, id: u64, author: &str, text: &str) -> Post {
    Post {
        network,
        remote_id: RemoteId::new(id.to_string()),
        author: Some(Author::from_handle(author)),
        text: text.to_owned(),
        lang: None,
        created_at: after(id),
        repost_of: None,
        provenance: if network == NetworkKind::Replay { Provenance::Replay } else { Provenance::Watch },
        facts: Facts::default(),
    }
}

/// An archive as a bot leaves it: two networks whose ids overlap, native reposts, copies of every kind.
async fn archive<L: WriteLock>(store: &Store<L>) {
    let x = |id, author: &str, text: &str| post(NetworkKind::X, id, author, text);
    let pages = [
        vec![post(NetworkKind::Replay, 2, "old", "An ancient post about something else altogether, long ago")],
        vec![
            x(1, "ann", TIDE),
            Post { repost_of: Some(RemoteId::new("1")), ..x(2, "bob", &format!("RT @ann: {TIDE}")) },
            x(3, "cat", &format!("Oh dear, oh dear: {TIDE}")),
            x(4, "dan", &format!("RT @ann: {TIDE}")),
            Post { provenance: Provenance::Embedded, ..x(5, "eve", FERRY) },
            // The original of this one was never archived.
            Post {
                repost_of: Some(RemoteId::new("77")),
                ..x(6, "fay", "A gull has taken the mayor's sandwich, again")
            },
            x(7, "gus", TIDE),
        ],
    ];
    for posts in pages {
        take_in(store, posts, DedupPolicy::default()).await;
    }
}

/// Takes in a page of posts of one network.
async fn take_in<L: WriteLock>(store: &Store<L>, posts: Vec<Post>, dedup: DedupPolicy) {
    let network = posts[0].network;
    let account = store
        .write("set up", move |conn| Box::pin(accounts::account(conn, network.as_str(), network, NOON)))
        .await
        .unwrap();
    let reader = Reader {
        account,
        watch: None,
        network,
        filters: Filters::none(),
        dedup,
        sharing: SharingPolicy {
            grace: Duration::from_secs(120),
            unseen_original: UnseenOriginal::RepostCopy,
            replayed_is_shared: true,
        },
        sends: true,
    };
    let arrivals = posts.into_iter().map(|post| Arrival::new(post.clone(), post.created_at)).collect();
    let batch = Batch { arrivals, ..Batch::default() };
    intake::take_in(store, Arc::new(reader), Arc::new(batch), after(100)).await.unwrap();
}

/// Runs a command of replay in a folder; what it printed, without colours.
async fn replay(folder: &Path, line: &str) -> Result<(Exit, String), String> {
    let env = Environment::new(folder, [("", ""); 0]);
    let args = Args::try_parse_from(line.split_whitespace()).unwrap();
    let Command::Replay(replay) = &args.command else { panic!("{line}") };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = replay::run(replay, &args.global, &env, &mut out, &mut err).await;
    let out = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
    exit.map(|exit| (exit, out)).map_err(|error| format!("{}: {error:#}", Exit::of(&error).code()))
}

/// The lines about differing posts by id, and the summary.
async fn differing(folder: &Path, line: &str) -> (BTreeMap<String, Value>, Value) {
    let (exit, out) = replay(folder, line).await.unwrap();
    assert_eq!(exit, Exit::Ok);
    let mut lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = lines.pop().unwrap()["summary"].take();
    let by_id = lines.into_iter().map(|line| (format!("{}:{}", line["network"], line["id"]).replace('"', ""), line));
    (by_id.collect(), summary)
}

/// Every file of a folder but the shared memory of readers, with its content.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = files.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path));
    named.filter(|(name, _)| !name.ends_with("-shm")).map(|(name, path)| (name, std::fs::read(path).unwrap())).collect()
}

async fn an_archive_is_compared_while_it_is_used_and_stays_as_it_is<L: WriteLock>() {
    let folder = tempfile::tempdir().unwrap();
    let store: Store<L> = Store::open(OpenOptions::new(folder.path().join("firsthand.db"))).await.unwrap();
    archive(&store).await;
    let before = content(folder.path());
    assert!(
        before.contains_key("firsthand.db-wal"),
        "the latest posts are in the write-ahead log: {:?}",
        before.keys()
    );
    let line = "firsthand replay --archive --json --compare";
    let (lines, summary) = differing(folder.path(), &format!("{line} balanced balanced")).await;
    assert_eq!((lines.len(), &summary["posts"], &summary["differing"]), (0, &8.into(), &0.into()));

    let (lines, summary) = differing(folder.path(), &format!("{line} balanced balanced,near=false")).await;
    assert_eq!(lines.keys().collect::<Vec<_>>(), ["x:3"], "native reposts stay native, whatever their text says");
    assert_eq!(lines["x:3"]["kind"], "only-b-reposts");
    assert_eq!((&lines["x:3"]["a"]["rule"], &lines["x:3"]["b"]["rule"]), (&"near".into(), &"first-hand".into()));
    assert_eq!(lines["x:3"]["a"]["matched"]["author"], "ann");
    assert_eq!(summary["kinds"]["only-b-reposts"], 1);

    let (lines, _) = differing(folder.path(), &format!("{line} balanced balanced,exact=false")).await;
    assert_eq!(lines.keys().collect::<Vec<_>>(), ["x:7"]);
    let (lines, _) = differing(folder.path(), &format!("{line} balanced balanced,attribution=false")).await;
    assert_eq!(lines["x:4"]["kind"], "other-rule", "credited, and the same words anyway");
    assert_eq!(content(folder.path()), before, "it was only read");
    store.close().await.unwrap();

    let closed = content(folder.path());
    differing(folder.path(), &format!("{line} strict eager")).await;
    assert_eq!(content(folder.path())["firsthand.db"], closed["firsthand.db"]);
}

async fn what_cannot_be_compared_is_said<L: WriteLock>() {
    let folder = tempfile::tempdir().unwrap();
    let line = "firsthand replay --archive --compare";
    let error = replay(folder.path(), &format!("{line} strict eager")).await.unwrap_err();
    assert!(error.starts_with("5: ") && error.contains("there is no such database"), "{error}");
    let error = replay(folder.path(), &format!("{line} strict lenient")).await.unwrap_err();
    assert!(error.starts_with("2: ") && error.contains("\"strict\", \"balanced\", \"eager\""), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is created");
    let store: Store<L> = Store::open(OpenOptions::new(folder.path().join("firsthand.db"))).await.unwrap();
    store.close().await.unwrap();
    let (exit, out) = replay(folder.path(), &format!("{line} strict eager")).await.unwrap();
    assert_eq!(exit, Exit::Ok);
    assert!(out.starts_with("0 posts in ") && out.ends_with("Both decide the same about every post.\n"), "{out}");
}

/// Tells a post's story by a policy, on one line and as JSON.
async fn explained<L: WriteLock>(store: &Store<L>, policy: &DedupPolicy, id: &str) -> (String, Value) {
    let show = async |json| {
        let mut out = Vec::new();
        let args = args::Explain { id: id.to_owned(), json };
        explain::run(&args, store, policy, after(200), &Screen::plain(100), &mut out).await.unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    };
    let text = show(false).await.split_whitespace().collect::<Vec<_>>().join(" ");
    (text, serde_json::from_str(&show(true).await).unwrap())
}

async fn a_match_is_explained_with_its_figures_and_words<L: WriteLock>() {
    let folder = tempfile::tempdir().unwrap();
    let store: Store<L> = Store::open(OpenOptions::new(folder.path().join("firsthand.db"))).await.unwrap();
    archive(&store).await;
    let balanced = DedupPolicy::default();
    let (text, json) = explained(&store, &balanced, "x:3").await;
    for part in [
        "nearly the same words, by the rule near (the whole text against the whole text)",
        "letters in common 56 (25 needed, 31 more than needed)",
        "of the longer text 82 % (75 % needed, 7 more than needed)",
        "letters left over 12 here, 0 there (3 may be on both sides at once)",
        "only here oh dear oh dear",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let comparison = &json["verdicts"][0]["comparison"];
    assert_eq!((&comparison["rule"], &comparison["guard"]), (&"near".into(), &"none".into()));
    assert_eq!(comparison["measure"]["left_over_letters"], serde_json::json!([12, 0]));
    assert_eq!(comparison["differences"][0]["words"], serde_json::json!(["oh dear oh dear", ""]));
    assert!(json["nearest"].as_array().unwrap().is_empty(), "it has a match");

    let off = DedupPolicy { near: false, ..balanced };
    let (text, json) = explained(&store, &off, "x:3").await;
    assert!(text.contains("nearly the same words; but the rule that says so is switched off"), "{text}");
    assert_eq!(json["verdicts"][0]["comparison"]["rule"], Value::Null);
    let (text, _) = explained(&store, &balanced, "x:4").await;
    assert!(
        text.contains("the same words, by the rule attribution (the copied part against the whole text)"),
        "{text}"
    );
    store.close().await.unwrap();
}

async fn what_a_post_is_no_copy_of_is_explained_with_what_forbade_it<L: WriteLock>() {
    let folder = tempfile::tempdir().unwrap();
    let store: Store<L> = Store::open(OpenOptions::new(folder.path().join("firsthand.db"))).await.unwrap();
    let strike = |day: u32| format!("Day {day} of the strike at the harbour, and the pilots play cards all day long");
    let x = |id, author: &str, text: &str| post(NetworkKind::X, id, author, text);
    let mayor = |town: &str| format!("The mayor of {town} opens the new bridge today with a brass band");
    let posts = vec![
        x(1, "ann", &strike(74)),
        x(2, "ann", &strike(75)),
        x(3, "bob", &mayor("Northport")),
        x(4, "cat", &mayor("Southwick")),
        x(5, "dan", "Nobody here has ever seen a lantern like that one before"),
        x(6, "ann", &strike(76)),
    ];
    take_in(&store, posts, DedupPolicy::default()).await;
    let balanced = DedupPolicy::default();
    let (text, json) = explained(&store, &balanced, "2").await;
    assert!(text.contains("not the same: a number differs: 75 / 74 (the whole text against the whole text)"), "{text}");
    let nearest = json["nearest"].as_array().unwrap();
    assert_eq!(nearest.len(), 1, "what came later was not compared then: {json}");
    assert_eq!(nearest[0]["post"]["id"], "1");
    assert_eq!(nearest[0]["comparison"]["guard"], "number");
    let veto = serde_json::json!({ "kind": "number", "words": ["75", "74"], "vetoes": true });
    assert_eq!(nearest[0]["comparison"]["differences"], serde_json::json!([veto]));

    let (text, _) = explained(&store, &balanced, "4").await;
    for part in ["both say something that the other doesn't", "another word southwick / northport", "too few)"] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let (text, json) = explained(&store, &balanced, "5").await;
    assert!(text.contains("nothing archived before it is near enough to be compared with it"), "{text}");
    assert_eq!((&json["nearest"], &json["crowded"]), (&serde_json::json!([]), &false.into()));
    store.close().await.unwrap();
}

async fn what_is_forgotten_is_told_as_forgotten_and_crowds_are_bounded<L: WriteLock>() {
    let folder = tempfile::tempdir().unwrap();
    let store: Store<L> = Store::open(OpenOptions::new(folder.path().join("firsthand.db"))).await.unwrap();
    let forgetful = DedupPolicy { forget_after: Some(Duration::from_secs(86_400)), ..DedupPolicy::default() };
    let posts = (0..220).map(|id| post(NetworkKind::X, 1 + id * 100_000, &format!("fan_{id}"), TIDE)).collect();
    take_in(&store, posts, forgetful).await;
    let (text, json) = explained(&store, &forgetful, "21900001").await;
    assert!(text.contains("the same words; but it is more than 1 day older, and forgotten"), "{text}");
    assert!(text.contains("so many posts are like it that only the first and the newest were looked at"), "{text}");
    assert_eq!(json["nearest"].as_array().unwrap().len(), 3);
    assert_eq!((&json["crowded"], &json["nearest"][0]["comparison"]["forgotten"]), (&true.into(), &true.into()));
    store.close().await.unwrap();
}

on_both_strategies! {
    a_match_is_explained_with_its_figures_and_words,
    what_a_post_is_no_copy_of_is_explained_with_what_forbade_it,
    what_is_forgotten_is_told_as_forgotten_and_crowds_are_bounded,
    an_archive_is_compared_while_it_is_used_and_stays_as_it_is,
    what_cannot_be_compared_is_said,
}

/// Posts of a file: an original, a copy with a remark, a cut copy that was first held, a thing of its own.
fn lines() -> String {
    let line = |id: u64, author: &str, text: &str| serde_json::json!({ "id": id.to_string(), "author": author, "text": text, "created_at": after(60 * id).to_string() });
    let lines = [
        line(1, "ann", TIDE),
        line(2, "bob", &format!("Oh dear, oh dear: {TIDE}")),
        line(3, "cat", &format!("RT @eve: {FERRY}")),
        line(9, "dan", &FERRY[..70]),
        line(10, "fay", "Somebody painted the lighthouse door green while nobody was looking"),
    ];
    lines.map(|line| format!("{line}\n")).concat()
}

#[tokio::test]
async fn files_are_compared_and_shown_side_by_side_up_to_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("posts.jsonl");
    std::fs::write(&file, lines() + "nonsense\n").unwrap();
    let line = format!("firsthand replay --compare strict eager,grace_seconds=300 --batch 2 {}", file.display());
    let (exit, out) = replay(folder.path(), &line).await.unwrap();
    assert_eq!(exit, Exit::Partly, "a line could not be read");
    for part in [
        "@bob's post 2 on replay: A reposts, B does not",
        "  A strict  repost: first seen here, in its author's own words\n",
        "  B eager,grace_seconds=300  skip: nearly the same text as an earlier post: @ann's post 1, ",
        "[Oh dear, oh dear:] The tide is out",
        "5 posts in ",
        "        2  A reposts, B does not\n",
    ] {
        assert!(out.contains(part), "{part:?} in {out}");
    }
    let (_, one) = replay(folder.path(), &format!("{line} --limit 1")).await.unwrap();
    assert!(one.contains("Shown are 1 of 2; --limit shows more.") && !one.contains("@dan"), "{one}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "both archives were temporary");
}

#[tokio::test]
async fn a_replay_by_another_mode_decides_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let (file, verdicts) = (folder.path().join("posts.jsonl"), folder.path().join("verdicts.jsonl"));
    std::fs::write(&file, lines()).unwrap();
    for (config, option, rule) in [
        ("", "", "near"),
        ("", "--mode strict", "first-hand"),
        ("[dedup]\nmode = \"strict\"\n", "", "first-hand"),
        ("[dedup]\nmode = \"strict\"\n", "--mode balanced", "near"),
        ("[dedup]\nnear = false\n", "--mode eager", "first-hand"),
    ] {
        std::fs::write(folder.path().join("firsthand.toml"), config).unwrap();
        let line = format!("firsthand replay {option} --verdicts {} {}", verdicts.display(), file.display());
        replay(folder.path(), &line).await.unwrap();
        let written = std::fs::read_to_string(&verdicts).unwrap();
        let second: Value = serde_json::from_str(written.lines().nth(1).unwrap()).unwrap();
        assert_eq!(second["rule"], rule, "{config}{option}");
    }
}
