//! One line of OBELICS JSON Lines: parallel lists of image references and texts.
//!
//! At each position exactly one of `images` and `texts` is set. `metadata` is a JSON *string* that holds a list with an
//! object for each image (`alt_text`, `original_width`, …) and `null` elsewhere; a plain list is read too.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ExtractError;
use crate::text;
use crate::walk::{Block, Picture};

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    images: Vec<Option<Cow<'a, str>>>,
    #[serde(borrow)]
    texts: Vec<Option<Cow<'a, str>>>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
}

/// What `metadata` says of an image, as far as it is used.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Declared {
    /// Width before the authors of OBELICS scaled it.
    #[serde(default)]
    pub original_width: Option<u32>,
    /// Height before the authors of OBELICS scaled it.
    #[serde(default)]
    pub original_height: Option<u32>,
    #[serde(default)]
    alt_text: Option<String>,
}

/// The blocks of a document, with what is declared of each image in their order.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The blocks.
    pub blocks: Vec<Block>,
    /// One for each picture of the blocks.
    pub declared: Vec<Declared>,
}

/// Reads a line.
///
/// # Errors
/// `bad-obelics`.
pub fn parse(line: &str) -> Result<Parsed, ExtractError> {
    let document: Line<'_> =
        serde_json::from_str(line).map_err(|error| ExtractError::BadObelics(error.to_string()))?;
    if document.images.len() != document.texts.len() {
        let (images, texts) = (document.images.len(), document.texts.len());
        return Err(ExtractError::BadObelics(format!(
            "{images} images stand beside {texts} texts"
        )));
    }
    let mut metadata = metadata(document.metadata);
    metadata.resize(document.images.len(), None);
    let mut parsed = Parsed::default();
    for (position, (image, words)) in document.images.iter().zip(&document.texts).enumerate() {
        match (image, words) {
            (Some(image), None) => {
                let declared = metadata[position].take().unwrap_or_default();
                let alt = declared
                    .alt_text
                    .as_deref()
                    .map(text::fold)
                    .filter(|alt| !alt.is_empty());
                let picture = Picture {
                    candidates: vec![image.to_string()],
                    alt,
                    caption: None,
                };
                parsed.blocks.push(Block {
                    text: String::new(),
                    pictures: vec![(0, picture)],
                });
                parsed.declared.push(declared);
            }
            (None, Some(words)) => {
                for paragraph in words.split("\n\n") {
                    let text = text::fold(paragraph);
                    if !text.is_empty() {
                        parsed.blocks.push(Block {
                            text,
                            pictures: Vec::new(),
                        });
                    }
                }
            }
            (Some(_), Some(_)) => {
                return Err(ExtractError::BadPosition {
                    position,
                    what: "has both an image and a text",
                });
            }
            // The data set's own pipeline leaves such holes where it removed an image.
            (None, None) => {}
        }
    }
    Ok(parsed)
}

/// Damaged metadata lose a document nothing but its alt texts.
fn metadata(raw: Option<&RawValue>) -> Vec<Option<Declared>> {
    let Some(raw) = raw else { return Vec::new() };
    let list = |json: &str| -> Vec<Option<Declared>> {
        let values: Vec<Option<&RawValue>> = serde_json::from_str(json).unwrap_or_default();
        values
            .into_iter()
            .map(|value| value.and_then(|raw| serde_json::from_str(raw.get()).ok()))
            .collect()
    };
    match serde_json::from_str::<Cow<'_, str>>(raw.get()) {
        Ok(inner) => list(&inner),
        Err(_) => list(raw.get()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_and_texts_alternate_with_their_metadata() {
        let line = r#"{"images":[null,"https://a.example/1.jpg",null],"texts":["One.\n\nTwo.",null,"Three."],
            "metadata":"[null,{\"alt_text\":\" A  b\",\"original_width\":640,\"original_height\":480,\"x\":1},null]","general_metadata":"{}"}"#;
        let parsed = parse(line).unwrap();
        let texts: Vec<&str> = parsed
            .blocks
            .iter()
            .map(|block| block.text.as_str())
            .collect();
        assert_eq!(texts, ["One.", "Two.", "", "Three."]);
        let picture = &parsed.blocks[2].pictures[0].1;
        assert_eq!(
            (picture.alt.as_deref(), picture.candidates[0].as_str()),
            (Some("A b"), "https://a.example/1.jpg")
        );
        assert_eq!(parsed.declared[0].original_width, Some(640));
    }

    #[test]
    fn damaged_metadata_do_not_lose_the_document() {
        for metadata in [
            r#""[null""#,
            "7",
            r#""[{\"original_width\":-1}]""#,
            r#"[{"alt_text":7}]"#,
            "null",
        ] {
            let line = format!(r#"{{"images":["a.png"],"texts":[null],"metadata":{metadata}}}"#);
            assert_eq!(parse(&line).unwrap().blocks.len(), 1, "{metadata}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for line in [
            "[]",
            "{",
            r#"{"images":[]}"#,
            r#"{"images":["a"],"texts":["b"]}"#,
            r#"{"images":["a"],"texts":[]}"#,
        ] {
            assert_eq!(parse(line).unwrap_err().code(), "bad-obelics", "{line}");
        }
    }
}
