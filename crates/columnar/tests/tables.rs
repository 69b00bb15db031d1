//! Files written by Apache's writer, whole and damaged, in every encoding and codec that is read.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is missing"
)]

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use realsyn_columnar::{ColumnarError, Limits, Table};

const OBELICS: &str = "message m {
    optional group images (LIST) { repeated group list { optional binary element (STRING); } }
    optional binary metadata (STRING);
    optional binary general_metadata (STRING);
    optional group texts (LIST) { repeated group list { optional binary element (STRING); } }
}";

/// A list column's rows; `None` is a null row, an inner `None` a null entry.
type List<'a> = Vec<Option<Vec<Option<&'a str>>>>;

fn bytes(text: &str) -> ByteArray {
    ByteArray::from(text)
}

fn write_list(group: &mut SerializedRowGroupWriter<'_, File>, rows: &List<'_>) {
    let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        match row {
            None => (defined.push(0), repeated.push(0)),
            Some(row) if row.is_empty() => (defined.push(1), repeated.push(0)),
            Some(row) => {
                for (at, entry) in row.iter().enumerate() {
                    defined.push(if entry.is_some() { 3 } else { 2 });
                    repeated.push(i16::from(at > 0));
                    values.extend(entry.map(bytes));
                }
                ((), ())
            }
        };
    }
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<ByteArrayType>()
        .write_batch(&values, Some(&defined), Some(&repeated))
        .unwrap();
    column.close().unwrap();
}

fn write_texts(group: &mut SerializedRowGroupWriter<'_, File>, rows: &[Option<ByteArray>]) {
    let values: Vec<ByteArray> = rows.iter().flatten().cloned().collect();
    let defined: Vec<i16> = rows.iter().map(|row| i16::from(row.is_some())).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<ByteArrayType>()
        .write_batch(&values, Some(&defined), None)
        .unwrap();
    column.close().unwrap();
}

/// Of every seventh row null, of every fourth an empty list, else up to three entries, of which those at `parity` are set.
fn list_of(texts: &[String], parity: usize) -> List<'_> {
    let entry = |row: usize, at: usize| (at % 2 == parity).then(|| texts[row].as_str());
    (0..texts.len())
        .map(|row| (row % 7 != 3).then(|| (0..row % 4).map(|at| entry(row, at)).collect()))
        .collect()
}

/// Some documents of OBELICS, `rows` of them in each of `groups` row groups.
fn obelics(properties: WriterPropertiesBuilder, groups: usize, rows: usize) -> File {
    let schema = Arc::new(parse_message_type(OBELICS).unwrap());
    let file = tempfile::tempfile().unwrap();
    let mut writer = SerializedFileWriter::new(
        file.try_clone().unwrap(),
        schema,
        Arc::new(properties.build()),
    )
    .unwrap();
    for number in 0..groups {
        let mut group = writer.next_row_group().unwrap();
        let urls: Vec<String> = (0..rows)
            .map(|row| format!("https://a.example/{number}/{row}.jpg"))
            .collect();
        let texts: Vec<String> = (0..rows)
            .map(|row| {
                format!(
                    "Row {row} of \"{number}\".\n\nIt is — long: {}",
                    "word ".repeat(row % 50)
                )
            })
            .collect();
        write_list(&mut group, &list_of(&urls, 1));
        write_texts(
            &mut group,
            &(0..rows)
                .map(|row| Some(bytes(&format!("[{row}]"))))
                .collect::<Vec<_>>(),
        );
        write_texts(
            &mut group,
            &(0..rows)
                .map(|row| (row % 3 > 0).then(|| bytes("{\"url\":\"u\"}")))
                .collect::<Vec<_>>(),
        );
        write_list(&mut group, &list_of(&texts, 0));
        group.close().unwrap();
    }
    writer.close().unwrap();
    file
}

fn everything(_: &str) -> bool {
    true
}

/// Every row's line, or why there is none.
fn lines(table: &Table) -> Vec<Result<String, ColumnarError>> {
    let mut found = Vec::new();
    for group in 0..table.groups() {
        let mut rows = table.rows(group, &everything);
        let mut line = Vec::new();
        while let Some(row) = rows.next(&mut line) {
            found.push(row.map(|()| String::from_utf8(line.clone()).unwrap()));
        }
    }
    found
}

fn open(file: &File) -> Result<Table, ColumnarError> {
    Table::open(file.try_clone().unwrap(), Limits::default())
}

