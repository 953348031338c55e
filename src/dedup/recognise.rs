//! Which thing a post is: an archived one, or a new one.

use sqlx::SqliteConnection;

use super::{
    DedupPolicy,
    known::{Known, KnownVariant},
};
use crate::{
    model::{Handle, Link, PostId, Rule, ThingId, TimeMs, VariantId},
    store::{
        SeenKeys, StoreError,
        candidates::{self, NewVariant},
        seen_keys::Covered,
    },
    text::{
        Analysis,
        fingerprint::{self, Key},
        similarity::{Side, Tokens},
    },
};

/// A post that is to be recognised.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Its row, which the caller has assigned or will.
    pub post: PostId,
    /// The thing that it becomes if it is none yet.
    pub new_thing: ThingId,
    /// Who posted it, where that is known.
    pub author: Option<Handle>,
    /// When it was posted.
    pub created_at: TimeMs,
    /// The links in its text.
    pub links: Vec<Link>,
    /// What its text says about itself.
    pub analysis: Analysis,
    /// The terms of each variant, in the order of `analysis.variants`.
    keys: Vec<Vec<Key>>,
}

impl Incoming {
    /// A post with the terms of its variants.
    pub fn new(
        post: PostId,
        new_thing: ThingId,
        author: Option<Handle>,
        created_at: TimeMs,
        links: Vec<Link>,
        analysis: Analysis,
    ) -> Self {
        let keys = analysis.variants.iter().map(|variant| fingerprint::terms(variant, author.as_ref())).collect();
        Self { post, new_thing, author, created_at, links, analysis, keys }
    }

    /// The terms of each variant.
    pub(super) fn keys(&self) -> &[Vec<Key>] {
        &self.keys
    }
}

/// The archived post that a post is the same thing as.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The archived post.
    pub post: PostId,
    /// Its author, where that is known.
    pub author: Option<Handle>,
    /// [`Rule::Attribution`], [`Rule::Exact`], [`Rule::Truncated`] or [`Rule::Near`].
    pub rule: Rule,
    /// How much of the texts is in common, 0 to 1.
    pub similarity: f64,
}

/// What a post was recognised as.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognition {
    /// The thing it belongs to.
    pub thing: ThingId,
    /// The earlier post that it was matched with; `None` for a new thing.
    pub matched: Option<Match>,
    /// An earlier post of the thing that names this post's author: this is the original of a copy seen before.
    pub credited_by: Option<PostId>,
    /// Whether one of its keys is borne by more variants than are looked at
    /// ([`BEARERS_AT_EACH_END`](candidates::BEARERS_AT_EACH_END) of the first, and as many of the newest).
    pub crowded: bool,
}

/// Recognises a page of posts, one after the other; later ones are matched with earlier ones of the page too. Belongs
/// into a write transaction, because of `seen_keys`.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn recognise(
    conn: &mut SqliteConnection,
    seen_keys: &SeenKeys,
    page: &[Incoming],
    policy: &DedupPolicy,
) -> Result<Vec<Recognition>, StoreError> {
    let mut keys: Vec<Key> = page.iter().flat_map(|post| post.keys.iter().flatten().copied()).collect();
    keys.sort_unstable();
    keys.dedup();
    let keys = seen_keys.perhaps_borne(conn, &keys).await?;
    let found = candidates::bearers(conn, &keys).await?;
    let mut ids: Vec<VariantId> = found.iter().flat_map(|b| b.first.iter().chain(&b.newest).copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut known = Known::new(keys, found, candidates::load(conn, &ids).await?);
    Ok(page
        .iter()
        .map(|post| {
            let recognition = decide(post, &known, policy);
            known.add(post, recognition.thing);
            recognition
        })
        .collect())
}

/// Stores the variants of a page of posts, whose rows must be there. Once the transaction is committed, `seen_keys` is to
/// be told so.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn store_variants(
    conn: &mut SqliteConnection,
    seen_keys: &SeenKeys,
    page: &[Incoming],
) -> Result<Covered, StoreError> {
    let variants: Vec<NewVariant<'_>> = page
        .iter()
        .flat_map(|post| {
            let pairs = post.analysis.variants.iter().zip(&post.keys);
            pairs.map(|(variant, keys)| NewVariant { post: post.post, variant, keys })
        })
        .collect();
    let newest = candidates::insert_variants(conn, &variants).await?;
    Ok(seen_keys.stored(variants.iter().flat_map(|variant| variant.keys).copied(), newest))
}

/// The order in which rules are preferred.
pub(super) fn rank(rule: Rule) -> u8 {
    match rule {
        Rule::Attribution => 0,
        Rule::Exact => 1,
        Rule::Truncated => 2,
        _ => 3,
    }
}

