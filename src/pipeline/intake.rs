//! Intake: one page becomes archived posts, verdicts, outbox rows and a cursor, in one write transaction.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use sqlx::SqliteConnection;

use super::{
    batch::{Arrival, Batch, Reader},
    decision::{self, Decision},
    standing::{count, record_changes, thing_states},
};
use crate::{
    dedup::{
        Incoming, Match, Recognition,
        decide::{Case, Changes, Decider, ThingState},
        filter::Subject,
        recognise, store_variants,
    },
    model::{Action, Handle, NetworkKind, Post, PostId, RemoteId, Rule, ThingId, TimeMs, Verdict},
    store::{
        SeenKeys, Store, StoreError, accounts,
        authors::{self, AuthorUpdate},
        counters,
        lock::WriteLock,
        posts::{self, KnownPost, LivePost, NewPost},
        seen_keys::Covered,
        things::{self, NewThing},
        verdicts,
    },
};

/// Takes a page in. Decisions come in the order of the posts; those that changed earlier verdicts come first.
///
/// # Errors
/// Any [`StoreError`]; then nothing of the page was written.
pub async fn take_in<L: WriteLock>(
    store: &Store<L>,
    reader: Arc<Reader>,
    batch: Arc<Batch>,
    now: TimeMs,
) -> Result<Vec<Decision>, StoreError> {
    let seen_keys = store.seen_keys().clone();
    let (decisions, covered) = store
        .write("archive a page", move |conn| {
            let (reader, batch, seen_keys) = (reader.clone(), batch.clone(), seen_keys.clone());
            Box::pin(async move { Page::take(conn, &reader, &batch, &seen_keys, now).await })
        })
        .await?;
    store.seen_keys().committed(covered);
    Ok(decisions)
}

/// A page on its way through the transaction.
struct Page<'a> {
    reader: &'a Reader,
    batch: &'a Batch,
    seen_keys: &'a SeenKeys,
    now: TimeMs,
    /// Where each arrival stands in the archive; set for all of them before anything is decided.
    places: Vec<Place>,
    /// What was looked for among the archived texts.
    incoming: Vec<Incoming>,
}

/// An arrival's place in the archive.
#[derive(Clone, Debug)]
struct Place {
    post: PostId,
    thing: ThingId,
    /// Archived before this page, or earlier in it.
    known: bool,
    is_copy: bool,
    /// For a native repost whose original is archived.
    native_of: Option<PostId>,
    recognition: Option<Recognition>,
}

impl<'a> Page<'a> {
    async fn take(
        conn: &mut SqliteConnection,
        reader: &'a Reader,
        batch: &'a Batch,
        seen_keys: &'a SeenKeys,
        now: TimeMs,
    ) -> Result<(Vec<Decision>, Covered), StoreError> {
        let places = Vec::with_capacity(batch.arrivals.len());
        let mut page = Self { reader, batch, seen_keys, now, places, incoming: Vec::new() };
        page.place(conn).await?;
        let covered = page.archive(conn).await?;
        let (decisions, changes) = page.decide(conn).await?;
        page.record(conn, &decisions, changes).await?;
        Ok((decisions, covered))
    }

