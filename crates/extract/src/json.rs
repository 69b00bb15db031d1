//! JSON as `simd-json` reads it: a flat tape of nodes over a copy of the line, in which strings are unescaped in place.
//!
//! A line of a data set is mostly a few long strings, and one of them holds JSON again. Reading the outer line and then the
//! inner string on tapes costs half of what a typed parse does, since nothing is allocated for what nobody asks for.
//!
//! Memory: a copy of the text and 28 bytes for each of its values; kept for the next text unless it was a large one.

use std::cell::RefCell;

use simd_json::prelude::{ValueAsScalar as _, ValueIntoString as _};
use simd_json::tape::Value;
use simd_json::{Buffers, INPUT_PADDING, Tape};

/// What is kept from text to text may not hold more.
const KEEP: usize = 1 << 20;

struct Scratch {
    bytes: Vec<u8>,
    buffers: Buffers,
    tape: Tape<'static>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            buffers: Buffers::default(),
            tape: Tape(Vec::new()),
        }
    }
}

thread_local! {
    // Several, since a string of one text is read as a text of its own while the first is still held.
    #[expect(clippy::vec_box, reason = "they are taken out and put back three times a line")]
    static SCRATCH: RefCell<Vec<Box<Scratch>>> = const { RefCell::new(Vec::new()) };
}

/// Parses `text` and hands its value to `work`.
///
/// # Errors
/// It is no JSON, or nested more than 1,024 levels deep; in the words of `simd-json`.
pub fn read<R>(text: &[u8], work: impl FnOnce(Value<'_, '_>) -> R) -> Result<R, String> {
    let mut scratch = SCRATCH.with_borrow_mut(Vec::pop).unwrap_or_default();
    let Scratch {
        bytes,
        buffers,
        tape: kept,
    } = &mut *scratch;
    bytes.clear();
    bytes.reserve(text.len() + INPUT_PADDING);
    bytes.extend_from_slice(text);
    bytes.resize(text.len() + INPUT_PADDING, 0);
    let mut tape = std::mem::replace(kept, Tape(Vec::new())).reset();
    let done = simd_json::fill_tape_padded(bytes, text.len(), buffers, &mut tape)
        .map(|()| work(tape.as_value()))
        .map_err(|error| error.to_string());
    *kept = tape.reset();
    if text.len() <= KEEP {
        SCRATCH.with_borrow_mut(|free| free.push(scratch));
    }
    done
}

/// The string under a key, unless it is empty.
pub fn text<'i>(object: Value<'_, 'i>, key: &str) -> Option<&'i str> {
    object
        .get(key)?
        .into_string()
        .filter(|text| !text.is_empty())
}

/// A whole number that a picture can have for a side.
pub fn pixels(value: Value<'_, '_>) -> Option<u32> {
    // Parquet files that pandas wrote hold numbers with gaps as floats.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a whole number in range"
    )]
    value.as_u32().or_else(|| {
        value
            .as_f64()
            .filter(|side| side.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(side))
            .map(|side| side as u32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inner_text_is_read_while_the_outer_is_held() {
        let found = read(br#"{"a":"{\"w\":3.0}","b":"x"}"#, |outer| {
            let inner = read(text(outer, "a").unwrap_or_default().as_bytes(), |inner| {
                inner.get("w").and_then(pixels)
            });
            (inner, text(outer, "b").map(str::to_owned))
        });
        assert_eq!(found, Ok((Ok(Some(3)), Some("x".to_owned()))));
    }

    #[test]
    fn what_is_no_json_is_said_to_be_none() {
        let deep = "[".repeat(1 << 20);
        for broken in ["", "{", "{\"a\":\"\u{1}\"}", "{}x", deep.as_str()] {
            assert!(read(broken.as_bytes(), |_| ()).is_err(), "{broken:.20}");
        }
        assert!(read(b"\"\xff\"", |_| ()).is_err());
    }
}
