//! ONNX Runtime, from a shared library that is found at run time.
//!
//! Memory: each session holds the weights, because the library's Rust binding lets only one thread at a time use a
//! session, for what its authors say of the library's thread safety. One session with a pool of threads would hold them
//! once; on ViT-B-32 that took 2% (quiet) to 12% (loaded machine) more processor time than a session a thread. Sessions
//! are handed out from a shelf, so that a worker that ends leaves its session to the next.
//!
//! One process can load one ONNX Runtime: the first that is found stays, and asking for another is an error.

use crate::InferError;
use crate::engine::{Device, Engine, EngineOptions, Graph, Output, Session, Tensor};
use half::f16;
use half::slice::HalfFloatSliceExt;
use ort::environment::Environment;
use ort::ep::CUDA;
use ort::logging::LogLevel;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{OutputSelector, RunOptions, Session as OrtLibrarySession, SessionInputValue};
use ort::value::{DynValue, Tensor as OrtTensor, TensorElementType, TensorRef};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

const NAME: &str = "ort";

/// The library's file name, here and on macOS.
const FILES: [&str; 2] = ["libonnxruntime.so", "libonnxruntime.dylib"];

/// Where packages of ONNX Runtime put the library; the dynamic linker's own search comes after these.
const FOLDERS: [&str; 6] = [
    "/usr/local/lib",
    "/usr/lib",
    "/usr/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/opt/homebrew/lib",
];

/// What one process has loaded: the library cannot be unloaded or exchanged.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// ONNX Runtime, ready to load graphs.
pub(crate) struct Ort {
    environment: Environment,
    library: PathBuf,
    device: Device,
}

/// Finds and loads the library; see [`crate::engine::find`] for the order.
pub(crate) fn find(model_dir: &Path, options: &EngineOptions) -> Result<Ort, InferError> {
    Ok(Ort {
        device: options.device,
        ..find_library(model_dir, options)?
    })
}

fn find_library(model_dir: &Path, options: &EngineOptions) -> Result<Ort, InferError> {
    if let Some(path) = &options.library {
        return load(path);
    }
    let beside = FILES.iter().map(|file| model_dir.join("lib").join(file));
    let common = FOLDERS
        .iter()
        .flat_map(|folder| FILES.iter().map(move |file| Path::new(folder).join(file)));
    let mut tried = Vec::new();
    for path in options
        .environment
        .iter()
        .cloned()
        .chain(beside)
        .chain(common)
    {
        if path.exists() {
            match load(&path) {
                Ok(engine) => return Ok(engine),
                Err(error) => tried.push(error.to_string()),
            }
        }
    }
    Err(InferError::Library(if tried.is_empty() {
        "no libonnxruntime found beside the model, in ORT_DYLIB_PATH or in the system's library folders".to_owned()
    } else {
        tried.join("; ")
    }))
}

/// Loads one library, or says why it cannot be used.
///
/// The binding checks the library's own version string and would panic later on what it cannot use; the whole of its
/// start is therefore made here, where a panic becomes an error.
fn load(path: &Path) -> Result<Ort, InferError> {
    let refuse = |why: String| {
        InferError::Library(format!(
            "{}: not a usable ONNX Runtime: {why}",
            path.display()
        ))
    };
    // A relative path would be tried beside the program first, and a bare name in the linker's folders.
    let real = path
        .canonicalize()
        .map_err(|error| refuse(error.to_string()))?;
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((library, environment)) = loaded.as_ref() {
        return if *library == real {
            Ok(Ort {
                environment: environment.clone(),
                library: real,
                device: Device::Cpu,
            })
        } else {
            Err(refuse(format!(
                "this process has loaded {} already",
                library.display()
            )))
        };
    }
    check_kind(&real).map_err(&refuse)?;
    let attempt = catch_unwind(|| {
        let builder = ort::init_from(&real).map_err(|error| error.to_string())?;
        builder
            .with_name("realsyn")
            .with_telemetry(false)
            .build()
            .map_err(|error| error.to_string())
    });
    let environment = attempt
        .map_err(|_| refuse("its start failed".to_owned()))?
        .map_err(|why| refuse(why.trim_end().to_owned()))?;
    *loaded = Some((real.clone(), environment.clone()));
    Ok(Ort {
        environment,
        library: real,
        device: Device::Cpu,
    })
}

/// Refuses what the dynamic linker would take seconds over or print riddles about: folders, empty files, scripts.
fn check_kind(path: &Path) -> Result<(), String> {
    use std::io::Read as _;

    let mut magic = [0; 4];
    let mut file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.read_exact(&mut magic)
        .map_err(|error| error.to_string())?;
    let elf = magic == *b"\x7fELF";
    let mach = [0xFEED_FACF_u32, 0xCFFA_EDFE, 0xCAFE_BABE].contains(&u32::from_be_bytes(magic));
    if elf || mach {
        Ok(())
    } else {
        Err("it is no shared library".to_owned())
    }
}

impl Engine for Ort {
    fn describe(&self) -> String {
        let device = match self.device {
            Device::Cpu => "",
            Device::Cuda => " on CUDA",
        };
        format!("ONNX Runtime{device}, {}", self.library.display())
    }

