//! Hierarchical retrieval of sentences for images.
