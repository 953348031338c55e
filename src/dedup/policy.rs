//! What counts as a copy.

use crate::model::Rule;

/// Which rules of the recognition are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DedupPolicy {
    /// Whether a text that says nearly the same is a copy.
    pub near: bool,
    /// Whether a text that is cut short is a copy.
    pub truncated: bool,
}

impl Default for DedupPolicy {
    fn default() -> Self {
        Self { near: true, truncated: true }
    }
}

impl DedupPolicy {
    /// Whether a match by this rule counts.
    pub fn allows(&self, rule: Rule) -> bool {
        match rule {
            Rule::Near => self.near,
            Rule::Truncated => self.truncated,
            _ => true,
        }
    }
}
