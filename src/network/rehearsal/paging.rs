//! Where a chain of pages goes on.

use crate::{model::TimeMs, network::PageToken};

/// Where a chain goes on: below this place, as of the time when it began.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ChainPosition {
    /// The place in the timeline that the pages so far begin with.
    pub(super) below: usize,
    /// When the first page was read.
    pub(super) began: TimeMs,
}

impl ChainPosition {
    /// The position as a token.
    pub(super) fn token(&self) -> PageToken {
        PageToken(format!("{}@{}", self.below, self.began.0))
    }

    /// Reads a token; `None` if it is not one of ours.
    pub(super) fn read(token: &PageToken) -> Option<Self> {
        let (below, began) = token.0.split_once('@')?;
        Some(Self { below: below.parse().ok()?, began: TimeMs(began.parse().ok()?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_a_strange_one_is_refused() {
        let position = ChainPosition { below: 25, began: TimeMs(-7) };
        assert_eq!(ChainPosition::read(&position.token()), Some(position));
        for strange in ["", "25", "25@", "x@1", "-1@1", "99999999999999999999@1"] {
            assert_eq!(ChainPosition::read(&PageToken(strange.to_owned())), None, "{strange}");
        }
    }
}
