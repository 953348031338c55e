//! The rehearsal: an adapter as any other, and a timeline whose author knows what should become of it.

mod conforming;
mod ground_truth;
