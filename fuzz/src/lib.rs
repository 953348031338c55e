//! The checks that the fuzz targets run; `tests/it/fuzzed.rs` runs them too, over every input that is kept.

pub mod checks;
