//! Pictures, documents, records and a model, all made by code.

use std::fmt::Write as _;
use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, Rgb, RgbImage};
use realsyn_checkpoint::{Checkpoint, Config, tokenizer};
use realsyn_record::{Embedding, content_hash, uniform};

use crate::onnx;

/// Dimensions of the embeddings of [`embedded_records`].
pub const DIM: usize = 16;

/// A picture of `width` × `height` pixels that no other `seed` gives: a coloured gradient with discs in it.
#[must_use]
pub fn picture(seed: u64, width: u32, height: u32) -> RgbImage {
    let number = |name: &str| uniform(seed, name);
    let colour = |name: &str| [0, 1, 2].map(|channel| 255.0 * number(&format!("{name}{channel}")));
    let (from, to) = (colour("from"), colour("to"));
    let (w, h) = (f64::from(width), f64::from(height));
    let discs: Vec<_> = (0..6)
        .map(|n| {
            let part = |axis: &str| number(&format!("disc{n}{axis}"));
            (
                part("x") * w,
                part("y") * h,
                (0.08 + 0.2 * part("r")) * w.min(h),
                colour(&format!("disc{n}")),
            )
        })
        .collect();
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (f64::from(x), f64::from(y));
        let along = f64::midpoint(x / w, y / h);
        let mut pixel =
            [0, 1, 2].map(|channel: usize| from[channel] * (1.0 - along) + to[channel] * along);
        for (cx, cy, radius, colour) in &discs {
            if (x - cx).hypot(y - cy) < *radius {
                pixel = *colour;
            }
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to a byte"
        )]
        let bytes = pixel.map(|value| value.clamp(0.0, 255.0) as u8);
        Rgb(bytes)
    })
}

/// `picture` as the bytes of a file.
#[must_use]
pub fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Writes a tiny CLIP with random weights, as `rs-embed` takes it, into `dir`.
pub fn model(dir: &Path) {
    let config = Config::tiny();
    let no_merges: [(&str, &str); 0] = [];
    let words = tokenizer::json(&no_merges, config.text_cfg.context_length).unwrap();
    Checkpoint::random(&config, 7)
        .unwrap()
        .write_dir(dir, &words)
        .unwrap();
}

/// Adds to the model in `dir` a classifier whose labels are the colours that outweigh the others, as `rs-caption` takes it.
pub fn classifier(dir: &Path) {
    std::fs::write(
        dir.join("onnx/classifier.onnx"),
        onnx::channel_classifier(16),
    )
    .unwrap();
    let config = dir.join("config.json");
    let text = std::fs::read_to_string(&config).unwrap();
    let labels = r#"{"id2label":{"0":"red","1":"green","2":"blue"},"#;
    std::fs::write(&config, text.replacen('{', labels, 1)).unwrap();
}

/// The words that [`causal_lm`] knows; the first begins every text, the second stands for all others.
pub const LM_WORDS: [&str; 10] = [
    "<s>", "<unk>", "the", "heron", "waits", "for", "a", "fish", "mill", ".",
];

/// The logit of token `next` behind token `last` at `position`, of [`causal_lm`].
#[must_use]
pub fn lm_logit(last: usize, position: usize, next: usize) -> f32 {
    f32::from(u8::try_from((last * 7 + next * 3) % 11 + (position * 5 + next) % 7).unwrap()) / 4.0
}

/// Writes a causal language model of words between spaces into `dir`, as `rs-perplexity` takes it.
pub fn causal_lm(dir: &Path) {
    let number = |value: usize| f32::from(u8::try_from(value).unwrap()) / 4.0;
    let row =
        |of: &dyn Fn(usize) -> usize| (0..LM_WORDS.len()).map(|next| number(of(next))).collect();
    let by_token: Vec<Vec<f32>> = (0..LM_WORDS.len())
        .map(|last| row(&|next| (last * 7 + next * 3) % 11))
        .collect();
    let by_position: Vec<Vec<f32>> = (0..32)
        .map(|position| row(&|next| (position * 5 + next) % 7))
        .collect();
    std::fs::create_dir_all(dir.join("onnx")).unwrap();
    let graph = onnx::causal_lm(&by_token, &by_position);
    std::fs::write(dir.join("onnx/model.onnx"), graph).unwrap();
    let config = r#"{"model_type":"gpt2","n_positions":32,"n_ctx":32,"n_head":2,"n_embd":8,"bos_token_id":0}"#;
    std::fs::write(dir.join("config.json"), config).unwrap();
    let numbered = LM_WORDS.iter().enumerate();
    let words: Vec<String> = numbered
        .map(|(id, word)| format!("\"{word}\":{id}"))
        .collect();
    let tokenizer = format!(
        r#"{{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":{{"type":"Lowercase"}},"pre_tokenizer":{{"type":"Whitespace"}},"post_processor":null,"decoder":null,"model":{{"type":"WordLevel","vocab":{{{}}},"unk_token":"<unk>"}}}}"#,
        words.join(",")
    );
    std::fs::write(dir.join("tokenizer.json"), tokenizer).unwrap();
}

