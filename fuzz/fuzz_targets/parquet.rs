//! A Parquet file: every row of it as a line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use realsyn_columnar::{Limits, Table};

fuzz_target!(init: realsyn_fuzz::catch(), |bytes: &[u8]| {
    let limits = Limits {
        page: 1 << 20,
        row: 1 << 16,
    };
    let Ok(table) = Table::open(realsyn_fuzz::file(bytes), limits) else {
        return;
    };
    let (mut line, mut left) = (Vec::new(), 10_000);
    for group in 0..table.groups() {
        let mut rows = table.rows(group, &|_| true);
        while let Some(row) = rows.next(&mut line) {
            if row.is_ok() {
                std::str::from_utf8(&line).expect("JSON is UTF-8");
            }
            left -= 1;
            if left == 0 {
                return;
            }
        }
    }
});
