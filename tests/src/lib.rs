//! Whole-pipeline tests: see `pipeline/`.
