//! Semantic balance sampling.
