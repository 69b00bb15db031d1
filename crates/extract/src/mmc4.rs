//! A document of MMC4: `text_list` has its sentences, `image_info` its images, each with the sentence that it goes with.
//!
//! An image stands before the sentence at its `matched_text_index`, images of one sentence in the order of `image_info`, and
//! one without a usable index at the end. What downloads MMC4's images names the files by `image_name`: that file is
//! taken when it lies beside the document's, else the image is at `raw_url`. The entries of `text_list` are what Punkt took
//! for sentences; they are split once more as any text is, so that a page gives the same sentences in whatever form it comes.
//!
//! Memory: the text once. Order: the document's.

use simd_json::prelude::{
    TypedScalarValue as _, ValueAsScalar as _, ValueObjectAccessAsScalar as _,
};
use simd_json::tape::Value;

use crate::interleaved::{Declared, Parsed};
use crate::{ExtractError, json};

/// Reads a document.
///
/// # Errors
/// `bad-mmc4`.
pub fn document(document: Value<'_, '_>) -> Result<Parsed, ExtractError> {
    let bad = |what: &str| ExtractError::BadMmc4(what.to_owned());
    let texts = document
        .get("text_list")
        .ok_or_else(|| bad("text_list is missing"))?
        .as_array()
        .ok_or_else(|| bad("text_list is no list"))?;
    let mut images = match document.get("image_info").filter(|info| !info.is_null()) {
        None => Vec::new(),
        Some(info) => {
            let info = info
                .as_array()
                .ok_or_else(|| bad("image_info is no list"))?;
            let mut images = Vec::with_capacity(info.len());
            for image in &info {
                if !image.is_object() {
                    return Err(bad("an entry of image_info is no object"));
                }
                let at = image
                    .get_u64("matched_text_index")
                    .and_then(|at| usize::try_from(at).ok())
                    .filter(|&at| at < texts.len())
                    .unwrap_or(texts.len());
                images.push((at, image));
            }
            images
        }
    };
    // A stable sort: images of one sentence keep their order.
    images.sort_by_key(|(at, _)| *at);
    let mut images = images.into_iter().peekable();
    let mut parsed = Parsed::default();
    for (position, words) in texts.iter().enumerate() {
        while let Some((_, image)) = images.next_if(|(at, _)| *at == position) {
            push(image, &mut parsed);
        }
        match words.as_str() {
            Some(words) => parsed.text(words),
            None if words.is_null() => {}
            None => {
                return Err(ExtractError::BadMmc4(format!(
                    "text_list holds something else than a text at position {position}"
                )));
            }
        }
    }
    for (_, image) in images {
        push(image, &mut parsed);
    }
    Ok(parsed)
}

fn push(image: Value<'_, '_>, parsed: &mut Parsed) {
    let candidates: Vec<String> = [
        json::text(image, "image_name"),
        json::text(image, "raw_url"),
    ]
    .into_iter()
    .flatten()
    .map(str::to_owned)
    .collect();
    parsed.image(
        candidates,
        json::text(image, "alt_text"),
        Declared::default(),
    );
}

#[cfg(test)]
mod tests {
    use crate::interleaved::{Form, parse};

    /// Texts and references in their order.
    fn gist(line: &str) -> Vec<String> {
        let parsed = parse(line.as_bytes(), None).unwrap();
        let mut found = Vec::new();
        for block in parsed.blocks {
            found.extend(
                block
                    .pictures
                    .into_iter()
                    .map(|(_, picture)| picture.candidates.join(" or ")),
            );
            if !block.text.is_empty() {
                found.push(block.text);
            }
        }
        found
    }

    #[test]
    fn images_stand_before_the_sentence_they_are_matched_to() {
        // The shape of the release's own example.
        let line = r#"{"image_info":[
            {"face_detections":null,"image_name":"b.jpg","matched_sim":0.27,"matched_text_index":2,"raw_url":"http://h.example/91.jpg"},
            {"face_detections":null,"image_name":"d.jpg","matched_sim":0.32,"matched_text_index":1,"raw_url":"http://h.example/90.jpg"},
            {"image_name":"e.jpg","matched_text_index":2}],
            "similarity_matrix":[[0.24,0.31,0.27],[0.22,0.32,0.26],[0.1,0.2,0.3]],
            "text_list":["First  one.","Second one.","Third one."],
            "url":"http://h.example/hofi-48.html","could_have_url_duplicate":0}"#;
        assert_eq!(
            gist(line),
            [
                "First one.",
                "d.jpg or http://h.example/90.jpg",
                "Second one.",
                "b.jpg or http://h.example/91.jpg",
                "e.jpg",
                "Third one."
            ]
        );
        let about = parse(line.as_bytes(), None).unwrap().about;
        assert_eq!(about.url.as_deref(), Some("http://h.example/hofi-48.html"));
    }

    #[test]
    fn an_image_without_a_sentence_stands_at_the_end() {
        for index in ["7", "-1", "null", "\"1\"", "1.5", "18446744073709551616"] {
            let line = format!(
                r#"{{"text_list":["A.","B."],"image_info":[{{"raw_url":"u","matched_text_index":{index}}}]}}"#
            );
            assert_eq!(gist(&line), ["A.", "B.", "u"], "{index}");
        }
        assert_eq!(
            gist(r#"{"text_list":[null,"B."],"image_info":null}"#),
            ["B."]
        );
        assert_eq!(
            gist(r#"{"text_list":["B."],"image_info":[{}]}"#),
            ["B.", ""]
        );
    }

    #[test]
    fn other_forms_are_refused() {
        for line in [
            r#"{"text_list":null}"#,
            r#"{"text_list":"A."}"#,
            r#"{"text_list":[1]}"#,
            r#"{"text_list":[],"image_info":{}}"#,
            r#"{"text_list":["A."],"image_info":[null]}"#,
            r#"{"texts":["A."],"images":[null]}"#,
        ] {
            let error = parse(line.as_bytes(), Some(Form::Mmc4)).unwrap_err();
            assert_eq!(error.code(), "bad-mmc4", "{line}");
        }
    }
}
