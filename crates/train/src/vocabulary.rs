//! CLIP's list of merges, recovered from `instant-clip-tokenizer`, which carries it but exposes only encoding and
//! decoding.
//!
//! Each id is decoded to the bytes that it stands for, then split into the two earlier pieces that the merges before it
//! leave: byte-pair encoding makes each piece by one merge of exactly two, so they are that merge. An id may stand for part of
//! a character, which decodes to a replacement mark; it is decoded between bytes that complete it.

use instant_clip_tokenizer::{Token, Tokenizer};
use realsyn_checkpoint::tokenizer::{BASE_VOCAB, byte_characters};
use std::collections::HashMap;

/// Ids of CLIP's vocabulary, both markers included.
const CLIP_VOCAB: usize = 49_408;

/// The bytes of a piece, and whether it ends a word.
type Piece = (Vec<u8>, bool);

/// The first `vocab_size - 514` merges of CLIP's vocabulary (all 48,894 of them for 49,408 or more), in the form that
/// [`realsyn_checkpoint::tokenizer::json`] takes.
#[must_use]
pub fn clip_merges(vocab_size: usize) -> Vec<(String, String)> {
    let tokenizer = Tokenizer::new();
    let characters = byte_characters();
    let mut names: Vec<String> = characters.iter().map(|(_, c)| c.to_string()).collect();
    names.extend(characters.iter().map(|(_, c)| format!("{c}</w>")));
    let mut base = [0usize; 256];
    for (id, (byte, _)) in characters.iter().enumerate() {
        base[usize::from(*byte)] = id;
    }
    let mut ranks: HashMap<(usize, usize), usize> = HashMap::new();
    let mut merges = Vec::new();
    for id in characters.len() * 2..vocab_size.min(CLIP_VOCAB).saturating_sub(BASE_VOCAB - 512) {
        let Some((bytes, ends)) = piece(&tokenizer, &base, id) else {
            break;
        };
        let Some((left, right)) = parts(&bytes, ends, &base, &ranks) else {
            break;
        };
        ranks.insert((left, right), id);
        names.push(format!("{}{}", names[left], names[right]));
        merges.push((names[left].clone(), names[right].clone()));
    }
    merges
}

/// What an id stands for.
fn piece(tokenizer: &Tokenizer, base: &[usize; 256], id: usize) -> Option<Piece> {
    /// Bytes that begin a character which the piece goes on with, and bytes that end one which it begins.
    const BEFORE: [&[u8]; 8] = [
        &[],
        &[0xC3],
        &[0xE2, 0x82],
        &[0xE2],
        &[0xF0, 0x9F, 0x98],
        &[0xF0, 0x9F],
        &[0xF0],
        &[0xE0],
    ];
    const AFTER: [&[u8]; 8] = [
        &[],
        &[0x80],
        &[0x80, 0x80],
        &[0xA0],
        &[0xA0, 0x80],
        &[0x90, 0x80, 0x80],
        &[0x80, 0x80, 0x80],
        &[0x90, 0x80],
    ];
    let sides = BEFORE
        .into_iter()
        .flat_map(|before| AFTER.into_iter().map(move |after| (before, after)));
    for (before, after) in sides {
        let bytes = decode(tokenizer, base, (before, id, after))?;
        if !bytes.windows(MARK.len()).any(|window| window == MARK) {
            return Some(ended(&bytes[before.len()..bytes.len() - after.len()]));
        }
    }
    // What no neighbours complete is the replacement mark itself, which is in the vocabulary.
    decode(tokenizer, base, (&[], id, &[])).map(|bytes| ended(&bytes))
}

/// What decodes to nothing sensible is decoded to this.
const MARK: &[u8] = "\u{FFFD}".as_bytes();

