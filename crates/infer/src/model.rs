//! A joint image-text model: pictures and texts in, unit vectors of one space out.
//!
//! Memory: each tower's weights once (rten) or once a worker (ONNX Runtime), from its first use on; one batch's tensors
//! a worker. Order: answers stand in the order of the questions.
//!
//! Determinism: every run has one of a few fixed shapes. A batch that is not full is filled with rows whose answers are
//! thrown away, and a row's length depends on its own text, so an embedding does not depend on its neighbours, on the
//! number of workers or on where a stream was cut. Models that quantise while they run (`DynamicQuantizeLinear`) take
//! their scale from the whole batch: for these a batch is one row.

use crate::InferError;
use crate::directory::{Directory, Pooling};
use crate::engine::{self, Engine, EngineOptions, Graph, Output, Session, Tensor};
use crate::preprocess::Preprocess;
use crate::text::Encoder;
use realsyn_picture::{Reduced, Rgb};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of a run of a text transformer. On one core, MiniLM at 24 tokens takes 10.3 ms a sentence alone, 7.2 in fours, 6.9
/// in sixteens, while every length of text leaves one batch part-filled.
const ROWS: usize = 4;

/// Rows of a run of a vision transformer: all pictures have one shape, so that only a run's end is part-filled.
const IMAGE_ROWS: usize = 16;

/// A picture as the tensor that a vision tower takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Pixels(Vec<f32>);

impl Pixels {
    /// The numbers: planes of red, green and blue, row by row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.0
    }
}

/// An opened model; clones share it.
#[derive(Clone)]
pub struct Model(Arc<Inner>);

struct Inner {
    directory: Directory,
    id: String,
    engine: Arc<dyn Engine>,
    rules: Mutex<Option<Arc<ImageRules>>>,
    image: Mutex<Option<Arc<ImageTower>>>,
    text: Mutex<Option<Arc<TextTower>>>,
}

/// What is known of a vision tower before its weights are loaded, so that pictures are decoded meanwhile.
struct ImageRules {
    path: PathBuf,
    preprocess: Preprocess,
    rows: usize,
}

/// A vision tower that is loaded.
struct ImageTower {
    graph: Arc<dyn Graph>,
    output: String,
}

/// A text tower that is loaded.
struct TextTower {
    graph: Arc<dyn Graph>,
    output: String,
    /// Set where the output is a vector a token.
    pooling: Option<Pooling>,
    encoder: Encoder,
    rows: usize,
}

impl Model {
    /// Reads the directory's JSON files, computes its identity and finds the engine. A tower is loaded when it is first
    /// used.
    ///
    /// # Errors
    /// [`InferError::Io`] naming the absent file, [`InferError::Config`], or [`InferError::Library`] if ONNX Runtime was
    /// asked for and cannot be had.
    pub fn open(dir: &Path, options: &EngineOptions) -> Result<Self, InferError> {
        let directory = Directory::open(dir, options.weights.as_deref())?;
        let id = directory.identity()?;
        let engine = engine::find(dir, options)?;
        Ok(Self(Arc::new(Inner {
            directory,
            id,
            engine,
            rules: Mutex::default(),
            image: Mutex::default(),
            text: Mutex::default(),
        })))
    }

    /// `b3:` and 32 hex digits: the content of the model's files.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The width of the embedding as `config.json` names it, if it does.
    #[must_use]
    pub fn dim(&self) -> Option<usize> {
        self.0.directory.config.projection_dim
    }

    /// The engine in words: its name, its version, for a library where it lies.
    #[must_use]
    pub fn engine(&self) -> String {
        self.0.engine.describe()
    }

    /// A worker's own access to the model.
    #[must_use]
    pub fn embedder(&self) -> Embedder {
        Embedder {
            model: self.clone(),
            rules: None,
            image: None,
            text: None,
        }
    }

