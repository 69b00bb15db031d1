//! The embedded engine: `rten`, pure Rust.
//!
//! Memory: the weights, and the matrices among them once more in the order in which its kernels read them; both are
//! shared by all sessions. Each session owns a pool of one thread, since the library runs every operator inside a pool.

use crate::InferError;
use crate::engine::{Engine, Graph, Output, Session, Tensor};
use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView, ValueView};
use rten_tensor::Layout as _;
use std::path::Path;
use std::sync::Arc;

const NAME: &str = "rten";

/// The engine; it has no state.
pub(crate) struct Rten;

impl Engine for Rten {
    fn describe(&self) -> String {
        "rten 0.27, embedded".to_owned()
    }

    fn load(&self, path: &Path) -> Result<Arc<dyn Graph>, InferError> {
        let mut options = ModelOptions::with_all_ops();
        options.prepack_weights(true);
        let model = options.load_file(path).map_err(|error| InferError::Load {
            path: path.to_owned(),
            engine: NAME,
            message: error.to_string(),
        })?;
        let names = |ids: &[NodeId]| {
            let name = |id: &NodeId| {
                model
                    .node_info(*id)
                    .and_then(|node| node.name().map(str::to_owned))
            };
            ids.iter()
                .map(|id| name(id).unwrap_or_default())
                .collect::<Vec<_>>()
        };
        let (inputs, outputs) = (names(model.input_ids()), names(model.output_ids()));
        Ok(Arc::new(RtenGraph {
            model: Arc::new(model),
            inputs,
            outputs,
        }))
    }
}

struct RtenGraph {
    model: Arc<Model>,
    inputs: Vec<String>,
    outputs: Vec<String>,
}

impl Graph for RtenGraph {
    fn inputs(&self) -> &[String] {
        &self.inputs
    }

    fn outputs(&self) -> &[String] {
        &self.outputs
    }

    fn session(&self) -> Result<Box<dyn Session>, InferError> {
        let pool = Arc::new(ThreadPool::with_num_threads(1));
        Ok(Box::new(RtenSession {
            model: Arc::clone(&self.model),
            pool,
        }))
    }
}

struct RtenSession {
    model: Arc<Model>,
    pool: Arc<ThreadPool>,
}

impl Session for RtenSession {
    fn run(&mut self, inputs: &[(&str, Tensor<'_>)], output: &str) -> Result<Output, InferError> {
        let failed = |message: String| InferError::Run {
            engine: NAME,
            message,
        };
        let mut values: Vec<(NodeId, ValueOrView<'_>)> = Vec::with_capacity(inputs.len());
        for (name, tensor) in inputs {
            let id = self
                .model
                .node_id(name)
                .map_err(|error| failed(error.to_string()))?;
            values.push((id, value(*tensor).map_err(failed)?));
        }
        let id = self
            .model
            .node_id(output)
            .map_err(|error| failed(error.to_string()))?;
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        let mut answers = self
            .model
            .run(values, &[id], Some(options))
            .map_err(|error| failed(error.to_string()))?;
        let Some(Value::FloatTensor(tensor)) = answers.pop() else {
            return Err(failed(format!("the output {output:?} is no float tensor")));
        };
        let shape = tensor.shape().to_vec();
        Ok(Output {
            shape,
            values: tensor.into_data(),
        })
    }
}

/// The library knows no i64: ids and masks become i32, which holds any vocabulary.
fn value(tensor: Tensor<'_>) -> Result<ValueOrView<'_>, String> {
    match tensor {
        Tensor::F32(shape, data) => Ok(ValueView::from_shape(shape, data)
            .map_err(|error| error.to_string())?
            .into()),
        Tensor::I64(shape, data) => {
            let narrow: Result<Vec<i32>, _> = data.iter().map(|id| i32::try_from(*id)).collect();
            let narrow = narrow.map_err(|error| error.to_string())?;
            Ok(Value::from_shape(shape, narrow)
                .map_err(|error| error.to_string())?
                .into())
        }
    }
}
