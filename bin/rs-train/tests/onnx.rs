//! What `rs-embed` runs is what `rs-train` trained: the written towers against the model's own forward pass.

use realsyn_behaviour::fixtures;
use realsyn_checkpoint::{Checkpoint, Config, tokenizer};
use realsyn_infer::{EngineChoice, EngineOptions, Model};
use realsyn_picture::Rgb;
use realsyn_train::{Batch, Crop, Options, Pixels, Tokens, Trainer, clip_merges, cpu};

#[test]
fn the_written_towers_embed_as_the_model_itself() {
    let mut config = Config::named("ViT-micro-8-32").unwrap();
    for quick_gelu in [false, true] {
        config.quick_gelu = quick_gelu;
        let json = tokenizer::json(&clip_merges(1024), config.text_cfg.context_length).unwrap();
        let tokens = Tokens::from_json(&json, config.text_cfg.context_length).unwrap();
        let model = Checkpoint::random(&config, 3).unwrap();
        let pixels = Pixels::new(&config.vision_cfg, model.preprocess(), Crop::Centre);
        let texts = [
            "A lake before the mountains.",
            "2 cats",
            "",
            "naïve 🙂 words, and many more of them than would fit into the context of so small a model as this",
        ];
        let pictures: Vec<Rgb> = [(40, 40), (90, 33), (31, 200), (32, 64)]
            .iter()
            .zip(0..)
            .map(|(&(width, height), seed)| {
                let pixels = fixtures::picture(seed, width, height).into_raw();
                Rgb {
                    width,
                    height,
                    pixels,
                }
            })
            .collect();
        let mut batch = Batch {
            step: 0,
            epoch: 0,
            size: texts.len(),
            patches: Vec::new(),
            ids: Vec::new(),
            tokens: config.text_cfg.context_length,
            ends: Vec::new(),
            failures: Vec::new(),
        };
        for (text, picture) in texts.iter().zip(&pictures) {
            pixels.append(picture, 0, "", &mut batch.patches);
            let mut ids = tokens.encode(text).unwrap();
            batch.ends.push(ids.len() - 1);
            ids.resize(batch.tokens, 0);
            batch.ids.extend(ids);
        }
        let (images, sentences) = Trainer::new(&model, Options::default(), cpu())
            .unwrap()
            .embed(&batch)
            .unwrap();

        let dir = tempfile::tempdir().unwrap();
        model.write_dir(dir.path(), &json).unwrap();
        let engine = EngineOptions {
            choice: EngineChoice::Rten,
            ..EngineOptions::default()
        };
        let mut embedder = Model::open(dir.path(), &engine).unwrap().embedder();
        let found_images = embedder
            .embed_images(&pictures.iter().collect::<Vec<_>>())
            .unwrap();
        let found_texts = embedder.embed_texts(&texts).unwrap();
        for (own, found) in [(images, found_images), (sentences, found_texts)] {
            for (own, found) in own.chunks(config.embed_dim).zip(found) {
                let length = own.iter().map(|value| value * value).sum::<f32>().sqrt();
                for (own, found) in own.iter().zip(found.unwrap()) {
                    assert!(
                        (own / length - found).abs() < 1e-4,
                        "{} and {found}",
                        own / length
                    );
                }
            }
        }
    }
}