    fn image_rules(&self) -> Result<Arc<ImageRules>, InferError> {
        let inner = &self.0;
        once(&inner.rules, || {
            let path = inner
                .directory
                .graph(&["vision_model.onnx"], "vision tower")?;
            let preprocess =
                Preprocess::open(&inner.directory.path.join("preprocessor_config.json"))?;
            let vision = inner.directory.config.vision.as_ref();
            // Convolutions gain nothing from company; transformers read their weights once a batch.
            let transformer = vision.is_some_and(|tower| tower.patch_size.is_some());
            let rows = if transformer && !scales_by_batch(&path)? {
                IMAGE_ROWS
            } else {
                1
            };
            Ok(ImageRules {
                path,
                preprocess,
                rows,
            })
        })
    }

    fn image_tower(&self) -> Result<Arc<ImageTower>, InferError> {
        let rules = self.image_rules()?;
        once(&self.0.image, || {
            let graph = self.0.engine.load(&rules.path)?;
            only_inputs(&*graph, &rules.path, &["pixel_values"])?;
            let names = ["image_embeds", "pooler_output"];
            let output = pick_output(&*graph, &rules.path, &names)?;
            Ok(ImageTower { graph, output })
        })
    }

    fn text_tower(&self) -> Result<Arc<TextTower>, InferError> {
        let inner = &self.0;
        once(&inner.text, || {
            let path = inner
                .directory
                .graph(&["text_model.onnx", "model.onnx"], "text tower")?;
            let graph = inner.engine.load(&path)?;
            only_inputs(
                &*graph,
                &path,
                &["input_ids", "attention_mask", "token_type_ids"],
            )?;
            let has_mask = graph.inputs().iter().any(|name| name == "attention_mask");
            let encoder = Encoder::open(&inner.directory, has_mask)?;
            // BERT's "pooler_output" is no sentence embedding; CLIP's and SigLIP's is the one there is.
            let dual = inner.directory.config.vision.is_some();
            let pooled: &[&str] = if dual {
                &["text_embeds", "pooler_output"]
            } else {
                &["text_embeds", "sentence_embedding"]
            };
            let (output, pooling) =
                match (pick_output(&*graph, &path, pooled), inner.directory.pooling) {
                    (Ok(output), _) => (output, None),
                    (Err(_), Some(pooling)) => (
                        pick_output(&*graph, &path, &["last_hidden_state", "token_embeddings"])?,
                        Some(pooling),
                    ),
                    (Err(error), None) => return Err(error),
                };
            Ok(TextTower {
                graph,
                output,
                pooling,
                encoder,
                rows: if scales_by_batch(&path)? { 1 } else { ROWS },
            })
        })
    }
}

/// One worker's access to a model: it owns its sessions, which are opened when they are first needed.
pub struct Embedder {
    model: Model,
    rules: Option<Arc<ImageRules>>,
    image: Option<(Arc<ImageTower>, Box<dyn Session>)>,
    text: Option<(Arc<TextTower>, Box<dyn Session>)>,
}

/// The unit vector of one picture or text, or why it has none.
pub type Answer = Result<Vec<f32>, InferError>;

impl Embedder {
    /// The tensor of a picture; the picture is not needed any longer then. The weights are not loaded for it.
    ///
    /// # Errors
    /// [`InferError::Aspect`], which is about this picture, or the tower's files are not there or not understood.
    pub fn prepare(&mut self, picture: &Rgb) -> Result<Pixels, InferError> {
        self.prepare_with(|rules, out| rules.append(picture, out))
    }

    /// As [`Embedder::prepare`], of a picture that may have been decoded at a fraction of its size.
    ///
    /// # Errors
    /// As [`Embedder::prepare`].
    pub fn prepare_reduced(&mut self, picture: &Reduced<Rgb>) -> Result<Pixels, InferError> {
        self.prepare_with(|rules, out| rules.append_reduced(picture, out))
    }

    fn prepare_with(
        &mut self,
        append: impl FnOnce(&Preprocess, &mut Vec<f32>) -> Result<(), InferError>,
    ) -> Result<Pixels, InferError> {
        let rules = self.image_rules()?;
        let mut pixels = Vec::with_capacity(rules.preprocess.len());
        append(&rules.preprocess, &mut pixels)?;
        Ok(Pixels(pixels))
    }

