//! Tables of distances, as rs-semdedup reports them under `--percentile`: for each distance how many records have a nearer
//! neighbour and how many would be dropped.
//!
//! Memory: some numbers a kind of record and distance, at most [`ROWS`] of them. The table that comes last counts: shards
//! are not added up, since a neighbour may lie in any of them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::histogram::Bars;
use crate::html::float;
use crate::item::Funnel;

/// More distances than this are no table of ours.
const ROWS: usize = 1000;
/// Kinds at most.
const KINDS: usize = 8;

/// One distance of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) distance: f64,
    /// Records that have a nearer neighbour.
    pub(crate) near: u64,
    /// Records that are dropped if one of each set of them stays.
    pub(crate) dropped: u64,
}

/// The table of one kind of record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Distances {
    /// All records.
    pub(crate) records: u64,
    /// The distance that was taken.
    pub(crate) taken: f64,
    /// In rising order.
    pub(crate) rows: Vec<Row>,
}

/// The tables so far, by kind.
#[derive(Debug, Default)]
pub(crate) struct Tables(BTreeMap<String, Distances>);

impl Tables {
    /// Takes the table of a funnel record, if it has one.
    pub(crate) fn push(&mut self, funnel: &Funnel) {
        let Some(Value::Array(table)) = funnel.extra.get("distances") else {
            return;
        };
        let mut rows: Vec<Row> = table
            .iter()
            .take(ROWS)
            .filter_map(|row| {
                Some(Row {
                    distance: row.get(0)?.as_f64().filter(|d| d.is_finite() && *d > 0.0)?,
                    near: row.get(1)?.as_u64()?,
                    dropped: row.get(2)?.as_u64()?,
                })
            })
            .collect();
        rows.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        let rejected: u64 = funnel.errors.values().sum();
        let known = self.0.len() < KINDS || self.0.contains_key(&funnel.kind);
        if rows.len() > 1 && known {
            let table = Distances {
                records: funnel.seen.saturating_sub(rejected),
                taken: funnel
                    .extra
                    .get("distance")
                    .and_then(Value::as_f64)
                    .unwrap_or(f64::NAN),
                rows,
            };
            self.0.insert(crate::html::clip(&funnel.kind, 40), table);
        }
    }

    /// The tables, by kind.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Distances)> {
        self.0.iter().map(|(kind, table)| (kind.as_str(), table))
    }
}

impl Distances {
    /// Records by the distance of their nearest neighbour, as far as the table goes, in bars of equal width: a distance
    /// of the table between two bars' ends is left out.
    pub(crate) fn bars(&self, most: u32) -> Option<Bars> {
        let last = self.rows.last()?;
        let step = last.distance / f64::from(most);
        // What lies below a bar's end is known only where the table has the end itself.
        let below = |end: f64| {
            let near = |row: &&Row| (row.distance - end).abs() < step * 1e-6;
            self.rows.iter().find(near).map(|row| row.near)
        };
        let mut heights = Vec::new();
        let mut before = 0;
        for bar in 1..=most {
            let near = below(f64::from(bar) * step)?;
            heights.push(near.saturating_sub(before));
            before = near;
        }
        Some(Bars {
            from: 0.0,
            step,
            heights,
        })
    }

    /// The two curves: the shares of records, in per cent, that have a nearer neighbour and that would be dropped.
    pub(crate) fn curves(&self) -> [Vec<(f64, f64)>; 2] {
        let percent = |count: u64| 100.0 * float(count) / float(self.records.max(1));
        [
            self.rows
                .iter()
                .map(|row| (row.distance, percent(row.near)))
                .collect(),
            self.rows
                .iter()
                .map(|row| (row.distance, percent(row.dropped)))
                .collect(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(json: &str) -> Tables {
        let mut tables = Tables::default();
        tables.push(&serde_json::from_str(json).unwrap());
        tables
    }

    #[test]
    fn a_table_gives_bars_and_curves() {
        let tables = tables(
            r#"{"stage":"rs-semdedup","kind":"image","seen":12,"kept":6,"errors":{"missing-emb":2},"distance":0.1,
            "distances":[[0.05,1,1],[0.1,4,2],[0.2,10,8],["x",1],[0.3,10,9]]}"#,
        );
        let (kind, table) = tables.iter().next().unwrap();
        assert_eq!((kind, table.records, table.taken), ("image", 10, 0.1));
        assert_eq!(table.bars(3).unwrap().heights, [4, 6, 0]);
        // The table has no 0.15.
        assert!(table.bars(6).is_none());
        let [near, dropped] = table.curves();
        assert_eq!((near[1], dropped[3]), ((0.1, 40.0), (0.3, 90.0)));
    }

    #[test]
    fn a_funnel_without_a_table_gives_none() {
        for odd in ["7", "[]", "[[0.1,1,1]]", "[[-1,2,3],[null,0,0]]"] {
            let json =
                format!(r#"{{"stage":"s","kind":"image","seen":1,"kept":1,"distances":{odd}}}"#);
            assert!(tables(&json).iter().next().is_none(), "{odd}");
        }
    }
}
