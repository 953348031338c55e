//! Pure functions from a post's text to what it can be recognised by.
//!
//! [`analyse`] takes a text apart into its payload [`Variant`]s; [`fingerprint`] gives each the terms under which it is
//! found again; [`similarity`] decides whether two variants are the same words; [`search_form`] prepares texts and
//! words for people's full-text search. `docs/duplicates.md` tells why it is done so.

pub mod attribution;
pub mod canonical;
mod clean;
mod credit;
mod credit_words;
mod diff;
pub mod differing;
pub mod fingerprint;
pub mod limits;
mod scan;
mod script;
pub mod search_form;
pub mod similarity;
mod small_words;
mod variant;
mod words;

pub use canonical::Canonical;
pub use variant::{Analysis, Variant, VariantKind, analyse};
