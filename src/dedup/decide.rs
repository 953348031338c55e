//! From what a post is (a first sighting, or a copy of something) to what happens with it.
//!
//! Pure: the state of the things is handed in, the changes are handed out. The same rules serve every account and the
//! replay.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use super::{
    Match,
    filter::{Filters, Subject},
};
use crate::{
    model::{Action, Handle, PostId, Rule, Slot, ThingId, TimeMs, Verdict},
    store::{outbox::NewOrder, verdicts::Standing},
};

/// What to do with a copy whose original does not come within the grace time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnseenOriginal {
    /// Repost the copy.
    #[default]
    RepostCopy,
    /// Repost nothing.
    OriginalsOnly,
}

/// What is done with copies and their originals.
#[derive(Clone, Copy, Debug)]
pub struct SharingPolicy {
    /// How long a copy waits for its original.
    pub grace: Duration,
    /// What happens when the grace time is over.
    pub unseen_original: UnseenOriginal,
    /// Whether things that a replay or an import brought count as shared already. Only the replay itself says no.
    pub replayed_is_shared: bool,
}

/// A post that is to be decided about.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The post.
    pub post: PostId,
    /// The thing it belongs to.
    pub thing: ThingId,
    /// Its author's folded handle.
    pub author: Option<Handle>,
    /// When it was seen: the time at which the decision falls.
    pub seen_at: TimeMs,
    /// Whether it credits somebody else.
    pub is_copy: bool,
    /// Whether it is a native repost.
    pub is_native: bool,
    /// For a native repost: the original, if it is archived.
    pub native_of: Option<PostId>,
    /// The earlier post that it was matched with.
    pub matched: Option<Match>,
    /// An earlier post of the thing that names this post's author.
    pub credited_by: Option<PostId>,
    /// What the filters look at.
    pub subject: Subject<'a>,
}

/// How a thing stands with the account.
#[derive(Clone, Debug, Default)]
pub struct ThingState {
    /// The original, with its author's handle, if one was seen.
    pub original: Option<(PostId, Option<Handle>)>,
    /// Whether a replay or an import brought the thing.
    pub replayed: bool,
    /// The post that was chosen for the first slot.
    first: Option<Chosen>,
    /// Whether the second slot is taken.
    second_taken: bool,
    /// The copy that waits for its original.
    held: Option<Held>,
}

#[derive(Clone, Debug)]
struct Chosen {
    post: PostId,
    /// No attempt to send it may have had its effect, so another post can still take its place.
    unsent: bool,
}

#[derive(Clone, Debug)]
struct Held {
    post: PostId,
    created_at: TimeMs,
    matched: Option<PostId>,
    similarity: Option<f64>,
    until: TimeMs,
}

impl ThingState {
    /// The state as the archive tells it.
    pub fn new(original: Option<(PostId, Option<Handle>)>, replayed: bool, standings: &[Standing]) -> Self {
        let mut state = Self { original, replayed, ..Self::default() };
        for standing in standings {
            state.second_taken |= standing.second_taken;
            match (standing.action, standing.hold_until) {
                (Action::Hold, Some(until)) => {
                    state.held = Some(Held {
                        post: standing.post,
                        created_at: standing.created_at,
                        matched: standing.matched,
                        similarity: standing.similarity,
                        until,
                    });
                }
                (Action::Repost, _) if state.first.is_none() => {
                    state.first = Some(Chosen { post: standing.post, unsent: standing.unsent });
                }
                // A replay orders nothing, so its second repost shows in the verdicts alone.
                (Action::Repost, _) => state.second_taken = true,
                _ => {}
            }
        }
        state
    }
}

/// What has to be written.
#[derive(Debug, Default)]
pub struct Changes {
    /// The latest verdict of each post, those about earlier posts included.
    pub verdicts: BTreeMap<PostId, Verdict>,
    /// New rows for the outbox.
    pub orders: Vec<NewOrder>,
    /// Rows of the outbox that send another post of the same thing.
    pub retargets: Vec<NewOrder>,
    /// Things whose row in the outbox is taken back.
    pub withdrawals: Vec<ThingId>,
    /// Things of which an original is known now that was not known before.
    pub originals: Vec<(ThingId, PostId)>,
}

