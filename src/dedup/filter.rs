//! Filters: which posts may be reposted at all.
//!
//! They are asked about the post that would be *reposted* (never about the copy that led to it), when the verdict falls
//! and again when the repost is claimed for sending.

use std::{collections::HashSet, time::Duration};

use crate::{
    model::{Author, Facts, Handle, Hashtag, Post, RemoteId, Rule, TimeMs, Visibility},
    store::posts::ArchivedPost,
};

/// What the filters look at.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The author's handle, as the network writes it.
    pub author_handle: Option<&'a str>,
    /// The author's id on the network.
    pub author_remote_id: Option<&'a RemoteId>,
    /// The language, as the network tells.
    pub lang: Option<&'a str>,
    /// When it was posted.
    pub created_at: TimeMs,
    /// The rest.
    pub facts: &'a Facts,
}

impl<'a> From<&'a Post> for Subject<'a> {
    fn from(post: &'a Post) -> Self {
        let author = post.author.as_ref();
        Self {
            author_handle: author.map(|author| author.handle.as_str()),
            author_remote_id: author.map(|Author { remote_id, .. }| remote_id),
            lang: post.lang.as_deref(),
            created_at: post.created_at,
            facts: &post.facts,
        }
    }
}

impl<'a> From<&'a ArchivedPost> for Subject<'a> {
    fn from(post: &'a ArchivedPost) -> Self {
        Self {
            author_handle: post.author_handle.as_deref(),
            author_remote_id: post.author_remote_id.as_ref(),
            lang: post.lang.as_deref(),
            created_at: post.created_at,
            facts: &post.facts,
        }
    }
}

/// The filters of one account. The default lets everything pass but what is not public.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// One of these has to stand in the post; empty: none is asked for.
    pub hashtags: Vec<Hashtag>,
    /// Our own id on the network.
    pub own: Option<RemoteId>,
    /// Authors who are never reposted.
    pub blocked_authors: HashSet<Handle>,
    /// Wanted languages, as primary BCP 47 subtags; empty: all. A post whose language is unknown passes.
    pub languages: Vec<String>,
    /// Let answers to other posts pass.
    pub replies: bool,
    /// Let sensitive posts pass.
    pub sensitive: bool,
    /// Refuse what was posted before this time.
    pub start: Option<TimeMs>,
    /// Refuse what is older than this.
    pub max_age: Option<Duration>,
    /// No filter at all: a replay asks only what is a copy of what.
    pub everything_passes: bool,
}

/// What X calls a language when it could not tell one.
const UNKNOWN_LANGUAGES: [&str; 7] = ["und", "zxx", "qam", "qct", "qht", "qme", "qst"];

impl Filters {
    /// The filters of a replay: none.
    pub fn none() -> Self {
        Self { everything_passes: true, ..Self::default() }
    }

    /// The first filter that refuses this post, or `None` if it may be reposted.
    pub fn refuse(&self, post: Subject<'_>, now: TimeMs) -> Option<Rule> {
        if self.everything_passes {
            return None;
        }
        let blocked = || post.author_handle.is_some_and(|handle| self.blocked_authors.contains(&Handle::new(handle)));
        let has_hashtag = || self.hashtags.iter().any(|tag| post.facts.hashtags.contains(tag));
        let checks: [(Rule, &dyn Fn() -> bool); 9] = [
            (Rule::OwnPost, &|| self.own.is_some() && post.author_remote_id == self.own.as_ref()),
            (Rule::BlockedAuthor, &blocked),
            (Rule::NotPublic, &|| post.facts.visibility != Visibility::Public),
            (Rule::Sensitive, &|| post.facts.sensitive && !self.sensitive),
            (Rule::Reply, &|| post.facts.reply.is_some() && !self.replies),
            (Rule::HashtagMissing, &|| !self.hashtags.is_empty() && !has_hashtag()),
            (Rule::Language, &|| !self.wants_language(post.lang)),
            (Rule::BeforeStart, &|| self.start.is_some_and(|start| post.created_at < start)),
            (Rule::TooOld, &|| self.max_age.is_some_and(|age| now.since(post.created_at) > age)),
        ];
        checks.into_iter().find(|(_, refuses)| refuses()).map(|(rule, _)| rule)
    }

    fn wants_language(&self, lang: Option<&str>) -> bool {
        let Some(lang) = lang else { return true };
        let primary = lang.split(['-', '_']).next().unwrap_or(lang);
        self.languages.is_empty()
            || UNKNOWN_LANGUAGES.contains(&primary)
            || self.languages.iter().any(|wanted| wanted.eq_ignore_ascii_case(primary))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reply;

    fn subject<'a>(facts: &'a Facts, lang: Option<&'a str>) -> Subject<'a> {
        Subject { author_handle: Some("Ada"), author_remote_id: None, lang, created_at: TimeMs(1_000_000), facts }
    }

    fn public() -> Facts {
        Facts { hashtags: vec![Hashtag::new("rust")], ..Facts::default() }
    }

    #[test]
    fn each_filter_refuses_with_its_own_rule() {
        let now = TimeMs(2_000_000);
        let reply = Facts { reply: Some(Reply { to_post: None, to_author: None }), ..public() };
        let unlisted = Facts { visibility: Visibility::Unlisted, ..public() };
        let sensitive = Facts { sensitive: true, ..public() };
        let only = |change: fn(&mut Filters)| {
            let mut filters = Filters::default();
            change(&mut filters);
            filters
        };
        let cases: [(Filters, &Facts, Option<&str>, Option<Rule>); 12] = [
            (Filters::default(), &public(), Some("de"), None),
            (Filters::default(), &reply, None, Some(Rule::Reply)),
            (only(|f| f.replies = true), &reply, None, None),
            (Filters::default(), &unlisted, None, Some(Rule::NotPublic)),
            (Filters::default(), &sensitive, None, Some(Rule::Sensitive)),
            (only(|f| f.hashtags = vec![Hashtag::new("rustnot")]), &public(), None, Some(Rule::HashtagMissing)),
            (only(|f| f.hashtags = vec![Hashtag::new("#RUST")]), &public(), None, None),
            (only(|f| f.languages = vec!["en".into()]), &public(), Some("de-AT"), Some(Rule::Language)),
            (only(|f| f.languages = vec!["en".into()]), &public(), Some("und"), None),
            (only(|f| f.blocked_authors = [Handle::new("@ADA")].into()), &public(), None, Some(Rule::BlockedAuthor)),
            (only(|f| f.start = Some(TimeMs(1_000_001))), &public(), None, Some(Rule::BeforeStart)),
            (only(|f| f.max_age = Some(Duration::from_secs(999))), &public(), None, Some(Rule::TooOld)),
        ];
        for (number, (filters, facts, lang, expected)) in cases.into_iter().enumerate() {
            assert_eq!(filters.refuse(subject(facts, lang), now), expected, "case {number}");
        }
    }

    #[test]
    fn we_are_recognised_by_the_networks_id_and_not_by_a_name() {
        let filters = Filters { own: Some(RemoteId::new("7")), ..Filters::default() };
        let facts = public();
        let (ours, other) = (RemoteId::new("7"), RemoteId::new("8"));
        let by = |id| Subject { author_remote_id: Some(id), ..subject(&facts, None) };
        assert_eq!(filters.refuse(by(&ours), TimeMs(0)), Some(Rule::OwnPost));
        assert_eq!(filters.refuse(by(&other), TimeMs(0)), None);
    }
}