    /// How many samples along each side a picture must keep if it is decoded at a fraction of its size.
    ///
    /// # Errors
    /// The tower's files are not there or not understood.
    pub fn least_samples(&mut self) -> Result<u32, InferError> {
        Ok(self.image_rules()?.preprocess.least_samples())
    }

    /// How many pictures make a full batch.
    ///
    /// # Errors
    /// As [`Embedder::least_samples`].
    pub fn image_rows(&mut self) -> Result<usize, InferError> {
        Ok(self.image_rules()?.rows)
    }

    /// The embeddings of prepared pictures, one an entry, in order.
    ///
    /// # Errors
    /// What concerns the model or the engine; what concerns one picture stands in its place in the answer.
    pub fn embed_pixels(&mut self, pictures: &[Pixels]) -> Result<Vec<Answer>, InferError> {
        let dim = self.model.dim();
        let tower = self.image_rules()?;
        let (rows, rules) = (tower.rows, &tower.preprocess);
        let (tower, session) = self.image_session()?;
        let shape = [rows, 3, rules.height as usize, rules.width as usize];
        let mut answers = Vec::with_capacity(pictures.len());
        let mut batch = Vec::with_capacity(rows * rules.len());
        for chunk in pictures.chunks(rows) {
            batch.clear();
            for pixels in chunk {
                batch.extend_from_slice(&pixels.0);
            }
            batch.resize(rows * rules.len(), 0.0);
            let output = session.run(
                &[("pixel_values", Tensor::F32(&shape, &batch))],
                &tower.output,
            )?;
            let vectors = matrix(&output, rows, dim)?;
            answers.extend(vectors.take(chunk.len()).map(unit));
        }
        Ok(answers)
    }

    /// The embeddings of pictures, one an entry, in order.
    ///
    /// # Errors
    /// As [`Embedder::embed_pixels`].
    pub fn embed_images(&mut self, pictures: &[&Rgb]) -> Result<Vec<Answer>, InferError> {
        let mut answers = Vec::with_capacity(pictures.len());
        let mut ready = Vec::new();
        let mut places = Vec::new();
        for (place, picture) in pictures.iter().enumerate() {
            match self.prepare(picture) {
                Ok(pixels) => {
                    ready.push(pixels);
                    places.push(place);
                    answers.push(Ok(Vec::new()));
                }
                Err(error) if error.is_about_the_input() => answers.push(Err(error)),
                Err(error) => return Err(error),
            }
        }
        for (place, answer) in places.into_iter().zip(self.embed_pixels(&ready)?) {
            answers[place] = answer;
        }
        Ok(answers)
    }

    /// The embeddings of texts, one an entry, in order. Texts are cut to the model's context.
    ///
    /// # Errors
    /// What concerns the model or the engine; what concerns one text stands in its place in the answer.
    pub fn embed_texts<T: AsRef<str>>(&mut self, texts: &[T]) -> Result<Vec<Answer>, InferError> {
        let dim = self.model.dim();
        let (tower, session) = self.text_session()?;
        let mut rows = Vec::with_capacity(texts.len());
        for (place, text) in texts.iter().enumerate() {
            let ids = tower.encoder.ids(text.as_ref())?;
            rows.push((tower.encoder.row_length(ids.len()), place, ids));
        }
        rows.sort_unstable_by_key(|(length, place, _)| (*length, *place));
        let mut answers: Vec<Answer> = texts.iter().map(|_| Ok(Vec::new())).collect();
        for same in rows.chunk_by(|a, b| a.0 == b.0) {
            for chunk in same.chunks(tower.rows) {
                let ids: Vec<&[i64]> = chunk.iter().map(|(_, _, ids)| ids.as_slice()).collect();
                let vectors = tower.run(
                    session.as_mut(),
                    &ids,
                    chunk.first().map_or(0, |row| row.0),
                    dim,
                )?;
                for ((_, place, _), vector) in chunk.iter().zip(vectors) {
                    answers[*place] = vector;
                }
            }
        }
        Ok(answers)
    }