    fn load(&self, path: &Path) -> Result<Arc<dyn Graph>, InferError> {
        let source = Source {
            environment: self.environment.clone(),
            path: path.to_owned(),
            device: self.device,
        };
        let first = source.open()?;
        let inputs = first
            .inputs()
            .iter()
            .map(|input| input.name().to_owned())
            .collect();
        let outputs = first
            .outputs()
            .iter()
            .map(|output| output.name().to_owned())
            .collect();
        let idle = Arc::new(Mutex::new(vec![first]));
        Ok(Arc::new(OrtGraph {
            source,
            inputs,
            outputs,
            idle,
        }))
    }
}

/// What a session is opened from.
struct Source {
    environment: Environment,
    path: PathBuf,
    device: Device,
}

impl Source {
    fn open(&self) -> Result<OrtLibrarySession, InferError> {
        let open = || -> Result<OrtLibrarySession, String> {
            let text = |error: &dyn std::fmt::Display| error.to_string();
            let providers = match self.device {
                Device::Cpu => Vec::new(),
                // Without this the library would compute on the processor and not say so.
                Device::Cuda => vec![CUDA::default().build().error_on_failure()],
            };
            OrtLibrarySession::builder(&self.environment)
                .map_err(|error| text(&error))?
                .with_execution_providers(providers)
                .map_err(|error| format!("no CUDA: {error}"))?
                .with_optimization_level(GraphOptimizationLevel::All)
                .map_err(|error| text(&error))?
                .with_intra_threads(1)
                .map_err(|error| text(&error))?
                .with_inter_threads(1)
                .map_err(|error| text(&error))?
                .with_log_level(LogLevel::Fatal)
                .map_err(|error| text(&error))?
                .commit_from_file(&self.path)
                .map_err(|error| text(&error))
        };
        open().map_err(|message| InferError::Load {
            path: self.path.clone(),
            engine: NAME,
            message,
        })
    }
}

struct OrtGraph {
    source: Source,
    inputs: Vec<String>,
    outputs: Vec<String>,
    idle: Arc<Mutex<Vec<OrtLibrarySession>>>,
}

impl Graph for OrtGraph {
    fn inputs(&self) -> &[String] {
        &self.inputs
    }

    fn outputs(&self) -> &[String] {
        &self.outputs
    }

    fn session(&self) -> Result<Box<dyn Session>, InferError> {
        let ready = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let session = match ready {
            Some(session) => session,
            None => self.source.open()?,
        };
        Ok(Box::new(OrtSession {
            session: Some(session),
            idle: Arc::clone(&self.idle),
        }))
    }
}

struct OrtSession {
    /// Always there until the drop, which puts it back.
    session: Option<OrtLibrarySession>,
    idle: Arc<Mutex<Vec<OrtLibrarySession>>>,
}

impl Drop for OrtSession {
    fn drop(&mut self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.session.take());
    }
}

impl Session for OrtSession {
    fn run(&mut self, inputs: &[(&str, Tensor<'_>)], output: &str) -> Result<Output, InferError> {
        let failed = |message: String| InferError::Run {
            engine: NAME,
            message,
        };
        let session = self
            .session
            .as_mut()
            .ok_or_else(|| failed("the session is closed".to_owned()))?;
        let mut run = || -> ort::Result<Output> {
            let takes_half = |name: &str| {
                let input = session.inputs().iter().find(|input| input.name() == name);
                input.and_then(|input| input.dtype().tensor_type())
                    == Some(TensorElementType::Float16)
            };
            let mut values: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(inputs.len());
            for (name, tensor) in inputs {
                values.push((
                    name,
                    match tensor {
                        Tensor::F32(shape, data) if takes_half(name) => {
                            let mut halves = vec![f16::ZERO; data.len()];
                            halves.convert_from_f32_slice(data);
                            OrtTensor::from_array((shape.to_vec(), halves))?.into()
                        }
                        Tensor::F32(shape, data) => {
                            TensorRef::from_array_view((shape.to_vec(), *data))?.into()
                        }
                        Tensor::I64(shape, data) => {
                            TensorRef::from_array_view((shape.to_vec(), *data))?.into()
                        }
                    },
                ));
            }
            let options =
                RunOptions::new()?.with_outputs(OutputSelector::no_default().with(output));
            let answers = session.run_with_options(values, &options)?;
            let answer = answers
                .get(output)
                .ok_or_else(|| ort::Error::new(format!("no output {output:?}")))?;
            read(answer)
        };
        run().map_err(|error| failed(error.to_string()))
    }
}

/// An answer of single precision, or of half precision widened.
fn read(answer: &DynValue) -> ort::Result<Output> {
    let sides = |shape: &[i64]| {
        shape
            .iter()
            .map(|side| usize::try_from(*side).unwrap_or(0))
            .collect()
    };
    if let Ok((shape, halves)) = answer.try_extract_tensor::<f16>() {
        let mut values = vec![0.0; halves.len()];
        halves.convert_to_f32_slice(&mut values);
        return Ok(Output {
            shape: sides(shape),
            values,
        });
    }
    let (shape, data) = answer.try_extract_tensor::<f32>()?;
    Ok(Output {
        shape: sides(shape),
        values: data.to_vec(),
    })
}
