//! A decision as it is told: the verdict, and enough of the posts to be understood by a person.

use std::collections::{BTreeSet, HashMap};

use sqlx::SqliteConnection;

use crate::{
    model::{Handle, Post, PostId, RemoteId, ThingId, Verdict},
    store::{
        StoreError,
        posts::{self, ArchivedPost, Told},
    },
};

/// How much of a text is told, in bytes.
const EXCERPT_BYTES: usize = 400;

/// A decision about one post.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// The post's id on its network.
    pub remote_id: RemoteId,
    /// Its author's handle, as the network writes it.
    pub author: Option<String>,
    /// The beginning of its text; raw, to be escaped before it is shown.
    pub excerpt: String,
    /// The handle that it credits.
    pub attribution: Option<Handle>,
    /// The post that it was matched with.
    pub matched: Option<Told>,
    /// The original of its thing, as far as it was known when the decision fell.
    pub original: Option<Told>,
}

impl Decision {
    /// A decision about a post that is at hand.
    pub fn of(post: &Post, attribution: Option<Handle>, verdict: Verdict) -> Self {
        Self {
            verdict,
            remote_id: post.remote_id.clone(),
            author: post.author.as_ref().map(|author| author.handle.clone()),
            excerpt: excerpt(&post.text),
            attribution,
            matched: None,
            original: None,
        }
    }
}

/// The decisions about posts that stand in the archive only.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub(super) async fn of_archived(
    conn: &mut SqliteConnection,
    verdicts: impl Iterator<Item = &Verdict>,
) -> Result<Vec<Decision>, StoreError> {
    let verdicts: Vec<&Verdict> = verdicts.collect();
    let posts = load(conn, verdicts.iter().map(|verdict| verdict.post)).await?;
    Ok(verdicts
        .into_iter()
        .filter_map(|verdict| posts.get(&verdict.post).map(|post| (verdict, post)))
        .map(|(verdict, post)| Decision {
            verdict: verdict.clone(),
            remote_id: post.remote_id.clone(),
            author: post.author_handle.clone(),
            excerpt: excerpt(&post.text),
            attribution: post.attribution.clone(),
            matched: None,
            original: None,
        })
        .collect())
}

/// Adds to each decision whom it was matched with, and the original of its thing.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub(super) async fn tell_others(
    conn: &mut SqliteConnection,
    decisions: &mut [Decision],
    original_of: impl Fn(ThingId) -> Option<PostId>,
) -> Result<(), StoreError> {
    let others = decisions.iter().flat_map(|decision| {
        let verdict = &decision.verdict;
        [verdict.matched, original_of(verdict.thing)].into_iter().flatten()
    });
    let told = posts::told(conn, &others.collect()).await?;
    let told = |post: PostId| told.get(&post).cloned();
    for decision in decisions {
        decision.matched = decision.verdict.matched.and_then(told);
        decision.original = original_of(decision.verdict.thing).and_then(told);
    }
    Ok(())
}

async fn load(
    conn: &mut SqliteConnection,
    ids: impl Iterator<Item = PostId>,
) -> Result<HashMap<PostId, ArchivedPost>, StoreError> {
    let ids: BTreeSet<PostId> = ids.collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let posts = posts::load(conn, &ids.into_iter().collect::<Vec<_>>()).await?;
    Ok(posts.into_iter().map(|post| (post.id, post)).collect())
}

fn excerpt(text: &str) -> String {
    text[..text.floor_char_boundary(EXCERPT_BYTES)].to_owned()
}
