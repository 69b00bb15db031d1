//! Contrastive language-image pre-training.
