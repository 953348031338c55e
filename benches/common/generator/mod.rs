//! Invented posts: one stream that all measurements use, as long as one wants, the same for the same seed.
//!
//! Its words are distributed as words of a language are, about a third of its posts pass on what another wrote, in every
//! form that people use for it, and each such copy says whose copy it is. Memory is bounded: 10 million posts are no
//! trouble.

mod forms;
mod posts;
mod vocabulary;

pub(crate) use posts::{Post, Posts};
