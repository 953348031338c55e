//! The axis of percentiles: each further nine takes the same room, so that the tail is not squeezed into the last pixel.

/// Distance between two points of a curve.
const STEP: f64 = 0.02;

/// Percentiles that are labelled.
pub(crate) const TICKS: [(f64, &str); 6] =
    [(0.0, "0 %"), (0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %")];

/// Where a quantile below 1 stands: log10 of 1/(1-q), so 0.9 at 1, 0.99 at 2.
pub(crate) fn position(quantile: f64) -> f64 {
    -(1.0 - quantile).log10()
}

/// The quantile that stands there.
pub(crate) fn quantile(position: f64) -> f64 {
    1.0 - 10f64.powf(-position)
}

/// Where a curve has its points. So many operations tell nothing beyond the quantile 1 - 1/count.
pub(crate) fn positions(count: u64) -> impl Iterator<Item = f64> {
    let end = if count == 0 { -1.0 } else { (count as f64).log10() };
    (0u32..).map(|step| f64::from(step) * STEP).take_while(move |position| *position <= end)
}

/// Moves labels apart: returns a place for each, in the same order, none nearer to another than `gap`, and each as near as
/// that allows to where it wants to be.
pub(crate) fn spread(wanted: &[f64], gap: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|one, other| wanted[*one].total_cmp(&wanted[*other]));
    // Groups of labels that touch: where the first stands, and whose they are.
    let mut groups: Vec<(f64, Vec<usize>)> = Vec::new();
    for label in order {
        let mut group = (wanted[label], vec![label]);
        while let Some((_, labels)) = groups.pop_if(|(start, labels)| *start + gap * labels.len() as f64 > group.0) {
            let labels: Vec<usize> = labels.into_iter().chain(group.1).collect();
            // The group stands where its labels on average want to be.
            let offsets = labels.iter().enumerate().map(|(place, label)| wanted[*label] - gap * place as f64);
            group = (offsets.sum::<f64>() / labels.len() as f64, labels);
        }
        groups.push(group);
    }
    let mut places = vec![0.0; wanted.len()];
    for (start, labels) in groups {
        for (place, label) in labels.into_iter().enumerate() {
            places[label] = start + gap * place as f64;
        }
    }
    places
}
