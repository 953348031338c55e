//! From latencies to the tables and the picture.

use std::time::Duration;

use super::{
    axis::{position, positions, quantile, spread},
    cells::{Cell, Strategy, Synchronous, Workload},
    latencies::{Counts, Latencies, Percentiles},
    protocol::Report,
    statistics::{Measured, Round, median},
    table::tables,
};

const CELL: Cell = Cell::new(Workload::Rmw, 2, 1, Synchronous::Full);

/// A worker that did so many writes, each in this time.
fn report(operations: u64, us: u64, seconds: f64) -> Report {
    let mut writes = Latencies::new().unwrap();
    (0..operations).for_each(|_| writes.record(Duration::from_micros(us)));
    Report { seconds, writes: writes.counts(), ..Report::default() }
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
}

#[test]
fn what_is_sent_between_processes_has_the_same_percentiles() {
    let mut sent = Latencies::new().unwrap();
    (1..=10_000).for_each(|us| sent.record(Duration::from_micros(us)));
    let json = serde_json::to_string(&sent.counts()).unwrap();
    let mut received = Latencies::new().unwrap();
    serde_json::from_str::<Counts>(&json).unwrap().add_to(&mut received).unwrap();
    assert_eq!(received.count(), 10_000);
    assert_eq!(Percentiles::of(&received), Percentiles::of(&sent));
    let median = received.quantile_ms(0.5).unwrap();
    assert!((median - 5.0).abs() < 0.02, "{median}");
}

#[test]
fn nothing_measured_has_no_percentiles() {
    assert_eq!(Percentiles::of(&Latencies::new().unwrap()), None);
}

#[test]
fn fairness_is_the_slowest_process_over_the_fastest() {
    let round = Round::of(&[report(100, 10, 1.0), report(80, 10, 1.0), report(90, 10, 1.0)]).unwrap();
    assert_near(round.fairness, 0.8);
    assert_near(Round::of(&[report(7, 10, 1.0)]).unwrap().fairness, 1.0);
    assert_near(Round::of(&[report(0, 10, 1.0), report(0, 10, 1.0)]).unwrap().fairness, 0.0);
}

#[test]
fn throughput_is_of_all_processes_until_the_last_has_ended() {
    let round = Round::of(&[report(100, 10, 1.0), report(100, 10, 2.0)]).unwrap();
    assert_near(round.ops_per_second, 100.0);
    assert_eq!(round.operations, 200);
}

#[test]
fn the_median_of_an_even_number_lies_between_the_middle_two() {
    assert_eq!(median([]), None);
    assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
}

#[test]
fn a_ratio_compares_strategies_round_by_round() {
    let mut measured = Measured::default();
    // The second round was disturbed and ran at a tenth of the speed, for both.
    for seconds in [1.0, 10.0, 1.0] {
        measured.add(CELL, Strategy::SingleWriter, Round::of(&[report(300, 10, seconds)]).unwrap());
        measured.add(CELL, Strategy::BusyTimeout, Round::of(&[report(100, 30, seconds)]).unwrap());
    }
    let pair = (Strategy::SingleWriter, Strategy::BusyTimeout);
    assert_near(measured.ratio(CELL, pair, |round| Some(round.ops_per_second)).unwrap(), 3.0);
    assert_eq!(measured.ratio(CELL, (Strategy::Naive, Strategy::BusyTimeout), |_| Some(1.0)), None);
}

#[test]
fn a_summary_has_medians_of_latencies_and_sums_of_failures() {
    let mut measured = Measured::default();
    for us in [100, 900, 200] {
        let mut report = report(1000, us, 1.0);
        report.failures.insert("5".to_owned(), 500);
        measured.add(CELL, Strategy::Naive, Round::of(&[report]).unwrap());
    }
    let summaries = measured.summaries();
    assert_eq!((summaries[0].rounds, summaries[0].failed()), (3, 1500));
    assert!(summaries[0].curve.iter().all(|(_, ms)| (ms - 0.2).abs() < 0.001));
    assert_eq!(
        tables(&summaries),
        "short read-modify-write, 2 processes × 1 task, synchronous FULL\n\n\
         | strategy | ops/s | p50 ms | p99 ms | p99.9 ms | max ms |    failed | retries | fairness |\n\
         |----------|------:|-------:|-------:|---------:|-------:|----------:|--------:|---------:|\n\
         | naive    | 1,000 |  0.200 |  0.200 |    0.200 |  0.200 | 1,500 (5) |       0 |     1.00 |\n"
    );
}

#[test]
fn each_nine_takes_the_same_room_on_the_axis() {
    for (quantile, expected) in [(0.0, 0.0), (0.9, 1.0), (0.99, 2.0), (0.999, 3.0), (0.9999, 4.0)] {
        assert_near(position(quantile), expected);
    }
    for step in 0..400 {
        let there = f64::from(step) / 100.0;
        assert_near(position(quantile(there)), there);
    }
}

#[test]
fn a_curve_ends_where_its_operations_tell_no_more() {
    assert_eq!(positions(0).count(), 0);
    assert_eq!(positions(1).count(), 1);
    let last = positions(1000).last().unwrap();
    assert!((2.95..=3.0).contains(&last), "{last}");
}

#[test]
fn labels_that_do_not_touch_stay_where_they_are() {
    assert_eq!(spread(&[30.0, 0.0, 15.0], 10.0), [30.0, 0.0, 15.0]);
}

#[test]
fn labels_that_touch_move_apart_around_their_middle_and_keep_their_order() {
    assert_eq!(spread(&[10.0, 10.0], 10.0), [5.0, 15.0]);
    let places = spread(&[50.0, 52.0, 49.0, 20.0, 61.0], 10.0);
    let mut sorted = places.clone();
    sorted.sort_by(f64::total_cmp);
    assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] > 10.0 - 1e-9), "{places:?}");
    assert!(places[3] < places[2] && places[2] < places[0] && places[0] < places[1] && places[1] < places[4]);
}