#[test]
fn rows_become_lines_in_every_encoding() {
    let plain = WriterProperties::builder().set_dictionary_enabled(false);
    let expected: Vec<String> = lines(&open(&obelics(plain, 2, 150)).unwrap())
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        expected[1],
        r#"{"images":[null],"metadata":"[1]","general_metadata":"{\"url\":\"u\"}","texts":["Row 1 of \"0\".\n\nIt is — long: word "]}"#
    );
    assert_eq!(
        expected[3],
        r#"{"images":null,"metadata":"[3]","general_metadata":null,"texts":null}"#
    );
    assert_eq!(
        expected[4],
        r#"{"images":[],"metadata":"[4]","general_metadata":"{\"url\":\"u\"}","texts":[]}"#
    );
    assert_eq!(expected.len(), 300);
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4_RAW,
    ];
    let encodings = [
        None,
        Some(Encoding::PLAIN),
        Some(Encoding::DELTA_LENGTH_BYTE_ARRAY),
        Some(Encoding::DELTA_BYTE_ARRAY),
    ];
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for codec in codecs {
            for encoding in encodings {
                // Small pages, so that rows go over their ends.
                let mut properties = WriterProperties::builder()
                    .set_writer_version(version)
                    .set_compression(codec)
                    .set_data_page_size_limit(512)
                    .set_write_batch_size(7)
                    .set_dictionary_enabled(encoding.is_none());
                if let Some(encoding) = encoding {
                    properties = properties.set_encoding(encoding);
                }
                let file = obelics(properties, 2, 150);
                let found: Vec<String> = lines(&open(&file).unwrap())
                    .into_iter()
                    .map(Result::unwrap)
                    .collect();
                assert_eq!(found, expected, "{version:?} {codec:?} {encoding:?}");
            }
        }
    }
}

#[test]
fn columns_that_nobody_wants_are_not_read() {
    let table = open(&obelics(WriterProperties::builder(), 1, 3)).unwrap();
    let names: Vec<&str> = table.columns().collect();
    assert_eq!(names, ["images", "metadata", "general_metadata", "texts"]);
    let mut rows = table.rows(0, &|name| name == "metadata");
    let mut line = Vec::new();
    rows.next(&mut line).unwrap().unwrap();
    assert_eq!(line, b"{\"metadata\":\"[0]\"}");
    let mut rows = table.rows(0, &|_| false);
    rows.next(&mut line).unwrap().unwrap();
    assert_eq!(line, b"{}");
}

#[test]
fn structs_lists_of_them_and_numbers() {
    let schema = "message m {
        required group general (LIST) { repeated group list { required int32 element; } }
        optional group about { optional binary url (STRING); required group domain (LIST) { repeated binary array (STRING); } }
        optional group infos (LIST) { repeated group list { optional group element { required int64 at; optional double sim; } } }
        repeated int32 bare;
        required int32 small (UINT_8);
        optional float single;
    }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = tempfile::tempfile().unwrap();
    let mut writer = SerializedFileWriter::new(
        file.try_clone().unwrap(),
        schema,
        Arc::new(WriterProperties::default()),
    )
    .unwrap();
    let mut group = writer.next_row_group().unwrap();
    macro_rules! column {
        ($type:ty, $values:expr, $defined:expr, $repeated:expr) => {{
            let mut column = group.next_column().unwrap().unwrap();
            column
                .typed::<$type>()
                .write_batch(
                    &$values,
                    Some(&$defined[..]).filter(|levels| !levels.is_empty()),
                    Some(&$repeated[..]).filter(|levels| !levels.is_empty()),
                )
                .unwrap();
            column.close().unwrap();
        }};
    }
    // Two rows.
    column!(Int32Type, [1, 2], [1, 1, 0], [0, 1, 0]);
    column!(ByteArrayType, [bytes("u")], [2, 0], [0, 0]);
    column!(
        ByteArrayType,
        [bytes("a"), bytes("b")],
        [2, 2, 0],
        [0, 1, 0]
    );
    column!(Int64Type, [-7, 8], [3, 2, 3, 0], [0, 1, 1, 0]);
    column!(DoubleType, [0.5, f64::NAN], [4, 2, 4, 0], [0, 1, 1, 0]);
    column!(Int32Type, [5, 6], [0, 1, 1], [0, 0, 1]);
    column!(Int32Type, [255, -1], [0; 0], [0; 0]);
    column!(FloatType, [0.1], [1, 0], [0; 0]);
    group.close().unwrap();
    writer.close().unwrap();
    let found: Vec<String> = lines(&open(&file).unwrap())
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        found,
        [
            r#"{"general":[1,2],"about":{"url":"u","domain":["a","b"]},"infos":[{"at":-7,"sim":0.5},null,{"at":8,"sim":null}],"bare":[],"small":255,"single":0.1}"#,
            r#"{"general":[],"about":null,"infos":null,"bare":[5,6],"small":4294967295,"single":null}"#,
        ]
    );
}