/// The bytes of an id between others.
fn decode(
    tokenizer: &Tokenizer,
    base: &[usize; 256],
    (before, id, after): (&[u8], usize, &[u8]),
) -> Option<Vec<u8>> {
    let of = |bytes: &[u8]| -> Vec<usize> {
        bytes.iter().map(|byte| base[usize::from(*byte)]).collect()
    };
    let ids = [of(before), vec![id], of(after)].concat();
    let tokens: Option<Vec<Token>> = ids
        .into_iter()
        .map(|id| Token::from_u16(u16::try_from(id).ok()?, tokenizer))
        .collect();
    Some(tokenizer.decode(tokens?).into_bytes())
}

/// The end of a word decodes to a space.
fn ended(bytes: &[u8]) -> Piece {
    match bytes.strip_suffix(b" ") {
        Some(bytes) => (bytes.to_vec(), true),
        None => (bytes.to_vec(), false),
    }
}

/// The two pieces that are left of a piece's bytes when all earlier merges are done.
fn parts(
    bytes: &[u8],
    ends: bool,
    base: &[usize; 256],
    ranks: &HashMap<(usize, usize), usize>,
) -> Option<(usize, usize)> {
    let mut ids: Vec<usize> = bytes.iter().map(|byte| base[usize::from(*byte)]).collect();
    if ends {
        *ids.last_mut()? += 256;
    }
    while ids.len() > 2 {
        let best = ids
            .windows(2)
            .filter_map(|pair| ranks.get(&(pair[0], pair[1])))
            .min()?;
        let at = ids
            .windows(2)
            .position(|pair| ranks.get(&(pair[0], pair[1])) == Some(best))?;
        ids.splice(at..at + 2, [*best]);
    }
    match ids[..] {
        [left, right] => Some((left, right)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tokens;
    use realsyn_checkpoint::tokenizer::json;

    #[test]
    fn the_merges_are_clips_own() {
        let merges = clip_merges(usize::MAX);
        let pair = |at: usize| (merges[at].0.as_str(), merges[at].1.as_str());
        assert_eq!(merges.len(), 48_894);
        // bpe_simple_vocab_16e6.txt, lines 2, 3, 8, and the last that CLIP reads.
        assert_eq!(
            [pair(0), pair(1), pair(6)],
            [("i", "n"), ("t", "h"), ("th", "e</w>")]
        );
        assert_eq!(pair(48_893), ("jeky", "ll</w>"));
        // The whole list, so that no piece of a character is lost: the hash of the file's own list.
        let lines: Vec<String> = merges
            .iter()
            .map(|(left, right)| format!("{left} {right}\n"))
            .collect();
        assert_eq!(
            blake3::hash(lines.concat().as_bytes()).to_hex()[..16],
            *"d2277cd800670829"
        );
    }

    #[test]
    fn the_tokenizer_gives_clips_ids() {
        let tokens = Tokens::from_json(&json(&clip_merges(usize::MAX), 77).unwrap(), 77).unwrap();
        // open_clip.SimpleTokenizer of the same texts.
        assert_eq!(
            tokens.encode("Hi there").unwrap(),
            [49406, 1883, 997, 49407]
        );
        assert_eq!(
            tokens.encode("I'm fine, thanks!").unwrap(),
            [49406, 328, 880, 3797, 267, 1085, 256, 49407]
        );
        let library = Tokenizer::new();
        for text in [
            "a photo of 42 naïve cafés — ©2024",
            "日本語 🙂🤷‍♀️ test's",
            "x\u{301}  <b>   ÀÉ",
        ] {
            let mut expected = Vec::new();
            library.encode(&text.to_lowercase(), &mut expected);
            let expected: Vec<i64> = expected
                .iter()
                .map(|token| i64::from(token.to_u16()))
                .collect();
            let found = tokens.encode(text).unwrap();
            assert_eq!(found[1..found.len() - 1], expected, "{text}");
        }
    }

    #[test]
    fn a_small_vocabulary_is_a_prefix() {
        let merges = clip_merges(1024);
        assert_eq!(merges.len(), 1024 - BASE_VOCAB);
        assert_eq!(clip_merges(0), []);
        let tokens = Tokens::from_json(&json(&merges, 24).unwrap(), 24).unwrap();
        assert_eq!(tokens.encode("the").unwrap(), [1022, 518, 1023]);
    }
}
