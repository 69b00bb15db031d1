//! Tags, captions and synthetic texts for pairs.
