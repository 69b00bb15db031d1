//! The distances of a calibration, and which of them drops a given share.

use crate::search::Row;

/// The distances that are looked at when one is to be chosen: fine where models of images lie, up to where sentences of
/// one subject do.
pub const TABLE: [f64; 42] = [
    0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.045, 0.05, 0.055, 0.06,
    0.065, 0.07, 0.075, 0.08, 0.085, 0.09, 0.095, 0.1, 0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.17,
    0.18, 0.19, 0.2, 0.21, 0.22, 0.23, 0.24, 0.25, 0.26, 0.27, 0.28, 0.29, 0.3,
];

/// The place of the largest distance that drops at most `percent` of `records`; the first if all drop more.
#[must_use]
pub fn at_percentile(rows: &[Row], records: usize, percent: f64) -> usize {
    #[expect(clippy::cast_precision_loss, reason = "a share of a count")]
    let most = percent / 100.0 * records as f64;
    #[expect(clippy::cast_precision_loss, reason = "a share of a count")]
    let fits = |row: &Row| row.dropped as f64 <= most;
    // What is dropped grows with the distance.
    rows.partition_point(fits).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_distance_that_drops_no_more_is_taken() {
        let rows: Vec<Row> = [(0.1, 5), (0.2, 10), (0.3, 11)]
            .map(|(distance, dropped)| Row {
                distance,
                near: dropped,
                dropped,
                sets: 1,
                largest: dropped + 1,
            })
            .into();
        assert_eq!(
            [1.0, 5.0, 10.0, 10.9, 11.0, 100.0].map(|p| at_percentile(&rows, 100, p)),
            [0, 0, 1, 1, 2, 2]
        );
        assert!(TABLE.windows(2).all(|two| two[0] < two[1]));
    }
}
