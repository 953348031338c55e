//! The distributions of latencies as a picture, for talks: SVG, and PNG made from it.

use std::{fs, path::Path};

use anyhow::Context;
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use resvg::{tiny_skia, usvg};

use super::{
    axis::{self, TICKS},
    cells::{Cell, Strategy, Synchronous, Workload},
    machine::Machine,
    statistics::Summary,
};

/// Width and height of the picture.
const SIZE: (u32, u32) = (1360, 640);
/// How many pixels of the PNG to one of the SVG, in each direction.
const SHARPNESS: u16 = 2;
/// What stands for the font: any without serifs.
const FONT: &str = "sans-serif";
/// Height of the labels at the ends of curves.
const LABEL: f64 = 17.0;
/// Room for milliseconds at the left.
const LEFT: i32 = 76;
/// Room for the strategies' names at the right.
const LABELS_WIDTH: i32 = 190;
/// The share of failed operations from which on a curve is left out.
const HOPELESS: f64 = 0.5;
/// Milliseconds that are labelled.
const MILLISECONDS: [(f64, &str); 7] = [
    (0.01, "10 µs"),
    (0.1, "0.1 ms"),
    (1.0, "1 ms"),
    (10.0, "10 ms"),
    (100.0, "100 ms"),
    (1_000.0, "1 s"),
    (10_000.0, "10 s"),
];

const INK: RGBColor = RGBColor(40, 40, 40);
const FAINT: RGBColor = RGBColor(225, 225, 225);

/// The colours of Okabe and Ito, which people with any colour vision tell apart (<https://jfly.uni-koeln.de/color/>).
fn colour(strategy: Strategy) -> RGBColor {
    match strategy {
        Strategy::Naive => RGBColor(0, 0, 0),
        Strategy::BusyTimeout => RGBColor(230, 159, 0),
        Strategy::BusyTimeoutPool => RGBColor(204, 121, 167),
        Strategy::TimeoutRetry => RGBColor(0, 158, 115),
        Strategy::SingleWriter => RGBColor(0, 114, 178),
        Strategy::Rusqlite => RGBColor(213, 94, 0),
        Strategy::AsyncSqlite => RGBColor(86, 180, 233),
    }
}

/// The two cells that are drawn: of those that were measured, the ones that show most.
fn cells(summaries: &[Summary]) -> Vec<Cell> {
    let mut measured: Vec<Cell> = summaries.iter().map(|summary| summary.cell).collect();
    measured.dedup();
    measured.retain(|cell| cell.workload != Workload::Reader);
    // A stable sort: among equals the tables' order.
    measured.sort_by_key(|cell| {
        let shows = [(4, 16, Synchronous::Full), (1, 64, Synchronous::Full), (4, 16, Synchronous::Normal)];
        let known = shows.iter().position(|shown| *shown == (cell.processes, cell.tasks, cell.synchronous));
        (cell.workload != Workload::Rmw, known.unwrap_or(shows.len()))
    });
    measured.truncate(2);
    measured
}

/// Draws the picture beside this path: with the endings `svg` and `png`.
///
/// # Errors
/// If a file can't be written.
pub(crate) fn draw(summaries: &[Summary], machine: &Machine, path: &Path) -> anyhow::Result<()> {
    let svg = svg(summaries, machine).context("draw the picture")?;
    fs::write(path.with_extension("svg"), &svg).context("write the picture")?;
    fs::write(path.with_extension("png"), png(&svg)?).context("write the picture")?;
    Ok(())
}

