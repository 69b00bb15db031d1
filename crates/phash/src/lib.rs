//! Perceptual hashes and their duplicate groups.
