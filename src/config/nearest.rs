//! The nearest right name for a misspelt one.

use strsim::damerau_levenshtein;

/// The candidate nearest to `name`, if it is near enough to be meant: a third of its letters may differ.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The right path for an unknown one: the nearest key of the same section, else the same key in another section, else
/// whatever is nearest as a whole.
pub(super) fn nearest_path<'a>(path: &str, known: &[&'a str]) -> Option<&'a str> {
    let path = path.to_lowercase().replace('-', "_");
    let (section, name) = path.rsplit_once('.').unwrap_or(("", &path));
    let split = |known: &&'a str| known.rsplit_once('.').unwrap_or(("", known));
    let same_section = known.iter().filter(|known| split(known).0 == section).map(|known| split(known).1);
    if let Some(found) = nearest(name, same_section) {
        return known.iter().find(|known| split(known) == (section, found)).copied();
    }
    let elsewhere = known.iter().find(|known| split(known).1 == name).copied();
    elsewhere.or_else(|| nearest(&path, known.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["database.path", "dedup.grace_seconds", "account.name", "account.watch"];

    #[test]
    fn a_misspelt_key_finds_the_right_one() {
        assert_eq!(nearest_path("database.pth", &KNOWN), Some("database.path"));
        assert_eq!(nearest_path("databse.path", &KNOWN), Some("database.path"));
        assert_eq!(nearest_path("database.grace_seconds", &KNOWN), Some("dedup.grace_seconds"));
        assert_eq!(nearest_path("dedup.Grace-Seconds", &KNOWN), Some("dedup.grace_seconds"));
    }

    #[test]
    fn a_key_that_resembles_nothing_gets_no_suggestion() {
        assert_eq!(nearest_path("database.colour_of_the_sky", &KNOWN), None);
    }
}
