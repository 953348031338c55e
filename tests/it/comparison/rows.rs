//! What was acknowledged is held against what stands in the file.

use super::verification::{Mismatch, Row, TaskLog, compare};

fn row(process: u32, task: u32, sequence: u32) -> Row {
    Row { process, task, sequence }
}

fn log(outcomes: &[bool]) -> TaskLog {
    let mut log = TaskLog::default();
    for acknowledged in outcomes {
        if *acknowledged { log.acknowledged() } else { log.failed() }
    }
    log
}

#[test]
fn a_task_knows_which_of_its_writes_were_acknowledged() {
    let log = log(&[false, true, true, false, false, true]);
    assert_eq!(log.all_acknowledged().collect::<Vec<_>>(), [1, 2, 5]);
    assert_eq!(log.next(), 6);
    let sent: TaskLog = serde_json::from_str(&serde_json::to_string(&log).unwrap()).unwrap();
    assert_eq!(sent, log);
}

#[test]
fn the_same_rows_in_any_order_are_no_mismatch() {
    let rows = vec![row(1, 0, 0), row(0, 1, 0), row(0, 0, 1), row(0, 0, 0)];
    assert!(compare(rows.clone(), rows.into_iter().rev().collect()).is_none());
}

#[test]
fn a_missing_row_is_named() {
    let mismatch = compare(vec![row(0, 0, 0), row(0, 0, 1), row(2, 3, 4)], vec![row(0, 0, 1), row(0, 0, 0)]);
    assert_eq!(mismatch.missing, [row(2, 3, 4)]);
    assert_eq!(mismatch.superfluous, []);
    let text = mismatch.to_string();
    assert!(text.contains("1 acknowledged but missing (the first: process 2, task 3, number 4)"), "{text}");
}

#[test]
fn a_superfluous_row_is_named_wherever_it_stands() {
    for extra in [row(0, 0, 0), row(1, 1, 5), row(9, 9, 9)] {
        let acknowledged = vec![row(0, 0, 1), row(1, 1, 4), row(1, 1, 6)];
        let found = acknowledged.iter().copied().chain([extra]).collect();
        assert_eq!(compare(acknowledged, found), Mismatch { missing: vec![], superfluous: vec![extra] });
    }
}

#[test]
fn a_row_that_stands_twice_is_superfluous_once() {
    let mismatch = compare(vec![row(0, 0, 0)], vec![row(0, 0, 0), row(0, 0, 0)]);
    assert_eq!(mismatch, Mismatch { missing: vec![], superfluous: vec![row(0, 0, 0)] });
}

#[test]
fn a_write_that_was_reported_as_failed_and_stands_in_the_file_is_superfluous() {
    let acknowledged = log(&[true, false]).all_acknowledged().map(|sequence| row(0, 0, sequence)).collect();
    let mismatch = compare(acknowledged, vec![row(0, 0, 0), row(0, 0, 1)]);
    assert_eq!(mismatch.superfluous, [row(0, 0, 1)]);
}
