//! Parquet files as lines of JSON.
//!
//! A row becomes the line that a compact JSON writer makes of it: keys in the order of the columns, strings with the least
//! escaping, numbers in their shortest form, `null` for what is null, not a finite number, or has no JSON form (decimals,
//! dates as other than numbers, binary columns that hold no text). So what reads JSON Lines reads Parquet too, and a row
//! has the same bytes as its line.
//!
//! A row group is read page by page, however large it is: of each column that is asked for, one page (packed and unpacked),
//! its dictionary and the values of [`ROWS`] rows are in memory. What a file announces is checked before anything is
//! allocated for it, and what a library panics at is an error of the row group. Damage to one row's values loses that row,
//! to a page the rest of its row group, to the footer the file.
//!
//! Memory: as above; a page that is larger than [`Limits::page`] is refused, and so is a row whose line is longer than
//! [`Limits::row`]. Order: the file's.

mod column;
mod delta;
mod error;
mod pages;
mod row;
mod schema;
mod table;
mod thrift;

pub use column::ROWS;
pub use error::ColumnarError;
pub use table::{Rows, Table};

/// What a file may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest page, unpacked, in bytes. Writers aim at 1 MB, which a few long texts exceed.
    pub page: usize,
    /// The longest line of JSON that a row may become, in bytes.
    pub row: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page: 256 << 20,
            row: 32 << 20,
        }
    }
}
