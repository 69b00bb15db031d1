//! One column chunk: its levels and values, some rows at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parquet::basic::{Compression, ConvertedType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::schema::types::ColumnDescPtr;

use crate::delta::Checked;
use crate::pages::{Pages, Source};

/// How many rows of a column are unpacked at a time.
pub const ROWS: usize = 64;

/// A value.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A text, or what should be one.
    Text(&'a [u8]),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Whole(i64),
    /// A whole number without a sign.
    Natural(u64),
    /// A number in double precision.
    Double(f64),
    /// A number in single precision, whose shortest form is shorter.
    Single(f32),
    /// What JSON has no form for.
    Other,
}

enum Values {
    Text(
        ColumnReaderImpl<parquet::data_type::ByteArrayType>,
        Vec<ByteArray>,
    ),
    Bool(ColumnReaderImpl<parquet::data_type::BoolType>, Vec<bool>),
    Int(ColumnReaderImpl<parquet::data_type::Int32Type>, Vec<i32>),
    Long(ColumnReaderImpl<parquet::data_type::Int64Type>, Vec<i64>),
    Float(ColumnReaderImpl<parquet::data_type::FloatType>, Vec<f32>),
    Double(ColumnReaderImpl<parquet::data_type::DoubleType>, Vec<f64>),
    /// Only its levels matter, but the values have to be taken.
    Fixed(
        ColumnReaderImpl<parquet::data_type::FixedLenByteArrayType>,
        Vec<parquet::data_type::FixedLenByteArray>,
    ),
    Time(
        ColumnReaderImpl<parquet::data_type::Int96Type>,
        Vec<parquet::data_type::Int96>,
    ),
}

/// A column chunk that is being read.
pub struct Column {
    /// Its path.
    pub name: String,
    values: Values,
    is_unsigned: bool,
    top: i16,
    repeats: bool,
    budget: Arc<AtomicU64>,
    defined: Vec<i16>,
    repeated: Vec<i16>,
    /// Levels that were read.
    levels: usize,
    /// The next level and the next value.
    at: usize,
    value: usize,
    /// Where the current row's levels end.
    end: usize,
}

