//! `tokenizer.json` for CLIP's byte-level byte-pair encoding, from a list of merges.
//!
//! Ids are CLIP's: 256 bytes, the same 256 as the end of a word (`</w>`), one a merge in its order, `<|startoftext|>`,
//! `<|endoftext|>`. So a prefix of the list gives a smaller vocabulary of the same kind, no merges at all the bytes
//! alone (514 ids), and the end-of-text marker always has the largest id, where the text tower is read.

use crate::CheckpointError;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Ids that every vocabulary has: bytes, bytes that end a word, two markers.
pub const BASE_VOCAB: usize = 514;

const START: &str = "<|startoftext|>";
const END: &str = "<|endoftext|>";
/// CLIP's rule for what is a word, as in its own tokenizer.
const WORDS: &str = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// The printable character that stands for each byte (GPT-2's table), in the order of CLIP's ids.
#[must_use]
pub fn byte_characters() -> Vec<(u8, char)> {
    let printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let own = (0..=u8::MAX)
        .filter(printable)
        .map(|byte| (byte, char::from(byte)));
    let moved = (0..=u8::MAX).filter(|byte| !printable(byte));
    own.chain(moved.zip('\u{100}'..)).collect()
}

/// The file's text, for merges given as pairs of pieces in which [`byte_characters`] stand for bytes and `</w>` ends a
/// word. Texts longer than `context_length` tokens are cut, both markers kept.
///
/// # Errors
/// [`CheckpointError::Tokenizer`] if a merge names a piece that no earlier one made, or makes one twice.
pub fn json<S: AsRef<str>>(
    merges: &[(S, S)],
    context_length: usize,
) -> Result<String, CheckpointError> {
    let bytes = byte_characters();
    let mut pieces: Vec<String> = bytes.iter().map(|(_, c)| c.to_string()).collect();
    pieces.extend(bytes.iter().map(|(_, c)| format!("{c}</w>")));
    let mut vocab: HashMap<String, usize> = pieces
        .into_iter()
        .enumerate()
        .map(|(id, piece)| (piece, id))
        .collect();
    let mut lines = Vec::with_capacity(merges.len());
    for (left, right) in merges {
        let (left, right) = (left.as_ref(), right.as_ref());
        let id = vocab.len();
        let known = vocab.contains_key(left) && vocab.contains_key(right);
        if !known || vocab.insert(format!("{left}{right}"), id).is_some() {
            return Err(CheckpointError::Tokenizer(format!(
                "the merge of {left:?} and {right:?} is out of order"
            )));
        }
        lines.push(json!([left, right]));
    }
    let (start, end) = (vocab.len(), vocab.len() + 1);
    vocab.insert(START.to_owned(), start);
    vocab.insert(END.to_owned(), end);
    let special = |id: usize, content: &str| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true})
    };
    let single = |kind: &str, id: &str| json!({kind: {"id": id, "type_id": 0}});
    let file = json!({
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": context_length, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": null, "pad_id": end,
            "pad_type_id": 0, "pad_token": END},
        "added_tokens": [special(start, START), special(end, END)],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"},
            {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
            {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": WORDS}, "behavior": "Removed", "invert": true},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]},
        "post_processor": {"type": "TemplateProcessing",
            "single": [single("SpecialToken", START), single("Sequence", "A"), single("SpecialToken", END)],
            "pair": [single("SpecialToken", START), single("Sequence", "A"), single("Sequence", "B"),
                single("SpecialToken", END)],
            "special_tokens": {
                START: {"id": START, "ids": [start], "tokens": [START]},
                END: {"id": END, "ids": [end], "tokens": [END]}}},
        "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": END, "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocab, "merges": lines},
    });
    Ok(file.to_string())
}

/// The number of ids of a `tokenizer.json` (its largest id and one).
///
/// # Errors
/// [`CheckpointError::Tokenizer`] if it is no JSON with a vocabulary of ids.
pub fn vocab_size(tokenizer_json: &str) -> Result<usize, CheckpointError> {
    let bad = |message: &str| CheckpointError::Tokenizer(message.to_owned());
    let file: Value =
        serde_json::from_str(tokenizer_json).map_err(|error| bad(&error.to_string()))?;
    let vocab = file
        .pointer("/model/vocab")
        .and_then(Value::as_object)
        .ok_or_else(|| bad("no model.vocab"))?;
    let added = file.get("added_tokens").and_then(Value::as_array);
    let ids = vocab.values().chain(
        added
            .into_iter()
            .flatten()
            .filter_map(|token| token.get("id")),
    );
    let largest = ids
        .filter_map(Value::as_u64)
        .max()
        .ok_or_else(|| bad("its vocabulary is empty"))?;
    usize::try_from(largest + 1).map_err(|_| bad("its ids are too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_clips() {
        let text = json(&[("t", "h"), ("th", "e</w>")], 77).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        let id = |piece: &str| file["model"]["vocab"][piece].as_u64().unwrap();
        // As in CLIP's vocab.json: "!" 0, "a" 64, "!</w>" 256, the first merge 512.
        assert_eq!(
            [
                id("!"),
                id("a"),
                id("!</w>"),
                id("a</w>"),
                id("th"),
                id("the</w>")
            ],
            [0, 64, 256, 320, 512, 513]
        );
        assert_eq!([id(START), id(END)], [514, 515]);
        assert_eq!(vocab_size(&text).unwrap(), 516);
        assert_eq!(
            vocab_size(&json::<&str>(&[], 12).unwrap()).unwrap(),
            BASE_VOCAB
        );
    }

    #[test]
    fn a_merge_out_of_order_is_refused() {
        assert_eq!(
            json(&[("th", "e</w>")], 77).unwrap_err().code(),
            "bad-tokenizer"
        );
        assert!(json(&[("t", "h"), ("t", "h")], 77).is_err());
    }

    #[test]
    fn every_byte_has_one_character() {
        let table = byte_characters();
        let characters: std::collections::HashSet<_> = table.iter().map(|(_, c)| c).collect();
        assert_eq!((table.len(), characters.len()), (256, 256));
        assert!(table.contains(&(b' ', 'Ġ')) && table.contains(&(b'\n', 'Ċ')));
    }
}