/// Decides about posts in the order in which they came.
pub struct Decider<'a> {
    policy: SharingPolicy,
    filters: &'a Filters,
    /// Whether what is chosen waits in the outbox. Where nothing is sent, it counts as sent at once, so that verdicts do
    /// not depend on how the posts are parted into pages.
    sends: bool,
    things: HashMap<ThingId, ThingState>,
    changes: Changes,
}

impl<'a> Decider<'a> {
    /// A decider that knows how `things` stand; a thing that is not among them is new.
    pub fn new(policy: SharingPolicy, filters: &'a Filters, things: HashMap<ThingId, ThingState>, sends: bool) -> Self {
        Self { policy, filters, sends, things, changes: Changes::default() }
    }

    /// The thing's original, as far as it is known by now.
    pub fn original(&self, thing: ThingId) -> Option<PostId> {
        self.things.get(&thing)?.original.as_ref().map(|(post, _)| *post)
    }

    /// The changes so far.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// What has to be written.
    pub fn into_changes(self) -> Changes {
        self.changes
    }

    /// Decides about one post.
    pub fn decide(&mut self, case: &Case<'_>) {
        self.expire(case.thing, case.seen_at);
        let state = self.things.entry(case.thing).or_default().clone();
        // Also where the original is not archived: a repost of the repost would put somebody else's words out unfiltered.
        if case.is_native {
            return self.verdict(case, Action::Skip, Rule::NativeRepost, None, case.native_of);
        }
        let named = case.credited_by.is_some();
        let first_hand = !case.is_copy;
        let takes_over = state.original.as_ref().is_none_or(|(_, author)| named && *author != case.author);
        let known_original = state.original.as_ref().is_some_and(|(original, _)| *original == case.post);
        let is_original =
            known_original || (first_hand && takes_over && (case.matched.is_none() || named || case.author.is_none()));
        if is_original && !known_original {
            self.things.entry(case.thing).or_default().original = Some((case.post, case.author.clone()));
            self.changes.originals.push((case.thing, case.post));
        }
        if state.replayed && self.policy.replayed_is_shared && !is_original {
            return self.skip_match(case, Rule::AlreadyShared);
        }
        match (is_original, state.first, state.held) {
            (true, first, held) => self.decide_original(case, first, held, named),
            (false, None, None) if state.original.is_none() => self.hold(case),
            (false, ..) => self.skip_match(case, Rule::Seen),
        }
    }

    /// An original: it goes out, in the place of its copies where that is still possible.
    fn decide_original(&mut self, case: &Case<'_>, first: Option<Chosen>, held: Option<Held>, named: bool) {
        if let Some(refused) = self.filters.refuse(case.subject, case.seen_at) {
            if let Some(held) = held {
                self.overrule(case, held.post, held.similarity, Rule::OriginalFiltered);
            }
            if let Some(first) = first.filter(|first| first.unsent) {
                self.overrule(case, first.post, None, Rule::OriginalFiltered);
                match self.changes.orders.iter().position(|order| order.thing == case.thing) {
                    Some(new) => drop(self.changes.orders.remove(new)),
                    None => self.changes.withdrawals.push(case.thing),
                }
                self.things.entry(case.thing).or_default().first = None;
            }
            return self.verdict(case, Action::Skip, refused, None, None);
        }
        let rule = if case.matched.is_some() || named { Rule::OriginalArrived } else { Rule::FirstHand };
        let order = NewOrder {
            thing: case.thing,
            slot: Slot::First,
            post: case.post,
            post_created_at: case.subject.created_at,
        };
        match first {
            None => {
                if let Some(held) = held {
                    self.overrule(case, held.post, held.similarity, Rule::OriginalPreferred);
                }
                self.changes.orders.push(order);
                self.choose(case, rule, Slot::First);
            }
            Some(first) if first.unsent => {
                self.overrule(case, first.post, None, Rule::OriginalPreferred);
                match self.changes.orders.iter_mut().find(|order| order.thing == case.thing) {
                    Some(new) => *new = order,
                    None => self.changes.retargets.push(order),
                }
                self.choose(case, rule, Slot::First);
            }
            Some(_) if named && !self.things.entry(case.thing).or_default().second_taken => {
                self.changes.orders.push(NewOrder { slot: Slot::NamedOriginal, ..order });
                self.choose(case, rule, Slot::NamedOriginal);
            }
            Some(_) => self.skip_match(case, Rule::Seen),
        }
    }

