//! How verdicts would differ between two policies: the same posts go through both, each into an archive of its own, and
//! the two archives' verdicts are walked side by side.

use std::sync::Arc;

use tokio::try_join;

use super::{
    lines::BadLine,
    reading::{Read, Reading, Source},
    run::{Filling, Policy, ReplayError, Replayed},
};
use crate::{
    model::{AccountId, Action, PostId, TimeMs, Verdict},
    pipeline::batch::Batch,
    store::{Store, StoreError, lock::WriteLock, verdicts},
};

/// How many verdicts of each side are in memory at once.
const VERDICTS_A_PAGE: u32 = 1_000;

/// In which way two verdicts about one post differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A reposts it, B does not.
    OnlyAReposts,
    /// B reposts it, A does not.
    OnlyBReposts,
    /// One skips it, the other still waits for its original.
    OneHolds,
    /// Both do the same, for another match.
    OtherMatch,
    /// Both do the same for the same match, by another rule.
    OtherRule,
}

impl Kind {
    /// Every kind, the weightiest first.
    pub const ALL: [Self; 5] =
        [Self::OnlyAReposts, Self::OnlyBReposts, Self::OneHolds, Self::OtherMatch, Self::OtherRule];

    /// The name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnlyAReposts => "only-a-reposts",
            Self::OnlyBReposts => "only-b-reposts",
            Self::OneHolds => "one-holds",
            Self::OtherMatch => "other-match",
            Self::OtherRule => "other-rule",
        }
    }

    /// The kind in plain words.
    pub fn words(self) -> &'static str {
        match self {
            Self::OnlyAReposts => "A reposts, B does not",
            Self::OnlyBReposts => "B reposts, A does not",
            Self::OneHolds => "one skips, the other still waits for the original",
            Self::OtherMatch => "both do the same, matched with another post",
            Self::OtherRule => "both do the same, by another rule",
        }
    }

    fn of(a: &Verdict, b: &Verdict) -> Option<Self> {
        match (a.action, b.action) {
            (Action::Repost, Action::Skip | Action::Hold) => Some(Self::OnlyAReposts),
            (Action::Skip | Action::Hold, Action::Repost) => Some(Self::OnlyBReposts),
            (a, b) if a != b => Some(Self::OneHolds),
            _ if a.matched != b.matched => Some(Self::OtherMatch),
            _ => (a.rule != b.rule).then_some(Self::OtherRule),
        }
    }
}

/// A post about which the two policies differ. Rows are the same in both archives.
#[derive(Clone, Debug, PartialEq)]
pub struct Differing {
    /// In which way.
    pub kind: Kind,
    /// What A decided.
    pub a: Verdict,
    /// What B decided.
    pub b: Verdict,
}

impl Differing {
    /// The post.
    pub fn post(&self) -> PostId {
        self.a.post
    }
}

/// Two archives that were filled with the same posts, by two policies.
pub struct Compared<'s, L: WriteLock> {
    stores: [&'s Store<L>; 2],
    accounts: [AccountId; 2],
    /// What was read.
    pub replayed: Replayed,
    /// Everything after this has been walked.
    after: PostId,
}

/// Replays `source` by two policies into two new archives, in transactions of `batch` posts. `on_bad` is told of lines
/// that can't be used, `on_progress` of the bytes read from files, or the posts read from an archive.
///
/// # Errors
/// See [`ReplayError`].
pub async fn compare<'s, L: WriteLock>(
    source: Source,
    batch: usize,
    stores: [&'s Store<L>; 2],
    policies: [Policy; 2],
    mut on_bad: impl FnMut(&BadLine),
    on_progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<Compared<'s, L>, ReplayError> {
    let (a, b) = (Filling::begin(stores[0], policies[0]).await?, Filling::begin(stores[1], policies[1]).await?);
    let mut reading = Reading::start(source, batch, on_progress);
    let mut replayed = Replayed::default();
    let mut latest = TimeMs(i64::MIN);
    while let Some(message) = reading.next().await {
        match message {
            Read::Bad(bad) => {
                replayed.bad_lines += 1;
                on_bad(&bad);
            }
            Read::Failed(error) => return Err(error),
            Read::Posts(network, arrivals) => {
                replayed.posts += arrivals.len() as u64;
                let now = arrivals.iter().map(|arrival| arrival.seen_at).max().unwrap_or(latest);
                let batch = Arc::new(Batch { arrivals, ..Batch::default() });
                try_join!(a.take_in(network, batch.clone(), now), b.take_in(network, batch, now))?;
                latest = latest.max(now);
            }
        }
    }
    for filling in [&a, &b] {
        while !filling.end_holds(latest).await?.is_empty() {}
    }
    reading.ended().await?;
    Ok(Compared { stores, accounts: [a.account(), b.account()], replayed, after: PostId(0) })
}

impl<L: WriteLock> Compared<'_, L> {
    /// The next posts about which the policies differ, in the order in which they came; perhaps none of a stretch where
    /// both agree. `None` at the end.
    ///
    /// # Errors
    /// Any [`StoreError`] of the databases.
    pub async fn next(&mut self) -> Result<Option<Vec<Differing>>, StoreError> {
        let (a, b) = try_join!(self.page(0), self.page(1))?;
        let Some(last) = a.last() else { return Ok(None) };
        self.after = last.post;
        // Each post has one verdict on either side, so the two pages are about the same posts.
        let differing = a.into_iter().zip(b).filter_map(|(a, b)| Some(Differing { kind: Kind::of(&a, &b)?, a, b }));
        Ok(Some(differing.collect()))
    }

    async fn page(&self, side: usize) -> Result<Vec<Verdict>, StoreError> {
        let (account, after) = (self.accounts[side], self.after);
        self.stores[side]
            .read("read verdicts", move |conn| {
                Box::pin(async move { verdicts::page(conn, account, after, VERDICTS_A_PAGE).await })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Rule, ThingId};

    fn verdict(action: Action, rule: Rule, matched: Option<i64>) -> Verdict {
        let (post, thing, matched) = (PostId(9), ThingId(9), matched.map(PostId));
        Verdict { post, thing, action, rule, matched, similarity: None, hold_until: None, slot: None }
    }

    #[test]
    fn what_is_done_weighs_more_than_why() {
        let repost = verdict(Action::Repost, Rule::FirstHand, None);
        let skip = verdict(Action::Skip, Rule::Near, Some(3));
        let hold = verdict(Action::Hold, Rule::AwaitingOriginal, None);
        let exact = verdict(Action::Skip, Rule::Exact, Some(3));
        let other = verdict(Action::Skip, Rule::Near, Some(4));
        for (a, b, kind) in [
            (&repost, &skip, Some(Kind::OnlyAReposts)),
            (&repost, &hold, Some(Kind::OnlyAReposts)),
            (&skip, &repost, Some(Kind::OnlyBReposts)),
            (&skip, &hold, Some(Kind::OneHolds)),
            (&skip, &other, Some(Kind::OtherMatch)),
            (&skip, &exact, Some(Kind::OtherRule)),
            (&skip, &skip, None),
        ] {
            assert_eq!(Kind::of(a, b), kind);
        }
    }
}
