//! Image and text towers of ONNX model directories.