impl Column {
    /// Opens a chunk.
    ///
    /// # Errors
    /// It is packed in a way that is not read, or damaged.
    pub fn open(
        source: &Arc<Source>,
        chunk: &ColumnChunkMetaData,
        descriptor: ColumnDescPtr,
        rows: u64,
        limit: usize,
    ) -> Result<Self, String> {
        let codec = chunk.compression();
        // What gzip unpacks is measured first; of brotli and the old LZ4 framing nobody knows how much will come.
        if !matches!(
            codec,
            Compression::UNCOMPRESSED
                | Compression::SNAPPY
                | Compression::GZIP(_)
                | Compression::ZSTD(_)
                | Compression::LZ4_RAW
        ) {
            return Err(format!("packed with {codec}, which is not read"));
        }
        let budget = Arc::new(AtomicU64::new(0));
        let is_gzip = matches!(codec, Compression::GZIP(_));
        let pages = Pages::new(Arc::clone(source), limit, is_gzip, Arc::clone(&budget));
        let rows = usize::try_from(rows).map_err(|_| "too many rows".to_owned())?;
        let is_unsigned = matches!(
            descriptor.converted_type(),
            ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64
        );
        let (top, name) = (descriptor.max_def_level(), descriptor.path().string());
        let repeats = descriptor.max_rep_level() > 0;
        let reader = guarded(|| {
            let pages = SerializedPageReader::new(Arc::new(pages), chunk, rows, None)?;
            let pages = Checked::new(pages, &descriptor, limit);
            Ok(get_column_reader(descriptor, Box::new(pages)))
        })?;
        let values = match reader {
            ColumnReader::BoolColumnReader(reader) => Values::Bool(reader, Vec::new()),
            ColumnReader::Int32ColumnReader(reader) => Values::Int(reader, Vec::new()),
            ColumnReader::Int64ColumnReader(reader) => Values::Long(reader, Vec::new()),
            ColumnReader::Int96ColumnReader(reader) => Values::Time(reader, Vec::new()),
            ColumnReader::FloatColumnReader(reader) => Values::Float(reader, Vec::new()),
            ColumnReader::DoubleColumnReader(reader) => Values::Double(reader, Vec::new()),
            ColumnReader::ByteArrayColumnReader(reader) => Values::Text(reader, Vec::new()),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                Values::Fixed(reader, Vec::new())
            }
        };
        Ok(Self {
            name,
            values,
            is_unsigned,
            top,
            repeats,
            budget,
            defined: Vec::new(),
            repeated: Vec::new(),
            levels: 0,
            at: 0,
            value: 0,
            end: 0,
        })
    }

    /// Goes to the next row, past what is left of the current one.
    ///
    /// # Errors
    /// There is none, or its page is damaged.
    pub fn next_row(&mut self) -> Result<(), String> {
        while self.at < self.end {
            self.skip();
        }
        if self.at == self.levels {
            self.fill()?;
        }
        if self.levels == 0 {
            return Err("it ends before its row group does".to_owned());
        }
        let rest = self.at + 1;
        self.end = if self.repeats {
            self.repeated[rest..self.levels]
                .iter()
                .position(|&level| level == 0)
                .map_or(self.levels, |length| rest + length)
        } else {
            rest
        };
        Ok(())
    }

    fn fill(&mut self) -> Result<(), String> {
        self.defined.clear();
        self.repeated.clear();
        (self.at, self.value, self.end) = (0, 0, 0);
        self.levels = 0;
        self.budget.store(Pages::BUDGET, Ordering::Relaxed);
        let levels = (&mut self.defined, &mut self.repeated);
        let values = &mut self.values;
        self.levels = guarded(|| match values {
            Values::Text(reader, values) => some(reader, levels, values),
            Values::Bool(reader, values) => some(reader, levels, values),
            Values::Int(reader, values) => some(reader, levels, values),
            Values::Long(reader, values) => some(reader, levels, values),
            Values::Float(reader, values) => some(reader, levels, values),
            Values::Double(reader, values) => some(reader, levels, values),
            Values::Fixed(reader, values) => some(reader, levels, values),
            Values::Time(reader, values) => some(reader, levels, values),
        })?;
        // One level a value and column, or none at all.
        if (self.top > 0 && self.defined.len() != self.levels)
            || (self.repeats && self.repeated.len() != self.levels)
            || (self.repeats && self.repeated.first().is_some_and(|&first| first != 0))
        {
            return Err("its levels do not begin a row".to_owned());
        }
        Ok(())
    }

    /// The definition level here; nothing at the row's end.
    pub fn level(&self) -> Option<i16> {
        (self.at < self.end).then(|| {
            if self.top > 0 {
                self.defined[self.at]
            } else {
                0
            }
        })
    }

    /// The repetition level here; nothing at the row's end.
    pub fn repetition(&self) -> Option<i16> {
        (self.at < self.end && self.repeats).then(|| self.repeated[self.at])
    }

    /// Whether the row has nothing more.
    pub fn is_done(&self) -> bool {
        self.at == self.end
    }

    /// Passes over one level and what it stands for.
    pub fn skip(&mut self) {
        if self.level() == Some(self.top) {
            self.value += 1;
        }
        self.at += 1;
    }

    /// The value here, if it is not null.
    pub fn value(&self) -> Option<Value<'_>> {
        if self.level() != Some(self.top) {
            return None;
        }
        let at = self.value;
        Some(match &self.values {
            Values::Text(_, values) => Value::Text(values.get(at)?.data()),
            Values::Bool(_, values) => Value::Bool(*values.get(at)?),
            Values::Int(_, values) if self.is_unsigned => {
                Value::Natural(u64::from(values.get(at)?.cast_unsigned()))
            }
            Values::Int(_, values) => Value::Whole(i64::from(*values.get(at)?)),
            Values::Long(_, values) if self.is_unsigned => {
                Value::Natural(values.get(at)?.cast_unsigned())
            }
            Values::Long(_, values) => Value::Whole(*values.get(at)?),
            Values::Float(_, values) => Value::Single(*values.get(at)?),
            Values::Double(_, values) => Value::Double(*values.get(at)?),
            Values::Fixed(..) | Values::Time(..) => Value::Other,
        })
    }
}

fn some<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    (defined, repeated): (&mut Vec<i16>, &mut Vec<i16>),
    values: &mut Vec<T::T>,
) -> parquet::errors::Result<usize> {
    values.clear();
    let (_, _, levels) = reader.read_records(ROWS, Some(defined), Some(repeated), values)?;
    Ok(levels)
}

/// What the library makes of damage: an error, or a panic, which is one here.
fn guarded<R>(work: impl FnOnce() -> parquet::errors::Result<R>) -> Result<R, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(panic) => Err(panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_else(|| "its reader gave up".to_owned())),
    }
}