#[test]
fn a_row_that_is_no_text_or_too_long_is_lost_alone() {
    let schema = Arc::new(parse_message_type("message m { optional binary t (STRING); }").unwrap());
    let file = tempfile::tempfile().unwrap();
    let mut writer =
        SerializedFileWriter::new(file.try_clone().unwrap(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let long = "x".repeat(200);
    write_texts(
        &mut group,
        &[
            Some(bytes("a")),
            Some(ByteArray::from(vec![b'b', 0xff])),
            None,
            Some(bytes(&long)),
            Some(bytes("c")),
        ],
    );
    group.close().unwrap();
    writer.close().unwrap();
    let limits = Limits {
        row: 100,
        ..Limits::default()
    };
    let table = Table::open(file, limits).unwrap();
    let found: Vec<String> = lines(&table)
        .into_iter()
        .map(|row| row.unwrap_or_else(|error| format!("{} {error}", error.code())))
        .collect();
    assert_eq!(
        found,
        [
            r#"{"t":"a"}"#,
            "damaged-row row group 0, row 1: column t: invalid utf-8 sequence of 1 bytes from index 1",
            r#"{"t":null}"#,
            "document-too-large row group 0, row 3: longer than 100 bytes as a line",
            r#"{"t":"c"}"#,
        ]
    );
}

#[test]
fn a_damaged_page_costs_its_row_group_and_a_cut_file_is_refused() {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_data_page_size_limit(2048)
        .set_write_batch_size(16);
    let mut file = obelics(properties, 3, 400);
    let length = file.metadata().unwrap().len();
    // In the middle of the second group.
    file.seek(std::io::SeekFrom::Start(length / 2)).unwrap();
    file.write_all(&[0xff; 600]).unwrap();
    let found = lines(&open(&file).unwrap());
    let errors: Vec<&ColumnarError> = found.iter().filter_map(|row| row.as_ref().err()).collect();
    let [error @ ColumnarError::Column { group: 1, lost, .. }] = errors[..] else {
        panic!("{errors:?}");
    };
    assert_eq!((error.code(), error.lost()), ("bad-parquet", lost - 1));
    let kept = found.len() as u64 - 1;
    assert_eq!(kept + lost, 1200);
    assert!(kept >= 800, "{kept}");

    for cut in [0, 3, 11, length / 2, length - 1] {
        file.set_len(cut).unwrap();
        assert_eq!(open(&file).unwrap_err().code(), "bad-parquet", "{cut}");
        file.set_len(length).unwrap();
    }
}

#[test]
fn a_page_may_not_be_larger_than_allowed() {
    for codec in [
        Compression::UNCOMPRESSED,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let properties = WriterProperties::builder()
            .set_compression(codec)
            .set_dictionary_enabled(false);
        let file = obelics(properties, 1, 3000);
        let limits = Limits {
            page: 10_000,
            ..Limits::default()
        };
        let table = Table::open(file, limits).unwrap();
        let found = lines(&table);
        let message = found[0].as_ref().unwrap_err().to_string();
        assert!(message.contains("where 10000 are allowed"), "{message}");
        assert_eq!(found.len(), 1);
    }
}

/// What fuzzing found: headers of pages that hold maps and lists of up to 2^60 entries, which the library below goes through
/// one by one.
#[test]
fn a_header_is_no_longer_than_it_looks() {
    for name in ["endless-map-1", "endless-map-2", "endless-list"] {
        let path = format!(
            "{}/tests/damaged/{name}.parquet",
            env!("CARGO_MANIFEST_DIR")
        );
        let table = open(&File::open(path).unwrap()).unwrap();
        let found = lines(&table);
        let errors: Vec<String> = found
            .iter()
            .filter_map(|row| Some(row.as_ref().err()?.to_string()))
            .collect();
        assert!(errors[0].contains("a page's header"), "{errors:?}");
    }
}

/// What fuzzing found: a footer with a field whose number is another one in 16 bits, and a list without end behind it.
#[test]
fn a_footer_is_read_as_it_was_checked() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/damaged/endless-footer.parquet"
    );
    let error = open(&File::open(path).unwrap()).unwrap_err();
    assert!(
        error.to_string().contains("a field's number is too large"),
        "{error}"
    );
}

/// What fuzzing found: a page that says it has the lengths of 2^52 texts, for which the library made room.
#[test]
fn lengths_are_no_more_than_there_are_values() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/damaged/endless-lengths.parquet"
    );
    let found = lines(&open(&File::open(path).unwrap()).unwrap());
    let error = found.iter().find_map(|row| row.as_ref().err()).unwrap();
    assert!(
        error.to_string().contains("more than there are values"),
        "{error}"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

    /// Whatever is changed in a file, reading it ends, without a panic, and with no more rows than it has.
    #[test]
    fn damage_anywhere_is_an_error_at_most(changes in proptest::collection::vec((0.0..1.0_f64, proptest::num::u8::ANY), 1..6), version in 0..2_usize) {
        let version = [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0][version];
        let properties = WriterProperties::builder().set_writer_version(version).set_compression(Compression::SNAPPY);
        let mut file = obelics(properties, 2, 40);
        let length = file.metadata().unwrap().len();
        for (place, byte) in changes {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in the file")]
            let at = (length as f64 * place) as u64;
            file.seek(std::io::SeekFrom::Start(at)).unwrap();
            file.write_all(&[byte]).unwrap();
        }
        if let Ok(table) = open(&file) {
            let mut budget = 0;
            for group in 0..table.groups() {
                let mut rows = table.rows(group, &everything);
                let mut line = Vec::new();
                while rows.next(&mut line).is_some() && budget < 100_000 {
                    budget += 1;
                }
            }
        }
    }
}
