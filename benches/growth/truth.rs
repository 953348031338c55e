//! The generator's truth, and how right the verdicts are against it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::generator::{Post, Posts};

/// Which thing each post is, known by its original. Four bytes a post.
#[derive(Default)]
pub(super) struct Truth {
    /// For each post in order, its original's distance from the first post.
    originals: Vec<u32>,
    /// Originals that are still to come, though a copy has come.
    expected: BTreeSet<u64>,
}

/// What a verdict on a post should be.
pub(super) struct Wanted {
    /// The id of its thing's original.
    original: u64,
    /// Whether another post of the thing came before.
    repeat: bool,
}

impl Truth {
    /// Adds the next post.
    pub(super) fn add(&mut self, post: &Post) -> Wanted {
        let original = post.copy_of.unwrap_or(post.id);
        self.originals
            .push(u32::try_from(original - Posts::FIRST_ID).expect("there are fewer than four billion posts"));
        let repeat = if original > post.id {
            !self.expected.insert(original)
        } else {
            original < post.id || self.expected.remove(&original)
        };
        Wanted { original, repeat }
    }

    /// The original of a post's thing.
    pub(super) fn original_of(&self, id: u64) -> Option<u64> {
        let place = usize::try_from(id.checked_sub(Posts::FIRST_ID)?).ok()?;
        self.originals.get(place).map(|&original| Posts::FIRST_ID + u64::from(original))
    }
}

/// How many verdicts were right.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Accuracy {
    /// Posts whose thing was in the archive: copies, and originals that came after a copy.
    pub(super) repeats: u64,
    /// Of these, matched with a post of their thing.
    pub(super) found: u64,
    /// Of these, matched with a post of another thing.
    pub(super) misplaced: u64,
    /// Posts whose thing was new.
    pub(super) first_sightings: u64,
    /// Of these, matched with a post of another thing.
    pub(super) false_matches: u64,
}

impl Accuracy {
    /// Counts one verdict: `matched` is `None` for a new thing, else the original of the post that it was matched with.
    pub(super) fn count(&mut self, wanted: &Wanted, matched: Option<Option<u64>>) {
        let right = matched == Some(Some(wanted.original));
        let wrong = matched.is_some() && !right;
        if wanted.repeat {
            self.repeats += 1;
            self.found += u64::from(right);
            self.misplaced += u64::from(wrong);
        } else {
            self.first_sightings += 1;
            self.false_matches += u64::from(wrong);
        }
    }
}