    /// Finds out which posts are known, and to which thing each of the others belongs.
    async fn place(&mut self, conn: &mut SqliteConnection) -> Result<(), StoreError> {
        let mut ids = posts::next_ids(conn).await?;
        let mut known = self.known(conn).await?;
        let brought = self.brought(conn, &known).await?;
        for arrival in &self.batch.arrivals {
            let post = &arrival.post;
            if let Some(known) = known.get(&post.remote_id) {
                self.places.push(Place::known(*known));
                continue;
            }
            let original = post.repost_of.as_ref().and_then(|original| known.get(original)).copied();
            let brought = brought.get(&post.remote_id).filter(|_| original.is_none());
            let thing = original.map(|original| original.thing).or(brought.map(|(_, thing)| *thing));
            let place = Place {
                post: ids.take_post(),
                thing: thing.unwrap_or_else(|| ids.take_thing()),
                known: false,
                is_copy: arrival.is_copy(),
                native_of: original.map(|original| original.post),
                recognition: brought.map(|(post, thing)| same_post(*post, *thing, arrival.author())),
            };
            known.insert(
                post.remote_id.clone(),
                KnownPost { post: place.post, thing: place.thing, is_copy: place.is_copy },
            );
            if thing.is_none() {
                self.incoming.push(arrival.incoming(&place));
            }
            self.places.push(place);
        }
        let recognitions = recognise(conn, self.seen_keys, &self.incoming, &self.reader.dedup).await?;
        let mut things: HashMap<ThingId, ThingId> = HashMap::new();
        let mut found: HashMap<PostId, Recognition> = HashMap::new();
        for (incoming, recognition) in self.incoming.iter().zip(recognitions) {
            things.insert(incoming.new_thing, recognition.thing);
            found.insert(incoming.post, recognition);
        }
        for place in &mut self.places {
            // A native repost of a post of this page, and a post that comes twice, follow that post to its thing.
            place.thing = things.get(&place.thing).copied().unwrap_or(place.thing);
            if let Some(recognition) = found.remove(&place.post) {
                place.recognition = Some(recognition);
            }
        }
        Ok(())
    }

    async fn known(&self, conn: &mut SqliteConnection) -> Result<HashMap<RemoteId, KnownPost>, StoreError> {
        let mut wanted = BTreeSet::new();
        for Arrival { post, .. } in &self.batch.arrivals {
            wanted.insert(post.remote_id.as_str());
            wanted.extend(post.repost_of.as_ref().map(RemoteId::as_str));
        }
        let wanted: Vec<RemoteId> = wanted.into_iter().map(RemoteId::new).collect();
        posts::known(conn, self.reader.network, &wanted).await
    }

    /// Which of the posts that are not `known` a replay has brought.
    async fn brought(
        &self,
        conn: &mut SqliteConnection,
        known: &HashMap<RemoteId, KnownPost>,
    ) -> Result<HashMap<RemoteId, (PostId, ThingId)>, StoreError> {
        if self.reader.network == NetworkKind::Replay {
            return Ok(HashMap::new());
        }
        let unknown = self.batch.arrivals.iter().filter(|arrival| !known.contains_key(&arrival.post.remote_id));
        let unknown: Vec<(&Post, Option<Handle>)> = unknown.map(|arrival| (&arrival.post, arrival.author())).collect();
        let live: Vec<LivePost<'_>> = unknown
            .iter()
            .map(|(post, author)| LivePost {
                remote_id: &post.remote_id,
                author: author.as_ref(),
                text: posts::cap(&post.text),
            })
            .collect();
        posts::brought(conn, &live).await
    }

    /// Every arrival that was not known, with its place.
    fn fresh(&self) -> impl Iterator<Item = (&'a Arrival, &Place)> {
        self.batch.arrivals.iter().zip(&self.places).filter(|(_, place)| !place.known)
    }

    /// The things that begin with this page.
    fn opened_things(&self) -> impl Iterator<Item = NewThing> {
        self.fresh().filter(|(_, place)| place.opens_thing()).map(|(arrival, place)| NewThing {
            id: place.thing,
            first_seen: arrival.seen_at,
            replayed: arrival.post.provenance.is_replayed(),
        })
    }

