//! What counts as a copy.

use std::time::Duration;

use crate::{
    model::{Rule, TimeMs},
    text::{
        limits::{BALANCED, Thresholds},
        similarity::{Comparison, Likeness, Side, Tokens, compare_tokens},
    },
};

/// Which rules of the recognition are in force, and what they ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DedupPolicy {
    /// What two texts must have in common.
    pub thresholds: Thresholds,
    /// Whether names count: that a text credits the other's author. Without it such a text is a copy only by what the
    /// other rules say of the words alone.
    pub attribution: bool,
    /// Whether the same text is a copy, whoever posts it.
    pub exact: bool,
    /// Whether a text that is cut short is a copy.
    pub truncated: bool,
    /// Whether a text that says nearly the same is a copy.
    pub near: bool,
    /// Posts that are older than an incoming one by more than this are not matched with it; `None` for all are.
    pub forget_after: Option<Duration>,
}

impl Default for DedupPolicy {
    fn default() -> Self {
        Self { thresholds: BALANCED, attribution: true, exact: true, truncated: true, near: true, forget_after: None }
    }
}

impl DedupPolicy {
    /// By which rule `mine`, of a post that comes in, is the same thing as the archived `theirs`, and how the words
    /// compare; the rule is `None` if they are different things, or no rule in force makes them one.
    pub fn judge(&self, mine: (Side<'_>, &Tokens), theirs: (Side<'_>, &Tokens)) -> (Option<Rule>, Comparison) {
        let comparison = compare_tokens(mine, theirs, &self.thresholds());
        (self.rule(mine.0, theirs.0, &comparison), comparison)
    }

    /// The rule that makes the two one thing, after their comparison.
    pub fn rule(&self, mine: Side<'_>, theirs: Side<'_>, comparison: &Comparison) -> Option<Rule> {
        let likeness = comparison.likeness?;
        let credits = |one: Side<'_>, other: Side<'_>| {
            self.attribution && one.variant.credited.is_some() && one.variant.credited.as_ref() == other.author
        };
        if credits(mine, theirs) {
            return Some(Rule::Attribution);
        }
        let (rule, in_force) = match likeness {
            Likeness::Exact => (Rule::Exact, self.exact),
            Likeness::Truncated => (Rule::Truncated, self.truncated),
            Likeness::Near => (Rule::Near, self.near),
        };
        // An original that comes after its copy is found by the copy's credit.
        (in_force || credits(theirs, mine)).then_some(rule)
    }

    /// What two texts must have in common, names counting or not.
    pub fn thresholds(&self) -> Thresholds {
        Thresholds { evidence: self.thresholds.evidence && self.attribution, ..self.thresholds }
    }

