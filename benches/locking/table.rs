//! The tables for people, as Markdown that also reads well in a terminal.

use super::{latencies::Percentiles, statistics::Summary};

/// One table a cell, under its title.
pub(crate) fn tables(summaries: &[Summary]) -> String {
    let of_cells = summaries.chunk_by(|one, other| one.cell == other.cell).map(|summaries| {
        let cell = summaries[0].cell;
        format!("{}, {}\n\n{}", cell.workload.title(), cell.size(), table(summaries))
    });
    of_cells.collect::<Vec<_>>().join("\n")
}

/// One cell, a line a strategy.
fn table(summaries: &[Summary]) -> String {
    let reads = summaries[0].cell.workload.reads();
    let alone = summaries.iter().any(|summary| summary.reads_alone.is_some());
    let mut head = vec!["strategy", "ops/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "failed", "retries", "fairness"];
    if reads {
        head.extend(["read p50 ms", "read p99 ms"]);
    }
    if alone {
        head.push("alone p99 ms");
    }
    let mut rows = vec![head.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    for summary in summaries {
        let of = |percentiles: &Option<Percentiles>, which: fn(&Percentiles) -> f64| {
            percentiles.as_ref().map_or_else(|| "-".to_owned(), |percentiles| milliseconds(which(percentiles)))
        };
        let mut row = vec![
            summary.strategy.to_string(),
            thousands(format!("{:.0}", summary.ops_per_second)),
            of(&summary.writes, |writes| writes.p50_ms),
            of(&summary.writes, |writes| writes.p99_ms),
            of(&summary.writes, |writes| writes.p999_ms),
            of(&summary.writes, |writes| writes.max_ms),
            failed(summary),
            thousands(summary.retries),
            if summary.cell.processes > 1 { format!("{:.2}", summary.fairness) } else { "-".to_owned() },
        ];
        if reads {
            row.extend([of(&summary.reads, |reads| reads.p50_ms), of(&summary.reads, |reads| reads.p99_ms)]);
        }
        if alone {
            row.push(of(&summary.reads_alone, |reads| reads.p99_ms));
        }
        rows.push(row);
    }
    markdown(&rows)
}

/// How many failed, and by which codes.
fn failed(summary: &Summary) -> String {
    if summary.failures.is_empty() {
        return "0".to_owned();
    }
    let codes: Vec<&str> = summary.failures.keys().map(String::as_str).collect();
    format!("{} ({})", thousands(summary.failed()), codes.join(", "))
}

/// Three digits, which is what the histograms tell apart.
pub(crate) fn milliseconds(ms: f64) -> String {
    match ms {
        ..1.0 => format!("{ms:.3}"),
        ..10.0 => format!("{ms:.2}"),
        ..100.0 => format!("{ms:.1}"),
        _ => thousands(format!("{ms:.0}")),
    }
}

/// Whole numbers as "12,345".
fn thousands(number: impl ToString) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Aligned columns: the first to the left, numbers to the right.
fn markdown(rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> =
        (0..rows[0].len()).map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            text += &if column == 0 { format!("| {cell:<width$} ") } else { format!("| {cell:>width$} ") };
        }
        text += "|\n";
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                let line = "-".repeat(width + 1);
                text += &if column == 0 { format!("|{line}-") } else { format!("|{line}:") };
            }
            text += "|\n";
        }
    }
    text
}