    /// A copy of something that has not been seen: it waits.
    fn hold(&mut self, case: &Case<'_>) {
        if let Some(refused) = self.filters.refuse(case.subject, case.seen_at) {
            return self.verdict(case, Action::Skip, refused, None, None);
        }
        let until = case.seen_at.plus(self.policy.grace);
        self.verdict(case, Action::Hold, Rule::AwaitingOriginal, None, None);
        if let Some(verdict) = self.changes.verdicts.get_mut(&case.post) {
            verdict.hold_until = Some(until);
        }
        self.things.entry(case.thing).or_default().held = Some(Held {
            post: case.post,
            created_at: case.subject.created_at,
            matched: case.matched.as_ref().map(|matched| matched.post),
            similarity: case.matched.as_ref().map(|matched| matched.similarity),
            until,
        });
        if self.policy.grace.is_zero() {
            self.expire(case.thing, case.seen_at);
        }
    }

    /// Ends the thing's hold if its grace time is over at `now`.
    pub fn expire(&mut self, thing: ThingId, now: TimeMs) {
        let state = self.things.entry(thing).or_default();
        let Some(held) = state.held.take_if(|held| held.until <= now) else { return };
        let (action, rule, slot) = match self.policy.unseen_original {
            UnseenOriginal::RepostCopy => (Action::Repost, Rule::OriginalMissing, Some(Slot::First)),
            UnseenOriginal::OriginalsOnly => (Action::Skip, Rule::OriginalsOnly, None),
        };
        if let Some(slot) = slot {
            state.first = Some(Chosen { post: held.post, unsent: self.sends });
            self.changes.orders.push(NewOrder { thing, slot, post: held.post, post_created_at: held.created_at });
        }
        self.changes.verdicts.insert(
            held.post,
            Verdict {
                post: held.post,
                thing,
                action,
                rule,
                matched: held.matched,
                similarity: held.similarity,
                hold_until: None,
                slot,
            },
        );
    }

    fn choose(&mut self, case: &Case<'_>, rule: Rule, slot: Slot) {
        self.verdict(case, Action::Repost, rule, Some(slot), None);
        let state = self.things.entry(case.thing).or_default();
        match slot {
            Slot::First => state.first = Some(Chosen { post: case.post, unsent: self.sends }),
            Slot::NamedOriginal => state.second_taken = true,
        }
        state.held = None;
    }

    /// Skips the post by the rule of its match, or by `otherwise` if its thing is known without one.
    fn skip_match(&mut self, case: &Case<'_>, otherwise: Rule) {
        let rule = case.matched.as_ref().map_or(otherwise, |matched| matched.rule);
        self.verdict(case, Action::Skip, rule, None, None);
    }

    /// Turns the verdict about an earlier post of the thing into a skip, in favour of this case's post.
    fn overrule(&mut self, case: &Case<'_>, post: PostId, similarity: Option<f64>, rule: Rule) {
        let similarity = similarity.or_else(|| case.matched.as_ref().map(|matched| matched.similarity));
        let verdict = Verdict {
            post,
            thing: case.thing,
            action: Action::Skip,
            rule,
            matched: Some(case.post),
            similarity,
            hold_until: None,
            slot: None,
        };
        self.changes.verdicts.insert(post, verdict);
        self.things.entry(case.thing).or_default().held = None;
    }

    fn verdict(&mut self, case: &Case<'_>, action: Action, rule: Rule, slot: Option<Slot>, matched: Option<PostId>) {
        let verdict = Verdict {
            post: case.post,
            thing: case.thing,
            action,
            rule,
            matched: matched.or(case.matched.as_ref().map(|matched| matched.post)),
            similarity: case.matched.as_ref().map(|matched| matched.similarity),
            hold_until: None,
            slot,
        };
        self.changes.verdicts.insert(case.post, verdict);
    }
}