    fn image_rules(&mut self) -> Result<Arc<ImageRules>, InferError> {
        let rules = match &self.rules {
            Some(rules) => rules,
            None => self.rules.insert(self.model.image_rules()?),
        };
        Ok(Arc::clone(rules))
    }

    fn image_session(&mut self) -> Result<&mut (Arc<ImageTower>, Box<dyn Session>), InferError> {
        if self.image.is_none() {
            let tower = self.model.image_tower()?;
            let session = tower.graph.session()?;
            return Ok(self.image.insert((tower, session)));
        }
        self.image.as_mut().ok_or(InferError::NotFinite(0.0))
    }

    fn text_session(&mut self) -> Result<&mut (Arc<TextTower>, Box<dyn Session>), InferError> {
        if self.text.is_none() {
            let tower = self.model.text_tower()?;
            let session = tower.graph.session()?;
            return Ok(self.text.insert((tower, session)));
        }
        self.text.as_mut().ok_or(InferError::NotFinite(0.0))
    }
}

impl TextTower {
    /// One run of at most `self.rows` texts whose rows are `length` long.
    fn run(
        &self,
        session: &mut dyn Session,
        ids: &[&[i64]],
        length: usize,
        dim: Option<usize>,
    ) -> Result<Vec<Answer>, InferError> {
        let size = self.rows * length;
        let (mut tokens, mut mask) = (vec![self.encoder.pad(); size], vec![0; size]);
        // Rows without a text repeat the first: a row that is all padding has no mean.
        let repeated = ids.iter().chain(std::iter::repeat(&ids[0]));
        for ((row, kept), text) in tokens
            .chunks_exact_mut(length)
            .zip(mask.chunks_exact_mut(length))
            .zip(repeated)
        {
            let used = text.len().min(length);
            row[..used].copy_from_slice(&text[..used]);
            kept[..used].fill(1);
        }
        let kinds = vec![0; size];
        let shape = [self.rows, length];
        let mut inputs = Vec::with_capacity(3);
        for name in self.graph.inputs() {
            let data = match name.as_str() {
                "input_ids" => &tokens,
                "attention_mask" => &mask,
                _ => &kinds,
            };
            inputs.push((name.as_str(), Tensor::I64(&shape, data)));
        }
        let output = session.run(&inputs, &self.output)?;
        match self.pooling {
            None => Ok(matrix(&output, self.rows, dim)?
                .take(ids.len())
                .map(unit)
                .collect()),
            Some(pooling) => pool(&output, pooling, &mask, self.rows, length, ids.len()),
        }
    }
}

/// One vector a text from one vector a token.
fn pool(
    output: &Output,
    pooling: Pooling,
    mask: &[i64],
    rows: usize,
    length: usize,
    texts: usize,
) -> Result<Vec<Answer>, InferError> {
    let dim = match output.shape[..] {
        [a, b, dim] if a == rows && b == length && dim > 0 => dim,
        _ => return Err(unexpected(&output.shape)),
    };
    let per_row = output
        .values
        .chunks_exact(length * dim)
        .zip(mask.chunks_exact(length));
    Ok(per_row
        .take(texts)
        .map(|(tokens, kept)| match pooling {
            Pooling::First => unit(&tokens[..dim]),
            Pooling::Mean => {
                let mut sum = vec![0.0; dim];
                for (token, _) in tokens
                    .chunks_exact(dim)
                    .zip(kept)
                    .filter(|(_, kept)| **kept != 0)
                {
                    sum.iter_mut()
                        .zip(token)
                        .for_each(|(total, value)| *total += value);
                }
                unit(&sum)
            }
        })
        .collect())
}

/// The rows of a [rows, dim] answer.
fn matrix(
    output: &Output,
    rows: usize,
    dim: Option<usize>,
) -> Result<std::slice::ChunksExact<'_, f32>, InferError> {
    match output.shape[..] {
        [found, width] if found == rows && width > 0 && dim.is_none_or(|dim| dim == width) => {
            Ok(output.values.chunks_exact(width))
        }
        _ => Err(unexpected(&output.shape)),
    }
}