    /// Writes down everything that came, before anything is decided about it.
    async fn archive(&self, conn: &mut SqliteConnection) -> Result<Covered, StoreError> {
        self.upsert_authors(conn).await?;
        things::insert(conn, &self.opened_things().collect::<Vec<_>>()).await?;
        let new_posts: Vec<NewPost<'_>> = self
            .fresh()
            .map(|(arrival, place)| NewPost {
                id: place.post,
                thing: place.thing,
                attribution: arrival.analysis.attribution.as_ref(),
                seen_at: arrival.seen_at,
                post: &arrival.post,
            })
            .collect();
        posts::insert(conn, &new_posts).await?;
        let covered = store_variants(conn, self.seen_keys, &self.incoming).await?;
        if let Some(watch) = self.reader.watch {
            let seen: Vec<PostId> = self.places.iter().map(|place| place.post).collect();
            posts::insert_sightings(conn, watch, &seen, self.now).await?;
        }
        posts::quarantine(conn, self.reader.network, self.reader.watch, &self.batch.bad, self.now).await?;
        Ok(covered)
    }

    async fn upsert_authors(&self, conn: &mut SqliteConnection) -> Result<(), StoreError> {
        let mut updates: BTreeMap<&str, AuthorUpdate> = BTreeMap::new();
        for (arrival, place) in self.fresh() {
            let Some(author) = &arrival.post.author else { continue };
            let update = updates.entry(author.remote_id.as_str()).or_insert_with(|| AuthorUpdate {
                author: author.clone(),
                posts: 0,
                copies: 0,
                first_seen: arrival.seen_at,
                last_seen: arrival.seen_at,
            });
            update.posts += 1;
            update.copies += i64::from(place.is_copy);
            update.last_seen = arrival.seen_at;
        }
        let updates: Vec<AuthorUpdate> = updates.into_values().collect();
        authors::upsert(conn, self.reader.network, &updates).await
    }

    /// Decides about every post that has no verdict for this account yet, in the order in which they came.
    async fn decide(&self, conn: &mut SqliteConnection) -> Result<(Vec<Decision>, Changes), StoreError> {
        let reader = self.reader;
        let due_at = self.batch.arrivals.iter().map(|arrival| arrival.seen_at).max().unwrap_or(self.now);
        let due = verdicts::due_holds(conn, reader.account, due_at).await?;
        let known: Vec<PostId> = self.places.iter().filter(|place| place.known).map(|place| place.post).collect();
        let mut decided: BTreeSet<PostId> =
            verdicts::decided(conn, reader.account, &known).await?.into_iter().collect();
        // What another account archived was recognised then; only who credits it has to be asked again.
        let undecided: Vec<PostId> = known.into_iter().filter(|post| !decided.contains(post)).collect();
        let credited_by = posts::credited_by(conn, &undecided).await?;
        // Nobody can have decided about a thing that begins with this page.
        let opened = self.opened_things().map(|thing| (thing.id, ThingState::new(None, thing.replayed, &[])));
        let mut states: HashMap<ThingId, ThingState> = opened.collect();
        let met = self.places.iter().map(|place| place.thing).chain(due.clone());
        let met: BTreeSet<ThingId> = met.filter(|thing| !states.contains_key(thing)).collect();
        states.extend(thing_states(conn, reader.account, &met.into_iter().collect::<Vec<_>>()).await?);

        let mut decider = Decider::new(reader.sharing, &reader.filters, states, reader.sends);
        let mut decides = Vec::with_capacity(self.places.len());
        for (arrival, place) in self.batch.arrivals.iter().zip(&self.places) {
            let first_time = decided.insert(place.post);
            if first_time {
                let mut case = arrival.case(place);
                case.credited_by = case.credited_by.or_else(|| credited_by.get(&place.post).copied());
                decider.decide(&case);
            }
            decides.push(first_time);
        }
        for thing in due.into_iter().chain(self.places.iter().map(|place| place.thing)) {
            decider.expire(thing, due_at);
        }
        let decisions = self.decisions(conn, &decider, &decides).await?;
        Ok((decisions, decider.into_changes()))
    }

