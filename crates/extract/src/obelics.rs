//! A document of OBELICS, or of `OmniCorpus`, which took its form: parallel lists of image references and texts.
//!
//! OBELICS: at each position exactly one of `images` and `texts` is set. `metadata` is a JSON *string* that holds a list with
//! an object for each image (`alt_text`, `original_width`, …) and `null` elsewhere; a plain list is read too.
//! `general_metadata` is a JSON string with the page's `url`.
//!
//! `OmniCorpus`: `metadata` is a list of objects (`width`, `height`, …) and `general_metadata` an object. Its lists need not be
//! of one length, its texts may hold `<image>` where an image stands, and a position may have a text and an image: the
//! text comes first.
//!
//! Memory: the text once. Order: the document's.

use simd_json::prelude::{TypedScalarValue as _, ValueAsScalar as _, ValueIntoString as _};
use simd_json::tape::{Array, Object, Value};

use crate::ExtractError;
use crate::interleaved::{Declared, Form, Parsed};
use crate::json;

/// What stands among the texts of `OmniCorpus` for an image.
const PLACE: &str = "<image>";

/// Reads a document.
///
/// # Errors
/// `bad-obelics` or `bad-omnicorpus`.
pub fn document(document: Value<'_, '_>, form: Form) -> Result<Parsed, ExtractError> {
    let images = list(document, "images", form)?;
    let texts = list(document, "texts", form)?;
    let is_strict = form == Form::Obelics;
    if is_strict && images.len() != texts.len() {
        let (images, texts) = (images.len(), texts.len());
        return Err(bad(
            form,
            format!("{images} images stand beside {texts} texts"),
        ));
    }
    match document.get("metadata") {
        Some(metadata) => match metadata.as_str() {
            // Nothing but null: a document without images.
            Some(inner) if !inner.contains('{') => blocks(&images, &texts, None, form),
            Some(inner) => {
                let read = json::read(inner.as_bytes(), |inner| {
                    blocks(&images, &texts, inner.as_array(), form)
                });
                // Damaged metadata lose a document nothing but its alt texts.
                read.unwrap_or_else(|_| blocks(&images, &texts, None, form))
            }
            None => blocks(&images, &texts, metadata.as_array(), form),
        },
        None => blocks(&images, &texts, None, form),
    }
}

fn blocks(
    images: &Array<'_, '_>,
    texts: &Array<'_, '_>,
    metadata: Option<Array<'_, '_>>,
    form: Form,
) -> Result<Parsed, ExtractError> {
    let mut parsed = Parsed::default();
    // Texts have two or three paragraphs.
    parsed.blocks.reserve(2 * texts.len());
    let (mut images, mut texts) = (images.iter(), texts.iter());
    let mut metadata = metadata.as_ref().map(Array::iter);
    for position in 0.. {
        let (image, words) = (images.next(), texts.next());
        if image.is_none() && words.is_none() {
            break;
        }
        let about = metadata.as_mut().and_then(Iterator::next);
        let image = string(image, "images", position, form)?;
        let words = string(words, "texts", position, form)?;
        match (image, words) {
            (Some(_), Some(_)) if form == Form::Obelics => {
                let what = format!("position {position} has both an image and a text");
                return Err(bad(form, what));
            }
            // Neither: the data sets' own pipelines leave such holes where they removed an image.
            (image, words) => {
                if let Some(words) = words.filter(|words| image.is_none() || *words != PLACE) {
                    parsed.text(words);
                }
                if let Some(image) = image {
                    let (declared, alt) = about.map(declared).unwrap_or_default();
                    parsed.image(vec![image.to_owned()], alt, declared);
                }
            }
        }
    }
    Ok(parsed)
}

/// What is declared of an image, and its alternative text: in one pass, since its object has many keys.
fn declared<'i>(about: Value<'_, 'i>) -> (Declared, Option<&'i str>) {
    let (mut original, mut own) = (Declared::default(), Declared::default());
    let mut alt = None;
    for (key, value) in about.as_object().iter().flat_map(Object::iter) {
        match key {
            "alt_text" => alt = value.into_string(),
            "original_width" => original.original_width = json::pixels(value),
            "original_height" => original.original_height = json::pixels(value),
            "width" => own.original_width = json::pixels(value),
            "height" => own.original_height = json::pixels(value),
            _ => {}
        }
    }
    let declared = Declared {
        original_width: original.original_width.or(own.original_width),
        original_height: original.original_height.or(own.original_height),
    };
    (declared, alt)
}

fn list<'t, 'i>(
    document: Value<'t, 'i>,
    key: &str,
    form: Form,
) -> Result<Array<'t, 'i>, ExtractError> {
    document
        .get(key)
        .ok_or_else(|| bad(form, format!("{key} is missing")))?
        .as_array()
        .ok_or_else(|| bad(form, format!("{key} is no list")))
}

