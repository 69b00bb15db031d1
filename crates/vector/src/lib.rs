//! Half and single precision codecs, `.npy` files, memory maps and inner-product kernels.
//!
//! Beside `realsyn-av1` the one crate of the workspace that may hold `unsafe`: each block says why it is sound and is
//! tested. It knows nothing of records.

pub mod bytes;
pub mod f16;
pub mod int8;
pub mod kernel;
pub mod map;
pub mod npy;
pub mod sparse;
