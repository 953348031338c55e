//! How many posts of an answer X charges for.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use crate::model::TimeMs;

/// From how many ids on the day's list is begun anew. Forgetting only counts too much, which is the safe side.
const IDS_LIMIT: usize = 200_000;
const HOURS_A_DAY: i64 = 24;

/// The posts that were charged for on this day. X charges a post once in a UTC day, however often it is read
/// (docs.x.com, "Pricing", 2026-08), and the overlap of the reading reads many twice.
#[derive(Debug, Default)]
pub(super) struct ChargedToday {
    /// Guards day and list, which change together; held only to count one answer.
    day: Mutex<(i64, HashSet<String>)>,
}

impl ChargedToday {
    /// Counts the posts that were not charged for yet, and remembers them.
    pub(super) fn count(&self, delivered: HashSet<String>, now: TimeMs) -> u32 {
        let today = now.hour().div_euclid(HOURS_A_DAY);
        let mut guard = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        let (day, ids) = &mut *guard;
        if *day != today || ids.len() > IDS_LIMIT {
            *day = today;
            ids.clear();
        }
        let new = delivered.into_iter().filter(|id| ids.insert(id.clone())).count();
        u32::try_from(new).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_charged_once_a_day() {
        let charged = ChargedToday::default();
        let ids = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect::<HashSet<_>>();
        let evening: TimeMs = "2026-11-22T23:59:00Z".parse().unwrap();
        assert_eq!(charged.count(ids(&["1", "2"]), evening), 2);
        assert_eq!(charged.count(ids(&["2", "3"]), evening), 1);
        assert_eq!(charged.count(ids(&["2", "3"]), "2026-11-23T00:00:00Z".parse().unwrap()), 2);
    }
}