fn svg(summaries: &[Summary], machine: &Machine) -> anyhow::Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (head, body) = root.split_vertically(84);
        head.draw(&text("How long a write waits: locking strategies for SQLite", (28, 26), 27.0, INK, HPos::Left))?;
        let rounds = summaries.iter().map(|summary| summary.rounds).max().unwrap_or(0);
        let rounds = if rounds == 1 { "One round.".to_owned() } else { format!("Medians of {rounds} rounds.") };
        let note = format!("{rounds} {machine}");
        head.draw(&text(&note, (28, 58), 15.0, RGBColor(95, 95, 95), HPos::Left))?;
        let cells = cells(summaries);
        for (panel, cell) in body.split_evenly((1, cells.len().max(1))).iter().zip(cells) {
            let drawn: Vec<&Summary> = summaries.iter().filter(|summary| summary.cell == cell).collect();
            draw_panel(panel, cell, &drawn)?;
        }
        root.present()?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw_panel(panel: &Area<'_>, cell: Cell, summaries: &[&Summary]) -> anyhow::Result<()> {
    let points = || {
        let drawn = summaries.iter().filter(|summary| failed_share(summary) <= HOPELESS);
        drawn.flat_map(|summary| &summary.curve)
    };
    let right = points().map(|(position, _)| *position).fold(1.0, f64::max);
    let low = (points().map(|(_, ms)| *ms).fold(1.0, f64::min) * 0.8).log10();
    let high = (points().map(|(_, ms)| *ms).fold(10.0, f64::max) * 1.25).log10();
    let title = format!("{}: {}", cell.workload.title(), cell.size());
    panel.draw(&text(&title, (LEFT, 12), 17.0, INK, HPos::Left))?;
    let chart = ChartBuilder::on(panel)
        .margin_top(38)
        .margin_left(LEFT)
        .margin_bottom(60)
        .margin_right(LABELS_WIDTH)
        .build_cartesian_2d(0.0..right, low..high)?;
    let (left, top) = panel.get_base_pixel();
    let pixel = |point| {
        let (x, y) = chart.backend_coord(&point);
        (x - left, y - top)
    };
    for (quantile, name) in TICKS {
        let x = axis::position(quantile);
        if x <= right {
            let (from, to) = (pixel((x, low)), pixel((x, high)));
            panel.draw(&PathElement::new(vec![from, to], FAINT))?;
            panel.draw(&text(name, (from.0, from.1 + 14), 14.0, INK, HPos::Center))?;
        }
    }
    for (ms, name) in MILLISECONDS {
        let y = ms.log10();
        if (low..=high).contains(&y) {
            let (from, to) = (pixel((0.0, y)), pixel((right, y)));
            panel.draw(&PathElement::new(vec![from, to], FAINT))?;
            panel.draw(&text(name, (from.0 - 8, from.1), 14.0, INK, HPos::Right))?;
        }
    }
    let (from, to) = (pixel((0.0, low)), pixel((right, low)));
    let what = "share of the writes that waited no longer";
    panel.draw(&text(what, (i32::midpoint(from.0, to.0), from.1 + 40), 14.0, INK, HPos::Center))?;
    let mut ends = Vec::new();
    // The bot's own are drawn last, above the others.
    let (own, others): (Vec<&Summary>, Vec<&Summary>) =
        summaries.iter().partition(|summary| summary.strategy.is_the_bots());
    for summary in others.into_iter().chain(own) {
        if failed_share(summary) > HOPELESS {
            continue;
        }
        let curve: Vec<(f64, f64)> = summary.curve.iter().map(|(position, ms)| (*position, ms.log10())).collect();
        ends.extend(curve.last().map(|end| (summary, pixel(*end))));
        let width = if summary.strategy.is_the_bots() { 4 } else { 2 };
        let curve = curve.into_iter().map(pixel).collect::<Vec<_>>();
        panel.draw(&PathElement::new(curve, colour(summary.strategy).stroke_width(width)))?;
    }
    label_ends(panel, &ends)?;
    // What hardly ever succeeds has no distribution worth the name.
    let hopeless = summaries.iter().filter(|summary| failed_share(summary) > HOPELESS);
    for (line, summary) in (0..).zip(hopeless) {
        let at = (to.0 + 22, to.1 - 8 - 20 * line);
        panel.draw(&text(&label(summary), at, 15.0, colour(summary.strategy), HPos::Left))?;
    }
    Ok(())
}

/// Writes each strategy's name where its curve ends, and moves names apart that would lie on each other.
fn label_ends(panel: &Area<'_>, ends: &[(&Summary, (i32, i32))]) -> anyhow::Result<()> {
    let at = panel.dim_in_pixel().0 as i32 - LABELS_WIDTH + 22;
    let wanted: Vec<f64> = ends.iter().map(|(_, (_, y))| f64::from(*y)).collect();
    for ((summary, (x, y)), place) in ends.iter().zip(axis::spread(&wanted, LABEL)) {
        let colour = colour(summary.strategy);
        #[expect(clippy::cast_possible_truncation, reason = "a place in the picture")]
        let place = place.round() as i32;
        panel.draw(&PathElement::new(vec![(*x, *y), (at - 4, place)], colour.mix(0.5)))?;
        panel.draw(&text(&label(summary), (at, place), 15.0, colour, HPos::Left))?;
    }
    Ok(())
}

/// The name, and how many failed: a curve shows only those that succeeded.
fn label(summary: &Summary) -> String {
    match failed_share(summary) {
        0.0 => summary.strategy.name().to_owned(),
        share => format!("{}: {:.0} % failed", summary.strategy, share * 100.0),
    }
}

/// Which share of the operations failed.
fn failed_share(summary: &Summary) -> f64 {
    let failed = summary.failed();
    failed as f64 / (failed + summary.operations).max(1) as f64
}

fn text<'t>(text: &str, at: (i32, i32), size: f64, colour: RGBColor, anchor: HPos) -> Text<'t, (i32, i32), String> {
    Text::new(text.to_owned(), at, (FONT, size).into_font().color(&colour).pos(Pos::new(anchor, VPos::Center)))
}

/// Renders with a font of its own, so that it looks the same on a machine without any.
fn png(svg: &str) -> anyhow::Result<Vec<u8>> {
    let mut options = usvg::Options::default();
    let fonts = options.fontdb_mut();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    let tree = usvg::Tree::from_str(svg, &options).context("read the picture")?;
    let (width, height) = (SIZE.0 * u32::from(SHARPNESS), SIZE.1 * u32::from(SHARPNESS));
    let mut pixels = tiny_skia::Pixmap::new(width, height).context("make room for the picture")?;
    let scale = f32::from(SHARPNESS);
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().context("encode the picture")
}