/// The sentences of document `doc`: plain English that every rule lets pass.
#[must_use]
pub fn sentences(doc: usize) -> Vec<String> {
    const WHO: [&str; 6] = [
        "The old fisherman",
        "A grey heron",
        "The young baker",
        "A small dog",
        "The tall woman",
        "A red fox",
    ];
    const DOES: [&str; 6] = [
        "watches",
        "follows",
        "carries",
        "finds",
        "paints",
        "remembers",
    ];
    const WHAT: [&str; 6] = [
        "the wooden boat",
        "a bright lantern",
        "the narrow bridge",
        "an empty basket",
        "the stone tower",
        "a quiet harbour",
    ];
    const WHERE: [&str; 6] = [
        "near the river",
        "behind the mill",
        "under the clouds",
        "before the storm",
        "along the coast",
        "in the morning",
    ];
    (0..6)
        .map(|n| {
            let pick =
                |from: [&'static str; 6], step: usize| from[(doc * step + n * (step + 1)) % 6];
            format!(
                "{} {} {} {}.",
                pick(WHO, 1),
                pick(DOES, 2),
                pick(WHAT, 3),
                WHERE[(doc + n) % 6]
            )
        })
        .collect()
}

/// Writes `count` HTML documents with two pictures each into `dir`; names are `doc0.html`, `doc0-0.jpg` and so on.
pub fn documents(dir: &Path, count: usize) {
    std::fs::create_dir_all(dir).unwrap();
    for doc in 0..count {
        let mut body = format!("<h1>Notes from the coast, number {doc}</h1>");
        for (n, pair) in sentences(doc).chunks(3).enumerate() {
            let seed = (10 * doc + n) as u64;
            let name = format!("doc{doc}-{n}.jpg");
            std::fs::write(
                dir.join(&name),
                encoded(&picture(seed, 160, 120), ImageFormat::Jpeg),
            )
            .unwrap();
            write!(
                body,
                "<p>{}</p><figure><img src=\"{name}\" alt=\"view {seed}\"></figure>",
                pair.join(" ")
            )
            .unwrap();
        }
        let page = format!(
            "<!doctype html><html><head><title>Coast {doc}</title></head><body><article>{body}</article></body></html>"
        );
        std::fs::write(dir.join(format!("doc{doc}.html")), page).unwrap();
    }
}

/// `image/1` records of `count` pictures, which are written into `dir` under `pictures/`.
#[must_use]
pub fn image_records(dir: &Path, count: usize) -> String {
    std::fs::create_dir_all(dir.join("pictures")).unwrap();
    let mut lines = String::new();
    for n in 0..count {
        let path = format!("pictures/{n}.png");
        let bytes = encoded(&picture(n as u64, 128, 96), ImageFormat::Png);
        let hash = content_hash(&bytes);
        std::fs::write(dir.join(&path), &bytes).unwrap();
        writeln!(
            lines,
            r#"{{"schema":"image/1","id":"d{}/i{n}","doc":"d{}","pos":{n},"hash":"{hash}","path":"{path}","width":128,"height":96,"format":"png","bytes":{}}}"#,
            n / 2,
            n / 2,
            bytes.len()
        )
        .unwrap();
    }
    lines
}

/// `sentence/1` records of `docs` documents.
#[must_use]
pub fn sentence_records(docs: usize) -> String {
    let mut lines = String::new();
    for doc in 0..docs {
        for (n, text) in sentences(doc).iter().enumerate() {
            let hash = content_hash(text.as_bytes());
            writeln!(lines, r#"{{"schema":"sentence/1","id":"d{doc}/s{n}","doc":"d{doc}","pos":{n},"hash":"{hash}","text":"{text}"}}"#)
                .unwrap();
        }
    }
    lines
}

/// A unit vector that depends on `group` most and on `id` a little: vectors of one group are near one another.
#[must_use]
pub fn vector(group: usize, id: &str) -> Vec<f32> {
    let raw: Vec<f64> = (0..DIM)
        .map(|axis| {
            uniform(1, &format!("{group}:{axis}")) - 0.5
                + 0.2 * (uniform(2, &format!("{id}:{axis}")) - 0.5)
        })
        .collect();
    let norm = raw.iter().map(|value| value * value).sum::<f64>().sqrt();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "embeddings are single precision"
    )]
    raw.iter().map(|value| (value / norm) as f32).collect()
}

/// The lines of `records`, each with an `emb` of `groups` groups in turn.
#[must_use]
pub fn embedded_records(records: &str, groups: usize) -> String {
    let mut out = String::new();
    for (n, line) in records.lines().enumerate() {
        let emb = Embedding::to_json(
            "b3:00112233445566778899aabbccddeeff",
            &vector(n % groups, &n.to_string()),
        );
        writeln!(out, "{},\"emb\":{emb}}}", line.strip_suffix('}').unwrap()).unwrap();
    }
    out
}

/// `pair/1` records of `count` images in four clusters, with scores from 0.10 up in steps of 0.01.
#[must_use]
pub fn pair_records(dir: &Path, count: usize) -> String {
    let mut out = String::new();
    for (n, line) in image_records(dir, count).lines().enumerate() {
        let doc = n / 2;
        let texts: Vec<String> = sentences(doc)
            .iter()
            .take(3)
            .zip(0_u32..)
            .map(|(text, rank)| {
                let step = u32::try_from(n % 80).unwrap();
                let cos = 0.10 + 0.01 * f64::from(step) - 0.001 * f64::from(rank);
                format!(r#"{{"id":"d{doc}/s{rank}","text":"{text}","cos":{cos:.4}}}"#)
            })
            .collect();
        let line = line.replacen("image/1", "pair/1", 1);
        let line = line.strip_suffix('}').unwrap();
        writeln!(
            out,
            "{line},\"texts\":[{}],\"cluster\":{},\"cluster_sim\":0.5}}",
            texts.join(","),
            n % 4
        )
        .unwrap();
    }
    out
}
