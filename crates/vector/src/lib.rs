//! Half and single precision codecs, npy files, memory maps and inner-product kernels.
