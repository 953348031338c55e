//! The parts of the comparison of locking strategies that could be wrong silently.
#![expect(dead_code, reason = "the program uses all of it, these tests what they are about")]

#[path = "../../../benches/locking/axis.rs"]
mod axis;
#[path = "../../../benches/locking/cells.rs"]
mod cells;
#[path = "../../../benches/locking/latencies.rs"]
mod latencies;
#[path = "../../../benches/locking/protocol.rs"]
mod protocol;
#[path = "../../../benches/locking/statistics.rs"]
mod statistics;
#[path = "../../../benches/locking/table.rs"]
mod table;
#[path = "../../../benches/locking/verification.rs"]
mod verification;

mod figures;
mod rows;
