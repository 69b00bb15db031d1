//! Image and text towers of ONNX model directories: the only room that knows inference engines.
//!
//! [`Model`] opens a directory in the layout of Hugging Face's ONNX exports (CLIP, SigLIP, sentence-transformers, and what
//! `rs-train` writes), [`Embedder`] is one worker's access to it, [`Classifier`] gives tags,
//! [`CausalLm`] perplexities. Two engines run the graphs:
//! ONNX Runtime where a library is found ([`EngineOptions`]), `rten` everywhere.
//!
//! Memory: the weights once (rten) or once a worker (ONNX Runtime), and one batch a worker. An embedding depends on its
//! picture or text, the model's files, the engine and the machine's CPU: never on its neighbours, on `-j` or on time.

mod causal;
mod classify;
mod directory;
mod engine;
mod error;
mod model;
mod ort_engine;
mod preprocess;
mod rten_engine;
mod text;

pub use causal::{CausalLm, CausalScorer};
pub use classify::{Classifier, Tagger};
pub use directory::is_model_file;
pub use engine::{Device, EngineChoice, EngineOptions};
pub use error::InferError;
pub use model::{Answer, Embedder, Model, Pixels};
