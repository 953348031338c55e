//! The integration tests, as one binary.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and its generic parts stand outside #[test]")]

mod bot;
mod comparison;
mod conformance;
mod fake_x;
mod fuzzed;
mod generated_posts;
mod house;
mod languages;
mod lock;
mod policies;
mod queries;
mod rehearsal;
mod rust_source;
mod x;
mod x_records;
