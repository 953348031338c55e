//! Why two posts are one thing or not, for people: computed anew by the rules that decide, from what is archived.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use sqlx::SqliteConnection;

use super::{DedupPolicy, Incoming, recognise::rank};
use crate::{
    model::{Handle, PostId, Rule, TimeMs},
    store::{
        StoreError,
        candidates::{self, BEARERS_AT_EACH_END},
    },
    text::{
        Variant, VariantKind,
        similarity::{self, Explanation, Side, Tokens},
    },
};

/// A post as far as it is compared.
#[derive(Clone, Copy, Debug)]
pub struct Payloads<'a> {
    /// Who posted it, where that is known.
    pub author: Option<&'a Handle>,
    /// When it was posted.
    pub created_at: TimeMs,
    /// Its payloads.
    pub variants: &'a [Variant],
}

/// What the comparison of two posts says.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// Which payload of one's own was compared.
    pub mine: VariantKind,
    /// With which payload of the other.
    pub theirs: VariantKind,
    /// The rule by which they are one thing; `None` if they are not, or the rule is not in force.
    pub rule: Option<Rule>,
    /// Whether the other is too old to be matched.
    pub forgotten: bool,
    /// The comparison with its figures and words.
    pub explanation: Explanation,
}

/// Compares two posts by the payloads that are most alike, as they are compared when `mine` comes in; `None` if one of
/// them has none.
pub fn explain(mine: Payloads<'_>, theirs: Payloads<'_>, policy: &DedupPolicy) -> Option<Explained> {
    let pairs = mine.variants.iter().flat_map(|a| theirs.variants.iter().map(move |b| (a, b)));
    let judged = pairs.map(|(a, b)| {
        let (mine, theirs) = (Side { variant: a, author: mine.author }, Side { variant: b, author: theirs.author });
        let (rule, comparison) = policy.judge((mine, &Tokens::new(a)), (theirs, &Tokens::new(b)));
        let likeness = comparison.likeness.map_or(u8::MAX, |likeness| likeness as u8);
        ((rule.map_or(u8::MAX, rank), likeness), comparison.similarity, mine, theirs, rule)
    });
    let best = judged.reduce(|best, next| {
        let better = next.0 < best.0 || (next.0 == best.0 && next.1 > best.1);
        if better { next } else { best }
    });
    best.map(|(_, _, my_side, their_side, rule)| Explained {
        mine: my_side.variant.kind,
        theirs: their_side.variant.kind,
        rule,
        forgotten: policy.forgets(theirs.created_at, mine.created_at),
        explanation: similarity::explain(my_side, their_side, &policy.thresholds()),
    })
}

/// The earlier posts that are nearest to a post.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nearest {
    /// At most as many as were asked for, the nearest first.
    pub posts: Vec<PostId>,
    /// Whether there may be more that were not looked at, because so many are like it.
    pub crowded: bool,
}

/// Finds the earlier posts that share most with an archived post, by the look-up with which it is recognised, and with
/// the same bound: of what one key finds, the first and the newest.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn nearest(conn: &mut SqliteConnection, post: &Incoming, count: usize) -> Result<Nearest, StoreError> {
    let mut keys: Vec<_> = post.keys().iter().flatten().copied().collect();
    keys.sort_unstable();
    keys.dedup();
    let bearers = candidates::bearers(conn, &keys).await?;
    let crowded = bearers.iter().any(|found| found.newest.len() >= BEARERS_AT_EACH_END);
    // Keys that a variant shares with any of the post's own: mentions and guards don't count for them, and so they find
    // near what is rejected in the end.
    let mut shared: HashMap<_, usize> = HashMap::new();
    for found in &bearers {
        let ids: HashSet<_> = found.first.iter().chain(&found.newest).collect();
        ids.into_iter().for_each(|id| *shared.entry(*id).or_insert(0) += 1);
    }
    let ids: Vec<_> = shared.keys().copied().collect();
    let mut posts: HashMap<PostId, usize> = HashMap::new();
    for candidate in candidates::load(conn, &ids).await?.into_iter().filter(|found| found.post < post.post) {
        let most = posts.entry(candidate.post).or_insert(0);
        *most = shared[&candidate.id].max(*most);
    }
    let mut posts: Vec<_> = posts.into_iter().collect();
    posts.sort_unstable_by_key(|(post, shared)| (Reverse(*shared), *post));
    posts.truncate(count);
    Ok(Nearest { posts: posts.into_iter().map(|(post, _)| post).collect(), crowded })
}