    /// Whether a post of `archived` is forgotten when one of `incoming` comes. Only the past is forgotten: what was
    /// posted after the incoming one may be its copy, however late the original comes.
    pub fn forgets(&self, archived: TimeMs, incoming: TimeMs) -> bool {
        self.forget_after.is_some_and(|window| incoming.since(archived) > window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Handle,
        text::{Analysis, analyse, limits},
    };

    /// The best rule between two posts, `author|text` each, the first one coming in.
    fn rule(policy: &DedupPolicy, mine: &str, theirs: &str) -> Option<Rule> {
        let parse = |post: &str| -> (Handle, Analysis) {
            let (author, text) = post.split_once('|').unwrap();
            let author = Handle::new(author);
            (author.clone(), analyse(text, Some(&author)))
        };
        let ((my_author, mine), (their_author, theirs)) = (parse(mine), parse(theirs));
        let pairs = mine.variants.iter().flat_map(|a| theirs.variants.iter().map(move |b| (a, b)));
        let rules = pairs.filter_map(|(a, b)| {
            let mine = Side { variant: a, author: Some(&my_author) };
            let theirs = Side { variant: b, author: Some(&their_author) };
            policy.judge((mine, &Tokens::new(a)), (theirs, &Tokens::new(b))).0
        });
        rules.min()
    }

    const TIDE: &str = "The tide is out and the whole harbour smells of seaweed this morning";

    #[test]
    fn each_rule_can_be_switched_off_alone() {
        let near = format!("dan|Reminder: {TIDE}");
        let (exact, cut) = (format!("bob|{TIDE}"), "cat|The tide is out and the whole harbour smells of sea…");
        let original = format!("ann|{TIDE}");
        let credit = format!("eve|RT @ann: {TIDE}");
        let all = DedupPolicy::default();
        let posts = [&exact, cut, &near, &credit];
        let rules = |policy: &DedupPolicy| posts.map(|post| rule(policy, post, &original));
        let expected = [Some(Rule::Exact), Some(Rule::Truncated), Some(Rule::Near), Some(Rule::Attribution)];
        assert_eq!(rules(&all), expected);
        for (place, policy) in [
            DedupPolicy { exact: false, ..all },
            DedupPolicy { truncated: false, ..all },
            DedupPolicy { near: false, ..all },
        ]
        .iter()
        .enumerate()
        {
            let mut expected = expected;
            expected[place] = None;
            assert_eq!(rules(policy), expected);
        }
    }

    #[test]
    fn without_attribution_names_are_no_evidence_and_words_still_are() {
        let off = DedupPolicy { attribution: false, ..DedupPolicy::default() };
        let (original, copy) = (format!("ann|{TIDE}"), format!("eve|RT @ann: {TIDE}"));
        assert_eq!(rule(&off, &copy, &original), Some(Rule::Exact));
        let (short, short_copy) = ("ann|Low tide!", "bob|RT @ann: Low tide!");
        assert_eq!(rule(&DedupPolicy::default(), short_copy, short), Some(Rule::Attribution));
        assert_eq!(rule(&off, short_copy, short), None);
        assert_eq!(rule(&DedupPolicy { exact: false, ..off }, &copy, &original), None);
    }

    #[test]
    fn an_original_after_its_copy_is_found_by_the_copys_credit() {
        let off = DedupPolicy { exact: false, truncated: false, near: false, ..DedupPolicy::default() };
        let (original, copy) = (format!("ann|{TIDE}"), format!("eve|RT @ann: {TIDE}"));
        assert_eq!(rule(&off, &copy, &original), Some(Rule::Attribution));
        assert_eq!(rule(&off, &original, &copy), Some(Rule::Exact));
        assert_eq!(rule(&off, &original, &format!("eve|{TIDE}")), None);
    }

    #[test]
    fn only_what_is_older_by_more_than_the_window_is_forgotten() {
        let day = Duration::from_secs(86_400);
        let policy = DedupPolicy { forget_after: Some(30 * day), ..DedupPolicy::default() };
        let then = TimeMs(0);
        assert!(!policy.forgets(then, then.plus(30 * day)));
        assert!(policy.forgets(then, then.plus(30 * day + Duration::from_millis(1))));
        assert!(!policy.forgets(then.plus(400 * day), then), "an original that comes late finds its copies");
        assert!(!DedupPolicy::default().forgets(then, then.plus(4_000 * day)));
    }

    #[test]
    fn the_modes_are_three_points_on_one_line() {
        let rules = |mine: &str| {
            [limits::STRICT, BALANCED, limits::EAGER]
                .map(|thresholds| DedupPolicy { thresholds, ..DedupPolicy::default() })
                .map(|policy| rule(&policy, mine, &format!("ann|{TIDE}")))
        };
        let near = Some(Rule::Near);
        assert_eq!(rules(&format!("bob|So: {TIDE}")), [near; 3]);
        assert_eq!(rules(&format!("bob|Good people: {TIDE}")), [None, near, near]);
        assert_eq!(rules(&format!("bob|Seen by everybody who was up: {TIDE}")), [None, None, near]);
        let number = rules("bob|The tide is out and the whole harbour smells of 7 seaweeds this morning");
        assert_eq!(number, [None; 3], "numbers forbid a match in every mode");
    }
}