fn string<'i>(
    value: Option<Value<'_, 'i>>,
    key: &str,
    position: usize,
    form: Form,
) -> Result<Option<&'i str>, ExtractError> {
    match value {
        Some(value) if !value.is_null() => value.into_string().map(Some).ok_or_else(|| {
            bad(
                form,
                format!("{key} holds something else than a text at position {position}"),
            )
        }),
        _ => Ok(None),
    }
}

fn bad(form: Form, what: String) -> ExtractError {
    match form {
        Form::OmniCorpus => ExtractError::BadOmniCorpus(what),
        _ => ExtractError::BadObelics(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::about::About;
    use crate::interleaved::parse;

    fn read(line: &str) -> Parsed {
        parse(line.as_bytes(), None).unwrap()
    }

    fn texts(parsed: &Parsed) -> Vec<&str> {
        parsed
            .blocks
            .iter()
            .map(|block| block.text.as_str())
            .collect()
    }

    #[test]
    fn images_and_texts_alternate_with_their_metadata() {
        let line = r#"{"images":[null,"https://a.example/1.jpg",null],"texts":["One.\n\nTwo.",null,"Three."],
            "metadata":"[null,{\"alt_text\":\" A  b\",\"original_width\":640,\"original_height\":480,\"x\":1},null]",
            "general_metadata":"{\"url\":\"https://a.example/\",\"warc_record_offset\":7}"}"#;
        let parsed = read(line);
        assert_eq!(texts(&parsed), ["One.", "Two.", "", "Three."]);
        let picture = &parsed.blocks[2].pictures[0].1;
        assert_eq!(
            (picture.alt.as_deref(), picture.candidates[0].as_str()),
            (Some("A b"), "https://a.example/1.jpg")
        );
        assert_eq!(
            parsed.declared,
            [Declared {
                original_width: Some(640),
                original_height: Some(480)
            }]
        );
        assert_eq!(parsed.about.url.as_deref(), Some("https://a.example/"));
    }

    #[test]
    fn omnicorpus_has_objects_for_metadata() {
        let line = r#"{"general_metadata":{"domain":["a"],"id":"x","url":"https://a.example/p","title":"T","lang":"en"},
            "images":["https://a.example/1.jpg",null,"https://a.example/2.jpg"],"texts":["<image>","One."],
            "metadata":[{"width":640.0,"height":480,"aesthetic_prob":0.5},null,{"width":-1,"height":1.5}]}"#;
        let parsed = read(line);
        assert_eq!(texts(&parsed), ["", "One.", ""]);
        assert_eq!(parsed.declared[0].original_width, Some(640));
        assert_eq!(parsed.declared[1], Declared::default());
        let about = About {
            title: Some("T".to_owned()),
            url: Some("https://a.example/p".to_owned()),
            lang: Some("en".to_owned()),
            license: None,
        };
        assert_eq!(parsed.about, about);
        let both = r#"{"general_metadata":{},"images":["a.png"],"texts":["One."]}"#;
        assert_eq!(texts(&read(both)), ["One.", ""]);
    }

    #[test]
    fn damaged_metadata_do_not_lose_the_document() {
        for metadata in [
            r#""[null""#,
            "7",
            r#""[{\"original_width\":-1}]""#,
            r#"[{"alt_text":7}]"#,
            "null",
            "[]",
            r#""[[[[]]]]""#,
        ] {
            let line = format!(
                r#"{{"images":["a.png"],"texts":[null],"metadata":{metadata},"general_metadata":{metadata}}}"#
            );
            let parsed = read(&line);
            assert_eq!(parsed.blocks.len(), 1, "{metadata}");
            assert_eq!(parsed.declared, [Declared::default()], "{metadata}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        let lines = [
            (r#"{"images":["a"],"texts":["b"]}"#, "bad-obelics"),
            (r#"{"images":["a"],"texts":[]}"#, "bad-obelics"),
            (r#"{"images":null,"texts":null}"#, "bad-obelics"),
            (r#"{"images":[7],"texts":[null]}"#, "bad-obelics"),
            (r#"{"images":[null],"texts":[["b"]]}"#, "bad-obelics"),
            (
                r#"{"images":{},"texts":[],"general_metadata":{}}"#,
                "bad-omnicorpus",
            ),
            (r#"{"images":[]}"#, "unknown-document"),
            ("{}", "unknown-document"),
            ("[]", "bad-json"),
            ("null", "bad-json"),
            ("{", "bad-json"),
            ("", "bad-json"),
        ];
        for (line, code) in lines {
            let error = parse(line.as_bytes(), None).unwrap_err();
            assert_eq!(error.code(), code, "{line}");
        }
        let error = parse(b"{\"images\":[\"\xff\"],\"texts\":[null]}", None).unwrap_err();
        assert_eq!(error.code(), "bad-json");
        let error = parse(br#"{"images":[]}"#, Some(Form::Obelics)).unwrap_err();
        assert_eq!(error.code(), "bad-obelics");
    }
}
