//! What is known while a page of posts is recognised: the archive's candidates, and the page's earlier posts.

use std::{
    cell::{Cell, OnceCell},
    collections::{HashMap, VecDeque},
};

use super::Incoming;
use crate::{
    model::{ThingId, VariantId},
    store::candidates::{BEARERS_AT_EACH_END, Bearers, Candidate},
    text::{fingerprint::Key, similarity::Tokens},
};

/// What is known when a post is decided: the archive's answer for the page, and the page's earlier posts.
pub(super) struct Known {
    bearers: HashMap<Key, Places>,
    /// In the order of their ids, those of the page behind all others.
    candidates: Vec<KnownVariant>,
    /// How many look-ups there were.
    look_ups: Cell<u64>,
}

/// A candidate that may be compared several times.
pub(super) struct KnownVariant {
    pub(super) candidate: Candidate,
    /// Split when it is first compared.
    pub(super) tokens: OnceCell<Tokens>,
    /// The look-up that met it last, by number, so that none meets it twice.
    met: Cell<u64>,
}

/// Where the bearers of a key stand among the candidates; what `Bearers` is by their ids.
#[derive(Default)]
struct Places {
    first: Vec<usize>,
    newest: VecDeque<usize>,
}

impl Known {
    pub(super) fn new(keys: Vec<Key>, found: Vec<Bearers>, candidates: Vec<Candidate>) -> Self {
        let place = |id: &VariantId| candidates.binary_search_by_key(id, |candidate| candidate.id).ok();
        let bearers = keys
            .into_iter()
            .zip(&found)
            .map(|(key, bearers)| {
                let first = bearers.first.iter().filter_map(place).collect();
                (key, Places { first, newest: bearers.newest.iter().filter_map(place).collect() })
            })
            .collect();
        let candidates = candidates.into_iter().map(KnownVariant::new).collect();
        Self { bearers, candidates, look_ups: Cell::new(0) }
    }

    pub(super) fn add(&mut self, post: &Incoming, thing: ThingId) {
        for (variant, keys) in post.analysis.variants.iter().zip(post.keys()) {
            let place = self.candidates.len();
            for key in keys {
                self.bearers.entry(*key).or_default().add(place);
            }
            self.candidates.push(KnownVariant::new(Candidate {
                // Stands for the row's id, which it gets when it is stored: above all others, in order.
                id: VariantId(i64::MAX / 2 + place as i64),
                variant: variant.clone(),
                post: post.post,
                thing,
                author: post.author.clone(),
                attribution: post.analysis.attribution.clone(),
                created_at: post.created_at,
            }));
        }
    }

    /// The bearers of some keys, each once.
    pub(super) fn bearers(&self, keys: &[Key]) -> impl Iterator<Item = &KnownVariant> {
        let look_up = self.look_ups.get() + 1;
        self.look_ups.set(look_up);
        let places = keys.iter().filter_map(|key| self.bearers.get(key));
        let all = places.flat_map(|places| places.first.iter().chain(&places.newest));
        all.map(|&place| &self.candidates[place]).filter(move |known| known.met.replace(look_up) != look_up)
    }

    /// Whether one of the keys is borne by more variants than are looked at.
    pub(super) fn is_crowded(&self, keys: &[Vec<Key>]) -> bool {
        keys.iter().flatten().filter_map(|key| self.bearers.get(key)).any(Places::is_crowded)
    }
}

impl KnownVariant {
    fn new(candidate: Candidate) -> Self {
        Self { candidate, tokens: OnceCell::new(), met: Cell::new(0) }
    }
}

impl Places {
    /// Whether there may be bearers between the first and the newest.
    fn is_crowded(&self) -> bool {
        self.newest.front().is_some_and(|newest| self.first.last() < Some(newest))
    }

    /// Adds the newest bearer, so that the list is what the archive would answer after storing it.
    fn add(&mut self, place: usize) {
        if self.first.len() < BEARERS_AT_EACH_END {
            self.first.push(place);
            return;
        }
        if self.newest.is_empty() {
            self.newest.extend(&self.first);
        }
        self.newest.push_back(place);
        self.newest.pop_front();
    }
}