fn decide(post: &Incoming, known: &Known, policy: &DedupPolicy) -> Recognition {
    let mut best: Option<(u8, VariantId, Match, ThingId)> = None;
    let mut crediting: Vec<(PostId, ThingId)> = Vec::new();
    for (variant, keys) in post.analysis.variants.iter().zip(&post.keys) {
        let tokens = Tokens::new(variant);
        for KnownVariant { candidate, tokens: their_tokens, .. } in known.bearers(keys) {
            if policy.forgets(candidate.created_at, post.created_at) {
                continue;
            }
            let mine = Side { variant, author: post.author.as_ref() };
            let theirs = Side { variant: &candidate.variant, author: candidate.author.as_ref() };
            let their_tokens = their_tokens.get_or_init(|| Tokens::new(&candidate.variant));
            let (Some(rule), comparison) = policy.judge((mine, &tokens), (theirs, their_tokens)) else { continue };
            // Only whom the copy credits in the end: those it passed through on the way wrote nothing.
            if post.author.is_some() && candidate.attribution == post.author {
                crediting.push((candidate.post, candidate.thing));
            }
            let better = best.as_ref().is_none_or(|(r, id, ..)| (rank(rule), candidate.id) < (*r, *id));
            if better {
                let matched = Match {
                    post: candidate.post,
                    author: candidate.author.clone(),
                    rule,
                    similarity: comparison.similarity,
                };
                best = Some((rank(rule), candidate.id, matched, candidate.thing));
            }
        }
    }
    let crowded = known.is_crowded(&post.keys);
    match best {
        None => Recognition { thing: post.new_thing, matched: None, credited_by: None, crowded },
        Some((_, _, matched, thing)) => {
            let credited_by = crediting.iter().filter(|(_, t)| *t == thing).map(|(p, _)| *p).min();
            Recognition { thing, matched: Some(matched), credited_by, crowded }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::{
        model::{Author, Facts, NetworkKind, Post, Provenance, RemoteId},
        store::{
            OpenOptions, Store,
            authors::{self, AuthorUpdate},
            posts::{self, NewPost},
            things::{self, NewThing},
        },
        text::analyse,
    };

    fn incoming(id: i64, author: Option<&str>, text: &str) -> Incoming {
        let author = author.map(Handle::new);
        let analysis = analyse(text, author.as_ref());
        Incoming::new(PostId(id), ThingId(id), author, TimeMs(id), Vec::new(), analysis)
    }

    /// Stores posts as the intake does, without what recognition doesn't read.
    async fn archive(
        conn: &mut SqliteConnection,
        page: &[Incoming],
        recognised: &[Recognition],
        seen_keys: &SeenKeys,
    ) -> Result<Covered, StoreError> {
        let updates: BTreeMap<&Handle, AuthorUpdate> = page
            .iter()
            .filter_map(|post| post.author.as_ref())
            .map(|handle| {
                let author = Author::from_handle(handle.as_str());
                let seen = TimeMs(0);
                (handle, AuthorUpdate { author, posts: 1, copies: 0, first_seen: seen, last_seen: seen })
            })
            .collect();
        let updates: Vec<AuthorUpdate> = updates.into_values().collect();
        authors::upsert(conn, NetworkKind::X, &updates).await?;
        let new = page.iter().zip(recognised).filter(|(_, recognition)| recognition.matched.is_none());
        let things: Vec<NewThing> =
            new.map(|(post, _)| NewThing { id: post.new_thing, first_seen: TimeMs(0), replayed: false }).collect();
        things::insert(conn, &things).await?;
        let plain: Vec<Post> = page.iter().map(plain).collect();
        let rows: Vec<NewPost<'_>> = page
            .iter()
            .zip(recognised)
            .zip(&plain)
            .map(|((incoming, recognition), post)| NewPost {
                id: incoming.post,
                thing: recognition.thing,
                attribution: incoming.analysis.attribution.as_ref(),
                seen_at: TimeMs(0),
                post,
            })
            .collect();
        posts::insert(conn, &rows).await?;
        store_variants(conn, seen_keys, page).await
    }

    fn plain(incoming: &Incoming) -> Post {
        Post {
            network: NetworkKind::X,
            remote_id: RemoteId::new(incoming.post.0.to_string()),
            author: incoming.author.as_ref().map(|handle| Author::from_handle(handle.as_str())),
            text: String::new(),
            lang: None,
            created_at: incoming.created_at,
            repost_of: None,
            provenance: Provenance::Watch,
            facts: Facts::default(),
        }
    }

    async fn play(pages: &[&[Incoming]]) -> Vec<Recognition> {
        play_by(DedupPolicy::default(), pages).await
    }

    async fn play_by(policy: DedupPolicy, pages: &[&[Incoming]]) -> Vec<Recognition> {
        let store: Store = Store::open(OpenOptions::new(":memory:")).await.unwrap();
        let mut all = Vec::new();
        for page in pages {
            let page: Arc<[Incoming]> = (*page).into();
            let seen_keys = store.seen_keys().clone();
            let recognised = store.write("archive a page", move |conn| {
                let (page, seen_keys) = (page.clone(), seen_keys.clone());
                Box::pin(async move {
                    let recognised = recognise(conn, &seen_keys, &page, &policy).await?;
                    let covered = archive(conn, &page, &recognised, &seen_keys).await?;
                    Ok((recognised, covered))
                })
            });
            let (recognised, covered) = recognised.await.unwrap();
            store.seen_keys().committed(covered);
            all.extend(recognised);
        }
        store.close().await.unwrap();
        all
    }

    const TIDE: &str = "The tide is out and the whole harbour smells of seaweed this morning #harbour";

    #[tokio::test]
    async fn a_copy_is_found_whether_it_comes_after_its_original_or_before() {
        let original = incoming(1, Some("ann"), TIDE);
        let copy = incoming(2, Some("bob"), &format!("RT @ann: {TIDE}"));
        let after = play(&[std::slice::from_ref(&original), std::slice::from_ref(&copy)]).await;
        let matched = after[1].matched.as_ref().unwrap();
        assert_eq!((after[1].thing, matched.post, matched.rule), (ThingId(1), PostId(1), Rule::Attribution));

        let before = play(&[&[copy], &[original]]).await;
        let matched = before[1].matched.as_ref().unwrap();
        assert_eq!((before[1].thing, matched.post, matched.rule), (ThingId(2), PostId(2), Rule::Exact));
        assert_eq!(before[1].credited_by, Some(PostId(2)));
    }

    #[tokio::test]
    async fn a_page_gives_what_its_posts_would_give_one_by_one() {
        // More bearers of each key than are looked at, so that the caps count too.
        let texts: Vec<Incoming> = (1..=450)
            .map(|id| match id % 5 {
                0 => incoming(id, Some("ann"), TIDE),
                1 => incoming(id, Some("bob"), &format!("RT @ann: {TIDE}")),
                2 => incoming(id, None, &format!("{}…", &TIDE[..40])),
                3 => incoming(
                    id,
                    Some("cat"),
                    &format!("Ferry number {id} leaves the harbour for the islands at noon today"),
                ),
                _ => incoming(id, Some("dan"), &format!("“@ann: {TIDE}” wonderful, isn't it? {id}")),
            })
            .collect();
        let one_by_one: Vec<&[Incoming]> = texts.chunks(1).collect();
        let paged: Vec<&[Incoming]> = texts.chunks(170).collect();
        let expected = play(&one_by_one).await;
        assert_eq!(play(&paged).await, expected);
        assert_eq!(play(&[&texts]).await, expected);
        let things: std::collections::HashSet<_> = expected.iter().map(|r| r.thing).collect();
        assert_eq!(things.len(), 1 + 90);
        assert!(!expected[40].crowded && expected[449].crowded);
    }

    #[tokio::test]
    async fn a_page_forgets_what_its_posts_would_forget_one_by_one() {
        // A post each second; copied within the window, then after a pause longer than it.
        let seconds = [1, 2, 3, 40, 50, 100, 101, 200];
        let texts: Vec<Incoming> = seconds
            .iter()
            .zip(1..)
            .map(|(second, id)| Incoming { created_at: TimeMs(second * 1000), ..incoming(id, None, TIDE) })
            .collect();
        let policy = DedupPolicy { forget_after: Some(std::time::Duration::from_secs(45)), ..DedupPolicy::default() };
        let one_by_one: Vec<&[Incoming]> = texts.chunks(1).collect();
        let expected = play_by(policy, &one_by_one).await;
        let things: Vec<i64> = expected.iter().map(|recognition| recognition.thing.0).collect();
        assert_eq!(things, [1, 1, 1, 1, 1, 6, 6, 8]);
        let matched = |at: usize| expected[at].matched.as_ref().map(|matched| matched.post.0);
        assert_eq!((matched(3), matched(4)), (Some(1), Some(4)), "the earliest that is not forgotten");
        for page in [2, 3, 8] {
            let pages: Vec<&[Incoming]> = texts.chunks(page).collect();
            assert_eq!(play_by(policy, &pages).await, expected, "pages of {page}");
        }
    }

    #[tokio::test]
    async fn a_short_text_matches_only_by_evidence_from_authors() {
        let recognised = play(&[&[
            incoming(1, Some("ann"), "Good morning!"),
            incoming(2, Some("bob"), "Good morning!"),
            incoming(3, Some("cat"), "RT @bob: Good morning!"),
        ]])
        .await;
        assert_eq!(recognised.iter().map(|r| r.thing.0).collect::<Vec<_>>(), [1, 2, 2]);
    }
}