fn unexpected(shape: &[usize]) -> InferError {
    let message = format!(
        "an answer of shape {shape:?} is no embedding a row of the width that config.json names"
    );
    InferError::Run {
        engine: "the model",
        message,
    }
}

/// x / |x|; the length is summed in f64, in order.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the length is wanted in f32"
)]
fn unit(vector: &[f32]) -> Answer {
    let length = vector
        .iter()
        .map(|value| f64::from(*value) * f64::from(*value))
        .sum::<f64>()
        .sqrt() as f32;
    if length.is_finite() && length > 0.0 {
        Ok(vector.iter().map(|value| value / length).collect())
    } else {
        Err(InferError::NotFinite(length))
    }
}

/// Whether the graph takes scales from the whole batch, so that rows are not independent. The file is looked through piece
/// by piece, since it holds the weights.
fn scales_by_batch(path: &Path) -> Result<bool, InferError> {
    const NAME: &[u8] = b"DynamicQuantizeLinear";
    let mut file = std::fs::File::open(path).map_err(InferError::io(path))?;
    let mut piece = vec![0; 1 << 20];
    // The end of the piece before, in which the name may begin.
    let mut kept = 0;
    loop {
        let read = file
            .read(&mut piece[kept..])
            .map_err(InferError::io(path))?;
        if read == 0 {
            return Ok(false);
        }
        let end = kept + read;
        if memchr::memmem::find(&piece[..end], NAME).is_some() {
            return Ok(true);
        }
        kept = end.min(NAME.len() - 1);
        piece.copy_within(end - kept..end, 0);
    }
}

/// Refuses a graph with inputs that would stay without a value.
pub(crate) fn only_inputs(
    graph: &dyn Graph,
    path: &Path,
    known: &[&str],
) -> Result<(), InferError> {
    match graph
        .inputs()
        .iter()
        .find(|name| !known.contains(&name.as_str()))
    {
        Some(name) => Err(InferError::graph(
            path,
            format!("it wants an input {name:?}; known are {}", known.join(", ")),
        )),
        None if graph.inputs().iter().any(|name| name == known[0]) => Ok(()),
        None => Err(InferError::graph(
            path,
            format!("it has no input {:?}", known[0]),
        )),
    }
}

/// The first of the outputs that the graph has.
pub(crate) fn pick_output(
    graph: &dyn Graph,
    path: &Path,
    names: &[&str],
) -> Result<String, InferError> {
    let has = |name: &&&str| graph.outputs().iter().any(|output| output == **name);
    names
        .iter()
        .find(has)
        .map(|name| (*name).to_owned())
        .ok_or_else(|| {
            let found = graph.outputs().join(", ");
            InferError::graph(
                path,
                format!(
                    "it has none of the outputs {}; it has {found}",
                    names.join(", ")
                ),
            )
        })
}

/// The value, made at the first call that succeeds.
fn once<T>(
    place: &Mutex<Option<Arc<T>>>,
    make: impl FnOnce() -> Result<T, InferError>,
) -> Result<Arc<T>, InferError> {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(value) = place.as_ref() {
        return Ok(Arc::clone(value));
    }
    let value = Arc::new(make()?);
    *place = Some(Arc::clone(&value));
    Ok(value)
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path: &PathBuf = &self.0.directory.path;
        f.debug_struct("Model")
            .field("dir", path)
            .field("id", &self.0.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_wherever_a_piece_ends() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.onnx");
        let name = b"DynamicQuantizeLinear";
        for before in [0, (1 << 20) - 30, (1 << 20) - 10, 1 << 20, (2 << 20) - 25] {
            let mut bytes = vec![b'D'; before];
            std::fs::write(&path, &bytes).unwrap();
            assert!(!scales_by_batch(&path).unwrap());
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(b"rest");
            std::fs::write(&path, &bytes).unwrap();
            assert!(scales_by_batch(&path).unwrap(), "behind {before} bytes");
        }
    }
}
