//! The checkpoint of record, safetensors with OpenCLIP's names, and its ONNX model directory.