    /// What there is to tell, in order: changed verdicts about earlier posts, then the page's own posts. `decides` says
    /// of each of these whether it was decided about now, or seen before.
    async fn decisions(
        &self,
        conn: &mut SqliteConnection,
        decider: &Decider<'_>,
        decides: &[bool],
    ) -> Result<Vec<Decision>, StoreError> {
        let changes = decider.changes();
        let now: BTreeSet<PostId> =
            self.places.iter().zip(decides).filter(|(_, decides)| **decides).map(|(place, _)| place.post).collect();
        let earlier = changes.verdicts.values().filter(|verdict| !now.contains(&verdict.post));
        let mut decisions = decision::of_archived(conn, earlier).await?;
        for ((arrival, place), decides) in self.batch.arrivals.iter().zip(&self.places).zip(decides) {
            let verdict = changes.verdicts.get(&place.post).filter(|_| *decides);
            let verdict = verdict.cloned().unwrap_or_else(|| seen_before(place));
            decisions.push(Decision::of(&arrival.post, arrival.analysis.attribution.clone(), verdict));
        }
        decision::tell_others(conn, &mut decisions, |thing| decider.original(thing)).await?;
        Ok(decisions)
    }

    async fn record(
        &self,
        conn: &mut SqliteConnection,
        decisions: &[Decision],
        changes: Changes,
    ) -> Result<(), StoreError> {
        let received = i64::try_from(self.batch.arrivals.len()).unwrap_or(i64::MAX);
        record_changes(conn, self.reader, changes, self.now).await?;
        let mut counts = count(decisions.iter().map(|decision| &decision.verdict));
        counts.insert("received", received);
        if !self.batch.bad.is_empty() {
            counts.insert("quarantined", i64::try_from(self.batch.bad.len()).unwrap_or(i64::MAX));
        }
        let recognised = self.places.iter().filter_map(|place| place.recognition.as_ref());
        let crowded = recognised.filter(|recognition| recognition.crowded).count();
        if crowded > 0 {
            counts.insert("crowded", i64::try_from(crowded).unwrap_or(i64::MAX));
        }
        counters::add(conn, self.reader.watch, &counts, self.now).await?;
        if let (Some(watch), Some(cursor)) = (self.reader.watch, &self.batch.cursor) {
            accounts::set_cursor(conn, watch, cursor, self.now).await?;
        }
        Ok(())
    }
}

impl Place {
    fn known(known: KnownPost) -> Self {
        Self {
            post: known.post,
            thing: known.thing,
            known: true,
            is_copy: known.is_copy,
            native_of: None,
            recognition: None,
        }
    }

    /// Whether this post is the first of its thing.
    fn opens_thing(&self) -> bool {
        self.recognition.as_ref().is_some_and(|recognition| recognition.matched.is_none())
    }
}

impl Arrival {
    fn incoming(&self, place: &Place) -> Incoming {
        let links = self.post.facts.links.clone();
        Incoming::new(place.post, place.thing, self.author(), self.post.created_at, links, self.analysis.clone())
    }

    fn case(&self, place: &Place) -> Case<'_> {
        let recognition = place.recognition.as_ref();
        Case {
            post: place.post,
            thing: place.thing,
            author: self.author(),
            seen_at: self.seen_at,
            is_copy: place.is_copy,
            is_native: self.post.repost_of.is_some(),
            native_of: place.native_of,
            matched: recognition.and_then(|recognition| recognition.matched.clone()),
            credited_by: recognition.and_then(|recognition| recognition.credited_by),
            subject: Subject::from(&self.post),
        }
    }
}

/// That a post is the very one that a replay brought.
fn same_post(post: PostId, thing: ThingId, author: Option<Handle>) -> Recognition {
    let matched = Match { post, author, rule: Rule::Seen, similarity: 1.0 };
    Recognition { thing, matched: Some(matched), credited_by: None, crowded: false }
}

fn seen_before(place: &Place) -> Verdict {
    Verdict {
        post: place.post,
        thing: place.thing,
        action: Action::Skip,
        rule: Rule::Seen,
        matched: None,
        similarity: None,
        hold_until: None,
        slot: None,
    }
}
